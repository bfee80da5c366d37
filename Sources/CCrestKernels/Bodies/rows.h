// What softmax and cross-entropy share: passes over one row of logits. Sums run in double.
#ifndef CK_ROWS_H
#define CK_ROWS_H

#include "../Plans/chunks.h"
#include "vector_math.h"

typedef struct vd_pair { vd low, high; } vd_pair;
CK_INLINE void vd_pair_add(vd_pair *sum, vf v) { sum->low += vd_low(v), sum->high += vd_high(v); }
CK_INLINE double vd_pair_sum(vd_pair sum) { return vd_sum(sum.low + sum.high); }

CK_INLINE vf vf_extreme(const bool maximum, vf a, vf b) { return maximum ? vf_max(a, b) : vf_min(a, b); }

// The maximum or minimum: NaN if the row has one, ∓∞ if it is empty.
CK_INLINE float ck_row_extreme(const bool maximum, const float *x, size_t n) {
  const float none = maximum ? -INFINITY : INFINITY;
  vf m[4] = {vf_splat(none), vf_splat(none), vf_splat(none), vf_splat(none)};
  size_t i = 0;
  // Four at a time, for each waits for the one before it.
  for (; i + 4 * CK_LANES <= n; i += 4 * CK_LANES)
    for (size_t v = 0; v < 4; v++) m[v] = vf_extreme(maximum, m[v], vf_load(x + i + v * CK_LANES));
  for (; i < n; i += CK_LANES) m[0] = vf_extreme(maximum, m[0], vf_load_upto_or(x + i, n - i, none));
  const vf all = vf_extreme(maximum, vf_extreme(maximum, m[0], m[1]), vf_extreme(maximum, m[2], m[3]));
  return maximum ? vf_fold_max(all) : vf_fold_min(all);
}
CK_INLINE float ck_row_max(const float *x, size_t n) { return ck_row_extreme(true, x, n); }

// Σ exp(x - max); writes the terms to y unless it is null.
CK_INLINE double ck_row_exp_sum(const float *x, size_t n, float max, float *y) {
  vd_pair sum = {{0}, {0}};
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf e = vf_exp(vf_load_upto(x + i, n - i) - max);
    if (y) vf_store_upto(y + i, e, n - i);
    vd_pair_add(&sum, vf_keep_upto(e, n - i));
  }
  return vd_pair_sum(sum);
}

// Σ (x - shift).
CK_INLINE double ck_row_sum(const float *x, size_t n, float shift) {
  vd_pair sum = {{0}, {0}};
  for (size_t i = 0; i < n; i += CK_LANES)
    vd_pair_add(&sum, vf_keep_upto(vf_load_upto(x + i, n - i) - shift, n - i));
  return vd_pair_sum(sum);
}

// Smaller chunks of rows, for an exponential costs about what loading four elements does.
CK_INLINE ck_cut ck_cut_exponential_rows(size_t rows, size_t columns) {
  return ck_cut_rows(rows, columns, CK_CHUNK_ELEMENTS / 4);
}

#endif
