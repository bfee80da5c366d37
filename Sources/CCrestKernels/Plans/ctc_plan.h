#ifndef CK_CTC_PLAN_H
#define CK_CTC_PLAN_H

#include <stddef.h>

// The doubles that a worker needs for one example of connectionist temporal classification: log p, sums of
// beginnings and of ends of paths, of paths through each class, and the labels.
static inline size_t ck_ctc_worker_doubles(size_t steps, size_t classes, size_t width) {
  size_t states = 2 * width + 1;
  return steps * classes + steps * states + 2 * states + classes + width;
}

#endif
