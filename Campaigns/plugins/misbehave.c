/* A library that misbehaves in the way and the place that its settings name, for the campaign plugin-misbehaviours: each
 * row says what the host has to notice, or how the process ends. */
#define _GNU_SOURCE
#include "crest_plugin.h"

#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct mode {
  const char *name;
  void (*run)(void);
  void *reserved[2];
} mode;

/* In a section of their own, so that a mode is a row and in no other list. */
#define MODE(name, what)                                                                              \
  static void name(void);                                                                             \
  __attribute__((section("modes"), used)) static const mode row_of_##name = {#name, name, {NULL, NULL}}; \
  static void name(void)

extern const mode __start_modes[], __stop_modes[];

static void set_control(unsigned bits) { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | bits); }
static void handle(int signal) { (void)signal; }
static void replace_stream(int stream) {
  int file = open("/dev/null", O_RDWR);
  dup2(file, stream);
  close(file);
}
static void block_or_not(int signal) {
  sigset_t set;
  pthread_sigmask(SIG_SETMASK, NULL, &set);
  if (sigismember(&set, signal)) {
    sigdelset(&set, signal);
  } else {
    sigaddset(&set, signal);
  }
  pthread_sigmask(SIG_SETMASK, &set, NULL);
}
static void lower(int resource, rlim_t value) {
  struct rlimit limit;
  getrlimit(resource, &limit);
  limit.rlim_cur = value;
  setrlimit(resource, &limit);
}
static void start_timer(int which) {
  struct itimerval timer = {{0, 0}, {1000, 0}};
  setitimer(which, &timer, NULL);
}

MODE(rounding_up, "the rounding mode") { fesetround(FE_UPWARD); }
MODE(rounding_down, "the rounding mode") { fesetround(FE_DOWNWARD); }
MODE(rounding_to_zero, "the rounding mode") { fesetround(FE_TOWARDZERO); }
MODE(flushing, "the flushing of tiny results to zero") { set_control(0x8000); }
MODE(tiny_as_zero, "the reading of tiny numbers as zero") { set_control(0x0040); }
MODE(fast_math, "the flushing of tiny results to zero, the reading of tiny numbers as zero") { set_control(0x8040); }
MODE(floating_point_traps, "the traps of floating-point operations") { feenableexcept(FE_DIVBYZERO); }
MODE(precision, "the precision of long doubles") {
  unsigned short word = 0x007F;
  __asm__ volatile("fldcw %0" : : "m"(word));
}
MODE(handler_of_interrupt, "the handler of signal 2") { signal(SIGINT, handle); }
MODE(handler_of_fault, "the handler of signal 11") { signal(SIGSEGV, handle); }
MODE(child_ignored, "the handler of signal 17") { signal(SIGCHLD, SIG_IGN); }
MODE(handlers_of_many, "the handlers of 3 signals") {
  signal(SIGUSR1, handle);
  signal(SIGUSR2, handle);
  signal(SIGALRM, handle);
}
MODE(mask_of_faults, "the mask of signals") { block_or_not(SIGSEGV); }
MODE(mask_of_user_signal, "the mask of signals") { block_or_not(SIGUSR1); }
MODE(timer, "a timer") { start_timer(ITIMER_REAL); }
MODE(processor_timer, "a timer") { start_timer(ITIMER_PROF); }
MODE(alarm_clock, "a timer") { alarm(1000); }
MODE(working_folder, "the working folder") { (void)!chdir("/"); }
MODE(folder_that_is_gone, "the working folder") {
  char template[] = "/tmp/crest-gone-XXXXXX";
  if (mkdtemp(template) && chdir(template) == 0) rmdir(template);
}
MODE(numbers_of_another_language, "the locale") { setlocale(LC_NUMERIC, "C.UTF-8"); }
MODE(whole_locale, "the locale") { setlocale(LC_ALL, "C.UTF-8"); }
MODE(locale_of_thread, "the locale") { uselocale(newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0)); }
MODE(umask_open, "the mask of file permissions") { umask(0); }
MODE(umask_shut, "the mask of file permissions") { umask(0777); }
MODE(input_closed, "the descriptor 0") { close(0); }
MODE(output_closed, "the descriptor 1") { close(1); }
MODE(errors_closed, "the descriptor 2") { close(2); }
MODE(output_replaced, "the descriptor 1") { replace_stream(1); }
MODE(errors_replaced, "the descriptor 2") { replace_stream(2); }
MODE(streams_closed, "the descriptor 0, the descriptor 1") { close(0), close(1); }
MODE(few_descriptors, "the limit of resource 7") { lower(RLIMIT_NOFILE, 64); }
MODE(small_files, "the limit of resource 1") { lower(RLIMIT_FSIZE, 4096); }
MODE(small_stack, "the limit of resource 3") { lower(RLIMIT_STACK, 1 << 20); }
MODE(core_files, "the limit of resource 4") {
  struct rlimit limit;
  getrlimit(RLIMIT_CORE, &limit);
  lower(RLIMIT_CORE, limit.rlim_cur == 0 ? 4096 : 0);
}
MODE(variable_set, "the environment, the first variable CREST_ISA") { setenv("CREST_ISA", "scalar", 1); }
MODE(preload_set, "the environment, the first variable LD_PRELOAD") { setenv("LD_PRELOAD", "/nonexistent.so", 1); }
MODE(variable_removed, "the environment, the first variable PATH") { unsetenv("PATH"); }
MODE(environment_cleared, "the environment") { clearenv(); }
MODE(variable_put, "the environment, the first variable TZ") {
  static char zone[] = "TZ=UTC+13";
  putenv(zone);
}
MODE(not_dumpable, "whether it may be debugged") { prctl(PR_SET_DUMPABLE, 0); }
MODE(death_signal, "the signal of its parent's end") { prctl(PR_SET_PDEATHSIG, SIGKILL); }
MODE(subreaper, "whose children come to it") { prctl(PR_SET_CHILD_SUBREAPER, 1); }

/* Ways to end the process: what is noticed begins with "it ended". */
static void *leave(void *unused) {
  (void)unused;
  exit(0);
}
MODE(exit_0, "it ended the process by exit") { exit(0); }
MODE(exit_3, "it ended the process by exit") { exit(3); }
MODE(exit_at_once, "it ended the process by _exit") { _exit(0); }
MODE(exit_as_in_standard, "it ended the process by _exit") { _Exit(0); }
MODE(exit_quickly, "it ended the process by quick_exit") { quick_exit(0); }
MODE(exit_of_thread, "it ended the process by pthread_exit") { pthread_exit(NULL); }
MODE(exit_by_other_thread, "it ended the process by exit") {
  pthread_t thread;
  pthread_create(&thread, NULL, leave, NULL);
  pthread_join(thread, NULL);
}
MODE(another_program, "it ended the process by execv") {
  char *arguments[] = {"true", NULL};
  execv("/bin/true", arguments);
}
MODE(another_program_by_list, "it ended the process by execlp") { execlp("true", "true", (char *)NULL); }
static void end_at_exit(void) { _exit(0); }
MODE(exit_by_handler, "it ended the process by exit") {
  atexit(end_at_exit);
  exit(0);
}

typedef struct instance {
  const crest_host *host;
  const mode *mode;
  int64_t place, at, count;
} instance;

static const mode *find(const char *name, size_t length) {
  for (const mode *row = __start_modes; row < __stop_modes; row++)
    if (strlen(row->name) == length && strncmp(row->name, name, length) == 0) return row;
  return NULL;
}

static int64_t number(const char *configuration, const char *name) {
  const char *place = strstr(configuration, name);
  return place ? strtoll(place + strlen(name), NULL, 10) : 0;
}

/* Places other than hooks. */
enum { IN_CREATE = -1, IN_SAVE = -2, IN_LOAD = -3, IN_DESTROY = -4 };

static void act(instance *self, int64_t place) {
  if (self->mode != NULL && self->place == place && ++self->count == self->at) self->mode->run();
}

static int32_t create(const crest_host *host, const char *configuration, crest_instance *target) {
  instance *self = calloc(1, sizeof *self);
  self->host = host;
  const char *name = strstr(configuration, "\"mode\":\"");
  if (name) self->mode = find(name + 8, strcspn(name + 8, "\""));
  self->place = number(configuration, "\"place\":");
  self->at = number(configuration, "\"at\":");
  target->state = self;
  target->hooks = 0xFFFF;
  act(self, IN_CREATE);
  return CREST_OK;
}
static int32_t on_event(void *state, const crest_event *event) {
  act(state, event->hook);
  return CREST_OK;
}
static int32_t save_state(void *state, crest_write *write, void *sink) {
  act(state, IN_SAVE);
  write(sink, "1", 1);
  return CREST_OK;
}
static int32_t load_state(void *state, const void *bytes, uint64_t count) {
  (void)bytes, (void)count;
  act(state, IN_LOAD);
  return CREST_OK;
}
static void destroy(void *state) {
  act(state, IN_DESTROY);
  free(state);
}

/* The control: the same without a host. */
CREST_PLUGIN_EXPORT void misbehave_now(const char *name) {
  const mode *row = find(name, strlen(name));
  if (row != NULL) row->run();
}

static const crest_plugin plugin = {
    sizeof plugin, CREST_PLUGIN_MAGIC, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR, "Misbehave", "1.0.0",
    create,        on_event,           save_state,         load_state,         destroy};

CREST_PLUGIN_STAMP

CREST_PLUGIN_EXPORT const crest_plugin *crest_plugin_v1(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}
