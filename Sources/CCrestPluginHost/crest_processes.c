#define _GNU_SOURCE

#include "crest_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "crest_supervisor.h"

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
  int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    _Alignas(struct crest_folder_entry) char entries[4096];
    long count;
    while ((count = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
      for (long place = 0; place < count;) {
        const struct crest_folder_entry *entry = (const struct crest_folder_entry *)(entries + place);
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

void crest_become(const struct crest_start *start, int report) {
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

/// Forks with all signals blocked: no handler of ours may run in the child before it has its own signals.
static pid_t fork_quietly(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t child = fork();
  int error = errno;
  if (child != 0) pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return child;
}

/// How a child of this process ended, as `waitpid` has it, once it has; 1, 0 when it has not, or -1 when somebody else
/// has waited for it.
static int collect(pid_t process, int options, int *status) {
  for (;;) {
    pid_t ended = waitpid(process, status, options);
    if (ended == process) return 1;
    if (ended == 0) return 0;
    if (errno != EINTR) return -1;
  }
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

#if defined(__linux__)

int crest_start_process(const struct crest_start *start, struct crest_child *result) {
  int order[2], report[2];
  if (start->passed_count > CREST_PASSED_LIMIT) return E2BIG;
  if (crest_pipe(order) != 0) return errno;
  if (crest_pipe(report) != 0) {
    int error = errno;
    close(order[0]);
    close(order[1]);
    return error;
  }
  pid_t trainer = getpid();
  pid_t child = fork_quietly();
  int error = errno;
  if (child == 0) crest_supervise(start, trainer, order[0], report[1]);
  close(order[0]);
  close(report[1]);
  struct crest_report message = {CREST_CHILD_FAILED, error};
  if (child > 0) {
    ssize_t count;
    do count = read(report[0], &message, sizeof message);
    while (count < 0 && errno == EINTR);
    if (count == sizeof message && message.kind == CREST_CHILD_STARTED) {
      fcntl(report[0], F_SETFL, fcntl(report[0], F_GETFL) | O_NONBLOCK);
      result->process = child;
      result->order = order[1];
      result->report = report[0];
      return 0;
    }
    // Killed before it said anything.
    if (count != sizeof message) message.value = ESRCH;
  }
  close(order[1]);
  close(report[0]);
  int status;
  if (child > 0) collect(child, 0, &status);
  return message.value;
}

/// The next report of a supervisor: 1; 0 when there is none in time; -1 when none will come.
static int next_report(const struct crest_child *child, int milliseconds, struct crest_report *report) {
  struct pollfd poll_report = {.fd = child->report, .events = POLLIN};
  uint64_t end = now() + (uint64_t)milliseconds * 1000000u;
  for (;;) {
    ssize_t count = read(child->report, report, sizeof *report);
    if (count == sizeof *report) return 1;
    if (count >= 0 || (errno != EAGAIN && errno != EINTR)) return -1;
    uint64_t time = now();
    if (milliseconds == 0 || time >= end) return 0;
    poll(&poll_report, 1, (int)((end - time) / 1000000u) + 1);
  }
}

int crest_child_has_ended(struct crest_child *child, int milliseconds, int *status) {
  struct crest_report report;
  int result = next_report(child, milliseconds, &report);
  if (result <= 0) return result;
  if (report.kind != CREST_CHILD_ENDED) return -1;
  *status = report.value;
  return 1;
}

int crest_child_end(struct crest_child *child, int milliseconds, int *status) {
  close(child->order);
  // Unless it is over and its number another's: one that was stopped hears nothing.
  siginfo_t end = {0};
  int is_ours = waitid(P_PID, (id_t)child->process, &end, WEXITED | WNOHANG | WNOWAIT) == 0;
  if (is_ours && end.si_pid == 0) kill(child->process, SIGCONT);
  struct crest_report report;
  int has_ended = 0, is_gone = 0, result;
  uint64_t last = now() + (uint64_t)milliseconds * 1000000u;
  do {
    uint64_t time = now();
    result = next_report(child, time < last ? (int)((last - time) / 1000000u) + 1 : 0, &report);
    if (result == 1 && report.kind == CREST_CHILD_ENDED) {
      has_ended = 1;
      *status = report.value;
    }
    if (result == 1 && report.kind == CREST_CHILD_GONE) is_gone = 1;
  } while (result == 1);
  close(child->report);
  // One that takes so long is left to its work, unless somebody stops it from that.
  if (result == 0 && is_ours) kill(child->process, SIGKILL);
  int ignored;
  collect(child->process, 0, &ignored);
  return is_gone ? has_ended : -1;
}

#else

int crest_start_process(const struct crest_start *start, struct crest_child *result) {
  int report[2];
  if (start->passed_count > CREST_PASSED_LIMIT) return E2BIG;
  if (crest_pipe(report) != 0) return errno;
  pid_t child = fork_quietly();
  int error = errno;
  if (child == 0) crest_become(start, report[1]);
  close(report[1]);
  if (child < 0) {
    close(report[0]);
    return error;
  }
  ssize_t count;
  do count = read(report[0], &error, sizeof error);
  while (count < 0 && errno == EINTR);
  close(report[0]);
  int status;
  if (count == sizeof error) {
    collect(child, 0, &status);
    return error;
  }
  result->process = child;
  result->order = result->report = -1;
  return 0;
}

int crest_child_has_ended(struct crest_child *child, int milliseconds, int *status) {
  uint64_t end = now() + (uint64_t)milliseconds * 1000000u;
  for (;;) {
    // Without taking that away: until it is reaped, neither its number nor its group's is given to another.
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)child->process, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno != EINTR) return -1;
    if (info.si_pid != 0) {
      kill(-child->process, SIGKILL);
      int result = collect(child->process, 0, status);
      child->process = 0;
      return result;
    }
    if (now() >= end) return 0;
    usleep(200);
  }
}

int crest_child_end(struct crest_child *child, int milliseconds, int *status) {
  (void)milliseconds;
  if (child->process == 0) return 0;
  kill(-child->process, SIGKILL);
  kill(child->process, SIGKILL);
  return collect(child->process, 0, status);
}

#endif

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

ssize_t crest_read_soon(int descriptor, void *bytes, size_t capacity, uint64_t nanoseconds) {
  uint64_t end = 0;
  for (;;) {
    ssize_t count = read(descriptor, bytes, capacity);
    if (count >= 0 || errno != EAGAIN || nanoseconds == 0) return count;
    uint64_t time = now();
    if (end == 0) end = time + nanoseconds;
    if (time >= end) {
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
