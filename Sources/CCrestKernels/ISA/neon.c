#if defined(__aarch64__)
#include "system.h"

#define CK_LANES 4
#define CK_FMA 1
#define CK_FN(name) name##_neon
#define CK_TABLE ck_table_neon
#define CK_TABLE_ISA CK_ISA_NEON

#include "../Bodies/bodies.h"

#include "table.h"
#endif
