#include "crest_kernels.h"
#include "gemm_plan.h"

size_t ck_gemm_scratch_bytes(size_t m, size_t n, size_t k, size_t thread_count) {
  ck_gemm_plan plan = ck_plan_gemm(m, n, k);
  (void)thread_count;
  return (ck_plan_gemm_b_floats(n, k) + ck_plan_gemm_partial_floats(plan, m, n)) * sizeof(float);
}

size_t ck_gemm_batch_scratch_bytes(size_t count, size_t m, size_t n, size_t k, size_t thread_count) {
  if (!ck_plan_gemm_is_joint(count, m, n, k)) return ck_gemm_scratch_bytes(m, n, k, thread_count);
  return count * ck_plan_gemm_b_floats(n, k) * sizeof(float);
}
