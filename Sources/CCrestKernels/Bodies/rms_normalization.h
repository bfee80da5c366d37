#ifndef CK_RMS_NORMALIZATION_H
#define CK_RMS_NORMALIZATION_H

#include "rows.h"

typedef struct ck_rms {
  ck_cut cut;
  size_t columns;
  double epsilon;
  const float *x, *scale;
  float *y;
} ck_rms;

static void ck_rms_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_rms *s = context;
  size_t n = s->columns, from = ck_cut_start(&s->cut, chunk), count = ck_cut_length(&s->cut, chunk);
  for (size_t r = from; r < from + count; r++) {
    const float *x = s->x + r * n;
    float *y = s->y + r * n;
    vd_pair sum = {{0}, {0}};
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf v = vf_load_upto(x + i, n - i);
      vd low = vd_low(v), high = vd_high(v);
      sum.low += low * low, sum.high += high * high;
    }
    vf inverse = vf_splat((float)(1 / sqrt(vd_pair_sum(sum) / (double)n + s->epsilon)));
    for (size_t i = 0; i < n; i += CK_LANES)
      vf_store_upto(y + i, vf_load_upto(x + i, n - i) * inverse * vf_load_upto(s->scale + i, n - i), n - i);
  }
}

static void CK_FN(rms_normalization_f32)(ck_pool *pool, size_t rows, size_t columns, double epsilon, const float *x,
                                         const float *scale, float *y) {
  ck_rms s = {ck_cut_rows(rows, columns, CK_CHUNK_ELEMENTS), columns, epsilon, x, scale, y};
  ck_pool_run(pool, s.cut.count, ck_rms_chunk, &s);
}

#endif
