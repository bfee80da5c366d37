#define _GNU_SOURCE
#include "crest_files.h"

#include <errno.h>
#include <unistd.h>

#if defined(__linux__)
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#endif

#if defined(SYS_openat2)

// linux/openat2.h is missing from older headers, while the numbers are part of the kernel's ABI.
struct crest_open_how {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};
enum { CREST_NO_MAGICLINKS = 0x02, CREST_NO_SYMLINKS = 0x04, CREST_BENEATH = 0x08 };

int crest_open_beneath(int folder, const char *path) {
  struct crest_open_how how;
  memset(&how, 0, sizeof how);
  // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = CREST_BENEATH | CREST_NO_SYMLINKS | CREST_NO_MAGICLINKS;
  return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

#else

int crest_open_beneath(int folder, const char *path) {
  (void)folder;
  (void)path;
  errno = ENOSYS;
  return -1;
}

#endif

int crest_stored_range(int descriptor, int64_t offset, int64_t size, int64_t *start, int64_t *end) {
  *start = offset;
  *end = size;
#if defined(SEEK_DATA) && defined(SEEK_HOLE)
  off_t data = lseek(descriptor, (off_t)offset, SEEK_DATA);
  if (data < 0 && errno == ENXIO) {
    *start = size;
    return 0;
  }
  // A file system that doesn't know the question.
  if (data < 0) return errno == EINVAL || errno == ENOTSUP || errno == ENOTTY ? 0 : -1;
  off_t hole = lseek(descriptor, data, SEEK_HOLE);
  if (hole < 0) return -1;
  *start = data < size ? data : size;
  *end = hole < size ? hole : size;
#endif
  return 0;
}
