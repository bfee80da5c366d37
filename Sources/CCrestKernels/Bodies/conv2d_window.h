// Windows of an image for the tile of matrix products, instead of an im2col copy of it: neighbouring outputs of a row
// lie a fixed step apart in the window, and so do the rows of `a` that the tile reads.
// Legend: t u output row and column.
#ifndef CK_CONV2D_WINDOW_H
#define CK_CONV2D_WINDOW_H

#include "../Plans/conv2d_plan.h"
#include "gemm.h"

typedef struct conv2d_call {
  const ck_conv2d *p;
  ck_conv2d_plan plan;
  ck_conv2d_gradient_plan gradient_plan;
  const float *x, *w, *dy;
  const float *bias;  // or null
  float *y, *dx, *dw;
  float *filters, *windows, *partial, *packed_dy;
} conv2d_call;

// Rows and columns of an image from (row, column) on, zero outside it: in place where all are inside,
// else copied to `buffer`. *pitch gets the floats from row to row.
static const float *conv2d_window(const float *image, size_t height, size_t width, size_t channels,
                                  ptrdiff_t row, ptrdiff_t column, size_t rows, size_t columns,
                                  float *buffer, size_t *pitch) {
  if (row >= 0 && column >= 0 && (size_t)row + rows <= height && (size_t)column + columns <= width) {
    *pitch = width * channels;
    return image + ((size_t)row * width + (size_t)column) * channels;
  }
  *pitch = columns * channels;
  size_t before = column < 0 ? ck_least((size_t)-column, columns) : 0;
  size_t from = column < 0 ? 0 : (size_t)column;
  size_t inside = from < width ? ck_least(columns - before, width - from) : 0;
  size_t after = columns - before - inside;
  for (size_t r = 0; r < rows; r++) {
    float *to = buffer + r * *pitch;
    ptrdiff_t source = row + (ptrdiff_t)r;
    if (source < 0 || (size_t)source >= height) {
      memset(to, 0, *pitch * sizeof(float));
      continue;
    }
    memset(to, 0, before * channels * sizeof(float));
    if (inside > 0)
      memcpy(to + before * channels, image + ((size_t)source * width + from) * channels,
             inside * channels * sizeof(float));
    memset(to + (before + inside) * channels, 0, after * channels * sizeof(float));
  }
  return buffer;
}

// Makes one run of neighbouring taps that lie without a gap between them.
CK_INLINE void conv2d_join_taps(tile_terms *terms) {
  if (terms->inner > 1 && terms->a_inner == terms->length) {
    terms->length *= terms->inner;
    terms->inner = 1;
  }
}

// One row of `count` outputs under one panel of filters.
CK_INLINE void conv2d_row(const tile_terms *terms, const float *a, const float *b, float *c, size_t c_row,
                          size_t count, size_t columns, const tile_result *result) {
  size_t panels = ck_ceil_div(count, CK_TILE_ROWS);
  for (size_t panel = 0; panel < panels; panel++) {
    size_t u = ck_split(count, panels, panel), rows = ck_split(count, panels, panel + 1) - u;
    tile_for(rows, columns, true)(terms, a + u * terms->a_row, b, c + u * c_row, c_row, columns, result);
  }
}

static const float *conv2d_input_window(const conv2d_call *call, size_t image, size_t t0, size_t t1,
                                        size_t worker, size_t *pitch) {
  const ck_conv2d *p = call->p;
  ptrdiff_t row = (ptrdiff_t)(t0 * p->stride_height) - (ptrdiff_t)p->pad_top;
  size_t rows = ck_conv2d_reach(t1 - t0, p->stride_height, p->kernel_height, p->dilation_height);
  return conv2d_window(call->x + image * p->height * p->width * p->channels, p->height, p->width, p->channels,
                       row, -(ptrdiff_t)p->pad_left, rows, call->plan.window_width,
                       call->windows + worker * call->plan.window_floats, pitch);
}

#endif
