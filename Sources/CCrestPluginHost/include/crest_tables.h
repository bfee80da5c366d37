#ifndef CREST_TABLES_H
#define CREST_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "crest_guard.h"

/// Loads the library at the last of `paths`, after those that it depends on, and writes the table it gives, a
/// `const crest_plugin *`, to `table`.
///
/// Constructors of the libraries run here, and what they change in the process is put back. Returns 0, or -1 with the
/// reason in `reason`. Symbols are resolved at once and stay the library's own. A library is never unloaded.
int crest_load_table(const char *const *paths, size_t count, struct crest_caller *caller, const void **table,
                     char *reason, size_t capacity);

/// Does what ``crest_load_table`` does in a copy of this process, whose memory is laid out as this one's is, and ends the
/// copy: what kills the copy would have killed this process.
///
/// Returns 0 when it lived through it, whatever came of it; the signal that ended it, SIGALRM after so many seconds; or -1
/// with `errno` when there can be no copy.
int crest_try_table(const char *const *paths, size_t count, struct crest_caller *caller, unsigned seconds);

/// Whether a library of that name is loaded, so that the system's loader looks for it nowhere.
int crest_is_loaded(const char *name);

/// Copies bytes to memory that has a descriptor, and that nobody can change any more.
///
/// Returns the descriptor, or -1 with `errno`: ENOSYS where the system has no such memory.
int crest_sealed_copy(const char *name, const void *bytes, size_t count);

/// The environment variable that makes a program with this library a rehearsal of a plugin: the paths of what is loaded,
/// one a line.
#define CREST_REHEARSAL "CREST_PLUGIN_REHEARSAL"

/// That with the names of hooks by number, one a line.
#define CREST_REHEARSAL_HOOKS "CREST_PLUGIN_HOOKS"

/// The line that ends a rehearsal that went well, but for what the library does when its process ends.
#define CREST_REHEARSAL_PASSED "\ncrest: rehearsal passed\n"

/// The line with the reason that begins what ends one that did not.
#define CREST_REHEARSAL_FAILED "\ncrest: rehearsal failed: "

#endif
