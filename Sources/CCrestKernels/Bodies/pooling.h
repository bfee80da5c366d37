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
  ck_window w = {.start = (ptrdiff_t)(output * stride) - (ptrdiff_t)pad_before, .step = dilation};
  size_t begin = output * stride;  // in the padded input
  size_t before_end = pad_before + size, padded_end = before_end + pad_after;
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
CK_INLINE size_t ck_window_place(const ck_window *w, size_t i) { return (size_t)(w->start + (ptrdiff_t)(i * w->step)); }

// One over the divisor of an average; zero for a window that holds nothing, whose average is zero.
CK_INLINE float ck_window_share(const ck_pool2d *p, const ck_window *rows, const ck_window *columns) {
  size_t count = p->count_padding ? rows->padded * columns->padded
                                  : (rows->last - rows->first) * (columns->last - columns->first);
  return count == 0 ? 0 : 1 / (float)count;
}

CK_INLINE vf ck_pool_window(bool maximum, const ck_pool2d *p, const ck_window *rows, const ck_window *columns,
                            const float *x, size_t part) {
  vf result = vf_splat(maximum ? -INFINITY : 0);
  for (size_t i = rows->first; i < rows->last; i++)
    for (size_t j = columns->first; j < columns->last; j++) {
      size_t place = ck_window_place(rows, i) * p->width + ck_window_place(columns, j);
      vf value = vf_load_upto(x + place * p->channels, part);
      result = maximum ? vf_max(result, value) : result + value;
    }
  return maximum ? result : result * ck_window_share(p, rows, columns);
}

// Chunks are runs of output rows (n, P).
CK_INLINE void ck_pool_rows(bool maximum, const ck_pooling *pool, size_t chunk) {
  const ck_pool2d *p = pool->p;
  size_t C = p->channels, from = ck_cut_start(&pool->cut, chunk), rows_count = ck_cut_length(&pool->cut, chunk);
  for (size_t row = from; row < from + rows_count; row++) {
    size_t n = row / p->output_height, P = row % p->output_height;
    ck_window rows = ck_window_rows(p, P);
    const float *image = pool->x + n * p->height * p->width * C;
    for (size_t Q = 0; Q < p->output_width; Q++) {
      ck_window columns = ck_window_columns(p, Q);
      float *y = pool->result + (row * p->output_width + Q) * C;
      for (size_t c = 0; c < C; c += CK_LANES)
        vf_store_upto(y + c, ck_pool_window(maximum, p, &rows, &columns, image + c, C - c), C - c);
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

// Finds the first maximum (the first NaN, where there is one) of each channel, then adds dy there.
CK_INLINE void ck_max_pool_scatter(const ck_pool2d *p, const ck_window *rows, const ck_window *columns, const float *x,
                                   vf dy, float *dx, size_t part) {
  vf best = vf_splat(-INFINITY);
  vi winner = vi_splat(-1);
  int32_t index = 0;
  for (size_t i = rows->first; i < rows->last; i++)
    for (size_t j = columns->first; j < columns->last; j++, index++) {
      size_t place = ck_window_place(rows, i) * p->width + ck_window_place(columns, j);
      vf value = vf_load_upto(x + place * p->channels, part);
      vi wins = (value > best) | ((value != value) & (best == best)) | (winner < 0);
      best = vf_select(wins, value, best);
      winner = vi_select(wins, vi_splat(index), winner);
    }
  index = 0;
  for (size_t i = rows->first; i < rows->last; i++)
    for (size_t j = columns->first; j < columns->last; j++, index++) {
      size_t place = ck_window_place(rows, i) * p->width + ck_window_place(columns, j);
      float *target = dx + place * p->channels;
      vf old = vf_load_upto(target, part);
      vf_store_upto(target, vf_select(winner == index, old + dy, old), part);
    }
}

CK_INLINE void ck_average_pool_spread(const ck_pool2d *p, const ck_window *rows, const ck_window *columns, vf dy,
                                      float *dx, size_t part) {
  vf share = dy * ck_window_share(p, rows, columns);
  for (size_t i = rows->first; i < rows->last; i++)
    for (size_t j = columns->first; j < columns->last; j++) {
      size_t place = ck_window_place(rows, i) * p->width + ck_window_place(columns, j);
      float *target = dx + place * p->channels;
      vf_store_upto(target, vf_load_upto(target, part) + share, part);
    }
}

CK_INLINE void ck_pool_gradient(bool maximum, const ck_pooling *pool, size_t chunk) {
  const ck_pool2d *p = pool->p;
  size_t C = p->channels, n = chunk / pool->channel_blocks;
  size_t from = chunk % pool->channel_blocks * CK_POOL_CHANNELS, to = ck_least(C, from + CK_POOL_CHANNELS);
  size_t image = n * p->height * p->width * C;
  float *dx = pool->result + image;
  for (size_t place = 0; place < p->height * p->width; place++)
    memset(dx + place * C + from, 0, (to - from) * sizeof(float));
  for (size_t P = 0; P < p->output_height; P++) {
    ck_window rows = ck_window_rows(p, P);
    for (size_t Q = 0; Q < p->output_width; Q++) {
      ck_window columns = ck_window_columns(p, Q);
      const float *dy = pool->dy + ((n * p->output_height + P) * p->output_width + Q) * C;
      for (size_t c = from; c < to; c += CK_LANES) {
        size_t part = to - c;
        vf gradient = vf_load_upto(dy + c, part);
        if (maximum)
          ck_max_pool_scatter(p, &rows, &columns, pool->x + image + c, gradient, dx + c, part);
        else
          ck_average_pool_spread(p, &rows, &columns, gradient, dx + c, part);
      }
    }
  }
}
static void ck_max_pool_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_pool_gradient(true, context, chunk);
}
static void ck_average_pool_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_pool_gradient(false, context, chunk);
}

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
  ck_pool_run(pool, p->batch * pooling.channel_blocks, ck_max_pool_gradient_chunk, &pooling);
}
static void CK_FN(average_pool2d_gradient_f32)(ck_pool *pool, const ck_pool2d *p, const float *dy, float *dx) {
  ck_pooling pooling = {.p = p, .channel_blocks = ck_ceil_div(p->channels, CK_POOL_CHANNELS), .dy = dy,
                        .result = dx};
  ck_pool_run(pool, p->batch * pooling.channel_blocks, ck_average_pool_gradient_chunk, &pooling);
}

#endif
