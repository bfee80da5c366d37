#ifndef CK_DROPOUT_H
#define CK_DROPOUT_H

#include "../Plans/chunks.h"
#include "vector.h"

typedef uint32_t vu __attribute__((vector_size(CK_LANES * 4)));
typedef uint64_t vu_wide __attribute__((vector_size(CK_LANES * 8)));  // two registers, as products need

typedef struct ck_dropout {
  ck_cut cut;
  float rate;
  uint64_t seed;
  uint32_t stream, step;
  const float *x;
  float *y;
} ck_dropout;

// Philox (Random/philox.h) of CK_LANES blocks at once, one per lane; word[j] holds word j of each.
CK_INLINE void ck_philox_lanes(uint64_t seed, uint32_t stream, uint32_t step, uint64_t block, vu word[4]) {
  for (int i = 0; i < CK_LANES; i++) {
    word[0][i] = (uint32_t)(block + (uint64_t)i);
    word[1][i] = (uint32_t)((block + (uint64_t)i) >> 32);
  }
  word[2] = (vu){0} + step, word[3] = (vu){0} + stream;
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < CK_PHILOX_ROUNDS; round++) {
    vu_wide p0 = __builtin_convertvector(word[0], vu_wide) * CK_PHILOX_MULTIPLIER_0;
    vu_wide p1 = __builtin_convertvector(word[2], vu_wide) * CK_PHILOX_MULTIPLIER_1;
    word[0] = __builtin_convertvector(p1 >> 32, vu) ^ word[1] ^ key0;
    word[1] = __builtin_convertvector(p1, vu);
    word[2] = __builtin_convertvector(p0 >> 32, vu) ^ word[3] ^ key1;
    word[3] = __builtin_convertvector(p0, vu);
    key0 += CK_PHILOX_WEYL_0;
    key1 += CK_PHILOX_WEYL_1;
  }
}

static void ck_dropout_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_dropout *d = context;
  size_t start = ck_cut_start(&d->cut, chunk), n = ck_cut_length(&d->cut, chunk);  // starts are multiples of four
  const float *x = d->x + start;
  float *y = d->y + start;
  // y is zero where all is dropped: not 0 · ∞.
  float scale = d->rate < 1 ? 1 / (1 - d->rate) : 0;
  for (size_t i = 0; i < n; i += 4 * CK_LANES) {
    vu word[4];
    ck_philox_lanes(d->seed, d->stream, d->step, (start + i) / 4, word);
    float uniform[4 * CK_LANES];  // in the elements' order
    for (int j = 0; j < 4; j++) {
      vf unit = vf_from_vi((vi)(word[j] >> 8)) * 0x1p-24f;
      for (int lane = 0; lane < CK_LANES; lane++) uniform[4 * lane + j] = unit[lane];
    }
    for (size_t j = 0; j < 4 * CK_LANES && i + j < n; j += CK_LANES) {
      vf kept = vf_load_upto(x + i + j, n - i - j) * scale;
      vf_store_upto(y + i + j, (vf)((vi)kept & (vf_load(uniform + j) >= d->rate)), n - i - j);
    }
  }
}

static void CK_FN(dropout_f32)(ck_pool *pool, size_t count, float rate, uint64_t seed, uint32_t stream, uint32_t step,
                               const float *x, float *y) {
  ck_dropout d = {ck_cut_elements(count), rate, seed, stream, step, x, y};
  ck_pool_run(pool, d.cut.count, ck_dropout_chunk, &d);
}

#endif
