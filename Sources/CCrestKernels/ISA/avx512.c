#if defined(__x86_64__)
#include <immintrin.h>

#include "system.h"

#define CK_LANES 16
#define CK_FMA 1
#define CK_FN(name) name##_avx512
#define CK_TABLE ck_table_avx512
#define CK_TABLE_ISA CK_ISA_AVX512

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2,prfchw"))), apply_to = function)
#include "../Bodies/bodies.h"
#pragma clang attribute pop

#include "table.h"
#endif
