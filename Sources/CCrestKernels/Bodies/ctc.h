#ifndef CK_CTC_H
#define CK_CTC_H

#include "../Plans/ctc_plan.h"
#include "rows.h"

// Connectionist temporal classification in double and in logarithms; an example is a chunk.
typedef struct ck_ctc {
  size_t steps, classes, width;
  int64_t blank, padding;
  bool zero_infinity;
  const float *x;
  const int64_t *labels;
  const float *row_gradient;
  float *loss, *dx;
  double *scratch;
} ck_ctc;

CK_INLINE double ck_log_sum(double a, double b, double c) {
  double max = a > b ? a : b;
  max = max > c ? max : c;
  if (max == -(double)INFINITY) return max;
  return max + log(exp(a - max) + exp(b - max) + exp(c - max));
}

// A worker's scratch: log p (steps, classes), sums of beginnings (steps, states), of ends (2, states), of paths through
// a class (classes), and the labels (width).
typedef struct ck_ctc_memory { double *log_p, *beginnings, *ends, *through; size_t *labels, count, states; } ck_ctc_memory;

CK_INLINE ck_ctc_memory ck_ctc_worker_memory(const ck_ctc *c, size_t worker) {
  ck_ctc_memory m;
  size_t states = 2 * c->width + 1;
  m.log_p = c->scratch + worker * ck_ctc_worker_doubles(c->steps, c->classes, c->width);
  m.beginnings = m.log_p + c->steps * c->classes;
  m.ends = m.beginnings + c->steps * states;
  m.through = m.ends + 2 * states;
  m.labels = (size_t *)(m.through + c->classes);
  m.count = 0, m.states = 1;
  return m;
}

// State s is a blank if even, else label s / 2.
CK_INLINE size_t ck_ctc_state(const ck_ctc *c, const ck_ctc_memory *m, size_t s) {
  return s % 2 == 0 ? (size_t)c->blank : m->labels[s / 2];
}
// A blank may be left out between two different labels.
CK_INLINE bool ck_ctc_skips(const ck_ctc_memory *m, size_t s) {
  return s % 2 == 1 && s > 1 && m->labels[s / 2] != m->labels[s / 2 - 1];
}

// log p, and whether it is NaN somewhere.
static bool ck_ctc_logarithms(const ck_ctc *c, const float *x, double *log_p) {
  bool has_nan = false;
  for (size_t t = 0; t < c->steps; t++) {
    const float *row = x + t * c->classes;
    double max = -(double)INFINITY, sum = 0;
    for (size_t k = 0; k < c->classes; k++) {
      has_nan |= row[k] != row[k];
      max = (double)row[k] > max ? (double)row[k] : max;
    }
    for (size_t k = 0; k < c->classes; k++) sum += exp((double)row[k] - max);
    double log_sum = max + log(sum);
    for (size_t k = 0; k < c->classes; k++) log_p[t * c->classes + k] = (double)row[k] - log_sum;
    has_nan |= log_sum != log_sum;
  }
  return has_nan;
}

// Fills the memory; the loss of the example.
static double ck_ctc_loss(const ck_ctc *c, size_t n, ck_ctc_memory *m) {
  const int64_t *labels = c->labels + n * c->width;
  for (size_t i = 0; i < c->width; i++)
    if (labels[i] != c->padding && labels[i] != c->blank) m->labels[m->count++] = (size_t)labels[i];
  m->states = 2 * m->count + 1;
  if (ck_ctc_logarithms(c, c->x + n * c->steps * c->classes, m->log_p)) return NAN;
  const double none = -(double)INFINITY;
  for (size_t t = 0; t < c->steps; t++) {
    const double *log_p = m->log_p + t * c->classes;
    double *now = m->beginnings + t * m->states, *last = now - m->states;
    for (size_t s = 0; s < m->states; s++) {
      double own = log_p[ck_ctc_state(c, m, s)];
      if (t == 0) now[s] = s < 2 ? own : none;
      else now[s] = own + ck_log_sum(last[s], s > 0 ? last[s - 1] : none, ck_ctc_skips(m, s) ? last[s - 2] : none);
    }
  }
  const double *final = m->beginnings + c->steps * m->states;
  return -ck_log_sum(final[-1], m->states > 1 ? final[-2] : none, none);
}

static void ck_ctc_chunk(void *context, size_t n, size_t worker) {
  const ck_ctc *c = context;
  ck_ctc_memory m = ck_ctc_worker_memory(c, worker);
  double loss = ck_ctc_loss(c, n, &m);
  c->loss[n] = c->zero_infinity && loss == (double)INFINITY ? 0 : (float)loss;
}

static void ck_ctc_gradient_chunk(void *context, size_t n, size_t worker) {
  const ck_ctc *c = context;
  ck_ctc_memory m = ck_ctc_worker_memory(c, worker);
  const double none = -(double)INFINITY;
  double loss = ck_ctc_loss(c, n, &m), g = (double)c->row_gradient[n];
  float *dx = c->dx + n * c->steps * c->classes;
  if (!(loss < (double)INFINITY)) {
    float all = loss == (double)INFINITY && c->zero_infinity ? 0 : NAN;
    for (size_t i = 0; i < c->steps * c->classes; i++) dx[i] = all;
    return;
  }
  for (size_t t = c->steps; t-- > 0;) {
    const double *log_p = m.log_p + t * c->classes, *beginnings = m.beginnings + t * m.states;
    double *now = m.ends + t % 2 * m.states, *next = m.ends + (t + 1) % 2 * m.states;
    for (size_t k = 0; k < c->classes; k++) m.through[k] = none;
    for (size_t s = 0; s < m.states; s++) {
      size_t k = ck_ctc_state(c, &m, s);
      if (t + 1 == c->steps) now[s] = s + 2 >= m.states ? log_p[k] : none;
      else
        now[s] = log_p[k] + ck_log_sum(next[s], s + 1 < m.states ? next[s + 1] : none,
                                       s + 2 < m.states && ck_ctc_skips(&m, s + 2) ? next[s + 2] : none);
      m.through[k] = ck_log_sum(m.through[k], beginnings[s] + now[s], none);
    }
    for (size_t k = 0; k < c->classes; k++) {
      double path = m.through[k] == none ? 0 : exp(m.through[k] - log_p[k] + loss);
      dx[t * c->classes + k] = (float)(g * (exp(log_p[k]) - path));
    }
  }
}

static void CK_FN(ctc_loss_f32)(ck_pool *pool, size_t examples, size_t steps, size_t classes, size_t width,
                                int64_t blank, int64_t padding, bool zero_infinity, const float *x,
                                const int64_t *labels, float *loss, void *scratch) {
  ck_ctc c = {steps, classes, width, blank, padding, zero_infinity, x, labels, NULL, loss, NULL, scratch};
  ck_pool_run(pool, examples, ck_ctc_chunk, &c);
}
static void CK_FN(ctc_loss_gradient_f32)(ck_pool *pool, size_t examples, size_t steps, size_t classes, size_t width,
                                         int64_t blank, int64_t padding, bool zero_infinity, const float *x,
                                         const int64_t *labels, const float *row_gradient, float *dx, void *scratch) {
  ck_ctc c = {steps, classes, width, blank, padding, zero_infinity, x, labels, row_gradient, NULL, dx, scratch};
  ck_pool_run(pool, examples, ck_ctc_gradient_chunk, &c);
}

#endif
