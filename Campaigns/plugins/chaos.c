/* A plugin in a process of its own that does at a chosen event what no plugin should. Tests and the campaign
 * plugin-faults build it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static char line[1 << 16];
static char fault[32] = "none";
static char answer[256] = "";
/* What it leaves behind, and the name by which that is found again. */
static char leave[32] = "nothing";
static char mark[16] = "chaos";
static long at = 1;

static void setting(const char *name, char *value, size_t capacity) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *place = strstr(line, key);
  if (place == NULL) return;
  place += strlen(key);
  size_t length = strcspn(place, "\"");
  snprintf(value, capacity, "%.*s", (int)length, place);
}

static long number(const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *place = strstr(line, key);
  return place ? strtol(place + strlen(key), NULL, 10) : -1;
}

static int is(const char *name) { return strcmp(fault, name) == 0; }

/* Longer than anybody waits, and not for ever where nobody ends it. */
static void hang(void) {
  for (int i = 0; i < 300; i++) sleep(1);
  _exit(0);
}

/* A gibibyte without a line feed. */
static void flood(FILE *stream) {
  memset(line, 'x', sizeof line);
  for (long i = 0; i < (1L << 30) / (long)sizeof line; i++) fwrite(line, 1, sizeof line, stream);
  fflush(stream);
}

#if defined(__linux__)

/* Whatever it starts has this name. */
static void be_marked(void) { prctl(PR_SET_NAME, mark); }

static int leaves(const char *name) { return strcmp(leave, name) == 0; }

static pid_t child(void) {
  pid_t process = fork();
  if (process == 0) be_marked();
  return process;
}

/* A child of a child that has ended, in a session of its own, which does `then`. */
static void daemonized(void (*then)(void)) {
  if (child() != 0) return;
  setsid();
  if (child() == 0) then();
  _exit(0);
}

static void hold_nothing(void) {
  for (int descriptor = 0; descriptor < 256; descriptor++) close(descriptor);
  hang();
}

static void ignore_all(void) {
  for (int number = 1; number < NSIG; number++) signal(number, SIG_IGN);
  hang();
}

/* It runs away: each ends when it has started the next. Not for ever, since hardly anything else can end it. */
static void relay(void) {
  for (int i = 0; i < 10000; i++) {
    usleep(200);
    pid_t next = child();
    if (next > 0) _exit(0);
    if (next == 0) setsid();
  }
  _exit(0);
}

static void spread(void) {
  for (int i = 0; i < 6; i++)
    if (child() == 0) setpgid(0, 0);
  hang();
}

static void spin(void) {
  alarm(300);
  for (volatile long i = 0;; i++) {
  }
}

static void stop(void) {
  raise(SIGSTOP);
  hang();
}

static void adopt(void) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  for (int i = 0; i < 3; i++)
    if (child() == 0) {
      if (child() != 0) _exit(0);
      setsid();
      hang();
    }
  hang();
}

/* Another program, without the environment that this was given. */
static void become_another(void) {
  setsid();
  char *arguments[] = {"chaos", "left", mark, NULL}, *environment[] = {NULL};
  execve("/proc/self/exe", arguments, environment);
  _exit(1);
}

/* What should not outlive the run. */
static void do_leave(void) {
  pid_t supervisor = getppid();
  if (leaves("child") && child() == 0) hang();
  if (leaves("session") && child() == 0) setsid(), hang();
  if (leaves("group") && child() == 0) setpgid(0, 0), hang();
  if (leaves("daemon")) daemonized(hang);
  if (leaves("closed")) daemonized(hold_nothing);
  if (leaves("ignores")) daemonized(ignore_all);
  if (leaves("spins")) daemonized(spin);
  if (leaves("stopped")) daemonized(stop);
  if (leaves("relay")) daemonized(relay);
  if (leaves("spreads")) daemonized(spread);
  if (leaves("adopts")) daemonized(adopt);
  if (leaves("another") && child() == 0) become_another();
  if (leaves("another-daemon")) daemonized(become_another);
  if (leaves("many"))
    for (int i = 0; i < 40; i++)
      if (child() == 0) setsid(), hang();
  if (leaves("deep") && child() == 0) {
    for (int i = 0; i < 30; i++) {
      setsid();
      if (child() > 0) hang();
    }
    hang();
  }
  if (leaves("orphans") && child() == 0) {
    setsid();
    for (int i = 0; i < 5; i++)
      if (child() == 0) hang();
    _exit(0);
  }
  /* A brother instead of a child. */
  if (leaves("brother") && syscall(SYS_clone, 0x8000 /* CLONE_PARENT */ | SIGCHLD, 0, 0, 0, 0) == 0)
    be_marked(), setsid(), hang();
  if (strncmp(leave, "supervisor-", 11) == 0) {
    daemonized(hang);
    /* Until the child of the child is there. */
    usleep(20000);
    if (leaves("supervisor-killed")) kill(supervisor, SIGKILL);
    if (leaves("supervisor-stopped")) kill(supervisor, SIGSTOP);
    if (leaves("supervisor-signalled"))
      for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP) kill(supervisor, number);
  }
}

#else
static void be_marked(void) {}
static void do_leave(void) {}
#endif

/* The answer that it was told to give, where ' stands for " and # for the event's number. */
static void give_answer(long event) {
  for (const char *place = answer; *place != 0; place++) {
    if (*place == '#') printf("%ld", event);
    else putchar(*place == '\'' ? '"' : *place);
  }
  putchar('\n');
}

static void do_fault(long event) {
  if (is("answer")) give_answer(event);
  if (is("chatter")) {
    /* More than anybody reads, line by line and in actions. */
    memset(line, 'y', 4000);
    line[4000] = 0;
    for (int i = 0; i < 200; i++) fprintf(stderr, "%s\n", line);
    for (int i = 0; i < 200; i++) printf("{\"actions\":[{\"log\":\"%s\"}]}\n", line);
    printf("{\"event\":%ld}\n", event);
  }
  if (is("trap")) __builtin_trap();
  if (is("abort")) abort();
  if (is("null")) *(volatile int *)8 = 1;
  if (is("kill")) raise(SIGKILL);
  if (is("exit")) exit(0);
  if (is("exit-late")) {
    printf("{\"event\":%ld}\n", event);
    fflush(stdout);
    exit(3);
  }
  if (is("hang")) hang();
  if (is("ignore-signals")) {
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    hang();
  }
  if (is("garbage")) printf("}{ \x01\xff not json\n");
  if (is("list")) printf("[1,2,3]\n");
  if (is("deep")) {
    for (int i = 0; i < 1000; i++) putchar('[');
    putchar('\n');
  }
  if (is("twice")) printf("{\"event\":%ld,\"event\":%ld}\n", event, event);
  if (is("other-event")) printf("{\"event\":%ld}\n", event + 1000);
  if (is("unknown-action")) printf("{\"event\":%ld,\"actions\":[{\"delete\":\"everything\"}]}\n", event);
  if (is("not-owned"))
    printf("{\"event\":%ld,\"actions\":[{\"set\":\"learning_rate\",\"value\":1}]}\n", event);
  if (is("not-a-number"))
    printf("{\"event\":%ld,\"actions\":[{\"report\":\"chaos\",\"value\":\"many\"}]}\n", event);
  if (is("surroundings")) {
    /* What it was given of its parent: open descriptors, variables, the directory's owner is its own. */
    printf("{\"error\":\"descriptors");
    for (int descriptor = 0; descriptor < 1024; descriptor++)
      if (fcntl(descriptor, F_GETFD) != -1) printf(" %d", descriptor);
    printf(", variables");
    for (char **variable = environ; *variable != NULL; variable++)
      printf(" %.*s", (int)strcspn(*variable, "="), *variable);
    printf("\"}\n");
  }
  if (is("error")) printf("{\"error\":\"it is broken\"}\n");
  if (is("long-line")) flood(stdout);
  if (is("long-messages")) {
    /* Each is in order, and there is no end of them. */
    memset(line, ' ', sizeof line - 1);
    for (;;) {
      printf("{\"actions\":[");
      for (int i = 0; i < 15; i++) fwrite(line, 1, sizeof line - 1, stdout);
      printf("]}\n");
    }
  }
  if (is("escapes")) printf("{\"error\":\"\\u001b[2Jall is well\\nError: not so\"}\n");
  if (is("messages"))
    for (;;) printf("{\"actions\":[]}\n");
  if (is("half-line")) {
    printf("{\"event\":");
    fflush(stdout);
    hang();
  }
  if (is("close")) {
    fclose(stdout);
    hang();
  }
  if (is("errors")) {
    flood(stderr);
    printf("{\"event\":%ld}\n", event);
  }
  if (is("memory"))
    for (;;) {
      /* Volatile, or the compiler leaves out memory that nobody reads. */
      volatile char *taken = malloc(1 << 20);
      if (taken == NULL) abort();
      for (int i = 0; i < 1 << 20; i += 4096) taken[i] = 1;
    }
  if (is("processor"))
    for (;;) {
    }
  if (is("child")) {
    /* What it leaves behind must go with it. */
    if (fork() == 0) hang();
    exit(0);
  }
  fflush(stdout);
}

int main(int argument_count, char **arguments) {
  if (argument_count == 3 && strcmp(arguments[1], "left") == 0) {
    snprintf(mark, sizeof mark, "%s", arguments[2]);
    be_marked();
    hang();
  }
  long count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strstr(line, "\"create\":") != NULL) {
      setting("fault", fault, sizeof fault);
      setting("answer", answer, sizeof answer);
      setting("leave", leave, sizeof leave);
      setting("mark", mark, sizeof mark);
      be_marked();
      at = number("at");
      if (is("slow-start")) sleep(3600);
      if (is("early-exit")) return 1;
      if (is("early-trap")) __builtin_trap();
      if (is("early-garbage")) printf("Hello!\n");
      printf("{\"crest\":1,\"cookie\":\"%s\",\"identifier\":\"Chaos\",\"version\":\"1.0.0\","
             "\"hooks\":[\"afterBatch\"],\"replies\":[\"afterBatch\"],\"reports\":[\"chaos\"]}\n",
             is("wrong-cookie") ? "1" : getenv("CREST_PLUGIN_COOKIE"));
      fflush(stdout);
      continue;
    }
    long event = number("event");
    if (strstr(line, "\"save\":") != NULL) {
      printf("{\"event\":%ld,\"state\":\"%s\"}\n", event, is("bad-state") ? "!" : "AQID");
    } else if (strstr(line, "\"load\":") == NULL && ++count == at) {
      do_leave();
      do_fault(event);
      if (is("none")) printf("{\"event\":%ld}\n", event);
    } else {
      printf("{\"event\":%ld}\n", event);
    }
    fflush(stdout);
  }
  return 0;
}
