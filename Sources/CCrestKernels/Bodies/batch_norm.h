#ifndef CK_BATCH_NORM_H
#define CK_BATCH_NORM_H

#include "columns.h"

// Channels whose coefficients are held at a time; the loop over rows runs inside.
#define CK_CHANNEL_BLOCK CK_WIDE

typedef struct ck_batch_norm {
  ck_cut cut;
  size_t rows, channels;
  float epsilon;
  const float *x, *dy, *scale, *bias, *mean, *variance;
  float *result;
  double *partials;  // (chunk, first or second sum, channel); after combining, chunk 0 has the totals
  bool exact_mean;             // the totals begin with the mean in double
} ck_batch_norm;

CK_INLINE void ck_batch_norm_sums(ck_terms terms, const ck_batch_norm *n, size_t chunk) {
  size_t start = ck_cut_start(&n->cut, chunk) * n->channels;
  double *first = n->partials + chunk * 2 * n->channels;
  ck_column_sums(terms, ck_cut_length(&n->cut, chunk), n->channels, n->channels, n->x + start,
                 terms == CK_SUM_GRADIENTS_CENTRED ? n->dy + start : n->x, n->mean, first, first + n->channels);
}
static void ck_batch_norm_statistics_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_batch_norm_sums(CK_SUM_VALUES_SQUARES, context, chunk);
}
static void ck_batch_norm_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_batch_norm_sums(CK_SUM_GRADIENTS_CENTRED, context, chunk);
}

CK_INLINE void ck_batch_norm_combine(const ck_batch_norm *n) {
  size_t width = 2 * n->channels;
  if (n->cut.count == 0)
    for (size_t i = 0; i < width; i++) n->partials[i] = 0;
  for (size_t chunk = 1; chunk < n->cut.count; chunk++)
    for (size_t i = 0; i < width; i++) n->partials[i] += n->partials[chunk * width + i];
}

// result = (x - mean) · factor + shift, and for the gradient dy · factor - ((x - mean) · slope + shift), each
// coefficient per channel. Subtracting the mean first keeps the digits of channels with large means.
typedef struct ck_coefficients {
  // Aligned, for a register that straddles two cache lines costs two loads.
  _Alignas(64) float mean[CK_CHANNEL_BLOCK];
  float factor[CK_CHANNEL_BLOCK], slope[CK_CHANNEL_BLOCK], shift[CK_CHANNEL_BLOCK];
} ck_coefficients;

CK_INLINE void ck_batch_norm_coefficients(bool gradient, const ck_batch_norm *n, size_t from, size_t width,
                                          ck_coefficients *k) {
  const double *first = n->partials ? n->partials + from : NULL, *second = gradient ? first + n->channels : NULL;
  for (size_t i = 0; i < width; i++) {
    size_t c = from + i;
    double inverse_deviation = 1 / sqrt((double)n->variance[c] + (double)n->epsilon);
    double factor = inverse_deviation * (double)n->scale[c];
    k->mean[i] = n->mean[c];
    k->factor[i] = (float)factor;
    if (gradient) {
      double share = factor / (double)n->rows;
      k->slope[i] = (float)(share * second[i] * inverse_deviation * inverse_deviation);
      k->shift[i] = (float)(share * first[i]);
    } else {
      // What the float mean lost by rounding goes into the shift.
      double rest = n->exact_mean ? first[i] - (double)n->mean[c] : 0;
      k->shift[i] = (float)((double)n->bias[c] - rest * factor);
    }
  }
}

CK_INLINE vf ck_batch_norm_value(bool gradient, const ck_coefficients *k, size_t i, size_t n, const float *x,
                                 const float *dy) {
  vf centred = vf_load_upto(x + i, n - i) - vf_load_upto(k->mean + i, n - i);
  vf factor = vf_load_upto(k->factor + i, n - i), shift = vf_load_upto(k->shift + i, n - i);
  if (!gradient) return vf_fma(centred, factor, shift);
  vf slope = vf_load_upto(k->slope + i, n - i);
  return vf_fma(vf_load_upto(dy + i, n - i), factor, -vf_fma(centred, slope, shift));
}

CK_INLINE void ck_batch_norm_apply(bool gradient, const ck_batch_norm *n, size_t chunk) {
  size_t C = n->channels, start = ck_cut_start(&n->cut, chunk) * C, rows = ck_cut_length(&n->cut, chunk);
  for (size_t from = 0; from < C; from += CK_CHANNEL_BLOCK) {
    size_t width = ck_least(CK_CHANNEL_BLOCK, C - from);
    ck_coefficients k;
    ck_batch_norm_coefficients(gradient, n, from, width, &k);
    size_t repeats = width == C ? ck_rows_per_wide_row(C) : 1, length = width * repeats;
    for (size_t i = width; i < length; i++) {
      k.mean[i] = k.mean[i - width], k.factor[i] = k.factor[i - width], k.shift[i] = k.shift[i - width];
      if (gradient) k.slope[i] = k.slope[i - width];
    }
    for (size_t r = 0; r < rows; r += repeats) {
      size_t offset = start + r * C + from;
      size_t row = ck_least(length, (rows - r) * width);  // the last wide row may be short
      const float *x = n->x + offset, *dy = gradient ? n->dy + offset : NULL;
      float *result = n->result + offset;
      for (size_t i = 0; i < row; i += CK_LANES)
        vf_store_upto(result + i, ck_batch_norm_value(gradient, &k, i, row, x, dy), row - i);
    }
  }
}
static void ck_batch_norm_apply_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_batch_norm_apply(false, context, chunk);
}
static void ck_batch_norm_apply_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_batch_norm_apply(true, context, chunk);
}

static void CK_FN(batch_norm_train_f32)(ck_pool *pool, size_t rows, size_t channels, float epsilon, const float *x,
                                        const float *scale, const float *bias, float *y, float *mean,
                                        float *variance, void *scratch) {
  ck_batch_norm n = {.cut = ck_cut_partial_rows(rows, channels), .rows = rows, .channels = channels,
                     .epsilon = epsilon, .x = x, .scale = scale, .bias = bias, .mean = mean, .variance = variance,
                     .result = y, .partials = scratch, .exact_mean = true};
  ck_pool_run(pool, n.cut.count, ck_batch_norm_statistics_chunk, &n);
  ck_batch_norm_combine(&n);
  for (size_t c = 0; c < channels; c++) {
    double inverse = rows == 0 ? 0 : 1 / (double)rows;
    double average = n.partials[c] * inverse, spread = n.partials[channels + c] * inverse - average * average;
    mean[c] = (float)average;
    variance[c] = (float)(spread < 0 ? 0 : spread);  // rounding only; NaN stays
    n.partials[c] = average;
  }
  ck_pool_run(pool, n.cut.count, ck_batch_norm_apply_chunk, &n);
}

static void CK_FN(batch_norm_train_gradient_f32)(ck_pool *pool, size_t rows, size_t channels, float epsilon,
                                                 const float *x, const float *dy, const float *scale,
                                                 const float *mean, const float *variance, float *dx,
                                                 float *dscale, float *dbias, void *scratch) {
  ck_batch_norm n = {.cut = ck_cut_partial_rows(rows, channels), .rows = rows, .channels = channels,
                     .epsilon = epsilon, .x = x, .dy = dy, .scale = scale, .mean = mean, .variance = variance,
                     .result = dx, .partials = scratch};
  ck_pool_run(pool, n.cut.count, ck_batch_norm_gradient_chunk, &n);
  ck_batch_norm_combine(&n);
  for (size_t c = 0; c < channels; c++) {
    dbias[c] = (float)n.partials[c];
    dscale[c] = (float)(n.partials[channels + c] / sqrt((double)variance[c] + (double)epsilon));
  }
  ck_pool_run(pool, n.cut.count, ck_batch_norm_apply_gradient_chunk, &n);
}

static void CK_FN(batch_norm_inference_f32)(ck_pool *pool, size_t rows, size_t channels, float epsilon,
                                            const float *x, const float *scale, const float *bias,
                                            const float *mean, const float *variance, float *y) {
  ck_batch_norm n = {.cut = ck_cut_rows(rows, channels, CK_CHUNK_ELEMENTS), .rows = rows, .channels = channels,
                     .epsilon = epsilon, .x = x, .scale = scale, .bias = bias, .mean = mean, .variance = variance,
                     .result = y};
  ck_pool_run(pool, n.cut.count, ck_batch_norm_apply_chunk, &n);
}

#endif
