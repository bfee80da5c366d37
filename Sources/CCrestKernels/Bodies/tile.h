// The register tile under matrix products and convolutions:
// c (rows, columns) = alpha · Σ a · b + scale · c + bias, rows ≤ CK_TILE_ROWS, columns ≤ 2 registers.
#ifndef CK_TILE_H
#define CK_TILE_H

#include "vector.h"

// As many rows as the register file holds next to two registers of b and one of a.
#if CK_LANES == 16
#define CK_TILE_ROWS 14
#define CK_EACH_TILE_ROWS(X, v) X(1, v) X(2, v) X(3, v) X(4, v) X(5, v) X(6, v) X(7, v) \
  X(8, v) X(9, v) X(10, v) X(11, v) X(12, v) X(13, v) X(14, v)
#elif defined(__aarch64__)
#define CK_TILE_ROWS 12
#define CK_EACH_TILE_ROWS(X, v) X(1, v) X(2, v) X(3, v) X(4, v) X(5, v) X(6, v) X(7, v) \
  X(8, v) X(9, v) X(10, v) X(11, v) X(12, v)
#else
#define CK_TILE_ROWS 6
#define CK_EACH_TILE_ROWS(X, v) X(1, v) X(2, v) X(3, v) X(4, v) X(5, v) X(6, v)
#endif
#define CK_TILE_COLUMNS (2 * CK_LANES)

// The terms of the sum, in order: `outer` times `inner` runs of `length`. Row i of `a` begins at
// a + outer index · a_outer + inner index · a_inner + i · a_row and advances by a_step;
// `b` goes on by b_step throughout.
typedef struct tile_terms {
  size_t outer, inner, length;
  size_t a_outer, a_inner, a_row, a_step, b_step;
} tile_terms;

typedef struct tile_result {
  float alpha, scale;  // scale 0 does not read c
  const float *bias;    // or null
} tile_result;

typedef void (*tile_function)(const tile_terms *terms, const float *a, const float *b, float *c, size_t c_row,
                              size_t columns, const tile_result *result);

CK_INLINE void tile_store(float *c, vf sum, size_t n, const tile_result *result, const float *bias) {
  vf y = sum * vf_splat(result->alpha);
  if (result->scale != 0) y = vf_fma(vf_splat(result->scale), vf_load_upto(c, n), y);
  if (bias) y += vf_load_upto(bias, n);
  vf_store_upto(c, y, n);
}

// `rows`, `registers` and `strided` are constants where this is inlined, so that the sums live in
// registers. Without `strided`, rows are neighbours (a_row is 1); with it, terms are (a_step is 1).
CK_INLINE void tile(const size_t rows, const size_t registers, const bool strided, const tile_terms *terms,
                    const float *a, const float *b, float *c, size_t c_row, size_t columns,
                    const tile_result *result) {
  vf sum[CK_TILE_ROWS][2];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < rows; i++) sum[i][0] = sum[i][1] = vf_splat(0);
  const size_t length = terms->length, b_step = terms->b_step;
  const size_t a_row = strided ? terms->a_row : 1, a_step = strided ? 1 : terms->a_step;
  for (size_t outer = 0; outer < terms->outer; outer++) {
    for (size_t inner = 0; inner < terms->inner; inner++) {
      const float *x = a + outer * terms->a_outer + inner * terms->a_inner;
#pragma clang loop unroll(disable)
      for (size_t k = 0; k < length; k++) {
        vf b0 = vf_load(b), b1 = registers > 1 ? vf_load(b + CK_LANES) : b0;
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
          vf xi = vf_splat(x[i * a_row]);
          sum[i][0] = vf_fma(xi, b0, sum[i][0]);
          if (registers > 1) sum[i][1] = vf_fma(xi, b1, sum[i][1]);
        }
        x += a_step;
        b += b_step;
      }
    }
  }
#pragma clang loop unroll(full)
  for (size_t i = 0; i < rows; i++) {
    if (registers > 1) {
      tile_store(c, sum[i][0], CK_LANES, result, result->bias);
      tile_store(c + CK_LANES, sum[i][1], columns - CK_LANES, result,
                 result->bias ? result->bias + CK_LANES : NULL);
    } else {
      tile_store(c, sum[i][0], columns, result, result->bias);
    }
    c += c_row;
  }
}

#define CK_TILE(rows, registers)                                                                             \
  static void tile_##rows##_##registers(const tile_terms *terms, const float *a, const float *b, float *c,    \
                                        size_t c_row, size_t columns, const tile_result *result) {            \
    tile(rows, registers, false, terms, a, b, c, c_row, columns, result);                                     \
  }                                                                                                           \
  static void tile_strided_##rows##_##registers(const tile_terms *terms, const float *a, const float *b,      \
                                                float *c, size_t c_row, size_t columns,                       \
                                                const tile_result *result) {                                  \
    tile(rows, registers, true, terms, a, b, c, c_row, columns, result);                                      \
  }
CK_EACH_TILE_ROWS(CK_TILE, 1)
CK_EACH_TILE_ROWS(CK_TILE, 2)

#define CK_TILE_NAME(rows, registers) tile_##rows##_##registers,
#define CK_TILE_STRIDED_NAME(rows, registers) tile_strided_##rows##_##registers,
static const tile_function tiles[2][CK_TILE_ROWS] = {{CK_EACH_TILE_ROWS(CK_TILE_NAME, 1)},
                                                     {CK_EACH_TILE_ROWS(CK_TILE_NAME, 2)}};
static const tile_function tiles_strided[2][CK_TILE_ROWS] = {{CK_EACH_TILE_ROWS(CK_TILE_STRIDED_NAME, 1)},
                                                             {CK_EACH_TILE_ROWS(CK_TILE_STRIDED_NAME, 2)}};

// Packed b: panels of CK_TILE_COLUMNS columns, each (k, width), the last one's width rounded up to a register.
CK_INLINE size_t panel_columns(size_t n, size_t from) { return ck_least(CK_TILE_COLUMNS, n - from); }
CK_INLINE size_t panel_width(size_t columns) { return columns > CK_LANES ? CK_TILE_COLUMNS : CK_LANES; }
CK_INLINE tile_function tile_for(size_t rows, size_t columns, bool strided) {
  return (strided ? tiles_strided : tiles)[columns > CK_LANES][rows - 1];
}

#endif
