#include "philox.h"

#include "crest_kernels.h"

float ck_philox_uniform(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index) {
  return ck_philox_unit(ck_philox_elements(seed, stream, step, index / 4).word[index % 4]);
}
