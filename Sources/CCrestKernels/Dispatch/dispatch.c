#include "crest_kernels.h"

extern const ck_kernels ck_table_baseline;
#if defined(__x86_64__)
extern const ck_kernels ck_table_avx2, ck_table_avx512;
#elif defined(__aarch64__)
extern const ck_kernels ck_table_neon;
#endif

#if defined(__x86_64__)
// The builtin also asks whether the operating system saves the wider registers.
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
         __builtin_cpu_supports("bmi2");
}
static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

const ck_kernels *_Nullable ck_kernels_for(ck_isa isa) {
  switch (isa) {
  case CK_ISA_BASELINE:
    return &ck_table_baseline;
#if defined(__x86_64__)
  case CK_ISA_AVX2:
    return has_avx2() ? &ck_table_avx2 : NULL;
  case CK_ISA_AVX512:
    return has_avx512() ? &ck_table_avx512 : NULL;
#elif defined(__aarch64__)
  case CK_ISA_NEON:
    return &ck_table_neon;
#endif
  default:
    return NULL;
  }
}

bool ck_is_optimized(void) {
#if defined(__OPTIMIZE__)
  return true;
#else
  return false;
#endif
}

const ck_kernels *ck_kernels_best(void) {
  for (int isa = CK_ISA_COUNT - 1; isa > CK_ISA_BASELINE; isa--) {
    const ck_kernels *table = ck_kernels_for((ck_isa)isa);
    if (table) return table;
  }
  return &ck_table_baseline;
}

const char *ck_isa_name(ck_isa isa) {
  static const char *const names[CK_ISA_COUNT] = {"baseline", "neon", "avx2", "avx512"};
  return (unsigned)isa < CK_ISA_COUNT ? names[isa] : "unknown";
}

const char *_Nullable ck_kernel_name(size_t index) {
  static const char *const names[] = {
#define CK_KERNEL(name, parameters) #name,
#include "crest_kernels.def"
#undef CK_KERNEL
  };
  return index < sizeof names / sizeof *names ? names[index] : NULL;
}

size_t ck_rule_moment_count(ck_rule rule) {
  static const size_t counts[CK_RULE_COUNT] = {
#define CK_UPDATE(name, moments, setup, ...) moments,
#include "crest_updates.def"
#undef CK_UPDATE
  };
  return counts[rule];
}
