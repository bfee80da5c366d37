#ifndef CK_POOLING_H
#define CK_POOLING_H

#include "../Plans/chunks.h"
#include "vector.h"

// Legend: N batch, H W input, P Q output position, C channels.
typedef struct ck_pooling {
  const ck_pool2d *p;
  ck_cut cut;
  size_t channel_blocks;
  const float *x, *dy;
  float *result;
} ck_pooling;

// Gradients are cut by image and by this many channels, for windows may overlap within an image.
#define CK_POOL_CHANNELS ((size_t)64)

// The positions of a window along one axis: start + step · (first ..< last) lie in the input; `padded` counts those
// within the padded input, which a window of ceil mode may also leave.
typedef struct ck_window { ptrdiff_t start; size_t step, first, last, padded; } ck_window;

CK_INLINE ck_window ck_window_at(size_t output, size_t size, size_t kernel, size_t stride, size_t dilation,
                                 size_t pad_before, size_t pad_after) {
  ck_window w = {.start = (ptrdiff_t)(output * stride) - (ptrdiff_t)pad_before, .step = dilation, .last = kernel,
                 .padded = kernel};
  size_t begin = output * stride;  // in the padded input
  size_t before_end = pad_before + size, padded_end = before_end + pad_after;
  // Most windows lie inside, and divisions take longer than their maxima.
  if (begin >= pad_before && kernel > 0 && begin + (kernel - 1) * dilation < before_end) return w;
  w.first = begin >= pad_before ? 0 : ck_least(kernel, ck_ceil_div(pad_before - begin, dilation));
  w.last = begin >= before_end ? 0 : ck_least(kernel, ck_ceil_div(before_end - begin, dilation));
  w.padded = begin >= padded_end ? 0 : ck_least(kernel, ck_ceil_div(padded_end - begin, dilation));
  if (w.last < w.first) w.last = w.first;
  return w;
}
CK_INLINE ck_window ck_window_rows(const ck_pool2d *p, size_t output) {
  return ck_window_at(output, p->height, p->kernel_height, p->stride_height, p->dilation_height, p->pad_top,
                      p->pad_bottom);
}
CK_INLINE ck_window ck_window_columns(const ck_pool2d *p, size_t output) {
  return ck_window_at(output, p->width, p->kernel_width, p->stride_width, p->dilation_width, p->pad_left,
                      p->pad_right);
}

// The elements of a window: rows × columns from `first` on, in floats of the image.
typedef struct ck_window_box { size_t first, rows, columns, row_step, column_step; } ck_window_box;

CK_INLINE ck_window_box ck_window_box_of(const ck_pool2d *p, const ck_window *rows, const ck_window *columns) {
  ck_window_box box = {.rows = rows->last - rows->first, .columns = columns->last - columns->first,
                       .row_step = p->dilation_height * p->width * p->channels,
                       .column_step = p->dilation_width * p->channels};
  if (box.rows == 0 || box.columns == 0) return (ck_window_box){0};
  size_t row = (size_t)(rows->start + (ptrdiff_t)(rows->first * rows->step));
  size_t column = (size_t)(columns->start + (ptrdiff_t)(columns->first * columns->step));
  box.first = (row * p->width + column) * p->channels;
  return box;
}

// Calls body(rows, columns, lanes) over a run of channels; the sizes that most networks have are constants where it is
// inlined.
#define CK_POOL_CHANNELS_OF(rows, columns, from, to, body)                       \
  {                                                                              \
    size_t c = from;                                                             \
    for (; c + CK_LANES <= to; c += CK_LANES) { body(rows, columns, c, CK_LANES) } \
    if (c < to) { body(rows, columns, c, to - c) }                               \
  }
#define CK_POOL_BOX(box, from, to, body)                                                                     \
  if ((box)->rows == 2 && (box)->columns == 2) CK_POOL_CHANNELS_OF(2, 2, from, to, body)                     \
  else if ((box)->rows == 3 && (box)->columns == 3) CK_POOL_CHANNELS_OF(3, 3, from, to, body)                \
  else CK_POOL_CHANNELS_OF((box)->rows, (box)->columns, from, to, body)
#define CK_EACH_OF_BOX(i, j, rows, columns)    \
  for (size_t i = 0; i < (rows); i++)          \
    for (size_t j = 0; j < (columns); j++)

// One over the divisor of an average; zero for a window that holds nothing, whose average is zero.
CK_INLINE float ck_window_share(const ck_pool2d *p, const ck_window *rows, const ck_window *columns) {
  size_t count = p->count_padding ? rows->padded * columns->padded
                                  : (rows->last - rows->first) * (columns->last - columns->first);
  return count == 0 ? 0 : 1 / (float)count;
}

CK_INLINE vf ck_pool_fold(const bool maximum, const size_t rows, const size_t columns, const ck_window_box *box,
                          float share, const float *x, const size_t lanes) {
  vf result = vf_splat(maximum ? -INFINITY : 0);
  CK_EACH_OF_BOX(i, j, rows, columns) {
    vf value = vf_load_upto(x + i * box->row_step + j * box->column_step, lanes);
    result = maximum ? vf_max(result, value) : result + value;
  }
  return maximum ? result : result * share;
}

// Chunks are runs of output rows (n, P).
CK_INLINE void ck_pool_rows(const bool maximum, const ck_pooling *pool, size_t chunk) {
  const ck_pool2d *p = pool->p;
  size_t C = p->channels, from = ck_cut_start(&pool->cut, chunk), rows_count = ck_cut_length(&pool->cut, chunk);
  for (size_t row = from; row < from + rows_count; row++) {
    size_t n = row / p->output_height, P = row % p->output_height;
    ck_window rows = ck_window_rows(p, P);
    const float *image = pool->x + n * p->height * p->width * C;
    for (size_t Q = 0; Q < p->output_width; Q++) {
      ck_window columns = ck_window_columns(p, Q);
      const ck_window_box box = ck_window_box_of(p, &rows, &columns);
      const float share = maximum ? 0 : ck_window_share(p, &rows, &columns), *x = image + box.first;
      float *y = pool->result + (row * p->output_width + Q) * C;
#define CK_FOLD(height, width, c, lanes) \
  vf_store_upto(y + c, ck_pool_fold(maximum, height, width, &box, share, x + c, lanes), lanes);
      CK_POOL_BOX(&box, 0, C, CK_FOLD)
#undef CK_FOLD
    }
  }
}
static void ck_max_pool_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_pool_rows(true, context, chunk);
}
static void ck_average_pool_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_pool_rows(false, context, chunk);
}

// Adds dy at the first maximum (the first NaN, where there is one) of each channel. Tiled, every element lies in this
// window only: it gets dy or 0, and may lie where x does.
CK_INLINE void ck_max_pool_scatter(const bool tiled, const size_t rows, const size_t columns, const ck_window_box *box,
                                   const float *x, vf dy, float *dx, const size_t lanes) {
  vf best = vf_load_upto(x, lanes);
  vi winner = vi_splat(0);
  CK_EACH_OF_BOX(i, j, rows, columns) {
    vf value = vf_load_upto(x + i * box->row_step + j * box->column_step, lanes);
    // Greater or NaN, unless there is a NaN already.
    vi wins = ~(value <= best) & (best == best);
    best = vf_select(wins, value, best);
    winner = vi_select(wins, vi_splat((int32_t)(i * columns + j)), winner);
  }
  CK_EACH_OF_BOX(i, j, rows, columns) {
    float *target = dx + i * box->row_step + j * box->column_step;
    vi wins = winner == (int32_t)(i * columns + j);
    if (tiled) {
      vf_store_upto(target, (vf)(wins & (vi)dy), lanes);
    } else {
      vf old = vf_load_upto(target, lanes);
      vf_store_upto(target, vf_select(wins, old + dy, old), lanes);
    }
  }
}

CK_INLINE void ck_average_pool_spread(const bool tiled, const size_t rows, const size_t columns,
                                      const ck_window_box *box, vf share, float *dx, const size_t lanes) {
  CK_EACH_OF_BOX(i, j, rows, columns) {
    float *target = dx + i * box->row_step + j * box->column_step;
    vf_store_upto(target, tiled ? share : vf_load_upto(target, lanes) + share, lanes);
  }
}

// Zeros for what no window of a tiling covers: the end of every row, and the last rows.
CK_INLINE void ck_pool_clear_rest(const ck_pool2d *p, float *dx, size_t from, size_t to) {
  // In the padded image.
  const size_t below = p->output_height * p->stride_height, after = p->output_width * p->stride_width;
  const size_t rows = below < p->pad_top ? 0 : ck_least(p->height, below - p->pad_top);
  const size_t columns = after < p->pad_left ? 0 : ck_least(p->width, after - p->pad_left);
  for (size_t h = 0; h < p->height; h++)
    for (size_t w = h < rows ? columns : 0; w < p->width; w++)
      memset(dx + (h * p->width + w) * p->channels + from, 0, (to - from) * sizeof(float));
}

CK_INLINE void ck_pool_gradient(const bool maximum, const bool tiled, const ck_pooling *pool, size_t chunk) {
  const ck_pool2d *p = pool->p;
  size_t C = p->channels, n = chunk / pool->channel_blocks;
  size_t from = chunk % pool->channel_blocks * CK_POOL_CHANNELS, to = ck_least(C, from + CK_POOL_CHANNELS);
  size_t image = n * p->height * p->width * C;
  float *dx = pool->result + image;
  if (tiled) {
    ck_pool_clear_rest(p, dx, from, to);
  } else {
    for (size_t place = 0; place < p->height * p->width; place++)
      memset(dx + place * C + from, 0, (to - from) * sizeof(float));
  }
  for (size_t P = 0; P < p->output_height; P++) {
    ck_window rows = ck_window_rows(p, P);
    for (size_t Q = 0; Q < p->output_width; Q++) {
      ck_window columns = ck_window_columns(p, Q);
      const ck_window_box box = ck_window_box_of(p, &rows, &columns);
      if (box.rows == 0) continue;
      const float *dy = pool->dy + ((n * p->output_height + P) * p->output_width + Q) * C;
      const float share = maximum ? 0 : ck_window_share(p, &rows, &columns);
      const float *x = maximum ? pool->x + image + box.first : NULL;
#define CK_SCATTER(height, width, c, lanes)                                                                        \
  if (maximum)                                                                                                     \
    ck_max_pool_scatter(tiled, height, width, &box, x + c, vf_load_upto(dy + c, lanes), dx + box.first + c, lanes); \
  else                                                                                                             \
    ck_average_pool_spread(tiled, height, width, &box, vf_load_upto(dy + c, lanes) * share, dx + box.first + c, lanes);
      CK_POOL_BOX(&box, from, to, CK_SCATTER)
#undef CK_SCATTER
    }
  }
}
#define CK_POOL_GRADIENT_CHUNK(name, maximum, tiled)                         \
  static void name(void *context, size_t chunk, size_t worker) {             \
    (void)worker;                                                            \
    ck_pool_gradient(maximum, tiled, context, chunk);                        \
  }
CK_POOL_GRADIENT_CHUNK(ck_max_pool_gradient_chunk, true, false)
CK_POOL_GRADIENT_CHUNK(ck_max_pool_gradient_tiled_chunk, true, true)
CK_POOL_GRADIENT_CHUNK(ck_average_pool_gradient_chunk, false, false)
CK_POOL_GRADIENT_CHUNK(ck_average_pool_gradient_tiled_chunk, false, true)

CK_INLINE ck_cut ck_pool_cut(const ck_pool2d *p) {
  size_t reads = p->output_width * p->channels * p->kernel_height * p->kernel_width;
  return ck_cut_rows(p->batch * p->output_height, reads, CK_CHUNK_ELEMENTS);
}

static void CK_FN(max_pool2d_f32)(ck_pool *pool, const ck_pool2d *p, const float *x, float *y) {
  ck_pooling pooling = {.p = p, .cut = ck_pool_cut(p), .x = x, .result = y};
  ck_pool_run(pool, pooling.cut.count, ck_max_pool_chunk, &pooling);
}
static void CK_FN(average_pool2d_f32)(ck_pool *pool, const ck_pool2d *p, const float *x, float *y) {
  ck_pooling pooling = {.p = p, .cut = ck_pool_cut(p), .x = x, .result = y};
  ck_pool_run(pool, pooling.cut.count, ck_average_pool_chunk, &pooling);
}
static void CK_FN(max_pool2d_gradient_f32)(ck_pool *pool, const ck_pool2d *p, const float *x, const float *dy,
                                           float *dx) {
  ck_pooling pooling = {.p = p, .channel_blocks = ck_ceil_div(p->channels, CK_POOL_CHANNELS), .x = x, .dy = dy,
                        .result = dx};
  ck_pool_run(pool, p->batch * pooling.channel_blocks,
              ck_pool2d_is_tiling(p) ? ck_max_pool_gradient_tiled_chunk : ck_max_pool_gradient_chunk, &pooling);
}
static void CK_FN(average_pool2d_gradient_f32)(ck_pool *pool, const ck_pool2d *p, const float *dy, float *dx) {
  ck_pooling pooling = {.p = p, .channel_blocks = ck_ceil_div(p->channels, CK_POOL_CHANNELS), .dy = dy,
                        .result = dx};
  ck_pool_run(pool, p->batch * pooling.channel_blocks,
              ck_pool2d_is_tiling(p) ? ck_average_pool_gradient_tiled_chunk : ck_average_pool_gradient_chunk, &pooling);
}

#endif
