/* Crest's plugin interface, version 1.0: all that passes between a trainer and a callback it loads.
 *
 * A plugin is a shared library that exports two symbols:
 *
 *   crest_plugin_stamp_v1   constant data, read from the file before any of its code may run
 *   crest_plugin_v1         a function that gives the table of the plugin's functions
 *
 * The least there is to write, in C:
 *
 *   #include "crest_plugin.h"
 *   static int32_t create(const crest_host *host, const char *configuration, crest_instance *instance) {
 *     instance->hooks = CREST_BIT(CREST_AFTER_LOSS);
 *     return CREST_OK;
 *   }
 *   static int32_t on_event(void *state, const crest_event *event) { return CREST_OK; }
 *   static void destroy(void *state) {}
 *   static const crest_plugin plugin = {
 *       sizeof plugin, CREST_PLUGIN_MAGIC, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR,
 *       "Mine", "1.0.0", create, on_event, NULL, NULL, destroy};
 *   CREST_PLUGIN_STAMP
 *   CREST_PLUGIN_EXPORT const crest_plugin *crest_plugin_v1(uint32_t major, uint32_t minor) { return &plugin; }
 *
 * Promises. Within a major version, structs grow only at their end and nothing changes its meaning. Every struct
 * begins with its size as its maker knew it; a member beyond that size is not there (CREST_HAS). A host takes plugins
 * made for its own major version and any minor version up to its own, and knows the hash of the header that each
 * minor version was released with.
 *
 * Threads and memory. The host calls from one thread at a time, and services may be called only on that thread and
 * only while one of the plugin's functions runs. Text is UTF-8 and ends in 0. What the host passes is valid until the
 * plugin's function returns; what the plugin passes in a table or an instance must stay until `destroy`, the table
 * itself for ever. A library is never unloaded. Nothing may be thrown or jumped across this interface.
 *
 * The process is the host's. A function of the plugin leaves it as it was: rounding and other floating-point control,
 * signal handlers and mask, timers, working folder, locale, umask, standard streams, limits, environment, user and process
 * group. The host compares, puts back what differs and ends the run; so it does when a plugin ends the process.
 */
#ifndef CREST_PLUGIN_H
#define CREST_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CREST_PLUGIN_MAGIC 0x54535243u /* "CRST" in a file of a little-endian machine */
#define CREST_PLUGIN_MAJOR 1u
#define CREST_PLUGIN_MINOR 0u
/* SHA-256 of this file without the next line. */
#define CREST_PLUGIN_HEADER_HASH "e064c5c068e4db20d805f83fcb01cf73d2a18f86bf249685b0ddec902c8bb122"

#define CREST_BIT(number) (UINT64_C(1) << (number))
/* Whether `pointer` points to a struct that is large enough to have `member`. */
#define CREST_HAS(pointer, type, member) \
  ((pointer)->size >= offsetof(type, member) + sizeof((pointer)->member))

/* What functions on both sides return. */
typedef enum crest_status {
  CREST_OK = 0,
  CREST_FAILED = 1,      /* of a plugin: an error, which it says with `fail` before it returns */
  CREST_REFUSED = 2,     /* of a service: not declared, not permitted, or not a value that may be set */
  CREST_UNKNOWN = 3,     /* of a service: there is nothing of that name, number or kind */
  CREST_UNAVAILABLE = 4  /* of a service: not at this hook */
} crest_status;

/* The places of the training loop, as in Crest's `Hook` and fastai's events.
 *
 *   before_fit
 *     before_epoch
 *       before_train
 *         before_batch . after_prediction . after_loss . before_backward . after_backward . before_step . after_step .
 *         after_batch
 *       after_train
 *       before_validate
 *         before_batch . after_prediction . after_loss . after_batch
 *       after_validate
 *     after_epoch
 *   after_fit
 *
 * After hooks also run when their phase was cancelled, interrupted or failed, and see that in `outcome`. */
typedef enum crest_hook {
  CREST_BEFORE_FIT = 0,
  CREST_BEFORE_EPOCH = 1,
  CREST_BEFORE_TRAIN = 2,
  CREST_BEFORE_BATCH = 3,
  CREST_AFTER_PREDICTION = 4,
  CREST_AFTER_LOSS = 5,
  CREST_BEFORE_BACKWARD = 6,
  CREST_AFTER_BACKWARD = 7,
  CREST_BEFORE_STEP = 8,
  CREST_AFTER_STEP = 9,
  CREST_AFTER_BATCH = 10,
  CREST_AFTER_TRAIN = 11,
  CREST_BEFORE_VALIDATE = 12,
  CREST_AFTER_VALIDATE = 13,
  CREST_AFTER_EPOCH = 14,
  CREST_AFTER_FIT = 15
} crest_hook;

/* What hooks surround and `cancel` ends, outermost first. */
typedef enum crest_phase {
  CREST_FIT = 0,
  CREST_EPOCH = 1,
  CREST_TRAIN = 2,
  CREST_VALIDATE = 3,
  CREST_BATCH = 4,
  CREST_BACKWARD = 5,
  CREST_STEP = 6
} crest_phase;

/* What the examples of a pass are used for. */
typedef enum crest_purpose {
  CREST_NO_PASS = 0, /* in hooks of fit and epoch */
  CREST_TRAINING = 1,
  CREST_VALIDATION = 2
} crest_purpose;

/* How the phase of an after hook ended; CREST_RUNNING in all others. */
typedef enum crest_outcome {
  CREST_RUNNING = 0,
  CREST_FINISHED = 1,
  CREST_CANCELLED = 2,
  CREST_INTERRUPTED = 3,
  CREST_FAILURE = 4
} crest_outcome;

/* Numbers that steer the optimiser. */
typedef enum crest_hyperparameter {
  CREST_LEARNING_RATE = 0,
  CREST_MOMENTUM = 1, /* or beta 1 of Adam and its kin */
  CREST_WEIGHT_DECAY = 2
} crest_hyperparameter;

/* The value in effect is base times factor; each of the two has at most one owner in a fit. */
typedef enum crest_part {
  CREST_EFFECTIVE = 0, /* to read only */
  CREST_BASE = 1,      /* a scheduler's */
  CREST_FACTOR = 2     /* that of what reacts to results, as a reduction on a plateau */
} crest_part;

/* The bit of `owns` for a part of a hyperparameter. */
#define CREST_OWNS(hyperparameter, part) CREST_BIT(2 * (hyperparameter) + (part) - 1)

/* What can be looked at without copying. */
typedef enum crest_tensor_kind {
  CREST_PARAMETERS = 0,  /* at every hook */
  CREST_STATISTICS = 1,  /* running statistics, as of batch norm; at every hook */
  CREST_GRADIENTS = 2,   /* of a training batch, from after_backward to after_batch */
  CREST_PREDICTIONS = 3, /* one: the model's first output, from after_prediction to after_batch */
  CREST_LOSSES = 4,      /* one: the loss of each prediction, from after_loss to after_batch */
  CREST_ACTIVATIONS = 5  /* the outputs of the instance's `activations`, from after_prediction to after_batch */
} crest_tensor_kind;

/* What elements of a tensor are. */
typedef enum crest_element_type {
  CREST_FLOAT32 = 0,
  CREST_FLOAT64 = 1,
  CREST_FLOAT16 = 2,
  CREST_BFLOAT16 = 3,
  CREST_INT8 = 4,
  CREST_INT16 = 5,
  CREST_INT32 = 6,
  CREST_INT64 = 7,
  CREST_UINT8 = 8,
  CREST_BOOL = 9
} crest_element_type;

/* How much a line of the log matters. */
typedef enum crest_log_level {
  CREST_DEBUG = 0,
  CREST_INFO = 1,
  CREST_WARNING = 2,
  CREST_ERROR = 3
} crest_log_level;

/* A number and its name. */
typedef struct crest_metric {
  uint32_t size;
  uint32_t reserved;
  const char *name;
  double value;
} crest_metric;

/* A look at memory of the host, row-major, not to be written to; valid until the plugin's function returns. */
typedef struct crest_tensor {
  uint32_t size;
  int32_t element_type; /* crest_element_type */
  const char *name;     /* as of a parameter: "block1.conv.weight" */
  const void *elements;
  uint64_t element_count;
  const int64_t *shape;
  uint64_t rank;
} crest_tensor;

/* A call of `on_event`. */
typedef struct crest_event {
  uint32_t size;
  int32_t hook;    /* crest_hook */
  int32_t purpose; /* crest_purpose */
  int32_t outcome; /* crest_outcome */

  /* The same in all hooks of the batches of a pass. */
  int64_t epoch;          /* from 0; -1 in hooks of fit */
  int64_t epoch_count;    /* of the fit */
  int64_t batch_count;    /* of the pass; in hooks of fit and epoch, of the training pass */
  int64_t step_count;     /* of the fit when nothing is cancelled: the length of schedules */
  double train_loss;      /* of the epoch, from after_train to after_epoch; else NaN */
  double validation_loss; /* of the epoch, from after_validate to after_epoch; else NaN */

  int64_t batch;         /* in the pass, from 0; -1 in hooks of fit, epoch, train and validate */
  int64_t step;          /* optimiser steps of the fit before this batch; outside of batches, taken so far */
  int64_t example_count; /* of the batch; in after_train and after_validate, of the pass; else 0 */
  double loss;           /* of the batch, from after_loss on; in after_train and after_validate, of the pass; else NaN */
  double smoothed_loss;  /* of training over the last few dozen batches; NaN before the first */

  double learning_rate; /* in effect */
  double momentum;
  double weight_decay;

  const crest_metric *metrics; /* of the epoch's validation, from after_validate to after_epoch; else NULL */
  uint64_t metric_count;
  const char *reason; /* why the phase was cancelled or failed; else NULL */
} crest_event;

/* What the host does for a plugin.
 *
 * Services return CREST_OK, or another status and the reason with `refusal`. */
typedef struct crest_host {
  uint32_t size;
  uint32_t major;
  uint32_t minor;
  /* 1 when the plugin is only tried out, in a process of its own: all of its functions are called, `on_event` once for
   * each hook of the instance, with figures and tensors that are made up. Leave no traces then. */
  uint32_t is_rehearsal;
  void *context; /* the first argument of every service */

  /* Writes a line to the log, under the plugin's name. `level` is a crest_log_level. */
  void (*log)(void *context, int32_t level, const char *message);
  /* Says what is wrong, before a function of the plugin returns CREST_FAILED. */
  void (*fail)(void *context, const char *message);
  /* Why the last service did not return CREST_OK; never NULL. */
  const char *(*refusal)(void *context);
  /* A crest_part of a crest_hyperparameter, during events. */
  int32_t (*get_hyperparameter)(void *context, int32_t hyperparameter, int32_t part, double *value);
  /* Sets the base or the factor of a hyperparameter that the instance owns, to a finite number of at least 0. */
  int32_t (*set_hyperparameter)(void *context, int32_t hyperparameter, int32_t part, double value);
  /* A result of the epoch that runs: train_loss, valid_loss, a metric of validation, or what was reported. */
  int32_t (*get_metric)(void *context, const char *name, double *value);
  /* Reports a number of the epoch that runs, under a name that is among the instance's `reports`; the last one counts. */
  int32_t (*report_metric)(void *context, const char *name, double value);
  /* The number of tensors of a crest_tensor_kind. */
  int32_t (*count_tensors)(void *context, int32_t kind, uint64_t *count);
  /* A look at a tensor of a kind that is among the instance's `reads`. The caller sets `tensor->size`. */
  int32_t (*view_tensor)(void *context, int32_t kind, uint64_t index, crest_tensor *tensor);
  /* Ends a crest_phase, when the plugin's function has returned, for a reason. */
  int32_t (*cancel)(void *context, int32_t phase, const char *reason);
} crest_host;

/* A plugin at work: filled in by `create`. The host sets `size` and everything else to 0. */
typedef struct crest_instance {
  uint32_t size;
  int32_t order;  /* its place among callbacks of a hook: lower first */
  void *state;    /* the plugin's own */
  uint64_t hooks; /* CREST_BIT(crest_hook): it is called at no other */
  uint64_t reads; /* CREST_BIT(crest_tensor_kind): it can look at no other */
  uint64_t owns;  /* CREST_OWNS(crest_hyperparameter, crest_part): it can set no other */
  const char *const *activations; /* layers whose outputs it reads, a NULL at the end; or NULL */
  const char *const *reports;     /* the metrics it reports, a NULL at the end; or NULL */
} crest_instance;

/* Takes bytes of a state; any number of calls. */
typedef void crest_write(void *sink, const void *bytes, uint64_t count);

/* The functions of a plugin. */
typedef struct crest_plugin {
  uint32_t size;
  uint32_t magic;
  uint32_t major;
  uint32_t minor;
  const char *identifier; /* as in the manifest */
  const char *version;    /* as in the manifest */
  /* Makes an instance. `configuration` is a JSON object that fits the manifest's schema, defaults filled in. */
  int32_t (*create)(const crest_host *host, const char *configuration, crest_instance *instance);
  /* A hook that the instance asked for. */
  int32_t (*on_event)(void *state, const crest_event *event);
  /* Writes all that the instance remembers; both this and `load_state` are NULL when that is nothing. */
  int32_t (*save_state)(void *state, crest_write *write, void *sink);
  /* Puts back what `save_state` of this version or an older one wrote. */
  int32_t (*load_state)(void *state, const void *bytes, uint64_t count);
  /* Ends an instance. */
  void (*destroy)(void *state);
} crest_plugin;

/* What a file says about itself, in constant data. */
typedef struct crest_plugin_stamp {
  uint32_t size;
  uint32_t magic;
  uint32_t major;
  uint32_t minor;
  char header_hash[72]; /* CREST_PLUGIN_HEADER_HASH, then zeros */
} crest_plugin_stamp;

#if defined(__GNUC__)
#define CREST_PLUGIN_EXPORT __attribute__((visibility("default"), used))
#else
#define CREST_PLUGIN_EXPORT
#endif

/* Defines the stamp; once in a plugin. */
#define CREST_PLUGIN_STAMP                                                                      \
  CREST_PLUGIN_EXPORT const crest_plugin_stamp crest_plugin_stamp_v1 = {                        \
      sizeof(crest_plugin_stamp), CREST_PLUGIN_MAGIC, CREST_PLUGIN_MAJOR, CREST_PLUGIN_MINOR,   \
      CREST_PLUGIN_HEADER_HASH};

extern const crest_plugin_stamp crest_plugin_stamp_v1;

/* The type of `crest_plugin_v1`, which is told the version of the host. NULL refuses it. */
typedef const crest_plugin *crest_plugin_entry(uint32_t major, uint32_t minor);

#ifdef __cplusplus
}
#endif
#endif
