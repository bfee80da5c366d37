#ifndef CREST_CONTROL_H
#define CREST_CONTROL_H

#include <stdint.h>

/// What a bit of the floating-point control decides.
struct crest_control_bits {
  const char *name;
  uint64_t bits;
};

#if defined(__x86_64__)
// MXCSR, without what it remembers of results, and above it the control word of the x87.
static inline uint64_t crest_control(void) {
  uint16_t word;
  __asm__ volatile("fnstcw %0" : "=m"(word));
  return (uint64_t)word << 32 | (__builtin_ia32_stmxcsr() & 0xFFC0u);
}
static inline void crest_set_control(uint64_t control) {
  uint16_t word = (uint16_t)(control >> 32);
  __asm__ volatile("fldcw %0" : : "m"(word));
  __builtin_ia32_ldmxcsr((__builtin_ia32_stmxcsr() & 0x3Fu) | (uint32_t)(control & 0xFFC0u));
}
static const struct crest_control_bits crest_controls[] = {
    {"the rounding mode", 0x6000u | (uint64_t)0x0C00 << 32},
    {"the flushing of tiny results to zero", 0x8000u},
    {"the reading of tiny numbers as zero", 0x0040u},
    {"the traps of floating-point operations", 0x1F80u | (uint64_t)0x003F << 32},
    {"the precision of long doubles", (uint64_t)0x0300 << 32},
};
#elif defined(__aarch64__)
static inline uint64_t crest_control(void) {
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
static inline void crest_set_control(uint64_t control) { __asm__ volatile("msr fpcr, %0" : : "r"(control)); }
static const struct crest_control_bits crest_controls[] = {
    {"the rounding mode", 0x00C00000u},
    {"the flushing of tiny numbers to zero", 0x01080000u},
    {"the traps of floating-point operations", 0x00009F00u},
    {"the form of NaN", 0x02000000u},
};
#else
#include <fenv.h>
static inline uint64_t crest_control(void) { return (uint64_t)fegetround(); }
static inline void crest_set_control(uint64_t control) { fesetround((int)control); }
static const struct crest_control_bits crest_controls[] = {{"the rounding mode", ~(uint64_t)0}};
#endif

#endif
