#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include "../Plans/chunks.h"
#include "change.h"
#include "vector.h"

typedef struct ck_update_pass {
  ck_cut cut;
  const ck_update *update;
  const float *g;
  float *m0, *m1, *m2, *m3, *w;
  uint32_t *nonfinite;
  // Of a pass that is watched.
  double previous_rate;
  double (*partial)[CK_CHANGE_SUMS];
} ck_update_pass;

// A pass over a chunk for each rule. Moments that a rule doesn't have are neither read nor written. Where `watched` is
// there, it gets the sums of how m0 changes, as steps of SGD are made of it.
#define CK_UPDATE(name, moments, setup, ...)                                                              \
  CK_INLINE void ck_update_##name(const ck_update_pass *pass, size_t chunk, ck_change_sums *watched) {    \
    const ck_update u = *pass->update;                                                                    \
    size_t start = ck_cut_start(&pass->cut, chunk), n = ck_cut_length(&pass->cut, chunk);                 \
    const float *g = pass->g + start;                                                                     \
    float *w = pass->w + start, *first = (moments) > 0 ? pass->m0 + start : NULL;                         \
    float *second = (moments) > 1 ? pass->m1 + start : NULL;                                              \
    float *third = (moments) > 2 ? pass->m2 + start : NULL;                                               \
    float *fourth = (moments) > 3 ? pass->m3 + start : NULL;                                              \
    vf keep = vf_splat(1 - u.rate * u.decay), l2 = vf_splat(u.l2);                                        \
    setup;                                                                                                \
    vf zeros = vf_splat(0); /* of all that is written: x - x, which is NaN unless x is finite */          \
    for (size_t i = 0; i < n; i += CK_LANES) {                                                            \
      vf weight = vf_load_stream(w + i, n - i) * keep;                                                      \
      vf gradient = vf_fma(l2, weight, vf_load_stream(g + i, n - i));                                     \
      vf m0 = (moments) > 0 ? vf_load_stream(first + i, n - i) : vf_splat(0);                               \
      vf m1 = (moments) > 1 ? vf_load_stream(second + i, n - i) : vf_splat(0);                              \
      vf m2 = (moments) > 2 ? vf_load_stream(third + i, n - i) : vf_splat(0);                               \
      vf m3 = (moments) > 3 ? vf_load_stream(fourth + i, n - i) : vf_splat(0);                              \
      vf before = m0;                                                                                     \
      __VA_ARGS__;                                                                                        \
      if (watched != NULL) ck_update_watch(watched, before, m0, pass->previous_rate, u.rate);             \
      if ((moments) > 0) vf_store_upto(first + i, m0, n - i);                                             \
      if ((moments) > 1) vf_store_upto(second + i, m1, n - i);                                            \
      if ((moments) > 2) vf_store_upto(third + i, m2, n - i);                                             \
      if ((moments) > 3) vf_store_upto(fourth + i, m3, n - i);                                            \
      vf next = vf_fma(scale, direction, weight);                                                         \
      zeros += (next - next) + (m0 - m0) + (m1 - m1);                                                     \
      if ((moments) > 2) zeros += (m2 - m2) + (m3 - m3);                                                  \
      vf_store_upto(w + i, next, n - i);                                                                  \
    }                                                                                                     \
    if (vf_sum(zeros) != 0) __atomic_store_n(pass->nonfinite, 1, __ATOMIC_RELAXED);                       \
  }                                                                                                       \
  static void ck_update_chunk_##name(void *context, size_t chunk, size_t worker) {                        \
    (void)worker;                                                                                         \
    ck_update_##name(context, chunk, NULL);                                                               \
  }

// Steps are -rate · v; the sums don't see the sign.
CK_INLINE void ck_update_watch(ck_change_sums *sums, vf old, vf now, double old_rate, double rate) {
  vd first = vd_low(old), second = vd_low(now), before = vd_splat(old_rate), after = vd_splat(rate);
  ck_change_add_half(sums, first * before, second * after, first, second);
  first = vd_high(old), second = vd_high(now);
  ck_change_add_half(sums, first * before, second * after, first, second);
}
#include "../include/crest_updates.def"
#undef CK_UPDATE

static void CK_FN(update_f32)(ck_pool *pool, size_t count, const ck_update *u, const float *g, float *m0, float *m1,
                              float *m2, float *m3, float *w, uint32_t *nonfinite) {
  static void (*const chunks[CK_RULE_COUNT])(void *, size_t, size_t) = {
#define CK_UPDATE(name, moments, setup, ...) ck_update_chunk_##name,
#include "../include/crest_updates.def"
#undef CK_UPDATE
  };
  ck_update_pass pass = {
      .cut = ck_cut_elements(count), .update = u, .g = g, .m0 = m0, .m1 = m1, .m2 = m2,
      .m3 = m3, .w = w, .nonfinite = nonfinite};
  ck_pool_run(pool, pass.cut.count, chunks[u->rule], &pass);
}

static void ck_sgd_watched_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_update_pass *pass = context;
  ck_change_sums sums = {0};
  ck_update_SGD(pass, chunk, &sums);
  ck_change_store(&sums, pass->partial[chunk]);
}

static void CK_FN(sgd_watched_f32)(ck_pool *pool, size_t count, const ck_update *u, double previous_rate,
                                   const float *g, float *m0, float *w, uint32_t *nonfinite, double *sums) {
  double partial[CK_PARTIAL_CHUNKS][CK_CHANGE_SUMS];
  ck_update_pass pass = {.cut = ck_change_cut(count), .update = u, .g = g, .m0 = m0, .w = w,
                         .nonfinite = nonfinite, .previous_rate = previous_rate, .partial = partial};
  ck_pool_run(pool, pass.cut.count, ck_sgd_watched_chunk, &pass);
  ck_change_total(partial, pass.cut.count, sums);
}

#endif
