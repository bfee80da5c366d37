#ifndef CK_SOFTMAX_H
#define CK_SOFTMAX_H

#include "rows.h"

typedef struct ck_softmax {
  ck_cut cut;
  size_t columns;
  const float *x, *dy;  // x is y for the gradients
  float *result;
} ck_softmax;

static void ck_softmax_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_softmax *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  for (size_t r = from; r < from + count; r++) {
    const float *x = s->x + r * n;
    float *y = s->result + r * n;
    double sum = ck_row_exp_sum(x, n, ck_row_max(x, n), y);
    vf share = vf_splat((float)(1 / sum));
    for (size_t i = 0; i < n; i += CK_LANES) vf_store_upto(y + i, vf_load_upto(y + i, n - i) * share, n - i);
  }
}

static void ck_log_softmax_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_softmax *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  for (size_t r = from; r < from + count; r++) {
    const float *x = s->x + r * n;
    float *y = s->result + r * n;
    float max = ck_row_max(x, n);
    float log_sum = (float)log(ck_row_exp_sum(x, n, max, NULL));
    for (size_t i = 0; i < n; i += CK_LANES)
      vf_store_upto(y + i, (vf_load_upto(x + i, n - i) - max) - log_sum, n - i);
  }
}

static void ck_softmax_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_softmax *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  for (size_t r = from; r < from + count; r++) {
    const float *y = s->x + r * n, *dy = s->dy + r * n;
    float *dx = s->result + r * n;
    vd_pair sum = {{0}, {0}};
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf p = vf_load_upto(y + i, n - i), g = vf_load_upto(dy + i, n - i);
      sum.low += vd_low(p) * vd_low(g), sum.high += vd_high(p) * vd_high(g);
    }
    vf dot = vf_splat((float)vd_pair_sum(sum));
    for (size_t i = 0; i < n; i += CK_LANES)
      vf_store_upto(dx + i, vf_load_upto(y + i, n - i) * (vf_load_upto(dy + i, n - i) - dot), n - i);
  }
}

static void ck_log_softmax_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_softmax *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  for (size_t r = from; r < from + count; r++) {
    const float *y = s->x + r * n, *dy = s->dy + r * n;
    float *dx = s->result + r * n;
    vf sum = vf_splat((float)ck_row_sum(dy, n, 0));
    for (size_t i = 0; i < n; i += CK_LANES)
      vf_store_upto(dx + i, vf_load_upto(dy + i, n - i) - vf_exp(vf_load_upto(y + i, n - i)) * sum, n - i);
  }
}

static void CK_FN(softmax_f32)(ck_pool *pool, size_t rows, size_t columns, const float *x, float *y) {
  ck_softmax s = {ck_cut_exponential_rows(rows, columns), columns, x, NULL, y};
  ck_pool_run(pool, s.cut.count, ck_softmax_chunk, &s);
}
static void CK_FN(log_softmax_f32)(ck_pool *pool, size_t rows, size_t columns, const float *x, float *y) {
  ck_softmax s = {ck_cut_exponential_rows(rows, columns), columns, x, NULL, y};
  ck_pool_run(pool, s.cut.count, ck_log_softmax_chunk, &s);
}
static void CK_FN(softmax_gradient_f32)(ck_pool *pool, size_t rows, size_t columns, const float *y, const float *dy,
                                        float *dx) {
  ck_softmax s = {ck_cut_rows(rows, columns, CK_CHUNK_ELEMENTS), columns, y, dy, dx};
  ck_pool_run(pool, s.cut.count, ck_softmax_gradient_chunk, &s);
}
static void CK_FN(log_softmax_gradient_f32)(ck_pool *pool, size_t rows, size_t columns, const float *y,
                                            const float *dy, float *dx) {
  ck_softmax s = {ck_cut_exponential_rows(rows, columns), columns, y, dy, dx};
  ck_pool_run(pool, s.cut.count, ck_log_softmax_gradient_chunk, &s);
}

#endif
