/* Skips steps whose gradients are not finite, ends training after several in a row, and keeps statistics by layer. */
#include "crest_plugin.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an epoch's gradients of a parameter were like. */
typedef struct statistics {
  double squares; /* their sum */
  uint64_t count;
  double largest; /* by magnitude */
  uint64_t bad;   /* that are not finite */
} statistics;

/* What is saved and put back. */
typedef struct memory {
  uint64_t in_a_row;
  uint64_t skipped; /* in this epoch */
} memory;

typedef struct guard {
  const crest_host *host;
  uint64_t limit;
  int logs_statistics;
  memory memory;
  statistics *layers;
  char (*names)[128];
  uint64_t layer_count;
} guard;

/* The value of a setting: the host has checked the object against the manifest, and writes it without spaces. */
static const char *setting(const char *configuration, const char *name) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":", name);
  const char *place = strstr(configuration, key);
  return place ? place + strlen(key) : "";
}

static int32_t failed(const guard *self, const char *reason) {
  self->host->fail(self->host->context, reason);
  return CREST_FAILED;
}

static int32_t create(const crest_host *host, const char *configuration, crest_instance *instance) {
  static const char *const reports[] = {"skipped_steps", "largest_gradient", NULL};
  guard *self = calloc(1, sizeof *self);
  if (self == NULL) {
    host->fail(host->context, "there is no memory");
    return CREST_FAILED;
  }
  self->host = host;
  self->limit = strtoull(setting(configuration, "limit"), NULL, 10);
  self->logs_statistics = strncmp(setting(configuration, "statistics"), "true", 4) == 0;
  instance->state = self;
  instance->hooks = CREST_BIT(CREST_BEFORE_EPOCH) | CREST_BIT(CREST_BEFORE_STEP) | CREST_BIT(CREST_AFTER_TRAIN);
  instance->reads = CREST_BIT(CREST_GRADIENTS);
  instance->reports = reports;
  return CREST_OK;
}

static void destroy(void *state) {
  guard *self = state;
  free(self->layers);
  free(self->names);
  free(self);
}

static int32_t begin(guard *self) {
  self->memory.skipped = 0;
  if (self->layer_count > 0) memset(self->layers, 0, self->layer_count * sizeof *self->layers);
  return CREST_OK;
}

/* Makes room for the layers, which are the same for the whole of a fit. */
static int make_room(guard *self, uint64_t count) {
  if (count == self->layer_count) return 1;
  statistics *layers = calloc(count, sizeof *layers);
  char(*names)[128] = calloc(count, sizeof *names);
  if (layers == NULL || names == NULL) {
    free(layers);
    free(names);
    return 0;
  }
  free(self->layers);
  free(self->names);
  self->layers = layers;
  self->names = names;
  self->layer_count = count;
  return 1;
}

static uint64_t add(statistics *layer, const float *values, uint64_t count) {
  uint64_t bad = 0;
  for (uint64_t i = 0; i < count; i++) {
    double value = fabs((double)values[i]);
    if (!isfinite(value)) {
      bad++;
      continue;
    }
    layer->squares += value * value;
    if (value > layer->largest) layer->largest = value;
  }
  layer->count += count - bad;
  layer->bad += bad;
  return bad;
}

static int32_t check(guard *self, const crest_event *event) {
  const crest_host *host = self->host;
  uint64_t count = 0;
  if (host->count_tensors(host->context, CREST_GRADIENTS, &count) != CREST_OK)
    return failed(self, host->refusal(host->context));
  if (!make_room(self, count)) return failed(self, "there is no memory");
  uint64_t first_bad = count, bad = 0;
  for (uint64_t i = 0; i < count; i++) {
    crest_tensor tensor = {.size = sizeof tensor};
    if (host->view_tensor(host->context, CREST_GRADIENTS, i, &tensor) != CREST_OK)
      return failed(self, host->refusal(host->context));
    snprintf(self->names[i], sizeof self->names[i], "%s", tensor.name);
    uint64_t here = add(&self->layers[i], tensor.elements, tensor.element_count);
    if (here > 0 && bad == 0) first_bad = i;
    bad += here;
  }
  if (bad == 0) {
    self->memory.in_a_row = 0;
    return CREST_OK;
  }
  self->memory.in_a_row++;
  self->memory.skipped++;
  char reason[256];
  snprintf(reason, sizeof reason, "%" PRIu64 " gradients are not finite in step %" PRId64 ", the first in %s", bad,
           event->step, self->names[first_bad]);
  int ends = self->memory.in_a_row >= self->limit;
  if (!ends) host->log(host->context, CREST_WARNING, reason);
  if (host->cancel(host->context, ends ? CREST_FIT : CREST_STEP, reason) != CREST_OK)
    return failed(self, host->refusal(host->context));
  return CREST_OK;
}

static int32_t report(guard *self) {
  const crest_host *host = self->host;
  double largest = 0;
  for (uint64_t i = 0; i < self->layer_count; i++) {
    const statistics *layer = &self->layers[i];
    if (layer->largest > largest) largest = layer->largest;
    if (!self->logs_statistics) continue;
    char line[256];
    double mean = layer->count > 0 ? sqrt(layer->squares / (double)layer->count) : NAN;
    snprintf(line, sizeof line, "%-40s rms %.3e  largest %.3e  not finite %" PRIu64, self->names[i], mean,
             layer->largest, layer->bad);
    host->log(host->context, CREST_INFO, line);
  }
  if (host->report_metric(host->context, "skipped_steps", (double)self->memory.skipped) != CREST_OK ||
      host->report_metric(host->context, "largest_gradient", largest) != CREST_OK)
    return failed(self, host->refusal(host->context));
  return CREST_OK;
}

static int32_t on_event(void *state, const crest_event *event) {
  switch (event->hook) {
  case CREST_BEFORE_EPOCH: return begin(state);
  case CREST_BEFORE_STEP: return check(state, event);
  case CREST_AFTER_TRAIN: return report(state);
  default: return CREST_OK;
  }
}

static int32_t save_state(void *state, crest_write *write, void *sink) {
  guard *self = state;
  uint64_t count = self->layer_count;
  write(sink, &self->memory, sizeof self->memory);
  write(sink, &count, sizeof count);
  if (count > 0) {
    write(sink, self->layers, count * sizeof *self->layers);
    write(sink, self->names, count * sizeof *self->names);
  }
  return CREST_OK;
}

static int32_t load_state(void *state, const void *bytes, uint64_t count) {
  guard *self = state;
  const char *place = bytes;
  uint64_t layers, head = sizeof self->memory + sizeof layers, each = sizeof(statistics) + sizeof *self->names;
  if (count < head) return failed(self, "the state is cut short");
  memcpy(&layers, place + sizeof self->memory, sizeof layers);
  if (layers != (count - head) / each || (count - head) % each != 0)
    return failed(self, "the state has another size than its layers");
  if (!make_room(self, layers)) return failed(self, "there is no memory");
  memcpy(&self->memory, place, sizeof self->memory);
  if (layers > 0) {
    memcpy(self->layers, place + head, layers * sizeof *self->layers);
    memcpy(self->names, place + head + layers * sizeof *self->layers, layers * sizeof *self->names);
  }
  return CREST_OK;
}

static const crest_plugin plugin = {
    sizeof plugin, CREST_PLUGIN_MAGIC, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR, "NanGuard", "1.0.0",
    create,        on_event,           save_state,         load_state,         destroy};

CREST_PLUGIN_STAMP

CREST_PLUGIN_EXPORT const crest_plugin *crest_plugin_v1(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}
