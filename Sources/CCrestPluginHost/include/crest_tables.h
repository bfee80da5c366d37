#ifndef CREST_TABLES_H
#define CREST_TABLES_H

#include <stddef.h>
#include <stdint.h>

/// Loads the library at `path` and writes the table it gives, a `const crest_plugin *`, to `table`.
///
/// Constructors of the library run here. Returns 0, or -1 with the reason in `reason`. Symbols are resolved at
/// once and stay the library's own. A library is never unloaded.
int crest_load_table(const char *path, const void **table, char *reason, size_t capacity);

/// The environment variable that makes a program with this library a rehearsal of a plugin.
#define CREST_REHEARSAL "CREST_PLUGIN_REHEARSAL"

/// The line that ends a rehearsal that went well; what comes before it is the plugin's.
#define CREST_REHEARSAL_PASSED "\ncrest: rehearsal passed\n"

/// The line with the reason that begins what ends one that did not.
#define CREST_REHEARSAL_FAILED "\ncrest: rehearsal failed: "

#endif
