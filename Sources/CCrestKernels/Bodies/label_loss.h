#ifndef CK_LABEL_LOSS_H
#define CK_LABEL_LOSS_H

#include "rows.h"

// Losses of labels with weights of classes and a label that doesn't count, from logits or from logarithms of
// probabilities. The plain cross-entropy of logits is in cross_entropy.h.
typedef struct ck_label_loss {
  ck_cut cut;
  size_t classes;
  float smoothing;
  bool of_logarithms;
  const int64_t *ignored;
  const float *weights, *x;
  const int64_t *labels;
  const float *row_gradient;
  float *result;
} ck_label_loss;

CK_INLINE bool ck_label_counts(const ck_label_loss *e, size_t r) {
  return !e->ignored || e->labels[r] != *e->ignored;
}
CK_INLINE size_t ck_label_class(const ck_label_loss *e, size_t r) {
  return (size_t)(e->labels[r] < 0 ? e->labels[r] + (int64_t)e->classes : e->labels[r]);
}
CK_INLINE double ck_class_weight(const ck_label_loss *e, size_t c) {
  return e->weights ? (double)e->weights[c] : 1;
}

static void ck_label_loss_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_label_loss *e = context;
  size_t n = e->classes, from = ck_cut_start(&e->cut, chunk), count = ck_cut_length(&e->cut, chunk);
  double smoothing = (double)e->smoothing;
  for (size_t r = from; r < from + count; r++) {
    e->result[r] = 0;
    if (!ck_label_counts(e, r)) continue;
    const float *x = e->x + r * n;
    size_t label = ck_label_class(e, r);
    float max = e->of_logarithms ? 0 : ck_row_max(x, n);
    double log_sum = e->of_logarithms ? 0 : log(ck_row_exp_sum(x, n, max, NULL));
    double weight = ck_class_weight(e, label), loss = 0;
    // A class of weight 0 adds nothing, even with a logit of -∞.
    if (weight != 0 && smoothing != 1) loss = (1 - smoothing) * weight * (log_sum - (double)(x[label] - max));
    if (smoothing != 0) {
      double others = 0;
      for (size_t i = 0; i < n; i++) {
        double w = ck_class_weight(e, i);
        if (w != 0) others += w * (log_sum - (double)(x[i] - max));
      }
      loss += smoothing / (double)n * others;
    }
    e->result[r] = (float)loss;
  }
}

// t = smoothing / n · w, and (1 - smoothing) · w more at the label: g · (softmax(x) · Σ t - t), or -g · t.
static void ck_label_loss_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_label_loss *e = context;
  size_t n = e->classes, from = ck_cut_start(&e->cut, chunk), count = ck_cut_length(&e->cut, chunk);
  float share = e->smoothing / (float)n;
  double weight_sum = e->weights ? ck_row_sum(e->weights, n, 0) : (double)n;
  for (size_t r = from; r < from + count; r++) {
    const float *x = e->x + r * n;
    float *dx = e->result + r * n;
    if (!ck_label_counts(e, r)) {
      for (size_t i = 0; i < n; i++) dx[i] = 0;
      continue;
    }
    size_t label = ck_label_class(e, r);
    float g = e->row_gradient[r], own = (1 - e->smoothing) * (float)ck_class_weight(e, label), scale = 0;
    if (!e->of_logarithms) {
      double exp_sum = ck_row_exp_sum(x, n, ck_row_max(x, n), dx);
      scale = (float)(((double)e->smoothing / (double)n * weight_sum + (double)own) / exp_sum);
    }
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf target = vf_splat(share);
      if (e->weights) target = share * vf_load_upto(e->weights + i, n - i);
      vf power = vf_splat(0);
      if (!e->of_logarithms) power = vf_load_upto(dx + i, n - i) * scale;
      vf_store_upto(dx + i, g * (power - target), n - i);
    }
    dx[label] -= g * own;
  }
}

static void CK_FN(label_loss_f32)(ck_pool *pool, size_t rows, size_t classes, float smoothing, bool of_logarithms,
                                  const int64_t *ignored, const float *weights, const float *x,
                                  const int64_t *labels, float *row_loss) {
  ck_label_loss e = {.cut = ck_cut_exponential_rows(rows, classes), .classes = classes, .smoothing = smoothing,
                     .of_logarithms = of_logarithms, .ignored = ignored, .weights = weights, .x = x,
                     .labels = labels, .result = row_loss};
  ck_pool_run(pool, e.cut.count, ck_label_loss_chunk, &e);
}
static void CK_FN(label_loss_gradient_f32)(ck_pool *pool, size_t rows, size_t classes, float smoothing,
                                           bool of_logarithms, const int64_t *ignored, const float *weights,
                                           const float *x, const int64_t *labels, const float *row_gradient,
                                           float *dx) {
  ck_label_loss e = {.cut = ck_cut_exponential_rows(rows, classes), .classes = classes, .smoothing = smoothing,
                     .of_logarithms = of_logarithms, .ignored = ignored, .weights = weights, .x = x,
                     .labels = labels, .row_gradient = row_gradient, .result = dx};
  ck_pool_run(pool, e.cut.count, ck_label_loss_gradient_chunk, &e);
}

typedef struct ck_one_hot {
  ck_cut cut;
  size_t classes, inner;
  const int64_t *labels;
  float *y;
} ck_one_hot;

static void ck_one_hot_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_one_hot *h = context;
  size_t from = ck_cut_start(&h->cut, chunk), count = ck_cut_length(&h->cut, chunk);
  for (size_t plane = from; plane < from + count; plane++) {
    const int64_t *labels = h->labels + plane / h->classes * h->inner;
    int64_t class = (int64_t)(plane % h->classes);
    float *y = h->y + plane * h->inner;
    for (size_t i = 0; i < h->inner; i++) y[i] = labels[i] == class ? 1 : 0;
  }
}

// An ignored label is none of the classes, or its rows are cleared by `ignored`.
static void CK_FN(one_hot_labels_f32)(ck_pool *pool, size_t outer, size_t classes, size_t inner,
                                      const int64_t *ignored, const int64_t *labels, float *y) {
  ck_one_hot h = {ck_cut_rows(outer * classes, inner, CK_CHUNK_ELEMENTS), classes, inner, labels, y};
  ck_pool_run(pool, h.cut.count, ck_one_hot_chunk, &h);
  if (!ignored || *ignored < 0 || *ignored >= (int64_t)classes) return;
  // A class that is ignored has a plane of its own.
  for (size_t n = 0; n < outer; n++) {
    float *plane = y + (n * classes + (size_t)*ignored) * inner;
    for (size_t i = 0; i < inner; i++) plane[i] = 0;
  }
}

#endif
