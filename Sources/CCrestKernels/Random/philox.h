// Philox 4×32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3" (SC 2011).
#ifndef CK_PHILOX_H
#define CK_PHILOX_H

#include <stdint.h>

#define CK_PHILOX_ROUNDS 10
#define CK_PHILOX_MULTIPLIER_0 0xD2511F53u
#define CK_PHILOX_MULTIPLIER_1 0xCD9E8D57u
#define CK_PHILOX_WEYL_0 0x9E3779B9u
#define CK_PHILOX_WEYL_1 0xBB67AE85u

typedef struct ck_philox_block { uint32_t word[4]; } ck_philox_block;

static inline ck_philox_block ck_philox(ck_philox_block counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < CK_PHILOX_ROUNDS; round++) {
    uint64_t p0 = (uint64_t)CK_PHILOX_MULTIPLIER_0 * counter.word[0];
    uint64_t p1 = (uint64_t)CK_PHILOX_MULTIPLIER_1 * counter.word[2];
    counter = (ck_philox_block){{(uint32_t)(p1 >> 32) ^ counter.word[1] ^ key0, (uint32_t)p1,
                                 (uint32_t)(p0 >> 32) ^ counter.word[3] ^ key1, (uint32_t)p0}};
    key0 += CK_PHILOX_WEYL_0;
    key1 += CK_PHILOX_WEYL_1;
  }
  return counter;
}

// The four words shared by elements 4 · block … 4 · block + 3.
static inline ck_philox_block ck_philox_elements(uint64_t seed, uint32_t stream, uint32_t step,
                                                 uint64_t block) {
  ck_philox_block counter = {{(uint32_t)block, (uint32_t)(block >> 32), step, stream}};
  return ck_philox(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
}

// The top 24 bits over 2²⁴: every float in [0, 1) of that spacing, none rounded up to 1.
static inline float ck_philox_unit(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }

#endif
