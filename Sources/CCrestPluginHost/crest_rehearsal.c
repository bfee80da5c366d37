#define _GNU_SOURCE

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crest_plugin.h"
#include "crest_tables.h"

enum { HOOK_COUNT = 16, NAME_LIMIT = 1024, STATE_LIMIT = 1 << 26 };

static void say(const char *text) {
  for (size_t length = strlen(text); length > 0;) {
    ssize_t written = write(STDOUT_FILENO, text, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) _exit(3);
    text += written;
    length -= (size_t)written;
  }
}

static _Noreturn void fail(const char *reason) {
  say(CREST_REHEARSAL_FAILED);
  say(reason);
  say("\n");
  _exit(1);
}

// A training run of one batch, made up: services answer as they would at its hooks.

static char failure[1024];
static int32_t hook;
static uint64_t reads;
static uint64_t activation_count;

static void hear(void *context, int32_t level, const char *message) {
  (void)context, (void)level;
  // What the host copies is read here, too.
  char copy[64];
  snprintf(copy, sizeof copy, "%zu", message ? strlen(message) : 0);
}
static void keep(void *context, const char *message) {
  (void)context;
  snprintf(failure, sizeof failure, "%s", message ? message : "");
}
static const char *refuse(void *context) {
  (void)context;
  return "there is no training in a rehearsal";
}
static int is_event(void) { return hook >= 0; }
static int32_t get_hyperparameter(void *context, int32_t which, int32_t part, double *value) {
  (void)context;
  if (!is_event()) return CREST_UNAVAILABLE;
  if (which < 0 || which > CREST_WEIGHT_DECAY || part < 0 || part > CREST_FACTOR) return CREST_UNKNOWN;
  if (value != NULL) *value = part == CREST_FACTOR ? 1 : which == CREST_MOMENTUM ? 0.9 : 0.1;
  return CREST_OK;
}
static int32_t set_hyperparameter(void *context, int32_t which, int32_t part, double value) {
  (void)context, (void)which, (void)part, (void)value;
  return is_event() ? CREST_OK : CREST_UNAVAILABLE;
}
static int32_t get_metric(void *context, const char *name, double *value) {
  (void)context;
  if (hook < CREST_AFTER_TRAIN || hook == CREST_AFTER_FIT) return is_event() ? CREST_UNKNOWN : CREST_UNAVAILABLE;
  if (name == NULL || strlen(name) == 0) return CREST_UNKNOWN;
  if (value != NULL) *value = 1;
  return CREST_OK;
}
static int32_t report_metric(void *context, const char *name, double value) {
  (void)context, (void)value;
  if (hook <= CREST_BEFORE_FIT || hook == CREST_AFTER_FIT) return CREST_UNAVAILABLE;
  return name != NULL && strlen(name) > 0 ? CREST_OK : CREST_UNKNOWN;
}
static int is_in_batch_from(int32_t first) { return hook >= first && hook <= CREST_AFTER_BATCH; }
static int32_t count_tensors(void *context, int32_t kind, uint64_t *count) {
  (void)context;
  if (kind < 0 || kind > CREST_ACTIVATIONS) return CREST_UNKNOWN;
  if (!is_event()) return CREST_UNAVAILABLE;
  if ((reads & CREST_BIT(kind)) == 0) return CREST_REFUSED;
  int32_t first = kind == CREST_GRADIENTS ? CREST_AFTER_BACKWARD : kind == CREST_LOSSES ? CREST_AFTER_LOSS : CREST_AFTER_PREDICTION;
  if (kind >= CREST_GRADIENTS && !is_in_batch_from(first)) return CREST_UNAVAILABLE;
  if (count != NULL) *count = kind == CREST_ACTIVATIONS ? activation_count : 1;
  return CREST_OK;
}
static int32_t view_tensor(void *context, int32_t kind, uint64_t index, crest_tensor *tensor) {
  static const float elements[] = {0.5f, -0.25f, 1, 0};
  static const int64_t shape[] = {2, 2};
  uint64_t count = 0;
  int32_t status = count_tensors(context, kind, &count);
  if (status != CREST_OK) return status;
  if (index >= count || tensor == NULL) return CREST_UNKNOWN;
  if (tensor->size < sizeof *tensor) return CREST_REFUSED;
  tensor->element_type = CREST_FLOAT32;
  tensor->name = "rehearsal";
  tensor->elements = elements;
  tensor->element_count = 4;
  tensor->shape = shape;
  // One loss for each of the two examples.
  tensor->rank = kind == CREST_LOSSES ? 1 : 2;
  if (kind == CREST_LOSSES) tensor->element_count = 2;
  return CREST_OK;
}
static int32_t cancel(void *context, int32_t phase, const char *reason) {
  (void)context;
  if (phase < 0 || phase > CREST_STEP) return CREST_UNKNOWN;
  return is_event() && (reason == NULL || strlen(reason) > 0) ? CREST_OK : CREST_UNAVAILABLE;
}

static const crest_host services = {
    sizeof services,    CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR, 1,
    NULL,               hear,               keep,               refuse,
    get_hyperparameter, set_hyperparameter, get_metric,         report_metric,
    count_tensors,      view_tensor,        cancel};

/// What is told at the hook that is called now.
static crest_event made_up_event(void) {
  static const crest_metric metric = {sizeof metric, 0, "accuracy", 0.5};
  int is_batch = is_in_batch_from(CREST_BEFORE_BATCH);
  int is_pass = is_batch || (hook >= CREST_BEFORE_TRAIN && hook <= CREST_AFTER_VALIDATE);
  int is_validation = hook == CREST_BEFORE_VALIDATE || hook == CREST_AFTER_VALIDATE;
  int has_ended = hook == CREST_AFTER_BACKWARD || (hook >= CREST_AFTER_STEP && hook != CREST_BEFORE_VALIDATE);
  int is_measured = hook == CREST_AFTER_VALIDATE || hook == CREST_AFTER_EPOCH;
  int has_loss = is_in_batch_from(CREST_AFTER_LOSS) || hook == CREST_AFTER_TRAIN || hook == CREST_AFTER_VALIDATE;
  crest_event event = {
      .size = sizeof event,
      .hook = hook,
      .purpose = !is_pass ? CREST_NO_PASS : is_validation ? CREST_VALIDATION : CREST_TRAINING,
      .outcome = has_ended ? CREST_FINISHED : CREST_RUNNING,
      .epoch = hook == CREST_BEFORE_FIT || hook == CREST_AFTER_FIT ? -1 : 0,
      .epoch_count = 1,
      .batch_count = 1,
      .step_count = 1,
      .train_loss = hook >= CREST_AFTER_TRAIN && hook < CREST_AFTER_FIT ? 1 : NAN,
      .validation_loss = is_measured ? 1 : NAN,
      .batch = is_batch ? 0 : -1,
      .step = hook >= CREST_AFTER_TRAIN ? 1 : 0,
      .example_count = is_batch || hook == CREST_AFTER_TRAIN || hook == CREST_AFTER_VALIDATE ? 2 : 0,
      .loss = has_loss ? 1 : NAN,
      .smoothed_loss = hook >= CREST_AFTER_LOSS ? 1 : NAN,
      .learning_rate = 0.1,
      .momentum = 0.9,
      .weight_decay = 0,
      .metrics = is_measured ? &metric : NULL,
      .metric_count = is_measured ? 1 : 0,
  };
  return event;
}

/// Bytes of a state.
struct bytes {
  char *start;
  uint64_t count;
};

static void take_bytes(void *sink, const void *start, uint64_t count) {
  struct bytes *bytes = sink;
  if (count == 0 || start == NULL || count > STATE_LIMIT - bytes->count) return;
  char *larger = realloc(bytes->start, bytes->count + count);
  if (larger == NULL) fail("there is no memory for its state");
  bytes->start = larger;
  memcpy(larger + bytes->count, start, count);
  bytes->count += count;
}

/// How many names a list has, each of which is read to its end.
static uint64_t read_names(const char *const *names) {
  uint64_t count = 0;
  size_t length = 0;
  while (names != NULL && names[count] != NULL && count <= NAME_LIMIT) length += strlen(names[count++]);
  return length > 0 ? count : 0;
}

static struct crest_caller caller = {.identifier = "(rehearsal)"};
static const char *hook_names[HOOK_COUNT];
static struct crest_process_state *state_before;
static struct crest_caller *outer_call;

static void report_end(const char *identifier, const char *place, const char *how) {
  char reason[256];
  (void)identifier;
  snprintf(reason, sizeof reason, "it ends the process by %s in %s", how, place ? place : "its own code");
  fail(reason);
}

static void begin(const char *place) {
  state_before = crest_process_state_take(0);
  if (state_before == NULL) fail("there is no memory for a rehearsal");
  outer_call = crest_begin_call(&caller, place);
}

static void end(const char *place) {
  crest_end_call(outer_call);
  char changes[512], reason[768];
  if (crest_process_state_settle(state_before, changes, sizeof changes) == 0) return;
  snprintf(reason, sizeof reason, "it changes %s of the process in %s", changes, place);
  fail(reason);
}

static void call_hooks(const crest_plugin *table, const crest_instance *instance) {
  for (hook = 0; hook < HOOK_COUNT; hook++) {
    if ((instance->hooks & CREST_BIT(hook)) == 0) continue;
    begin(hook_names[hook]);
    crest_event event = made_up_event();
    // Figures that are made up may well be none it can work with.
    (void)table->on_event(instance->state, &event);
    end(hook_names[hook]);
  }
  hook = -1;
}

static void keep_state(const crest_plugin *table, const crest_instance *instance) {
  if (table->save_state == NULL) return;
  struct bytes bytes = {NULL, 0};
  begin("save_state");
  int32_t status = table->save_state(instance->state, take_bytes, &bytes);
  end("save_state");
  begin("load_state");
  if (status == CREST_OK) (void)table->load_state(instance->state, bytes.start, bytes.count);
  end("load_state");
  free(bytes.start);
}

/// All that a host does with a library, in its order.
static void rehearse(const char *const *paths, size_t count, const char *configuration) {
  char reason[1024];
  const void *loaded;
  hook = -1;
  caller.hooks = hook_names;
  crest_report_ends_to(report_end);
  if (crest_load_table(paths, count, &caller, &loaded, reason, sizeof reason) != 0) fail(reason);
  const crest_plugin *table = loaded;
  snprintf(reason, sizeof reason, "%zu", strlen(table->identifier) + strlen(table->version));
  crest_instance instance = {.size = sizeof instance};
  begin("create");
  int32_t status = table->create(&services, configuration, &instance);
  end("create");
  if (status != CREST_OK) fail(failure[0] ? failure : "create failed and gave no reason");
  reads = instance.reads;
  activation_count = read_names(instance.activations);
  (void)read_names(instance.reports);
  call_hooks(table, &instance);
  keep_state(table, &instance);
  begin("destroy");
  table->destroy(instance.state);
  end("destroy");
  say(CREST_REHEARSAL_PASSED);
  // What it does at the end of the process belongs to it.
  exit(0);
}

/// All of standard input as text.
static char *read_configuration(void) {
  size_t capacity = 4096, count = 0;
  char *text = malloc(capacity);
  while (text != NULL) {
    ssize_t got = read(STDIN_FILENO, text + count, capacity - count - 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    count += (size_t)got;
    if (count + 1 == capacity) text = realloc(text, capacity *= 2);
  }
  if (text == NULL) fail("there is no memory for its configuration");
  text[count] = 0;
  return text;
}

/// The lines of a text, which are cut out of it; how many there are.
static size_t split(char *text, const char **lines, size_t limit) {
  size_t count = 0;
  for (char *line = strtok(text, "\n"); line != NULL && count < limit; line = strtok(NULL, "\n")) lines[count++] = line;
  return count;
}

// Any program with this library can try a plugin out in a process of its own by starting itself with the variable
// set. It has to happen before main, which is not ours: who uses the library has no subcommand for it.
__attribute__((constructor)) static void rehearse_if_asked(void) {
#if defined(__GLIBC__)
  // Nobody chooses what a program with more rights than its user's loads.
  char *paths = secure_getenv(CREST_REHEARSAL);
#else
  char *paths = getenv(CREST_REHEARSAL);
#endif
  char *names = getenv(CREST_REHEARSAL_HOOKS);
  if (paths == NULL) return;
  static const char *list[NAME_LIMIT];
  size_t count = split(strdup(paths), list, NAME_LIMIT);
  if (names == NULL || split(strdup(names), hook_names, HOOK_COUNT) != HOOK_COUNT)
    fail("it was not started by a trainer");
  rehearse(list, count, read_configuration());
}
