#ifndef CK_CROSS_ENTROPY_H
#define CK_CROSS_ENTROPY_H

#include "rows.h"

// With m the row's maximum and L = ln Σ exp(x - m), the loss is Σ t' · (L - (x - m)): the logits never leave the
// range of exp. t' is the smoothed target; targets come as labels or as probabilities.
typedef struct ck_cross_entropy {
  ck_cut cut;
  size_t classes;
  float smoothing;
  const float *x;
  const int64_t *labels;
  const float *t, *row_gradient;
  float *result;
} ck_cross_entropy;

CK_INLINE float ck_loss_of_label(const ck_cross_entropy *e, size_t r) {
  size_t n = e->classes;
  const float *x = e->x + r * n;
  float max = ck_row_max(x, n);
  double log_sum = log(ck_row_exp_sum(x, n, max, NULL)), smoothing = (double)e->smoothing;
  double loss = (1 - smoothing) * (log_sum - (double)(x[e->labels[r]] - max));
  // Apart, for 0 · ∞ would make NaN of a class ruled out by a logit of -∞.
  if (smoothing != 0) loss += smoothing * (log_sum - ck_row_sum(x, n, max) / (double)n);
  return (float)loss;
}

CK_INLINE float ck_loss_of_probabilities(const ck_cross_entropy *e, size_t r) {
  size_t n = e->classes;
  const float *x = e->x + r * n, *t = e->t + r * n;
  float max = ck_row_max(x, n), log_sum = (float)log(ck_row_exp_sum(x, n, max, NULL));
  float keep = 1 - e->smoothing, share = e->smoothing / (float)n;
  vd_pair sum = {{0}, {0}};
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf logits = vf_load_upto(x + i, n - i), target = keep * vf_load_upto(t + i, n - i) + share;
    vf terms = vf_select(target == 0.0f, vf_splat(0), target * (log_sum - (logits - max)));
    vd_pair_add(&sum, vf_keep_upto(terms, n - i));
  }
  return (float)vd_pair_sum(sum);
}

static void ck_cross_entropy_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_cross_entropy *e = context;
  size_t from = ck_cut_start(&e->cut, chunk), count = ck_cut_length(&e->cut, chunk);
  for (size_t r = from; r < from + count; r++)
    e->result[r] = e->labels ? ck_loss_of_label(e, r) : ck_loss_of_probabilities(e, r);
}

// dx = g · (softmax(x) · Σ t' - t').
static void ck_cross_entropy_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_cross_entropy *e = context;
  size_t n = e->classes, from = ck_cut_start(&e->cut, chunk), count = ck_cut_length(&e->cut, chunk);
  float keep = 1 - e->smoothing, share = e->smoothing / (float)n;
  for (size_t r = from; r < from + count; r++) {
    const float *x = e->x + r * n;
    float *dx = e->result + r * n;
    double exp_sum = ck_row_exp_sum(x, n, ck_row_max(x, n), dx);
    float g = e->row_gradient[r];
    double target_sum = 1;
    if (e->t) target_sum = (double)keep * ck_row_sum(e->t + r * n, n, 0) + (double)e->smoothing;
    float scale = (float)(target_sum / exp_sum);
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf target = vf_splat(share);
      if (e->t) target = keep * vf_load_upto(e->t + r * n + i, n - i) + share;
      vf_store_upto(dx + i, g * (vf_load_upto(dx + i, n - i) * scale - target), n - i);
    }
    if (e->labels) dx[e->labels[r]] -= g * keep;
  }
}

static void CK_FN(cross_entropy_labels_f32)(ck_pool *pool, size_t rows, size_t classes, float smoothing,
                                            const float *x, const int64_t *labels, float *row_loss) {
  ck_cross_entropy e = {.cut = ck_cut_exponential_rows(rows, classes), .classes = classes, .smoothing = smoothing,
                        .x = x, .labels = labels, .result = row_loss};
  ck_pool_run(pool, e.cut.count, ck_cross_entropy_chunk, &e);
}
static void CK_FN(cross_entropy_labels_gradient_f32)(ck_pool *pool, size_t rows, size_t classes, float smoothing,
                                                     const float *x, const int64_t *labels,
                                                     const float *row_gradient, float *dx) {
  ck_cross_entropy e = {.cut = ck_cut_exponential_rows(rows, classes), .classes = classes, .smoothing = smoothing,
                        .x = x, .labels = labels, .row_gradient = row_gradient, .result = dx};
  ck_pool_run(pool, e.cut.count, ck_cross_entropy_gradient_chunk, &e);
}
static void CK_FN(cross_entropy_probabilities_f32)(ck_pool *pool, size_t rows, size_t classes, float smoothing,
                                                   const float *x, const float *t, float *row_loss) {
  ck_cross_entropy e = {.cut = ck_cut_exponential_rows(rows, classes), .classes = classes, .smoothing = smoothing,
                        .x = x, .t = t, .result = row_loss};
  ck_pool_run(pool, e.cut.count, ck_cross_entropy_chunk, &e);
}
static void CK_FN(cross_entropy_probabilities_gradient_f32)(ck_pool *pool, size_t rows, size_t classes,
                                                            float smoothing, const float *x, const float *t,
                                                            const float *row_gradient, float *dx) {
  ck_cross_entropy e = {.cut = ck_cut_exponential_rows(rows, classes), .classes = classes, .smoothing = smoothing,
                        .x = x, .t = t, .row_gradient = row_gradient, .result = dx};
  ck_pool_run(pool, e.cut.count, ck_cross_entropy_gradient_chunk, &e);
}

#endif
