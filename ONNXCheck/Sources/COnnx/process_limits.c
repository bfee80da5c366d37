// The build asks for plain C11, which hides sigaction and SIGXCPU.
#define _GNU_SOURCE

#include "ProcessLimits.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int limit(int resource, rlim_t soft, rlim_t hard) {
  struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  return setrlimit(resource, &limit) == 0 ? 0 : errno;
}

int crest_crash_quietly(void) {
  static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (signal(signals[i], SIG_DFL) == SIG_ERR) return errno;
  return limit(RLIMIT_CORE, 0, 0);
}

int crest_limit_memory(uint64_t bytes) {
  return limit(RLIMIT_AS, bytes, bytes);
}

// What the handler needs. Measured once: strlen is safe in a handler, but there is no reason to call it there.
static const char *output_text, *error_text;
static size_t output_length, error_length;
static int exit_status;

static void write_all(int descriptor, const char *text, size_t length) {
  while (length > 0) {
    ssize_t written = write(descriptor, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    length -= (size_t)written;
  }
}

static void time_is_up(int signal) {
  (void)signal;
  write_all(STDOUT_FILENO, output_text, output_length);
  write_all(STDERR_FILENO, error_text, error_length);
  _exit(exit_status);
}

int crest_limit_time(uint64_t seconds, const char *output, const char *error, int status) {
  output_text = output;
  output_length = strlen(output);
  error_text = error;
  error_length = strlen(error);
  exit_status = status;
  struct sigaction action = {.sa_handler = time_is_up};
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGXCPU, &action, NULL) != 0) return errno;
  // A process inherits what its parent's thread blocks, and threads of Dispatch block nearly everything.
  sigset_t expected;
  sigemptyset(&expected);
  sigaddset(&expected, SIGXCPU);
  if (sigprocmask(SIG_UNBLOCK, &expected, NULL) != 0) return errno;
  // One second later the kernel kills, should the handler be unable to write.
  return limit(RLIMIT_CPU, seconds, seconds + 1);
}
