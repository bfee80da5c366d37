#ifndef CREST_EXITS_H
#define CREST_EXITS_H

/// What was loaded into the process at some time.
struct crest_loaded;

/// Returns NULL when there is no memory.
struct crest_loaded *crest_loaded_now(void);

/// Takes over the ways to end the process in all that was loaded since, on behalf of a plugin, and frees `before`.
///
/// A call of `exit`, `_exit`, `execve` and the like from there then ends the process with a message and a code that is no
/// success. A process that the plugin has forked does as it likes.
void crest_take_over_exits(struct crest_loaded *before, const char *identifier);

/// Ends the process with the report that a plugin has done so by calling `how`.
_Noreturn void crest_end_process(const char *identifier, const char *how);

/// Whether this is the process that plugins were loaded into, and not one that they have forked.
int crest_is_host_process(void);

/// Whether a plugin is being called on this thread.
int crest_is_calling_plugin(void);

#endif
