// Sums in double down the columns of a dense (rows, columns) array: batch statistics and their gradients,
// reductions. Narrow arrays take several rows as one wide row, so that every register is full.
#ifndef CK_COLUMNS_H
#define CK_COLUMNS_H

#include "../Plans/chunks.h"
#include "vector.h"

#define CK_NARROW 32
#define CK_WIDE 512  // holds every wide row: at most 31 columns · 16 rows

typedef enum ck_terms {
  CK_SUM_VALUES,            // Σ x
  CK_SUM_VALUES_SQUARES,    // Σ x, Σ x²
  CK_SUM_GRADIENTS_CENTRED  // Σ dy, Σ dy · (x - mean)
} ck_terms;

// How many rows make one wide row: the fewest that fill four registers or more without a rest.
CK_INLINE size_t ck_rows_per_wide_row(size_t columns) {
  if (columns == 0 || columns >= CK_NARROW) return 1;
  size_t rows = CK_LANES;
  while (rows > 1 && rows / 2 * columns % CK_LANES == 0 && rows / 2 * columns >= 4 * CK_LANES) rows /= 2;
  while (rows * columns < 4 * CK_LANES) rows *= 2;
  return rows;
}

CK_INLINE void vd_store(double *p, vd v) { memcpy(p, &v, sizeof v); }

// The sums of `vectors` ≤ 2 registers of columns; of the only one's first `part` lanes, if part < CK_LANES.
CK_INLINE void ck_column_pass(ck_terms terms, int vectors, size_t part, size_t rows, size_t stride, const float *x,
                              const float *dy, const float *mean, double *first, double *second) {
  vd a[2][2] = {{{0}}}, b[2][2] = {{{0}}};
  vf centre[2] = {{0}};
  if (terms == CK_SUM_GRADIENTS_CENTRED)
    for (int v = 0; v < vectors; v++)
      centre[v] = vf_load_upto(mean + v * CK_LANES, part);
  for (size_t r = 0; r < rows; r++) {
    for (int v = 0; v < vectors; v++) {
      const float *p = x + r * stride + v * CK_LANES;
      vf value = vf_load_upto(p, part);
      if (terms == CK_SUM_GRADIENTS_CENTRED) {
        const float *q = dy + r * stride + v * CK_LANES;
        vf gradient = vf_load_upto(q, part);
        vf centred = value - centre[v];
        vd low = vd_low(gradient), high = vd_high(gradient);
        a[v][0] += low, a[v][1] += high;
        b[v][0] += low * vd_low(centred), b[v][1] += high * vd_high(centred);
      } else {
        vd low = vd_low(value), high = vd_high(value);
        a[v][0] += low, a[v][1] += high;
        if (terms == CK_SUM_VALUES_SQUARES) b[v][0] += low * low, b[v][1] += high * high;
      }
    }
  }
  double sums[2][CK_LANES];
  for (int v = 0; v < vectors; v++) {
    vd_store(sums[0], a[v][0]), vd_store(sums[0] + CK_LANES / 2, a[v][1]);
    vd_store(sums[1], b[v][0]), vd_store(sums[1] + CK_LANES / 2, b[v][1]);
    memcpy(first + v * CK_LANES, sums[0], part * sizeof(double));
    if (terms != CK_SUM_VALUES) memcpy(second + v * CK_LANES, sums[1], part * sizeof(double));
  }
}

CK_INLINE void ck_column_passes(ck_terms terms, size_t rows, size_t stride, size_t columns, const float *x,
                                const float *dy, const float *mean, double *first, double *second) {
  size_t c = 0;
  for (; c + 2 * CK_LANES <= columns; c += 2 * CK_LANES)
    ck_column_pass(terms, 2, CK_LANES, rows, stride, x + c, dy + c, mean + c, first + c, second + c);
  for (; c + CK_LANES <= columns; c += CK_LANES)
    ck_column_pass(terms, 1, CK_LANES, rows, stride, x + c, dy + c, mean + c, first + c, second + c);
  if (c < columns)
    ck_column_pass(terms, 1, columns - c, rows, stride, x + c, dy + c, mean + c, first + c, second + c);
}

// Writes the sums of `columns` columns into `first` and, by terms, `second`. Rows are `stride` apart; dy and mean
// (any valid pointer where the terms don't need them) go with x.
CK_INLINE void ck_column_sums(ck_terms terms, size_t rows, size_t stride, size_t columns, const float *x,
                              const float *dy, const float *mean, double *first, double *second) {
  size_t k = stride == columns ? ck_rows_per_wide_row(columns) : 1;
  if (k == 1) {
    ck_column_passes(terms, rows, stride, columns, x, dy, mean, first, second);
    return;
  }
  size_t wide_rows = rows / k, wide = k * columns;
  for (size_t c = 0; c < columns; c++) first[c] = 0;
  if (terms != CK_SUM_VALUES)
    for (size_t c = 0; c < columns; c++) second[c] = 0;
  if (wide_rows > 0) {
    double wide_first[CK_WIDE], wide_second[CK_WIDE];
    float wide_mean[CK_WIDE];
    if (terms == CK_SUM_GRADIENTS_CENTRED)
      for (size_t i = 0; i < wide; i++) wide_mean[i] = i < columns ? mean[i] : wide_mean[i - columns];
    ck_column_passes(terms, wide_rows, wide, wide, x, dy, wide_mean, wide_first, wide_second);
    for (size_t i = 0; i < k; i++)
      for (size_t c = 0; c < columns; c++) {
        first[c] += wide_first[i * columns + c];
        if (terms != CK_SUM_VALUES) second[c] += wide_second[i * columns + c];
      }
  }
  for (size_t r = wide_rows * k; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      double value = x[r * stride + c];
      double gradient = terms == CK_SUM_GRADIENTS_CENTRED ? dy[r * stride + c] : 0;
      first[c] += terms == CK_SUM_GRADIENTS_CENTRED ? gradient : value;
      if (terms == CK_SUM_VALUES_SQUARES) second[c] += value * value;
      if (terms == CK_SUM_GRADIENTS_CENTRED) second[c] += gradient * (double)(x[r * stride + c] - mean[c]);
    }
}

#endif
