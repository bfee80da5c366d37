#ifndef CREST_FILES_H
#define CREST_FILES_H

#include <stdint.h>

/// Opens `path` for reading, below the folder `folder` and through no symbolic link at all (Linux openat2,
/// RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS).
///
/// Returns a descriptor, or -1 with `errno`; ENOSYS where the system has no such call. It stands in C because
/// `syscall` is variadic, which Swift can't call.
int crest_open_beneath(int folder, const char *path);

/// Finds the first bytes at or after `offset` that a file of `size` bytes stores; what lies between such ranges are
/// holes, which read as zeros. Where the system doesn't know about holes, all is stored.
///
/// Returns 0 and their range, `start` and `end` being `size` when there are none, or -1 with `errno`.
int crest_stored_range(int descriptor, int64_t offset, int64_t size, int64_t *start, int64_t *end);

#endif
