#define _GNU_SOURCE

#include "crest_tables.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crest_plugin.h"

int crest_load_table(const char *path, const void **result, char *reason, size_t capacity) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    const char *message = dlerror();
    snprintf(reason, capacity, "the system can't load it: %s", message ? message : "no reason given");
    return -1;
  }
  crest_plugin_entry *entry = (crest_plugin_entry *)dlsym(library, "crest_plugin_v1");
  if (entry == NULL) {
    snprintf(reason, capacity, "there is no function crest_plugin_v1");
    return -1;
  }
  const crest_plugin *table = entry(CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR);
  if (table == NULL) {
    snprintf(reason, capacity, "crest_plugin_v1 refused version %u.%u of the interface", CREST_PLUGIN_MAJOR,
             CREST_PLUGIN_MINOR);
    return -1;
  }
  // Beyond the fixed beginning nothing may be read before the size is known.
  size_t least = offsetof(crest_plugin, destroy) + sizeof table->destroy;
  if (table->magic != CREST_PLUGIN_MAGIC) {
    snprintf(reason, capacity, "its table begins with the number %08x, expected %08x", table->magic,
             CREST_PLUGIN_MAGIC);
    return -1;
  }
  if (table->major != CREST_PLUGIN_MAJOR || table->minor > CREST_PLUGIN_MINOR) {
    snprintf(reason, capacity, "its table is of version %u.%u, expected %u.0 to %u.%u", table->major, table->minor,
             CREST_PLUGIN_MAJOR, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR);
    return -1;
  }
  if (table->size < least || table->size >= 4096) {
    snprintf(reason, capacity, "its table has %u bytes, expected %zu to 4095", table->size, least);
    return -1;
  }
  if (!table->identifier || !table->version || !table->create || !table->on_event || !table->destroy) {
    snprintf(reason, capacity, "its table lacks one of identifier, version, create, on_event, destroy");
    return -1;
  }
  if (!table->save_state != !table->load_state) {
    snprintf(reason, capacity, "its table has only one of save_state and load_state");
    return -1;
  }
  *result = table;
  return 0;
}

// Services of a rehearsal, where there is no training: what a plugin says is kept, everything else refused.

static char failure[1024];

static void hear(void *context, int32_t level, const char *message) {
  (void)context;
  (void)level;
  (void)message;
}
static void keep(void *context, const char *message) {
  (void)context;
  snprintf(failure, sizeof failure, "%s", message ? message : "");
}
static const char *refuse(void *context) {
  (void)context;
  return "there is no training in a rehearsal";
}
static int32_t no_get_hyperparameter(void *context, int32_t which, int32_t part, double *value) {
  (void)context, (void)which, (void)part, (void)value;
  return CREST_UNAVAILABLE;
}
static int32_t no_set_hyperparameter(void *context, int32_t which, int32_t part, double value) {
  (void)context, (void)which, (void)part, (void)value;
  return CREST_UNAVAILABLE;
}
static int32_t no_get_metric(void *context, const char *name, double *value) {
  (void)context, (void)name, (void)value;
  return CREST_UNAVAILABLE;
}
static int32_t no_report_metric(void *context, const char *name, double value) {
  (void)context, (void)name, (void)value;
  return CREST_UNAVAILABLE;
}
static int32_t no_count_tensors(void *context, int32_t kind, uint64_t *count) {
  (void)context, (void)kind, (void)count;
  return CREST_UNAVAILABLE;
}
static int32_t no_view_tensor(void *context, int32_t kind, uint64_t index, crest_tensor *tensor) {
  (void)context, (void)kind, (void)index, (void)tensor;
  return CREST_UNAVAILABLE;
}
static int32_t no_cancel(void *context, int32_t phase, const char *reason) {
  (void)context, (void)phase, (void)reason;
  return CREST_UNAVAILABLE;
}

static const crest_host rehearsal = {
    sizeof rehearsal,      CREST_PLUGIN_MAJOR,    CREST_PLUGIN_MINOR, 1,
    NULL,                  hear,                  keep,               refuse,
    no_get_hyperparameter, no_set_hyperparameter, no_get_metric,      no_report_metric,
    no_count_tensors,      no_view_tensor,        no_cancel};

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

// Any program with this library can try a plugin out in a process of its own by starting itself with the variable
// set. It has to happen before main, which is not ours: who uses the library has no subcommand for it.
__attribute__((constructor)) static void rehearse(void) {
#if defined(__GLIBC__)
  // Nobody chooses what a program with more rights than its user's loads.
  const char *path = secure_getenv(CREST_REHEARSAL);
#else
  const char *path = getenv(CREST_REHEARSAL);
#endif
  if (path == NULL) return;
  char reason[1024];
  const void *loaded;
  char *configuration = read_configuration();
  if (crest_load_table(path, &loaded, reason, sizeof reason) != 0) fail(reason);
  const crest_plugin *table = loaded;
  crest_instance instance = {.size = sizeof instance};
  if (table->create(&rehearsal, configuration, &instance) != CREST_OK)
    fail(failure[0] ? failure : "create failed and gave no reason");
  table->destroy(instance.state);
  say(CREST_REHEARSAL_PASSED);
  _exit(0);
}
