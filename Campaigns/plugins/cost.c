/* The least a library can do at an event, for the campaign plugin-cost: count. */
#include "crest_plugin.h"

static uint64_t events;

static int32_t create(const crest_host *host, const char *configuration, crest_instance *instance) {
  (void)host;
  (void)configuration;
  instance->hooks = CREST_BIT(CREST_AFTER_LOSS);
  return CREST_OK;
}
static int32_t on_event(void *state, const crest_event *event) {
  (void)state;
  events += event->loss == event->loss;
  return CREST_OK;
}
static void destroy(void *state) { (void)state; }

static const crest_plugin plugin = {
    sizeof plugin, CREST_PLUGIN_MAGIC, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR, "Cost", "1.0.0",
    create,        on_event,           NULL,               NULL,               destroy};

CREST_PLUGIN_STAMP

CREST_PLUGIN_EXPORT const crest_plugin *crest_plugin_v1(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}
