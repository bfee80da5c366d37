// How a matrix product is cut: by its sizes alone, the same for every instruction set and thread count.
#ifndef CK_GEMM_PLAN_H
#define CK_GEMM_PLAN_H

#include <stdbool.h>
#include <stddef.h>

enum {
  CK_GEMM_ROWS = 28,       // rows of the smallest chunk: two tiles of the widest instruction set
  CK_GEMM_ROWS_MOST = 112,
  CK_GEMM_COLUMNS = 128,
  CK_GEMM_DEPTH = 512,     // K per block: 14 rows of a and a panel of b about fill the first-level cache
  CK_GEMM_PACK_DEPTH = 1024,
  CK_GEMM_LANES_MOST = 16,
};

typedef struct ck_gemm_plan {
  size_t row_blocks, column_blocks;
  size_t column_step;  // columns of a block, but for the last one's
  size_t parts;        // of K; above one, each part makes its own partial result
} ck_gemm_plan;

static inline size_t ck_plan_ceil(size_t a, size_t b) { return a / b + (a % b != 0); }
static inline size_t ck_plan_round(size_t a, size_t b) { return ck_plan_ceil(a, b) * b; }
static inline size_t ck_plan_clamp(size_t x, size_t low, size_t high) {
  return x < low ? low : x > high ? high : x;
}

static inline ck_gemm_plan ck_plan_gemm(size_t m, size_t n, size_t k) {
  ck_gemm_plan plan = {0};
  if (m == 0 || n == 0) return plan;
  plan.column_step = ck_plan_round(ck_plan_ceil(n, ck_plan_ceil(n, CK_GEMM_COLUMNS)), 32);
  plan.column_blocks = ck_plan_ceil(n, plan.column_step);
  // About fifty chunks, where there is that much work: enough for any thread count of one machine.
  size_t smallest = ck_plan_ceil(m, CK_GEMM_ROWS);
  size_t grouped = ck_plan_clamp(smallest * plan.column_blocks / 48, 1, CK_GEMM_ROWS_MOST / CK_GEMM_ROWS);
  plan.row_blocks = ck_plan_ceil(smallest, grouped);
  size_t chunks = plan.row_blocks * plan.column_blocks;
  plan.parts = chunks < 16 ? ck_plan_clamp(k / 512, 1, ck_plan_ceil(32, chunks)) : 1;
  return plan;
}

static inline size_t ck_plan_gemm_b_floats(size_t n, size_t k) {
  return ck_plan_round(n, CK_GEMM_LANES_MOST) * k;
}
static inline size_t ck_plan_gemm_partial_floats(ck_gemm_plan plan, size_t m, size_t n) {
  return plan.parts > 1 ? ck_plan_round(plan.parts * m * n, CK_GEMM_LANES_MOST) : 0;
}

// Small products run together, each as it would alone: a chunk is about this many multiplications of one or several.
#define CK_GEMM_BATCH_WORK ((size_t)1 << 18)
#define CK_GEMM_JOINT_WORK ((size_t)1 << 22)          // of the largest that is small
#define CK_GEMM_JOINT_FLOATS ((size_t)1 << 24)  // of all packed b together

static inline bool ck_plan_gemm_is_joint(size_t count, size_t m, size_t n, size_t k) {
  if (count < 2 || ck_plan_gemm(m, n, k).parts > 1) return false;
  if (m > CK_GEMM_JOINT_WORK || n > CK_GEMM_JOINT_WORK || k > CK_GEMM_JOINT_WORK) return false;
  return m * n <= CK_GEMM_JOINT_WORK && m * n * k <= CK_GEMM_JOINT_WORK && n * k <= CK_GEMM_JOINT_WORK &&
         count <= CK_GEMM_JOINT_FLOATS && count * ck_plan_gemm_b_floats(n, k) <= CK_GEMM_JOINT_FLOATS;
}

#endif
