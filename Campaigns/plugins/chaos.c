/* A plugin in a process of its own that does at a chosen event what no plugin should. Tests and the campaign
 * plugin-faults build it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[1 << 16];
static char fault[32] = "none";
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

static void hang(void) {
  for (;;) pause();
}

/* A gibibyte without a line feed. */
static void flood(FILE *stream) {
  memset(line, 'x', sizeof line);
  for (long i = 0; i < (1L << 30) / (long)sizeof line; i++) fwrite(line, 1, sizeof line, stream);
  fflush(stream);
}

static void do_fault(long event) {
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

int main(void) {
  long count = 0;
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (strstr(line, "\"create\":") != NULL) {
      setting("fault", fault, sizeof fault);
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
      do_fault(event);
      if (is("none")) printf("{\"event\":%ld}\n", event);
    } else {
      printf("{\"event\":%ld}\n", event);
    }
    fflush(stdout);
  }
  return 0;
}
