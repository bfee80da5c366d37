#include "peaks.h"

#include <string.h>

#pragma clang fp contract(fast)

// As many chains as hide the latency of a multiply-add, and fewer than there are registers.
#define CHAINS 12

static volatile float sink;

#define MULTIPLY_ADDS(name, lanes, ...)                               \
  typedef float name##_vector __attribute__((vector_size(4 * lanes))); \
  __VA_ARGS__ static double name(size_t rounds) {                     \
    name##_vector sums[CHAINS], factor = {0}, term = {0};             \
    factor += 0.999f;                                                 \
    term += 1e-3f;                                                    \
    for (int i = 0; i < CHAINS; i++) sums[i] = term * (float)i;       \
    for (size_t round = 0; round < rounds; round++) {                 \
      _Pragma("clang loop unroll(full)")                              \
      for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * factor + term; \
    }                                                                 \
    for (int i = 1; i < CHAINS; i++) sums[0] += sums[i];              \
    sink = sums[0][0];                                                \
    return 2.0 * lanes * CHAINS * (double)rounds;                     \
  }

MULTIPLY_ADDS(baseline, 4)
#if defined(__x86_64__)
MULTIPLY_ADDS(avx2, 8, __attribute__((target("avx2,fma"))))
MULTIPLY_ADDS(avx512, 16, __attribute__((target("avx512f"))))
#endif

double peak_multiply_adds(peak_isa isa, size_t rounds) {
  switch (isa) {
  case PEAK_BASELINE:
    return baseline(rounds);
#if defined(__x86_64__)
  case PEAK_AVX2:
    return avx2(rounds);
  case PEAK_AVX512:
    return avx512(rounds);
#elif defined(__aarch64__)
  case PEAK_NEON:
    return baseline(rounds);
#endif
  default:
    return 0;
  }
}

void peak_copies(const void *from, void *to, size_t count, size_t rounds) {
  for (size_t round = 0; round < rounds; round++) {
    memcpy(to, from, count);
    // The compiler must not think one copy as good as many.
    __asm__ volatile("" : : "r"(from), "r"(to) : "memory");
  }
}

void peak_additions(float *sums, const float *terms, size_t count) {
  for (size_t i = 0; i < count; i++) sums[i] += terms[i];
}
