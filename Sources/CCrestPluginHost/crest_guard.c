#define _GNU_SOURCE

#include "crest_guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crest_control.h"
#include "crest_exits.h"

static _Thread_local struct crest_caller *running;
static crest_end_report *report;
static pid_t host;

_Noreturn void crest_end_process(const char *identifier, const char *how) {
  static _Thread_local int is_ending;
  // Whoever reports it may end the process, too.
  if (is_ending++) _exit(CREST_ENDED_BY_PLUGIN);
  const struct crest_caller *caller = running;
  running = NULL;
  const char *place = NULL;
  if (caller != NULL) {
    const crest_event *event = caller->event;
    place = event == NULL ? caller->place : (uint32_t)event->hook < 16 ? caller->hooks[event->hook] : "an event";
    identifier = caller->identifier;
  }
  if (report != NULL) {
    report(identifier, place, how);
  } else {
    fprintf(stderr, "Error: plugin %s failed in %s: it ended the process by %s\n", identifier,
            place ? place : "its own code", how);
  }
  _exit(CREST_ENDED_BY_PLUGIN);
}

int crest_is_host_process(void) { return host == getpid(); }

int crest_is_calling_plugin(void) { return running != NULL; }

// What the C library calls in the end is known to it alone, so that its own handlers look.
static void look_at_exit(void) {
  if (running != NULL && crest_is_host_process()) crest_end_process(running->identifier, "exit");
}
#if !defined(__APPLE__)
static void look_at_quick_exit(void) {
  if (running != NULL && crest_is_host_process()) crest_end_process(running->identifier, "quick_exit");
}
#endif

void crest_report_ends_to(crest_end_report *new_report) {
  static int is_first = 1;
  report = new_report;
  host = getpid();
  if (!is_first) return;
  is_first = 0;
  atexit(look_at_exit);
#if !defined(__APPLE__)
  at_quick_exit(look_at_quick_exit);
#endif
}

struct crest_caller *crest_begin_call(struct crest_caller *caller, const char *place) {
  struct crest_caller *outer = running;
  caller->event = NULL;
  caller->place = place;
  running = caller;
  return outer;
}

void crest_end_call(struct crest_caller *outer) { running = outer; }

int32_t crest_call_event(int32_t (*on_event)(void *state, const crest_event *event), void *state,
                         const crest_event *event, struct crest_caller *caller) {
  struct crest_caller *outer = running;
  caller->event = event;
  running = caller;
  uint64_t before = crest_control();
  int32_t status = on_event(state, event);
  uint64_t after = crest_control();
  running = outer;
  if (__builtin_expect(before == after, 1)) return status;
  crest_set_control(before);
  caller->control_before = before;
  caller->control_after = after;
  return status == CREST_OK ? CREST_FAILED : status;
}

void crest_describe_control(uint64_t before, uint64_t after, char *text, size_t capacity) {
  size_t length = 0;
  if (capacity > 0) text[0] = 0;
  for (size_t place = 0; place < sizeof crest_controls / sizeof *crest_controls; place++) {
    if (((before ^ after) & crest_controls[place].bits) == 0) continue;
    int count = snprintf(text + length, capacity - length, "%s%s", length ? ", " : "", crest_controls[place].name);
    if (count < 0 || (size_t)count >= capacity - length) return;
    length += (size_t)count;
  }
}
