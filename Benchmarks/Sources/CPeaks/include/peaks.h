// What the machine can do at best: loops of nothing but multiplications and additions, or copies.
#ifndef CREST_PEAKS_H
#define CREST_PEAKS_H

#include <stddef.h>

#pragma clang assume_nonnull begin

typedef enum peak_isa { PEAK_BASELINE, PEAK_NEON, PEAK_AVX2, PEAK_AVX512 } peak_isa;

// Does `rounds` rounds of independent multiply-adds of whole registers, and returns how many floating-point operations
// those were, two each: the caller takes the time. 0 where this build lacks the instruction set; the caller knows that
// the CPU has it.
double peak_multiply_adds(peak_isa isa, size_t rounds);

// Copies `count` bytes `rounds` times.
void peak_copies(const void *from, void *to, size_t count, size_t rounds);

// Adds `count` terms to as many sums: 12 bytes for each are read and written.
void peak_additions(float *sums, const float *terms, size_t count);

#pragma clang assume_nonnull end
#endif
