#define _GNU_SOURCE

#include "crest_processes.h"

#if defined(__linux__)

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/// Whether the environment that a process was started with has `variable`.
static int was_started_with(const char *number, const char *variable) {
  char path[64], *text = NULL;
  snprintf(path, sizeof path, "/proc/%s/environ", number);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  // What plugins are started with is short; a longer environment begins with it, or was made by somebody else.
  enum { LIMIT = 1 << 16 };
  size_t filled = 0, length = strlen(variable) + 1;
  int found = 0;
  text = malloc(LIMIT);
  ssize_t count = 0;
  while (text != NULL && filled < LIMIT &&
         ((count = read(file, text + filled, LIMIT - filled)) > 0 || (count < 0 && errno == EINTR)))
    if (count > 0) filled += (size_t)count;
  for (size_t place = 0; text != NULL && place + length <= filled && !found;) {
    found = memcmp(text + place, variable, length) == 0;
    const char *end = memchr(text + place, 0, filled - place);
    if (end == NULL) break;
    place = (size_t)(end - text) + 1;
  }
  free(text);
  close(file);
  return found;
}

/// Ends the processes with `variable` that there are now; how many.
static int end_those_with(const char *variable) {
  DIR *folder = opendir("/proc");
  if (folder == NULL) return 0;
  int found = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    int number = atoi(entry->d_name);
    if (number <= 1 || number == getpid()) continue;
    // Held while it is looked at: its number can't become another's before it is ended.
    int process = (int)syscall(SYS_pidfd_open, number, 0u);
    int is_old_kernel = process < 0 && errno == ENOSYS;
    if (was_started_with(entry->d_name, variable)) {
      if (process >= 0) syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0u);
      else if (is_old_kernel) kill(number, SIGKILL);
      found++;
    }
    if (process >= 0) close(process);
  }
  closedir(folder);
  return found;
}

void crest_end_processes_with(const char *variable) {
  // What they start until they end is looked for again. The ended that nobody has waited for have no environment.
  for (int round = 0; round < 100 && end_those_with(variable) > 0; round++) usleep(1000);
}

#else

void crest_end_processes_with(const char *variable) { (void)variable; }

#endif
