#ifndef CREST_FILES_H
#define CREST_FILES_H

/// Opens `path` for reading, below the folder `folder` and through no symbolic link at all (Linux openat2,
/// RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS).
///
/// Returns a descriptor, or -1 with `errno`; ENOSYS where the system has no such call. It stands in C because
/// `syscall` is variadic, which Swift can't call.
int crest_open_beneath(int folder, const char *path);

#endif
