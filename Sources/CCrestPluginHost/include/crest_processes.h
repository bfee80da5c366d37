#ifndef CREST_PROCESSES_H
#define CREST_PROCESSES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A program to be started, and what it gets.
struct crest_start {
  const char *program;
  /// Ends in NULL, as does the environment.
  char *const *arguments;
  char *const *environment;
  /// Descriptors that become its standard streams.
  int input, output, error;
  /// Descriptors that it gets as 3, 4 and so on.
  const int *passed;
  size_t passed_count;
  /// Limits; 0 is none.
  uint64_t memory_bytes, cpu_seconds;
};

/// The most descriptors that are passed.
#define CREST_PASSED_LIMIT 256

/// Starts a program in a process group of its own, with default signals and without core files.
///
/// Returns 0, or the error of the first system call that failed, `execve` included; then there is no process.
/// It stands in C because limits must be set between fork and exec, where nothing but system calls is safe.
int crest_start_process(const struct crest_start *start, pid_t *process);

/// `pipe` whose ends no other program that is started meanwhile, by whichever thread, gets.
int crest_pipe(int ends[2]);

/// How a process ended, as waitpid has it, without taking that away: until it is reaped, neither its number nor
/// its group's is given to another.
///
/// Returns 1 when it has ended, 0 when it has not, which it waits for unless `block` is 0, and -1 with `errno`.
int crest_has_ended(pid_t process, int block);

/// `read` that tries for up to `nanoseconds` before it reports EAGAIN.
///
/// A processor that sleeps takes longer to wake than most answers take to come.
ssize_t crest_read_soon(int descriptor, void *bytes, size_t capacity, uint64_t nanoseconds);

/// `write` that reports a closed pipe as EPIPE and never as a signal, whatever the process does with SIGPIPE.
ssize_t crest_write_pipe(int descriptor, const void *bytes, size_t count);

#endif
