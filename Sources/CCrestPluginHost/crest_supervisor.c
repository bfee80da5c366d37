#define _GNU_SOURCE

#include "crest_supervisor.h"

#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

// The supervisor is a copy of a process of many threads, and gives back that one's memory: after that there is no
// C library, whose functions are found and whose locks are kept in memory that is gone. So it speaks to the kernel
// itself where it knows how, and keeps all it knows on its stack.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CREST_SANITIZED 1
#endif
#endif
#define CREST_BARE __attribute__((no_builtin, no_stack_protector))

static CREST_BARE inline long call(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = 0;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
  long result = syscall(number, a, b, c, d, e);
  return result < 0 ? -errno : result;
#endif
}
#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(CREST_SANITIZED)
#define CREST_KNOWS_CALLS 1
#endif

static void say(int report, int kind, int value) {
  struct crest_report message = {kind, value};
  // A pipe takes eight bytes whole or not at all, and whoever would read them may be gone.
  (void)!write(report, &message, sizeof message);
}

/// Closes all descriptors from `first` on.
static void close_from(int first) {
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0) return;
  long last = sysconf(_SC_OPEN_MAX);
  for (long descriptor = first; descriptor < (last > 0 && last < 65536 ? last : 65536); descriptor++)
    close((int)descriptor);
}

/// Starts the program; 0 or an error.
static int start_program(const struct crest_start *start, pid_t *program) {
  int launch[2];
  if (pipe2(launch, O_CLOEXEC) != 0) return errno;
  *program = fork();
  if (*program < 0) return errno;
  if (*program == 0) {
    close(launch[0]);
    // Who kills the supervisor does not free the program from it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // What a program may do is for its user to say, and not for a program with another's rights that it starts.
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    crest_become(start, launch[1]);
  }
  close(launch[1]);
  int error = 0;
  ssize_t count;
  do count = read(launch[0], &error, sizeof error);
  while (count < 0 && errno == EINTR);
  close(launch[0]);
  if (count != sizeof error) return 0;
  while (waitpid(*program, NULL, 0) < 0 && errno == EINTR) {
  }
  return error;
}

#if defined(CREST_KNOWS_CALLS)
static CREST_BARE unsigned long hexadecimal(const char **text, const char *end) {
  unsigned long value = 0;
  for (; *text < end; (*text)++) {
    char c = **text;
    if (c >= '0' && c <= '9') value = value << 4 | (unsigned long)(c - '0');
    else if (c >= 'a' && c <= 'f') value = value << 4 | (unsigned long)(c - 'a' + 10);
    else break;
  }
  return value;
}

/// Gives back the memory of a line of /proc/self/maps if it was written to and belongs to no file, but for what lies
/// around `kept`.
static CREST_BARE void give_back_line(const char *line, const char *end, const unsigned long kept[2]) {
  enum { AROUND = 1 << 18, PAGE = 1 << 16 };
  unsigned long from = hexadecimal(&line, end);
  line++;
  unsigned long to = hexadecimal(&line, end);
  if (end - line < 6 || line[1] != 'r' || line[2] != 'w' || line[4] != 'p') return;
  // After permissions, offset, device and inode, the name; stacks and what the kernel made have one.
  int fields = 0;
  const char *name = line + 1;
  for (; name < end && fields < 4; name++)
    if (*name == ' ') fields++;
  while (name < end && *name == ' ') name++;
  if (name < end && !(*name == '[' && end - name > 2 && (name[1] == 'h' || name[1] == 'a'))) return;
  while (from < to) {
    unsigned long until = to, next = to;
    for (int i = 0; i < 2; i++) {
      unsigned long first = (kept[i] - AROUND) & ~(unsigned long)(PAGE - 1);
      unsigned long last = (kept[i] + AROUND) & ~(unsigned long)(PAGE - 1);
      if (from >= first && from < last) {
        until = from;
        if (next == to || last > next) next = last;
      } else if (first > from && first < until) {
        until = first;
        next = first;
      }
    }
    if (until > from) call(SYS_munmap, (long)from, (long)(until - from), 0, 0, 0);
    from = next > from ? next : to;
  }
}

/// Gives back the copy of the other process's memory, which would otherwise be kept for as long as it changes its own.
static CREST_BARE void give_back_memory(unsigned long thread) {
  char text[4096];
  // The stack that this runs on, and what the kernel itself writes to for each thread.
  const unsigned long kept[2] = {(unsigned long)text, thread};
  long maps = call(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0);
  if (maps < 0) return;
  long filled = 0, count;
  while ((count = call(SYS_read, maps, (long)(text + filled), (long)sizeof text - filled, 0, 0)) > 0) {
    filled += count;
    long begin = 0;
    for (long i = 0; i < filled; i++)
      if (text[i] == '\n') {
        give_back_line(text + begin, text + i, kept);
        begin = i + 1;
      }
    // A path longer than this is a file's.
    if (begin == 0 && filled == (long)sizeof text) begin = filled;
    for (long i = begin; i < filled; i++) text[i - begin] = text[i];
    filled -= begin;
  }
  call(SYS_close, maps, 0, 0, 0, 0);
}
#endif

/// Ends a child, and with it its group if that isn't the supervisor's: the kernel ends a group at once, so that
/// none of it forks meanwhile.
static CREST_BARE void end_child(long child, long own) {
  long group = call(SYS_getpgid, child, 0, 0, 0, 0);
  if (group > 1 && group != own) call(SYS_kill, -group, SIGKILL, 0, 0, 0);
  call(SYS_kill, child, SIGKILL, 0, 0, 0);
}

/// Ends the children that `/proc/thread-self/children` lists; -1 when the kernel has no such file.
static CREST_BARE int end_listed_children(long own) {
  char text[1024];
  long list = call(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/children", O_RDONLY | O_CLOEXEC, 0, 0);
  if (list < 0) return -1;
  long count, number = 0;
  while ((count = call(SYS_read, list, (long)text, sizeof text, 0, 0)) > 0) {
    for (long i = 0; i < count; i++) {
      if (text[i] >= '0' && text[i] <= '9') {
        number = number * 10 + (text[i] - '0');
      } else if (number > 0) {
        end_child(number, own);
        number = 0;
      }
    }
  }
  if (number > 0) end_child(number, own);
  call(SYS_close, list, 0, 0, 0, 0);
  return 0;
}

/// The parent of the process of a number, from its file in `/proc`; 0 when there is none.
static CREST_BARE long parent(const char *digits) {
  char path[32], text[256];
  const char *begin = "/proc/", *end = "/stat";
  int length = 0;
  while (*begin) path[length++] = *begin++;
  while (*digits && length < 24) path[length++] = *digits++;
  while (*end) path[length++] = *end++;
  path[length] = 0;
  long file = call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0);
  if (file < 0) return 0;
  long count = call(SYS_read, file, (long)text, sizeof text, 0, 0);
  call(SYS_close, file, 0, 0, 0, 0);
  // "number (name) state parent …", where a name may hold parentheses.
  long place = count - 1, number = 0;
  while (place >= 0 && text[place] != ')') place--;
  for (place += 4; place > 3 && place < count && text[place] >= '0' && text[place] <= '9'; place++)
    number = number * 10 + (text[place] - '0');
  return number;
}

/// Ends the children among all processes, where the kernel doesn't list them.
static CREST_BARE void end_searched_children(long own) {
  _Alignas(struct crest_folder_entry) char entries[4096];
  long folder = call(SYS_openat, AT_FDCWD, (long)"/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0);
  if (folder < 0) return;
  long count;
  while ((count = call(SYS_getdents64, folder, (long)entries, sizeof entries, 0, 0)) > 0) {
    for (long place = 0; place < count;) {
      const struct crest_folder_entry *entry = (const struct crest_folder_entry *)(entries + place);
      long number = 0;
      for (const char *digit = entry->name; *digit >= '0' && *digit <= '9'; digit++)
        number = number * 10 + (*digit - '0');
      if (number > 1 && parent(entry->name) == own) end_child(number, own);
      place += entry->size;
    }
  }
  call(SYS_close, folder, 0, 0, 0, 0);
}

static CREST_BARE void tell(long report, int kind, int value) {
  struct crest_report message;
  message.kind = kind;
  message.value = value;
  call(SYS_write, report, (long)&message, sizeof message, 0, 0);
}

/// Takes note of the children that have ended, the program among them; whether there are any left.
static CREST_BARE int reap(long program, long report) {
  for (;;) {
    int status;
    long ended = call(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0);
    if (ended == program) tell(report, CREST_CHILD_ENDED, status);
    if (ended == -ECHILD) return 0;
    if (ended <= 0 && ended != -EINTR) return 1;
  }
}

/// Ends whatever there is, as often as something comes after: the children of those that end become this process's.
static CREST_BARE void end_all(long program, long report, long signals, long own) {
  for (long round = 0; reap(program, report); round++) {
    if (end_listed_children(own) != 0) end_searched_children(own);
    struct timespec moment;
    moment.tv_sec = 0;
    // What is left after a second waits for a disk, or is another user's.
    moment.tv_nsec = round < 1000 ? 1000000 : 100000000;
    struct pollfd ended;
    ended.fd = (int)signals;
    ended.events = POLLIN;
    if (call(SYS_ppoll, (long)&ended, 1, (long)&moment, 0, 0) > 0) {
      char read[sizeof(struct signalfd_siginfo)];
      call(SYS_read, signals, (long)read, sizeof read, 0, 0);
    }
  }
  tell(report, CREST_CHILD_GONE, 0);
}

/// Waits until the program ends, or is to end, or nobody is left to say so.
static CREST_BARE void watch(long program, long trainer, long order, long report, long signals, long forker) {
  for (;;) {
    struct pollfd polls[3];
    polls[0].fd = (int)order;
    polls[1].fd = (int)signals;
    polls[2].fd = (int)forker;
    polls[0].events = polls[1].events = polls[2].events = POLLIN;
    struct timespec moment;
    moment.tv_sec = 0;
    moment.tv_nsec = 250000000;
    // Old kernels have no descriptor of a process that ends.
    long count = call(SYS_ppoll, (long)polls, 3, forker < 0 ? (long)&moment : 0, 0, 0);
    if (count < 0 && count != -EINTR) return;
    if (count > 0 && (polls[0].revents != 0 || polls[2].revents != 0)) return;
    if (call(SYS_getppid, 0, 0, 0, 0, 0) != trainer) return;
    if (count > 0 && polls[1].revents != 0) {
      char read[sizeof(struct signalfd_siginfo)];
      call(SYS_read, signals, (long)read, sizeof read, 0, 0);
      for (;;) {
        int status;
        long ended = call(SYS_wait4, -1, (long)&status, WNOHANG, 0, 0);
        if (ended == program) tell(report, CREST_CHILD_ENDED, status);
        if (ended == program || ended == -ECHILD) return;
        if (ended <= 0 && ended != -EINTR) break;
      }
    }
  }
}

CREST_BARE void crest_supervise(const struct crest_start *start, pid_t trainer, int order, int report) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  // In a session of its own, no group that the program can join has anybody else in it.
  if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    say(report, CREST_CHILD_FAILED, errno);
    _exit(1);
  }
  // One that was stopped goes on when the other process ends, or the thread that forked it, which does no harm.
  prctl(PR_SET_PDEATHSIG, SIGCONT);
  // Out of the way of 0 and 1, where they go once the program has its streams.
  int kept[2] = {fcntl(order, F_DUPFD_CLOEXEC, 3), fcntl(report, F_DUPFD_CLOEXEC, 3)};
  pid_t program = 0;
  int error = kept[0] < 0 || kept[1] < 0 ? errno : start_program(start, &program);
  if (error != 0) {
    say(report, CREST_CHILD_FAILED, error);
    _exit(1);
  }
  for (int i = 0; i < 2; i++) dup2(kept[i], i);
  close_from(2);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGCHLD);
  int signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
  int forker = (int)syscall(SYS_pidfd_open, trainer, 0u);
  // What is told here can be told by nobody else: not even the program may open this process's pipes.
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NAME, "crest-supervise");
  pid_t own = getpid();
  unsigned long thread = (unsigned long)&errno;
  say(1, CREST_CHILD_STARTED, 0);
#if defined(CREST_KNOWS_CALLS)
  give_back_memory(thread);
#endif
  (void)thread;
  watch(program, trainer, 0, 1, signals, forker);
  end_all(program, 1, signals, own);
  for (;;) call(SYS_exit_group, 0, 0, 0, 0, 0);
}

#else
typedef int crest_supervisor_is_of_linux;
#endif
