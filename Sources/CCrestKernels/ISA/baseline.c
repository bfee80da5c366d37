// What every CPU of the architecture has: SSE2 on x86-64.
#include "system.h"

#define CK_LANES 4
#define CK_FMA 0
#define CK_FN(name) name##_baseline
#define CK_TABLE ck_table_baseline
#define CK_TABLE_ISA CK_ISA_BASELINE

#include "../Bodies/bodies.h"

#include "table.h"
