// Where Adafactor's passes over matrices keep what they sum. Nothing here depends on the number of threads.
#ifndef CK_FACTORED_PLAN_H
#define CK_FACTORED_PLAN_H

#include "chunks.h"
#include "crest_kernels.h"

// Matrices as tiles of rows and columns, in groups of whole matrices where one is a single tile. A tile is tall and wide
// enough that its sums of rows and of columns, which are kept, are few beside its elements.
#define CK_MATRIX_TILE_COLUMNS ((size_t)1024)
static inline ck_reduce_cut ck_cut_matrices(const ck_factored *p) {
  ck_reduce_cut cut;
  cut.blocks = ck_cut_by(p->width, CK_MATRIX_TILE_COLUMNS);
  cut.splits = ck_cut_by(p->height, 2 * CK_CHUNK_ELEMENTS / cut.blocks.size);
  bool whole = cut.splits.count <= 1 && cut.blocks.count <= 1;
  cut.groups = ck_cut_by(p->matrices, whole ? CK_CHUNK_ELEMENTS / (cut.splits.size * cut.blocks.size) : 1);
  return cut;
}

// Scratch: the sums, and, dense, 1 / √ of the means by which squares are estimated: of each row's over its matrix's mean,
// and of each column's. Vectors of the latter may be read beyond the end.
typedef struct ck_factored_plan {
  ck_reduce_cut cut;
  double *row_sums;     // (matrices, blocks, height)
  double *column_sums;  // (matrices, splits, width)
  float *row_roots;     // (matrices, height)
  float *column_roots;  // (matrices, width)
  size_t bytes;
} ck_factored_plan;

static inline ck_factored_plan ck_plan_factored(const ck_factored *p, void *_Nullable scratch) {
  ck_factored_plan plan = {.cut = ck_cut_matrices(p)};
  size_t rows = p->matrices * p->height, columns = p->matrices * p->width;
  size_t row_sums = rows * plan.cut.blocks.count, column_sums = columns * plan.cut.splits.count;
  plan.bytes = (row_sums + column_sums) * sizeof(double) + (rows + columns + 16) * sizeof(float);
  if (!scratch) return plan;
  plan.row_sums = scratch;
  plan.column_sums = plan.row_sums + row_sums;
  plan.row_roots = (float *)(plan.column_sums + column_sums);
  plan.column_roots = plan.row_roots + rows;
  return plan;
}

// The root of the least estimate: ε, or that of the least normal number.
static inline double ck_factored_least_root(const ck_factored *p) { return p->epsilon > 0x1p-63 ? p->epsilon : 0x1p-63; }

#endif
