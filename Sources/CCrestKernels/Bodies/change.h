#ifndef CK_CHANGE_H
#define CK_CHANGE_H

#include "../Plans/chunks.h"
#include "vector.h"

typedef int64_t vl __attribute__((vector_size(CK_LANES * 4)));  // the bits of a vd
CK_INLINE vd vd_abs(vd a) { return (vd)((vl)a & INT64_MAX); }

// The sums of CK_CHANGE_SUMS, lane by lane.
typedef struct ck_change_sums { vd sums[CK_CHANGE_SUMS]; } ck_change_sums;

// Adds two changes that follow each other, and what they are of their rates.
CK_INLINE void ck_change_add_half(ck_change_sums *s, vd first, vd second, vd first_of_rate, vd second_of_rate) {
  vd difference = first - second, of_rates = first_of_rate - second_of_rate;
  s->sums[0] += vd_abs(second);
  s->sums[1] += second * second;
  s->sums[2] += vd_abs(difference);
  s->sums[3] += difference * difference;
  s->sums[4] += vd_abs(of_rates);
  s->sums[5] += of_rates * of_rates;
}

// The cut of a pass that sums changes: few chunks, whose sums fit the stack.
CK_INLINE ck_cut ck_change_cut(size_t count) {
  size_t least = ck_ceil_div(count, CK_PARTIAL_CHUNKS);
  return ck_cut_by(count, least > CK_CHUNK_ELEMENTS ? least : CK_CHUNK_ELEMENTS);
}
CK_INLINE void ck_change_store(const ck_change_sums *s, double *sums) {
  for (int i = 0; i < CK_CHANGE_SUMS; i++) sums[i] = vd_sum(s->sums[i]);
}
CK_INLINE void ck_change_total(double (*partial)[CK_CHANGE_SUMS], size_t count, double *sums) {
  for (int i = 0; i < CK_CHANGE_SUMS; i++) {
    sums[i] = 0;
    for (size_t chunk = 0; chunk < count; chunk++) sums[i] += partial[chunk][i];
  }
}

typedef struct ck_change_pass {
  ck_cut cut;
  const float *now;
  float *before, *change;
  double old_rate, rate;
  double (*partial)[CK_CHANGE_SUMS];
} ck_change_pass;

static void ck_change_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_change_pass *pass = context;
  size_t start = ck_cut_start(&pass->cut, chunk), n = ck_cut_length(&pass->cut, chunk);
  const float *now = pass->now + start;
  float *before = pass->before + start, *change = pass->change == NULL ? NULL : pass->change + start;
  vd old_scale = vd_splat(1 / pass->old_rate), scale = vd_splat(1 / pass->rate);
  ck_change_sums s = {0};
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf new_value = vf_load_upto(now + i, n - i);
    vf second = new_value - vf_load_upto(before + i, n - i);
    vf first = change == NULL ? vf_splat(0) : vf_load_upto(change + i, n - i);
    vd f = vd_low(first), g = vd_low(second);
    ck_change_add_half(&s, f, g, f * old_scale, g * scale);
    f = vd_high(first), g = vd_high(second);
    ck_change_add_half(&s, f, g, f * old_scale, g * scale);
    vf_store_upto(before + i, new_value, n - i);
    if (change != NULL) vf_store_upto(change + i, second, n - i);
  }
  ck_change_store(&s, pass->partial[chunk]);
}

static void CK_FN(change_sums_f32)(ck_pool *pool, size_t count, const float *now, float *before, float *change,
                                   double old_rate, double rate, double *sums) {
  double partial[CK_PARTIAL_CHUNKS][CK_CHANGE_SUMS];
  ck_change_pass pass = {.cut = ck_change_cut(count), .now = now, .before = before, .change = change,
                         .old_rate = old_rate, .rate = rate, .partial = partial};
  ck_pool_run(pool, pass.cut.count, ck_change_chunk, &pass);
  ck_change_total(partial, pass.cut.count, sums);
}

#endif
