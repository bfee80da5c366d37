#ifndef CK_REDUCE_H
#define CK_REDUCE_H

#include "columns.h"
#include "rows.h"

typedef struct ck_reducing {
  ck_reduce_cut cut;
  ck_reduction reduction;
  size_t outer, reduced, inner;
  const float *x;
  float *y;
  double *partials;  // (split, outer, inner) where there is more than one split
} ck_reducing;

#define CK_REDUCE_COLUMNS 1024  // the widest block of ck_cut_reduction

CK_INLINE float ck_extreme(bool maximum, float a, float b) { return maximum ? ck_max(a, b) : ck_min(a, b); }

// The extremes of `vectors` ≤ 4 registers of columns; of the only one's first `part` lanes, if part < CK_LANES.
CK_INLINE void ck_extreme_pass(bool maximum, int vectors, size_t part, size_t rows, size_t stride, const float *x,
                               float *result) {
  vf m[4];
  for (int v = 0; v < vectors; v++) m[v] = vf_splat(maximum ? -INFINITY : INFINITY);
  for (size_t r = 0; r < rows; r++)
    for (int v = 0; v < vectors; v++)
      m[v] = vf_extreme(maximum, m[v], vf_load_upto(x + r * stride + v * CK_LANES, part));
  for (int v = 0; v < vectors; v++) vf_store_upto(result + v * CK_LANES, m[v], part);
}

CK_INLINE void ck_extreme_passes(bool maximum, size_t rows, size_t stride, size_t columns, const float *x,
                                 float *result) {
  size_t c = 0;
  for (; c + 4 * CK_LANES <= columns; c += 4 * CK_LANES)
    ck_extreme_pass(maximum, 4, CK_LANES, rows, stride, x + c, result + c);
  for (; c + CK_LANES <= columns; c += CK_LANES)
    ck_extreme_pass(maximum, 1, CK_LANES, rows, stride, x + c, result + c);
  if (c < columns) ck_extreme_pass(maximum, 1, columns - c, rows, stride, x + c, result + c);
}

// As ck_column_sums, with wide rows for narrow arrays.
CK_INLINE void ck_column_extremes(bool maximum, size_t rows, size_t stride, size_t columns, const float *x,
                                  float *result) {
  size_t k = stride == columns ? ck_rows_per_wide_row(columns) : 1;
  if (k == 1) {
    ck_extreme_passes(maximum, rows, stride, columns, x, result);
    return;
  }
  size_t wide_rows = rows / k, wide = k * columns;
  for (size_t c = 0; c < columns; c++) result[c] = maximum ? -INFINITY : INFINITY;
  if (wide_rows > 0) {
    float extremes[CK_WIDE];
    ck_extreme_passes(maximum, wide_rows, wide, wide, x, extremes);
    for (size_t i = 0; i < k; i++)
      for (size_t c = 0; c < columns; c++) result[c] = ck_extreme(maximum, result[c], extremes[i * columns + c]);
  }
  for (size_t r = wide_rows * k; r < rows; r++)
    for (size_t c = 0; c < columns; c++) result[c] = ck_extreme(maximum, result[c], x[r * stride + c]);
}

// The products of columns, in double.
CK_INLINE void ck_column_products(size_t rows, size_t stride, size_t columns, const float *x, double *result) {
  for (size_t c = 0; c < columns; c++) result[c] = 1;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) result[c] *= (double)x[r * stride + c];
}

static void ck_reduce_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_reducing *d = context;
  size_t blocks = d->cut.blocks.count, splits = d->cut.splits.count > 1 ? d->cut.splits.count : 1;
  size_t block = chunk % blocks, split = chunk / blocks % splits, group = chunk / blocks / splits;
  size_t column = ck_cut_start(&d->cut.blocks, block), columns = ck_cut_length(&d->cut.blocks, block);
  size_t row = ck_cut_start(&d->cut.splits, split), rows = ck_cut_length(&d->cut.splits, split);
  size_t from = ck_cut_start(&d->cut.groups, group), count = ck_cut_length(&d->cut.groups, group);
  bool sum = d->reduction == CK_SUM || d->reduction == CK_MEAN;
  double divisor = d->reduction == CK_MEAN ? (double)d->reduced : 1;
  for (size_t o = from; o < from + count; o++) {
    const float *x = d->x + (o * d->reduced + row) * d->inner + column;
    float *y = d->y + o * d->inner + column;
    double *partial = splits > 1 ? d->partials + (split * d->outer + o) * d->inner + column : NULL;
    if (d->reduction == CK_PRODUCT) {
      double products[CK_REDUCE_COLUMNS], *target = partial ? partial : products;
      ck_column_products(rows, d->inner, columns, x, target);
      if (!partial)
        for (size_t c = 0; c < columns; c++) y[c] = (float)products[c];
    } else if (d->inner == 1) {
      const double result = sum ? ck_row_sum(x, rows, 0) : ck_row_extreme(d->reduction == CK_MAXIMUM, x, rows);
      if (partial)
        *partial = result;
      else
        *y = (float)(result / divisor);
    } else if (sum) {
      double sums[CK_REDUCE_COLUMNS], *target = partial ? partial : sums;
      ck_column_sums(CK_SUM_VALUES, rows, d->inner, columns, x, x, x, target, target);
      if (!partial)
        for (size_t c = 0; c < columns; c++) y[c] = (float)(sums[c] / divisor);
    } else {
      float extremes[CK_REDUCE_COLUMNS], *target = partial ? extremes : y;
      if (d->reduction == CK_MAXIMUM)
        ck_column_extremes(true, rows, d->inner, columns, x, target);
      else
        ck_column_extremes(false, rows, d->inner, columns, x, target);
      if (partial)
        for (size_t c = 0; c < columns; c++) partial[c] = extremes[c];
    }
  }
}

static void CK_FN(reduce_f32)(ck_pool *pool, ck_reduction reduction, size_t outer, size_t reduced, size_t inner,
                              const float *x, float *y, void *scratch) {
  ck_reducing d = {ck_cut_reduction(outer, reduced, inner), reduction, outer, reduced, inner, x, y, scratch};
  size_t splits = d.cut.splits.count;
  ck_pool_run(pool, d.cut.groups.count * (splits > 1 ? splits : 1) * d.cut.blocks.count, ck_reduce_chunk, &d);
  if (splits <= 1) return;
  for (size_t i = 0; i < outer * inner; i++) {
    double total = d.partials[i];
    for (size_t s = 1; s < splits; s++) {
      double part = d.partials[s * outer * inner + i];
      if (reduction == CK_MAXIMUM || reduction == CK_MINIMUM)
        total = ck_extreme(reduction == CK_MAXIMUM, (float)total, (float)part);
      else if (reduction == CK_PRODUCT)
        total *= part;
      else
        total += part;
    }
    y[i] = (float)(reduction == CK_MEAN ? total / (double)reduced : total);
  }
}

#endif
