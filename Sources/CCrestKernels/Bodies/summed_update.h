#ifndef CK_SUMMED_UPDATE_H
#define CK_SUMMED_UPDATE_H

#include "../Plans/chunks.h"
#include "change.h"
#include "vector.h"

typedef struct ck_summed_pass {
  ck_cut cut;
  const ck_summed *update;
  const float *g;
  float *m0, *m1, *m2, *m3, *w;
  uint32_t *nonfinite;
  double (*partial)[2];
} ck_summed_pass;

enum { CK_W = 1, CK_G = 2, CK_M0 = 4, CK_M1 = 8, CK_M2 = 16, CK_M3 = 32, CK_SUMS = 64 };

// Of one of the arrays, which a pass may do without.
CK_INLINE vf ck_summed_load(bool reads, const float *p, size_t i, size_t n) {
  return reads ? vf_load_stream(p + i, n - i) : vf_splat(0);
}
CK_INLINE void ck_summed_store(bool writes, float *p, vf v, size_t i, size_t n, vf *zeros) {
  if (!writes) return;
  vf_store_upto(p + i, v, n - i);
  *zeros += vf_keep_upto(v - v, n - i);  // NaN unless it is finite
}

// Σ of the products of the first n lanes: of what lies behind them rules may make what isn't zero.
CK_INLINE void ck_summed_add(vd *sum, vf a, vf b, size_t n) {
  a = vf_keep_upto(a, n), b = vf_keep_upto(b, n);
  *sum += vd_low(a) * vd_low(b) + vd_high(a) * vd_high(b);
}

// u of LAMB, by coefficients that both of its passes have.
CK_INLINE vf ck_lamb_direction(const ck_summed *u, vf weight, vf m0, vf m1) {
  vf root = vf_fma(vf_sqrt(m1), vf_splat(u->p[2]), vf_splat(u->p[3]));
  return vf_fma(vf_splat(u->p[0]), weight, u->p[1] * m0 / root);
}

#define CK_SUMMED(name, reads, writes, setup, ...)                                                \
  static void ck_summed_chunk_##name(void *context, size_t chunk, size_t worker) {                \
    (void)worker;                                                                                 \
    const ck_summed_pass *pass = context;                                                         \
    const ck_summed u = *pass->update;                                                            \
    size_t start = ck_cut_start(&pass->cut, chunk), n = ck_cut_length(&pass->cut, chunk);         \
    enum { uses = (reads) | (writes) };                                                           \
    const float *own_g = uses & CK_G ? pass->g + start : NULL;                                    \
    float *own_w = uses & CK_W ? pass->w + start : NULL;                                          \
    float *own_m0 = uses & CK_M0 ? pass->m0 + start : NULL;                                       \
    float *own_m1 = uses & CK_M1 ? pass->m1 + start : NULL;                                       \
    float *own_m2 = uses & CK_M2 ? pass->m2 + start : NULL;                                       \
    float *own_m3 = uses & CK_M3 ? pass->m3 + start : NULL;                                       \
    vf l2 = vf_splat(u.l2), zeros = vf_splat(0);                                                  \
    vd first = {0}, second = {0};                                                                 \
    setup;                                                                                        \
    for (size_t i = 0; i < n; i += CK_LANES) {                                                    \
      vf weight = ck_summed_load((reads) & CK_W, own_w, i, n);                                    \
      vf gradient = ck_summed_load((reads) & CK_G, own_g, i, n);                                  \
      if ((reads) & CK_W) gradient = vf_fma(l2, weight, gradient);                                \
      vf m0 = ck_summed_load((reads) & CK_M0, own_m0, i, n);                                      \
      vf m1 = ck_summed_load((reads) & CK_M1, own_m1, i, n);                                      \
      vf m2 = ck_summed_load((reads) & CK_M2, own_m2, i, n);                                      \
      vf m3 = ck_summed_load((reads) & CK_M3, own_m3, i, n);                                      \
      vf a = {0}, b = {0}, c = {0}, d = {0};                                                      \
      __VA_ARGS__;                                                                                \
      ck_summed_store((writes) & CK_W, own_w, weight, i, n, &zeros);                              \
      ck_summed_store((writes) & CK_M0, own_m0, m0, i, n, &zeros);                                \
      ck_summed_store((writes) & CK_M1, own_m1, m1, i, n, &zeros);                                \
      ck_summed_store((writes) & CK_M2, own_m2, m2, i, n, &zeros);                                \
      ck_summed_store((writes) & CK_M3, own_m3, m3, i, n, &zeros);                                \
      if ((writes) & CK_SUMS) ck_summed_add(&first, a, b, n - i), ck_summed_add(&second, c, d, n - i); \
    }                                                                                             \
    pass->partial[chunk][0] = vd_sum(first);                                                      \
    pass->partial[chunk][1] = vd_sum(second);                                                     \
    if (vf_sum(zeros) != 0) __atomic_store_n(pass->nonfinite, 1, __ATOMIC_RELAXED);               \
  }
#include "../include/crest_summed_updates.def"
#undef CK_SUMMED

static void CK_FN(summed_update_f32)(ck_pool *pool, size_t count, const ck_summed *u, const float *g, float *m0,
                                     float *m1, float *m2, float *m3, float *w, double *sums, uint32_t *nonfinite) {
  static void (*const chunks[CK_SUMMED_COUNT])(void *, size_t, size_t) = {
#define CK_SUMMED(name, reads, writes, setup, ...) ck_summed_chunk_##name,
#include "../include/crest_summed_updates.def"
#undef CK_SUMMED
  };
  double partial[CK_PARTIAL_CHUNKS][2];
  ck_summed_pass pass = {.cut = ck_change_cut(count), .update = u, .g = g, .m0 = m0, .m1 = m1, .m2 = m2,
                         .m3 = m3, .w = w, .nonfinite = nonfinite, .partial = partial};
  ck_pool_run(pool, pass.cut.count, chunks[u->rule], &pass);
  for (int i = 0; i < 2; i++) {
    sums[i] = 0;
    for (size_t chunk = 0; chunk < pass.cut.count; chunk++) sums[i] += partial[chunk][i];
  }
}

#endif
