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

/// A program that was started.
struct crest_child {
  /// The child of this process: on Linux a supervisor, whose child the program is; elsewhere the program.
  pid_t process;
  /// On Linux, the supervisor ends everything when this closes, and says on `report` how the program ended;
  /// elsewhere -1.
  int order, report;
};

/// Starts a program in a process group and session of its own, with default signals and without core files.
///
/// On Linux a supervisor stands between: a process that adopts whatever the program starts and leaves behind, in
/// whichever session or group, and ends all of it when the program ends, when it is told to, and when this process
/// ends, however it does. It is forked, runs nothing but system calls, and gives back this process's memory. Elsewhere
/// there is the process group alone.
///
/// Returns 0, or the error of the first system call that failed, `execve` included; then there is no process.
/// It stands in C because limits must be set between fork and exec, where nothing but system calls is safe.
int crest_start_process(const struct crest_start *start, struct crest_child *child);

/// Whether the program has ended, waiting for up to so many milliseconds.
///
/// Returns 1 with how it ended, as `waitpid` has it; 0 when it has not; -1 when nobody can say: somebody else has
/// waited for it, or its supervisor was killed.
int crest_child_has_ended(struct crest_child *child, int milliseconds, int *status);

/// Ends the program and all that it started, and waits for that for up to so many milliseconds.
///
/// Returns 1 when nothing is left and the program's end came now, with its status; 0 when nothing is left; -1 when
/// that isn't sure. The child must not be used afterwards.
int crest_child_end(struct crest_child *child, int milliseconds, int *status);

/// Ends every process of this user in whose initial environment `variable`, as in `NAME=value`, is. For what a
/// supervisor left that was killed; does nothing but on Linux.
void crest_end_processes_with(const char *variable);

/// `pipe` whose ends no other program that is started meanwhile, by whichever thread, gets.
int crest_pipe(int ends[2]);

/// `read` that tries for up to `nanoseconds` before it reports EAGAIN.
///
/// A processor that sleeps takes longer to wake than most answers take to come.
ssize_t crest_read_soon(int descriptor, void *bytes, size_t capacity, uint64_t nanoseconds);

/// `write` that reports a closed pipe as EPIPE and never as a signal, whatever the process does with SIGPIPE.
ssize_t crest_write_pipe(int descriptor, const void *bytes, size_t count);

#endif
