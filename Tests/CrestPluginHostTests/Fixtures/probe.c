/* A library for tests: what it does is a setting, and what is wrong with it a macro. */
#include "crest_plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef TABLE_MAGIC
#define TABLE_MAGIC CREST_PLUGIN_MAGIC
#endif
#ifndef TABLE_MAJOR
#define TABLE_MAJOR CREST_PLUGIN_MAJOR
#endif
#ifndef TABLE_MINOR
#define TABLE_MINOR CREST_PLUGIN_MINOR
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(crest_plugin)
#endif
#ifndef IDENTIFIER
#define IDENTIFIER "Probe"
#endif
#ifndef CREATE
#define CREATE create
#endif
#ifndef LOAD_STATE
#define LOAD_STATE load_state
#endif

typedef struct probe {
  const crest_host *host;
  char mode[32];
  double number;
  uint64_t events;
} probe;

#ifdef HELPER
int helper(void);
__attribute__((constructor)) static void use_helper(void) { helper(); }
#endif
#ifdef CONSTRUCTOR_WRITES
__attribute__((constructor)) static void leave_a_trace(void) {
  FILE *file = fopen(CONSTRUCTOR_WRITES, "a");
  if (file) fclose(file);
}
#endif
#ifdef CONSTRUCTOR_EXITS
__attribute__((constructor)) static void leave(void) { exit(0); }
#endif
#ifdef CONSTRUCTOR_TRAPS
__attribute__((constructor)) static void trap(void) { __builtin_trap(); }
#endif
#ifdef CONSTRUCTOR_FLUSHES
/* As crtfastmath.o does. */
__attribute__((constructor)) static void flush(void) { __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040); }
#endif
#ifdef DESTRUCTOR_TRAPS
__attribute__((destructor)) static void trap_at_end(void) { __builtin_trap(); }
#endif
#ifndef TRAPS_AT
#define TRAPS_AT -1
#endif
/* Hooks by number, then saving, loading and destroying. */
static void trap_at(int place) {
  if (place == TRAPS_AT) __builtin_trap();
}
#ifdef CONSTRUCTOR_HANGS
__attribute__((constructor)) static void hang(void) {
  for (;;) {
  }
}
#endif

static void say(probe *self, const char *text) { self->host->log(self->host->context, CREST_INFO, text); }

static int is(const probe *self, const char *mode) { return strcmp(self->mode, mode) == 0; }

static int32_t create(const crest_host *host, const char *configuration, crest_instance *instance) {
  static const char *const reports[] = {"probe_events", NULL};
  static const char *const layers[] = {"dense", NULL};
  probe *self = calloc(1, sizeof *self);
  self->host = host;
  const char *mode = strstr(configuration, "\"mode\":\"");
  if (mode) snprintf(self->mode, sizeof self->mode, "%.*s", (int)strcspn(mode + 8, "\""), mode + 8);
  const char *number = strstr(configuration, "\"number\":");
  if (number) self->number = strtod(number + 9, NULL);
  if (is(self, "no-create")) {
    host->fail(host->context, "there is nothing to watch");
    return CREST_FAILED;
  }
  instance->state = self;
  instance->order = 7;
  instance->hooks = is(self, "unknown-hook") ? CREST_BIT(40) : 0xFFFF;
#ifdef REPORTS
  instance->reports = REPORTS;
#else
  instance->reports = reports;
#endif
  if (is(self, "views"))
    instance->reads = CREST_BIT(CREST_PARAMETERS) | CREST_BIT(CREST_GRADIENTS) | CREST_BIT(CREST_PREDICTIONS) |
                      CREST_BIT(CREST_LOSSES) | CREST_BIT(CREST_ACTIVATIONS);
  if (is(self, "views")) instance->activations = layers;
  if (is(self, "many-reports")) {
    static char names[65][4];
    static const char *list[66];
    for (int i = 0; i < 65; i++) {
      snprintf(names[i], sizeof names[i], "a%d", i);
      list[i] = names[i];
    }
    instance->reports = list;
  }
  if (is(self, "schedule") || is(self, "decay")) instance->owns = CREST_OWNS(CREST_LEARNING_RATE, CREST_BASE);
  if (is(self, "factor")) instance->owns = CREST_OWNS(CREST_LEARNING_RATE, CREST_FACTOR);
  return CREST_OK;
}

static void view(probe *self, int32_t kind, const char *name) {
  const crest_host *host = self->host;
  char text[256];
  uint64_t count = 0;
  int32_t status = host->count_tensors(host->context, kind, &count);
  if (status != CREST_OK) {
    snprintf(text, sizeof text, "%s: %d %s", name, status, host->refusal(host->context));
    return say(self, text);
  }
  for (uint64_t i = 0; i < count; i++) {
    crest_tensor tensor = {.size = sizeof tensor};
    host->view_tensor(host->context, kind, i, &tensor);
    const float *values = tensor.elements;
    int length = snprintf(text, sizeof text, "%s: %s [", name, tensor.name);
    for (uint64_t axis = 0; axis < tensor.rank; axis++)
      length += snprintf(text + length, sizeof text - (size_t)length, axis ? ",%d" : "%d", (int)tensor.shape[axis]);
    double sum = 0;
    for (uint64_t j = 0; j < tensor.element_count; j++) sum += (double)values[j];
    snprintf(text + length, sizeof text - (size_t)length, "] %a", sum);
    say(self, text);
  }
}

static int32_t on_event(void *state, const crest_event *event) {
  probe *self = state;
  const crest_host *host = self->host;
  char text[256];
  self->events++;
  trap_at(event->hook);
  if (is(self, "watch")) {
    snprintf(text, sizeof text, "%d purpose %d outcome %d epoch %d/%d batch %d/%d step %d/%d count %d loss %a rate %g metrics %d",
             event->hook, event->purpose, event->outcome, (int)event->epoch, (int)event->epoch_count,
             (int)event->batch, (int)event->batch_count, (int)event->step, (int)event->step_count,
             (int)event->example_count, isnan(event->loss) ? -1.0 : event->loss, event->learning_rate,
             (int)event->metric_count);
    say(self, text);
  }
  if (is(self, "count") && event->hook == CREST_AFTER_EPOCH)
    host->report_metric(host->context, "probe_events", (double)self->events);
  if (is(self, "fail") && event->hook == CREST_AFTER_LOSS) {
    host->fail(host->context, "it broke");
    return CREST_FAILED;
  }
  if (is(self, "cancel") && event->hook == CREST_AFTER_LOSS) host->cancel(host->context, CREST_FIT, "seen enough");
  if (is(self, "views") && event->batch == 1 && event->hook == CREST_AFTER_BACKWARD) {
    view(self, CREST_PARAMETERS, "parameter");
    view(self, CREST_GRADIENTS, "gradient");
    view(self, CREST_PREDICTIONS, "prediction");
    view(self, CREST_LOSSES, "loss");
    view(self, CREST_ACTIVATIONS, "activation");
    view(self, CREST_STATISTICS, "statistic");
    view(self, 9, "nothing");
  }
  if (is(self, "views") && event->hook == CREST_BEFORE_EPOCH && event->epoch == 0) {
    view(self, CREST_GRADIENTS, "gradient");
    view(self, CREST_PREDICTIONS, "prediction");
  }
  if ((is(self, "schedule") || is(self, "factor")) && event->hook == CREST_BEFORE_BATCH)
    host->set_hyperparameter(host->context, CREST_LEARNING_RATE, is(self, "factor") ? CREST_FACTOR : CREST_BASE,
                             self->number);
  if (is(self, "decay") && event->hook == CREST_BEFORE_BATCH && event->purpose == CREST_TRAINING)
    host->set_hyperparameter(host->context, CREST_LEARNING_RATE, CREST_BASE, self->number / (double)(1 + self->events));
  if (is(self, "refused") && event->hook == CREST_AFTER_BATCH && event->purpose == CREST_TRAINING && event->step == 0) {
    double value;
    const int32_t results[] = {
        host->set_hyperparameter(host->context, CREST_LEARNING_RATE, CREST_BASE, 1),
        host->set_hyperparameter(host->context, CREST_LEARNING_RATE, CREST_EFFECTIVE, 1),
        host->set_hyperparameter(host->context, 17, CREST_BASE, 1),
        host->get_hyperparameter(host->context, CREST_MOMENTUM, 9, &value),
        host->get_metric(host->context, "accuracy", &value),
        host->report_metric(host->context, "mine", 1),
        host->cancel(host->context, CREST_BATCH, "late"),
        host->cancel(host->context, 12, "nowhere"),
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
      snprintf(text, sizeof text, "%d", results[i]);
      say(self, text);
    }
    say(self, host->refusal(host->context));
  }
  return CREST_OK;
}

static int32_t save_state(void *state, crest_write *write, void *sink) {
  probe *self = state;
  trap_at(-2);
  if (is(self, "huge-state")) {
    static const char piece[1 << 20];
    for (int i = 0; i < 65; i++) write(sink, piece, sizeof piece);
    return CREST_OK;
  }
  if (is(self, "endless-state")) {
    write(sink, self, UINT64_MAX);
    return CREST_OK;
  }
  if (is(self, "no-bytes")) {
    write(sink, NULL, 3);
    return CREST_OK;
  }
  // In two pieces, as the host has to put them together.
  write(sink, &self->events, 3);
  write(sink, (char *)&self->events + 3, sizeof self->events - 3);
  return CREST_OK;
}

static int32_t load_state(void *state, const void *bytes, uint64_t count) {
  probe *self = state;
  trap_at(-3);
  if (count != sizeof self->events) {
    self->host->fail(self->host->context, "the state has another size");
    return CREST_FAILED;
  }
  memcpy(&self->events, bytes, sizeof self->events);
  return CREST_OK;
}

static void destroy(void *state) {
  trap_at(-4);
  free(state);
}

static const crest_plugin plugin = {
    TABLE_SIZE, TABLE_MAGIC, TABLE_MAJOR, TABLE_MINOR, IDENTIFIER, "1.0.0",
    CREATE,     on_event,    save_state,  LOAD_STATE,  destroy};

#ifndef NO_STAMP
CREST_PLUGIN_STAMP
#endif

#ifdef ENTRY_NULL
CREST_PLUGIN_EXPORT const crest_plugin *crest_plugin_v1(uint32_t major, uint32_t minor) { return NULL; }
#elif !defined(NO_ENTRY)
CREST_PLUGIN_EXPORT const crest_plugin *crest_plugin_v1(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}
#endif
