#ifndef CK_SCAN_H
#define CK_SCAN_H

#include "rows.h"

typedef struct ck_scan {
  ck_cut cut;
  const float *x;
  double *sums;
  atomic_size_t nonfinite;  // the first place found so far
} ck_scan;

static void ck_sum_of_squares_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_scan *s = context;
  const float *x = s->x + ck_cut_start(&s->cut, chunk);
  size_t n = ck_cut_length(&s->cut, chunk);
  vd_pair sum = {{0}, {0}};
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf v = vf_load_upto(x + i, n - i);
    vd low = vd_low(v), high = vd_high(v);
    sum.low += low * low, sum.high += high * high;
  }
  s->sums[chunk] = vd_pair_sum(sum);
}

// Chunks behind a place already found stop at once; of the others each lowers the place if it has an earlier one,
// so that the last word is the first place whatever the order.
static void ck_first_nonfinite_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_scan *s = context;
  size_t start = ck_cut_start(&s->cut, chunk), n = ck_cut_length(&s->cut, chunk);
  size_t found = atomic_load_explicit(&s->nonfinite, memory_order_relaxed);
  if (found < start) return;
  const float *x = s->x + start;
  for (size_t i = 0; i < n; i += 8 * CK_LANES) {
    vf zeros = vf_splat(0);  // ∞ - ∞ and NaN - NaN are NaN, all else is zero
    for (size_t j = i; j < ck_least(n, i + 8 * CK_LANES); j += CK_LANES) {
      vf v = vf_load_upto(x + j, n - j);
      zeros += v - v;
    }
    if (vf_sum(zeros) == 0) continue;
    while (isfinite(x[i])) i++;
    while (start + i < found &&
           !atomic_compare_exchange_weak_explicit(&s->nonfinite, &found, start + i, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
    return;
  }
}

static void CK_FN(sum_of_squares_f32)(ck_pool *pool, size_t count, const float *x, double *result, void *scratch) {
  ck_scan s = {.cut = ck_cut_elements(count), .x = x, .sums = scratch};
  ck_pool_run(pool, s.cut.count, ck_sum_of_squares_chunk, &s);
  double sum = 0;
  for (size_t chunk = 0; chunk < s.cut.count; chunk++) sum += s.sums[chunk];
  *result = sum;
}
static void CK_FN(first_nonfinite_f32)(ck_pool *pool, size_t count, const float *x, size_t *result, void *scratch) {
  (void)scratch;
  ck_scan s = {.cut = ck_cut_elements(count), .x = x};
  atomic_init(&s.nonfinite, count);
  ck_pool_run(pool, s.cut.count, ck_first_nonfinite_chunk, &s);
  *result = atomic_load_explicit(&s.nonfinite, memory_order_relaxed);
}

#endif
