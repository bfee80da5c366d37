#ifndef CK_DROPOUT_H
#define CK_DROPOUT_H

#include "../Plans/chunks.h"
#include "vector.h"

typedef uint32_t vu __attribute__((vector_size(CK_LANES * 4)));
typedef uint64_t vu_wide __attribute__((vector_size(CK_LANES * 4)));  // half as many lanes

typedef struct ck_dropout {
  ck_cut cut;
  float rate;
  uint64_t seed;
  uint32_t stream, step;
  const float *x;
  float *y;
} ck_dropout;

// The upper and lower halves of a · b. Even and odd lanes are multiplied apart, which is one instruction each where
// products of whole 64-bit lanes are three.
CK_INLINE void vu_multiply(vu a, uint32_t b, vu *upper, vu *lower) {
  const uint64_t low = 0xffffffff;
  vu_wide even = ((vu_wide)a & low) * (uint64_t)b, odd = ((vu_wide)a >> 32) * (uint64_t)b;
  *upper = (vu)(even >> 32 | (odd & ~low));
  *lower = (vu)((even & low) | odd << 32);
}

// Philox (Random/philox.h) of CK_LANES blocks at once, one per lane; word[j] holds word j of each.
CK_INLINE void ck_philox_lanes(uint64_t seed, uint32_t stream, uint32_t step, uint64_t block, vu word[4]) {
  word[0] = (vu)vi_iota() + (uint32_t)block;
  // A mask of -1 where that went past the largest, which carries.
  word[1] = (uint32_t)(block >> 32) - (vu)(word[0] < (uint32_t)block);
  word[2] = (vu){0} + step, word[3] = (vu){0} + stream;
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < CK_PHILOX_ROUNDS; round++) {
    vu upper0, lower0, upper1, lower1;
    vu_multiply(word[0], CK_PHILOX_MULTIPLIER_0, &upper0, &lower0);
    vu_multiply(word[2], CK_PHILOX_MULTIPLIER_1, &upper1, &lower1);
    word[0] = upper1 ^ word[1] ^ key0;
    word[1] = lower1;
    word[2] = upper0 ^ word[3] ^ key1;
    word[3] = lower0;
    key0 += CK_PHILOX_WEYL_0;
    key1 += CK_PHILOX_WEYL_1;
  }
}

// What is made of word j of each block, x[j], in the order of elements: a block's four words belong to neighbours.
CK_INLINE void ck_philox_in_order(const vf x[4], vf y[4]) {
  const vf even[2] = {vf_interleave_low(x[0], x[2]), vf_interleave_high(x[0], x[2])};
  const vf odd[2] = {vf_interleave_low(x[1], x[3]), vf_interleave_high(x[1], x[3])};
  y[0] = vf_interleave_low(even[0], odd[0]), y[1] = vf_interleave_high(even[0], odd[0]);
  y[2] = vf_interleave_low(even[1], odd[1]), y[3] = vf_interleave_high(even[1], odd[1]);
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
    vf unit[4];
    for (int j = 0; j < 4; j++) unit[j] = vf_from_vi((vi)(word[j] >> 8)) * 0x1p-24f;
    vf uniform[4];
    ck_philox_in_order(unit, uniform);
    for (size_t j = 0; j < 4 && i + j * CK_LANES < n; j++) {
      const size_t at = i + j * CK_LANES;
      vf kept = vf_load_upto(x + at, n - at) * scale;
      vf_store_upto(y + at, (vf)((vi)kept & (uniform[j] >= d->rate)), n - at);
    }
  }
}

static void CK_FN(dropout_f32)(ck_pool *pool, size_t count, float rate, uint64_t seed, uint32_t stream, uint32_t step,
                               const float *x, float *y) {
  ck_dropout d = {ck_cut_elements(count), rate, seed, stream, step, x, y};
  ck_pool_run(pool, d.cut.count, ck_dropout_chunk, &d);
}

typedef struct ck_mask {
  ck_cut cut;
  float rate;
  uint64_t seed;
  uint32_t stream, step;
  uint8_t *y;
} ck_mask;

static void ck_dropout_mask_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_mask *m = context;
  size_t start = ck_cut_start(&m->cut, chunk), n = ck_cut_length(&m->cut, chunk);  // starts are multiples of four
  for (size_t i = 0; i < n; i += 4) {
    const ck_philox_block block = ck_philox_elements(m->seed, m->stream, m->step, (start + i) / 4);
    for (size_t j = i; j < ck_least(n, i + 4); j++)
      m->y[start + j] = ck_philox_unit(block.word[j - i]) >= m->rate;
  }
}

static void CK_FN(dropout_mask)(ck_pool *pool, size_t count, float rate, uint64_t seed, uint32_t stream, uint32_t step,
                                uint8_t *y) {
  ck_mask m = {ck_cut_elements(count), rate, seed, stream, step, y};
  ck_pool_run(pool, m.cut.count, ck_dropout_mask_chunk, &m);
}

#endif
