// Standard normal numbers after Box and Muller (1958): of each pair of words of a counter block, the first makes the
// radius and the second the angle.
#ifndef CK_NORMAL_H
#define CK_NORMAL_H

#include "dropout.h"
#include "vector_math.h"

typedef struct ck_normals {
  ck_cut cut;
  uint64_t seed;
  uint32_t stream, step;
  float *y;
} ck_normals;

// ln((w + ½) · 2⁻³²), near 1 by the distance from it.
CK_INLINE vf vf_log_of_word(vu w) {
  vf unit = (__builtin_convertvector(w, vf) + 0.5f) * 0x1p-32f;
  vf rest = (__builtin_convertvector(~w, vf) + 0.5f) * 0x1p-32f;
  vi near = rest < 0.25f;
  return vf_select(near, vf_log_reduced(vf_select(near, -rest, vf_splat(0)), vf_splat(0)), vf_log(unit));
}

// cos and sin of w / 2³² turns: of at most an eighth of one by polynomials of least largest error, after the quarters
// are taken off.
CK_INLINE void vf_turned(vu w, vf *cosine, vf *sine) {
  vu quarter = (w + 0x20000000u) >> 30;
  vf r = vf_from_vi((vi)(w - (quarter << 30))) * 0x1.921fb6p-30f, z = r * r;
  vf s = vf_fma(vf_fma(vf_fma(vf_splat(-1.9515295891e-4f), z, vf_splat(8.3321608736e-3f)), z,
                       vf_splat(-1.6666654611e-1f)), z * r, r);
  vf c = vf_fma(vf_fma(vf_fma(vf_splat(2.443315711809948e-5f), z, vf_splat(-1.388731625493765e-3f)), z,
                       vf_splat(4.166664568298827e-2f)), z * z, vf_fma(vf_splat(-0.5f), z, vf_splat(1)));
  vi odd = (vi)(quarter << 31) >> 31;
  *sine = (vf)((vi)vf_select(odd, c, s) ^ (vi)((quarter & 2u) << 30));
  *cosine = (vf)((vi)vf_select(odd, s, c) ^ (vi)(((quarter + 1u) & 2u) << 30));
}

static void ck_normal_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_normals *p = context;
  size_t start = ck_cut_start(&p->cut, chunk), n = ck_cut_length(&p->cut, chunk);  // starts are multiples of four
  float *y = p->y + start;
  for (size_t i = 0; i < n; i += 4 * CK_LANES) {
    vu word[4];
    ck_philox_lanes(p->seed, p->stream, p->step, (start + i) / 4, word);
    vf normal[4];
    for (int pair = 0; pair < 2; pair++) {
      vf radius = vf_sqrt(-2.0f * vf_log_of_word(word[2 * pair])), cosine, sine;
      vf_turned(word[2 * pair + 1], &cosine, &sine);
      normal[2 * pair] = radius * cosine, normal[2 * pair + 1] = radius * sine;
    }
    vf line[4];
    ck_philox_in_order(normal, line);
    for (size_t j = 0; j < 4 && i + j * CK_LANES < n; j++)
      vf_store_upto(y + i + j * CK_LANES, line[j], n - i - j * CK_LANES);
  }
}

static void CK_FN(normal_f32)(ck_pool *pool, size_t count, uint64_t seed, uint32_t stream, uint32_t step, float *y) {
  ck_normals p = {ck_cut_elements(count), seed, stream, step, y};
  ck_pool_run(pool, p.cut.count, ck_normal_chunk, &p);
}

#endif
