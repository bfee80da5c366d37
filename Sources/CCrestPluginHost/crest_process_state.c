#define _GNU_SOURCE

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif
#if defined(__APPLE__)
#include <xlocale.h>
#endif

#include "crest_control.h"
#include "crest_guard.h"

extern char **environ;

enum { SIGNAL_COUNT = NSIG, LIMIT_COUNT = RLIM_NLIMITS, STREAM_COUNT = 3, TIMER_COUNT = 3 };

/// The file that a standard stream is, and the same file under another number, to put it back from.
struct stream {
  int is_open, copy;
  dev_t device;
  ino_t inode;
};

struct crest_process_state {
  int is_long;
  uint64_t control;
  struct sigaction actions[SIGNAL_COUNT];
  sigset_t mask;
  struct itimerval timers[TIMER_COUNT];
  int folder;
  struct stat folder_status, root_status;
  char *locale;
  locale_t thread_locale;
  int creation_mask;
  struct rlimit limits[LIMIT_COUNT];
  pid_t group, session;
  uid_t user;
  gid_t user_group;
#if defined(__linux__)
  int is_dumpable, is_subreaper, parent_signal;
#endif
  size_t variable_count;
  char **variables, *variable_bytes;
  struct stream streams[STREAM_COUNT];
};

/// What differs, as text.
struct report {
  char *text;
  size_t capacity, length;
  int count;
};

__attribute__((format(printf, 2, 3))) static void tell(struct report *report, const char *format, ...) {
  if (report->count++ > 0 && report->length + 2 < report->capacity)
    report->length += (size_t)snprintf(report->text + report->length, report->capacity - report->length, ", ");
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(report->text + report->length, report->capacity - report->length, format, arguments);
  va_end(arguments);
  if (count < 0) return;
  size_t room = report->capacity - report->length - 1;
  report->length += (size_t)count < room ? (size_t)count : room;
}

/// Adds to what was told last that it is still so.
static void tell_whether_put_back(struct report *report, int is_put_back) {
  if (is_put_back) return;
  const char *text = " (which can't be put back)";
  size_t room = report->capacity - report->length - 1;
  int count = snprintf(report->text + report->length, room + 1, "%s", text);
  if (count > 0) report->length += (size_t)count < room ? (size_t)count : room;
}

static void settle_control(struct crest_process_state *state, struct report *report) {
  uint64_t control = crest_control();
  if (control == state->control) return;
  char text[256];
  crest_describe_control(state->control, control, text, sizeof text);
  crest_set_control(state->control);
  tell(report, "%s", text);
}

static void take_signals(struct crest_process_state *state) {
  for (int number = 1; number < SIGNAL_COUNT; number++)
    if (sigaction(number, NULL, &state->actions[number]) != 0) memset(&state->actions[number], 0, sizeof(struct sigaction));
  pthread_sigmask(SIG_SETMASK, NULL, &state->mask);
  for (int timer = 0; timer < TIMER_COUNT; timer++) getitimer(timer, &state->timers[timer]);
}

static int is_same_action(const struct sigaction *one, const struct sigaction *other) {
  // Linux adds a flag of its own once an action has been set.
  const int kept = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_NODEFER | SA_ONSTACK | SA_RESETHAND | SA_RESTART | SA_SIGINFO;
  if (((one->sa_flags ^ other->sa_flags) & kept) != 0 || one->sa_handler != other->sa_handler) return 0;
  for (int number = 1; number < SIGNAL_COUNT; number++)
    if (sigismember(&one->sa_mask, number) != sigismember(&other->sa_mask, number)) return 0;
  return 1;
}

static void settle_signals(struct crest_process_state *state, struct report *report) {
  int changed = 0, first = 0;
  for (int number = 1; number < SIGNAL_COUNT; number++) {
    struct sigaction now;
    if (sigaction(number, NULL, &now) != 0 || is_same_action(&now, &state->actions[number])) continue;
    if (changed++ == 0) first = number;
    sigaction(number, &state->actions[number], NULL);
  }
  if (changed == 1) tell(report, "the handler of signal %d (%s)", first, strsignal(first));
  if (changed > 1) tell(report, "the handlers of %d signals, the first %d (%s)", changed, first, strsignal(first));
}

static void settle_mask(struct crest_process_state *state, struct report *report) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  for (int number = 1; number < SIGNAL_COUNT; number++) {
    if (sigismember(&now, number) == sigismember(&state->mask, number)) continue;
    pthread_sigmask(SIG_SETMASK, &state->mask, NULL);
    return tell(report, "the mask of signals, the first %d (%s)", number, strsignal(number));
  }
}

static int is_running(const struct itimerval *timer) { return timer->it_value.tv_sec != 0 || timer->it_value.tv_usec != 0; }

static void settle_timers(struct crest_process_state *state, struct report *report) {
  for (int timer = 0; timer < TIMER_COUNT; timer++) {
    struct itimerval now;
    if (getitimer(timer, &now) != 0 || is_running(&now) <= is_running(&state->timers[timer])) continue;
    setitimer(timer, &state->timers[timer], NULL);
    return tell(report, "a timer that signals the process");
  }
}

static void take_folders(struct crest_process_state *state) {
#if defined(O_PATH)
  state->folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
  state->folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
  if (state->folder >= 0 && fstat(state->folder, &state->folder_status) != 0) {
    close(state->folder);
    state->folder = -1;
  }
  if (stat("/", &state->root_status) != 0) memset(&state->root_status, 0, sizeof state->root_status);
}

static int is_same_file(const struct stat *one, const struct stat *other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static void settle_folders(struct crest_process_state *state, struct report *report) {
  struct stat now;
  if (stat("/", &now) == 0 && !is_same_file(&now, &state->root_status)) {
    tell(report, "the root folder");
    tell_whether_put_back(report, 0);
  }
  if (state->folder < 0) return;
  if (stat(".", &now) != 0 || !is_same_file(&now, &state->folder_status)) {
    int is_put_back = fchdir(state->folder) == 0;
    tell(report, "the working folder");
    tell_whether_put_back(report, is_put_back);
  }
  close(state->folder);
}

static void settle_locale(struct crest_process_state *state, struct report *report) {
  const char *now = setlocale(LC_ALL, NULL);
  int is_changed = now != NULL && state->locale != NULL && strcmp(now, state->locale) != 0;
  if (is_changed) setlocale(LC_ALL, state->locale);
  if (uselocale((locale_t)0) != state->thread_locale) {
    uselocale(state->thread_locale);
    is_changed = 1;
  }
  if (is_changed) tell(report, "the locale");
  free(state->locale);
}

/// The mask of permissions; -1 if it can't be known without changing it for a moment, which other threads would see.
static int creation_mask(void) {
#if defined(__linux__)
  char text[4096];
  int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count < 0) return -1;
  text[count] = 0;
  const char *place = strstr(text, "\nUmask:");
  return place == NULL ? -1 : (int)strtol(place + 7, NULL, 8);
#else
  return -1;
#endif
}

static void settle_creation_mask(struct crest_process_state *state, struct report *report) {
  int now = creation_mask();
  if (now < 0 || state->creation_mask < 0 || now == state->creation_mask) return;
  umask((mode_t)state->creation_mask);
  tell(report, "the mask of file permissions (umask)");
}

static void settle_limits(struct crest_process_state *state, struct report *report) {
  // Others can change them, too (prlimit): in the time that a call takes nobody does.
  if (state->is_long) return;
  for (int which = 0; which < LIMIT_COUNT; which++) {
    struct rlimit now;
    const struct rlimit *before = &state->limits[which];
    if (getrlimit(which, &now) != 0 || (now.rlim_cur == before->rlim_cur && now.rlim_max == before->rlim_max)) continue;
    int is_put_back = setrlimit(which, before) == 0;
    tell(report, "the limit of resource %d", which);
    tell_whether_put_back(report, is_put_back);
  }
}

static void take_identity(struct crest_process_state *state) {
  state->group = getpgrp();
  state->session = getsid(0);
  state->user = geteuid();
  state->user_group = getegid();
#if defined(__linux__)
  state->is_dumpable = prctl(PR_GET_DUMPABLE);
  prctl(PR_GET_CHILD_SUBREAPER, &state->is_subreaper);
  prctl(PR_GET_PDEATHSIG, &state->parent_signal);
#endif
}

static void settle_identity(struct crest_process_state *state, struct report *report) {
  if (geteuid() != state->user || getegid() != state->user_group) {
    tell(report, "the user");
    int is_put_back = seteuid(state->user) == 0;
    tell_whether_put_back(report, setegid(state->user_group) == 0 && is_put_back);
  }
  if (getpgrp() != state->group || getsid(0) != state->session) {
    tell(report, "the process group");
    tell_whether_put_back(report, getsid(0) == state->session && setpgid(0, state->group) == 0);
  }
#if defined(__linux__)
  int is_subreaper = 0, parent_signal = 0;
  prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper);
  prctl(PR_GET_PDEATHSIG, &parent_signal);
  if (prctl(PR_GET_DUMPABLE) != state->is_dumpable) {
    tell(report, "whether it may be debugged");
    tell_whether_put_back(report, prctl(PR_SET_DUMPABLE, state->is_dumpable) == 0);
  }
  if (is_subreaper != state->is_subreaper) {
    tell(report, "whose children come to it");
    prctl(PR_SET_CHILD_SUBREAPER, state->is_subreaper);
  }
  if (parent_signal != state->parent_signal) {
    tell(report, "the signal of its parent's end");
    prctl(PR_SET_PDEATHSIG, state->parent_signal);
  }
#endif
}

static int take_environment(struct crest_process_state *state) {
  size_t count = 0, bytes = 0;
  for (char **variable = environ; variable != NULL && *variable != NULL; variable++) {
    count++;
    bytes += strlen(*variable) + 1;
  }
  state->variables = calloc(count + 1, sizeof *state->variables);
  state->variable_bytes = malloc(bytes + 1);
  if (state->variables == NULL || state->variable_bytes == NULL) return -1;
  char *place = state->variable_bytes;
  for (size_t variable = 0; variable < count; variable++) {
    size_t length = strlen(environ[variable]) + 1;
    memcpy(place, environ[variable], length);
    state->variables[variable] = place;
    place += length;
  }
  state->variable_count = count;
  return 0;
}

/// The first variable of one environment that isn't in the other as it is.
static const char *difference(char *const *some, char *const *others) {
  for (; some != NULL && *some != NULL; some++) {
    char *const *other = others;
    while (other != NULL && *other != NULL && strcmp(*some, *other) != 0) other++;
    if (other == NULL || *other == NULL) return *some;
  }
  return NULL;
}

static void settle_environment(struct crest_process_state *state, struct report *report) {
  size_t same = 0;
  while (environ != NULL && same < state->variable_count && environ[same] != NULL &&
         strcmp(environ[same], state->variables[same]) == 0)
    same++;
  int is_same = same == state->variable_count && (environ == NULL || environ[same] == NULL);
  const char *changed = NULL;
  if (!is_same) changed = difference(environ, state->variables);
  if (!is_same && changed == NULL) changed = difference(state->variables, environ);
  if (changed != NULL) {
    int length = (int)strcspn(changed, "=");
    tell(report, "the environment, the first variable %.*s", length < 64 ? length : 64, changed);
    // A new list; whoever looks into the old one still may.
    char **list = calloc(state->variable_count + 1, sizeof *list);
    int is_put_back = list != NULL;
    for (size_t place = 0; is_put_back && place < state->variable_count; place++)
      is_put_back = (list[place] = strdup(state->variables[place])) != NULL;
    if (is_put_back) environ = list;
    tell_whether_put_back(report, is_put_back);
  }
  free(state->variables);
  free(state->variable_bytes);
}

// Others are opened and closed by other threads meanwhile.
static void take_streams(struct crest_process_state *state) {
  for (int number = 0; number < STREAM_COUNT; number++) {
    struct stream *stream = &state->streams[number];
    struct stat status;
    stream->is_open = fstat(number, &status) == 0;
    if (!stream->is_open) continue;
    stream->device = status.st_dev;
    stream->inode = status.st_ino;
    stream->copy = fcntl(number, F_DUPFD_CLOEXEC, STREAM_COUNT);
  }
}

static void settle_streams(struct crest_process_state *state, struct report *report) {
  for (int number = 0; number < STREAM_COUNT; number++) {
    struct stream *stream = &state->streams[number];
    if (!stream->is_open) continue;
    struct stat now;
    if (fstat(number, &now) != 0 || now.st_dev != stream->device || now.st_ino != stream->inode) {
      tell(report, "the descriptor %d", number);
      tell_whether_put_back(report, stream->copy >= 0 && dup2(stream->copy, number) >= 0);
    }
    if (stream->copy >= 0) close(stream->copy);
  }
}

struct crest_process_state *crest_process_state_take(int is_long) {
  struct crest_process_state *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  if (take_environment(state) != 0) {
    free(state->variables);
    free(state->variable_bytes);
    free(state);
    return NULL;
  }
  state->is_long = is_long;
  take_signals(state);
  take_folders(state);
  take_streams(state);
  const char *locale = setlocale(LC_ALL, NULL);
  state->locale = locale ? strdup(locale) : NULL;
  state->thread_locale = uselocale((locale_t)0);
  state->creation_mask = creation_mask();
  for (int which = 0; which < LIMIT_COUNT; which++) getrlimit(which, &state->limits[which]);
  take_identity(state);
  state->control = crest_control();
  return state;
}

// A row for each thing that is put back, each of which frees what it has kept. Priority and processors are not among them:
// they change no result, and other processes change them all the time (renice, taskset).
static void (*const settlements[])(struct crest_process_state *, struct report *) = {
    settle_control, settle_mask,          settle_signals, settle_timers,   settle_streams, settle_folders,
    settle_locale,  settle_creation_mask, settle_limits,  settle_identity, settle_environment,
};

int crest_process_state_settle(struct crest_process_state *state, char *text, size_t capacity) {
  struct report report = {text, capacity, 0, 0};
  if (capacity > 0) text[0] = 0;
  for (size_t row = 0; row < sizeof settlements / sizeof *settlements; row++) settlements[row](state, &report);
  free(state);
  return report.count;
}
