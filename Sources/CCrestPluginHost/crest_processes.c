#define _GNU_SOURCE

#include "crest_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

static int limit(int resource, uint64_t value) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return -1;
  // Above what is granted already there is nothing to limit.
  if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) return 0;
  limit.rlim_cur = limit.rlim_max = (rlim_t)value;
  return setrlimit(resource, &limit);
}

static void close_all_on_exec(void) {
#if defined(SYS_close_range)
  // CLOSE_RANGE_CLOEXEC is missing from older headers.
  if (syscall(SYS_close_range, 3u, ~0u, 4u) == 0) return;
#endif
#if defined(SYS_getdents64)
  // Between fork and exec there is no opendir, which takes memory.
  struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
  };
  int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    _Alignas(struct entry) char entries[4096];
    long count;
    while ((count = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
      for (long place = 0; place < count;) {
        const struct entry *entry = (const struct entry *)(entries + place);
        int descriptor = 0;
        for (const char *digit = entry->name; *digit >= '0' && *digit <= '9'; digit++)
          descriptor = descriptor * 10 + (*digit - '0');
        if (descriptor >= 3) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
        place += entry->size;
      }
    }
    if (count == 0) return;
  }
#endif
  struct rlimit files;
  int last = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? (int)files.rlim_cur : 65536;
  for (int descriptor = 3; descriptor < last; descriptor++) {
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
}

/// Becomes the program; what went wrong is written to `report`, which closes when all went well.
static void become(const struct crest_start *start, int report) {
  setpgid(0, 0);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  // Out of the way of 0, 1 and 2 first, which any of them may be.
  int streams[3] = {start->input, start->output, start->error};
  int failed = 0;
  for (int stream = 0; stream < 3 && !failed; stream++) {
    streams[stream] = fcntl(streams[stream], F_DUPFD_CLOEXEC, 3);
    failed = streams[stream] < 0;
  }
  // Beyond the numbers that are given away.
  int first_free = 3 + (int)start->passed_count;
  report = fcntl(report, F_DUPFD_CLOEXEC, first_free);
  int passed[CREST_PASSED_LIMIT];
  for (size_t place = 0; place < start->passed_count && !failed; place++) {
    passed[place] = fcntl(start->passed[place], F_DUPFD_CLOEXEC, first_free);
    failed = passed[place] < 0;
  }
  for (int stream = 0; stream < 3 && !failed; stream++) failed = dup2(streams[stream], stream) < 0;
  close_all_on_exec();
  for (size_t place = 0; place < start->passed_count && !failed; place++)
    failed = dup2(passed[place], 3 + (int)place) < 0;
  failed = failed || limit(RLIMIT_CORE, 0) != 0;
  if (start->memory_bytes != 0) failed = failed || limit(RLIMIT_AS, start->memory_bytes) != 0;
  if (start->cpu_seconds != 0) failed = failed || limit(RLIMIT_CPU, start->cpu_seconds) != 0;
  if (!failed) execve(start->program, start->arguments, start->environment);
  int error = errno;
  (void)!write(report, &error, sizeof error);
  _exit(127);
}

int crest_start_process(const struct crest_start *start, pid_t *process) {
  int report[2];
  if (start->passed_count > CREST_PASSED_LIMIT) return E2BIG;
  if (crest_pipe(report) != 0) return errno;
  // No handler of ours may run in the child before it has its own signals.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  int error = errno;
  if (child == 0) become(start, report[1]);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  if (child < 0) {
    close(report[0]);
    return error;
  }
  ssize_t count;
  do count = read(report[0], &error, sizeof error);
  while (count < 0 && errno == EINTR);
  close(report[0]);
  if (count == sizeof error) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return error;
  }
  *process = child;
  return 0;
}

int crest_pipe(int ends[2]) {
#if defined(__linux__)
  return pipe2(ends, O_CLOEXEC);
#else
  if (pipe(ends) != 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
#endif
}

int crest_has_ended(pid_t process, int block) {
  for (;;) {
    siginfo_t end = {0};
    if (waitid(P_PID, (id_t)process, &end, WEXITED | WNOWAIT | (block ? 0 : WNOHANG)) == 0) return end.si_pid != 0;
    if (errno != EINTR) return -1;
  }
}

ssize_t crest_read_soon(int descriptor, void *bytes, size_t capacity, uint64_t nanoseconds) {
  uint64_t end = 0;
  for (;;) {
    ssize_t count = read(descriptor, bytes, capacity);
    if (count >= 0 || errno != EAGAIN || nanoseconds == 0) return count;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    uint64_t now = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    if (end == 0) end = now + nanoseconds;
    if (now >= end) {
      errno = EAGAIN;
      return -1;
    }
    // Whoever is to answer may be waiting for this very processor.
    sched_yield();
  }
}

ssize_t crest_write_pipe(int descriptor, const void *bytes, size_t count) {
  sigset_t broken, before, pending;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  // One that is pending already is somebody else's.
  sigemptyset(&pending);
  sigpending(&pending);
  int was_pending = sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  ssize_t written = write(descriptor, bytes, count);
  int error = errno;
  if (written < 0 && error == EPIPE && !was_pending) {
    sigemptyset(&pending);
    sigpending(&pending);
    int number;
    if (sigismember(&pending, SIGPIPE)) sigwait(&broken, &number);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return written;
}
