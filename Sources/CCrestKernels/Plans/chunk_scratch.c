#include "chunks.h"
#include "ctc_plan.h"
#include "factored_plan.h"
#include "crest_kernels.h"

size_t ck_batch_norm_scratch_bytes(size_t rows, size_t channels) {
  size_t chunks = ck_cut_partial_rows(rows, channels).count;
  return (chunks == 0 ? 1 : chunks) * 2 * channels * sizeof(double);
}

size_t ck_ctc_scratch_bytes(size_t steps, size_t classes, size_t width, size_t workers) {
  return workers * ck_ctc_worker_doubles(steps, classes, width) * sizeof(double);
}

size_t ck_factored_scratch_bytes(const ck_factored *p) {
  return ck_plan_factored(p, NULL).bytes;
}

size_t ck_reduce_scratch_bytes(size_t outer, size_t reduced, size_t inner) {
  size_t splits = ck_cut_reduction(outer, reduced, inner).splits.count;
  return splits > 1 ? splits * outer * inner * sizeof(double) : 0;
}

size_t ck_sum_scratch_bytes(size_t count) {
  size_t element = sizeof(double) > sizeof(size_t) ? sizeof(double) : sizeof(size_t);
  return ck_cut_elements(count).count * element;
}

size_t ck_layer_norm_scratch_bytes(size_t rows, size_t columns) {
  return ck_cut_partial_rows(rows, columns).count * 2 * columns * sizeof(double);
}

size_t ck_scatter_scratch_bytes(size_t size, size_t count) { return (size + count) * sizeof(size_t); }
