#ifndef CK_LAYER_NORMALIZATION_H
#define CK_LAYER_NORMALIZATION_H

#include "rows.h"

// The mean of a row, rounded, and 1 / √(variance + epsilon).
typedef struct ck_row_moments { float mean, inverse; } ck_row_moments;

CK_INLINE ck_row_moments ck_row_moments_of(const float *x, size_t n, double epsilon) {
  const float mean = (float)(ck_row_sum(x, n, 0) / (double)n);
  vd_pair sum = {{0}, {0}}, squares = {{0}, {0}};
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf centred = vf_keep_upto(vf_load_upto(x + i, n - i) - mean, n - i);
    vd low = vd_low(centred), high = vd_high(centred);
    sum.low += low, sum.high += high;
    squares.low += low * low, squares.high += high * high;
  }
  // What rounding the mean left is taken off the variance again.
  const double rest = vd_pair_sum(sum) / (double)n;
  const double variance = vd_pair_sum(squares) / (double)n - rest * rest;
  return (ck_row_moments){mean, (float)(1 / sqrt((variance > 0 ? variance : variance * 0) + epsilon))};
}

typedef struct ck_layer_norm {
  ck_cut cut;
  size_t columns;
  double epsilon;
  const float *x, *scale, *bias, *dy;
  float *result;
  double *partial;
} ck_layer_norm;

static void ck_layer_norm_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_layer_norm *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  for (size_t r = from; r < from + count; r++) {
    const float *x = s->x + r * n;
    float *y = s->result + r * n;
    const ck_row_moments row = ck_row_moments_of(x, n, s->epsilon);
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf v = (vf_load_upto(x + i, n - i) - row.mean) * row.inverse * vf_load_upto(s->scale + i, n - i);
      vf_store_upto(y + i, v + vf_load_upto(s->bias + i, n - i), n - i);
    }
  }
}

static void CK_FN(layer_normalization_f32)(ck_pool *pool, size_t rows, size_t columns, double epsilon, const float *x,
                                           const float *scale, const float *bias, float *y) {
  ck_layer_norm s = {ck_cut_rows(rows, columns, CK_CHUNK_ELEMENTS), columns, epsilon, x, scale, bias, NULL, y, NULL};
  ck_pool_run(pool, s.cut.count, ck_layer_norm_chunk, &s);
}

CK_INLINE void ck_add_upto(double *sum, vf v, size_t n) {
  double values[CK_LANES];
  vd low = vd_low(v), high = vd_high(v);
  memcpy(values, &low, sizeof low), memcpy(values + CK_LANES / 2, &high, sizeof high);
  for (size_t i = 0; i < (n < CK_LANES ? n : CK_LANES); i++) sum[i] += values[i];
}

static void ck_layer_norm_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_layer_norm *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  double *dscale = s->partial + chunk * 2 * n, *dbias = dscale + n;
  memset(dscale, 0, 2 * n * sizeof(double));
  for (size_t r = from; r < from + count; r++) {
    const float *x = s->x + r * n, *dy = s->dy + r * n;
    float *dx = s->result + r * n;
    const ck_row_moments row = ck_row_moments_of(x, n, s->epsilon);
    vd_pair sum = {{0}, {0}}, dot = {{0}, {0}};
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf part = vf_load_upto(dy + i, n - i);
      vf normal = vf_keep_upto((vf_load_upto(x + i, n - i) - row.mean) * row.inverse, n - i);
      vf g = part * vf_load_upto(s->scale + i, n - i);
      vd low = vd_low(g), high = vd_high(g);
      sum.low += low, sum.high += high;
      dot.low += low * vd_low(normal), dot.high += high * vd_high(normal);
      ck_add_upto(dscale + i, part * normal, n - i);
      ck_add_upto(dbias + i, part, n - i);
    }
    const float mean = (float)(vd_pair_sum(sum) / (double)n), slope = (float)(vd_pair_sum(dot) / (double)n);
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf normal = (vf_load_upto(x + i, n - i) - row.mean) * row.inverse;
      vf g = vf_load_upto(dy + i, n - i) * vf_load_upto(s->scale + i, n - i);
      vf_store_upto(dx + i, (g - mean - normal * slope) * row.inverse, n - i);
    }
  }
}

static void CK_FN(layer_normalization_gradient_f32)(ck_pool *pool, size_t rows, size_t columns, double epsilon,
                                                    const float *x, const float *scale, const float *dy, float *dx,
                                                    float *dscale, float *dbias, void *scratch) {
  ck_layer_norm s = {ck_cut_partial_rows(rows, columns), columns, epsilon, x, scale, NULL, dy, dx, scratch};
  ck_pool_run(pool, s.cut.count, ck_layer_norm_gradient_chunk, &s);
  for (size_t i = 0; i < columns; i++) {
    double first = 0, second = 0;
    for (size_t chunk = 0; chunk < s.cut.count; chunk++) {
      first += s.partial[chunk * 2 * columns + i];
      second += s.partial[chunk * 2 * columns + columns + i];
    }
    dscale[i] = (float)first, dbias[i] = (float)second;
  }
}

#endif
