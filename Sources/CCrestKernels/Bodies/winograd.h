// Convolutions of 3 × 3 and 5 × 5 by Winograd's algorithm. A block of tiles is transformed to points, each point is a
// matrix product (tiles, channels) · (channels, filters), and the products are transformed back while they are stored.
// Legend: m outputs of a tile's edge, taps of a filter's edge, n = m + taps - 1 points, t tile, j first filter of a
// panel.
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include "../Plans/winograd_plan.h"
#include "affine.h"
#include "normalization.h"
#include "tile.h"
#include "winograd_transforms.h"

// Tiles side by side in a row of an image.
typedef struct winograd_run { size_t image, row, column, count; } winograd_run;

CK_INLINE winograd_run winograd_run_at(const ck_winograd_plan *plan, size_t t, size_t end) {
  size_t per_image = plan->rows * plan->columns, in_image = t % per_image;
  winograd_run run = {.image = t / per_image, .row = in_image / plan->columns, .column = in_image % plan->columns};
  run.count = ck_least(ck_least(end - t, plan->columns - run.column), CK_WINOGRAD_RUN);
  return run;
}

// Tiles of an image as rows of points: point i of tile t begins at points + i · step + t · pitch.
typedef struct winograd_image {
  const ck_affine *image;
  float *copy;  // or null: gets what the tiles' own places hold
  size_t height, width, channels;
  size_t pad_top, pad_left;
  float *points;
  size_t step, pitch;
  float *columns;  // scratch
} winograd_image;

// Transforms one register of channels of a run to rows `t` and on.
CK_INLINE void winograd_input_lanes(const size_t m, const size_t taps, const affine_kind kind,
                                    const winograd_image *g, const winograd_run *run, size_t t, size_t channel,
                                    const size_t lanes) {
  const size_t n = m + taps - 1, border = taps / 2;
  const affine_lanes k = affine_lanes_at(kind, g->image, channel, lanes);
  const ptrdiff_t top = (ptrdiff_t)(run->row * m) - (ptrdiff_t)g->pad_top;
  const ptrdiff_t left = (ptrdiff_t)(run->column * m) - (ptrdiff_t)g->pad_left;
  // A row outside the image has no place.
  size_t place[6];
  bool inside[6];
  for (size_t i = 0; i < n; i++) {
    ptrdiff_t row = top + (ptrdiff_t)i;
    inside[i] = row >= 0 && (size_t)row < g->height;
    place[i] = inside[i] ? (run->image * g->height + (size_t)row) * g->width * g->channels + channel : 0;
  }
  const size_t columns = m * run->count + taps - 1;
  for (size_t j = 0; j < columns; j++) {
    const ptrdiff_t column = left + (ptrdiff_t)j;
    float *to = g->columns + j * n * CK_LANES;
    vf d[6], r[6];
    if (column < 0 || (size_t)column >= g->width) {
      CK_UNROLL for (size_t i = 0; i < n; i++) vf_store(to + i * CK_LANES, vf_splat(0));
      continue;
    }
    const size_t along = (size_t)column * g->channels;
    CK_UNROLL for (size_t i = 0; i < n; i++)
      d[i] = inside[i] ? affine_load(kind, g->image, &k, place[i] + along, lanes) : vf_splat(0);
    if (kind != AFFINE_PLAIN && g->copy && j >= border && j < border + m * run->count) {
      CK_UNROLL for (size_t i = border; i < border + m; i++)
        if (inside[i]) vf_store_upto(g->copy + place[i] + along, d[i], lanes);
    }
    winograd_input(n, d, r);
    CK_UNROLL for (size_t i = 0; i < n; i++) vf_store(to + i * CK_LANES, r[i]);
  }
  for (size_t tile = 0; tile < run->count; tile++) {
    const float *from = g->columns + tile * m * n * CK_LANES;
    float *to = g->points + (t + tile) * g->pitch + channel;
    CK_UNROLL for (size_t i = 0; i < n; i++) {
      vf d[6], r[6];
      CK_UNROLL for (size_t j = 0; j < n; j++) d[j] = vf_load(from + (j * n + i) * CK_LANES);
      winograd_input(n, d, r);
      CK_UNROLL for (size_t j = 0; j < n; j++) vf_store(to + (i * n + j) * g->step, r[j]);
    }
  }
}

// Transforms one register of channels of a run of gradients of outputs, m × m a tile and zero outside the image.
CK_INLINE void winograd_gradient_lanes(const size_t m, const size_t taps, const affine_kind kind,
                                       const winograd_image *g, const winograd_run *run, size_t t, size_t channel,
                                       const size_t lanes) {
  const size_t n = m + taps - 1;
  const affine_lanes k = affine_lanes_at(kind, g->image, channel, lanes);
  for (size_t tile = 0; tile < run->count; tile++) {
    const size_t row = run->row * m, column = (run->column + tile) * m;
    const size_t place = ((run->image * g->height + row) * g->width + column) * g->channels + channel;
    vf half[4][6];
    CK_UNROLL for (size_t j = 0; j < m; j++) {
      vf d[4];
      CK_UNROLL for (size_t i = 0; i < m; i++) {
        bool inside = row + i < g->height && column + j < g->width;
        d[i] = inside ? affine_load(kind, g->image, &k, place + (i * g->width + j) * g->channels, lanes) : vf_splat(0);
      }
      winograd_output_gradient(m, n, d, half[j]);
    }
    float *to = g->points + (t + tile) * g->pitch + channel;
    CK_UNROLL for (size_t i = 0; i < n; i++) {
      vf d[4], r[6];
      CK_UNROLL for (size_t j = 0; j < m; j++) d[j] = half[j][i];
      winograd_output_gradient(m, n, d, r);
      CK_UNROLL for (size_t j = 0; j < n; j++) vf_store(to + (i * n + j) * g->step, r[j]);
    }
  }
}

typedef void (*winograd_transform)(const winograd_image *g, const winograd_run *run, size_t t);

// Constants where the lanes are inlined, so that registers hold a tile.
#define CK_WINOGRAD_TRANSFORM(name, m, taps, kind)                                                        \
  static void name##_##m##_##taps##_##kind(const winograd_image *g, const winograd_run *run, size_t t) {  \
    size_t c = 0;                                                                                         \
    for (; c + CK_LANES <= g->channels; c += CK_LANES) name##_lanes(m, taps, kind, g, run, t, c, CK_LANES); \
    if (c < g->channels) name##_lanes(m, taps, kind, g, run, t, c, g->channels - c);                      \
  }
#define CK_WINOGRAD_KINDS(name, m, taps)               \
  CK_WINOGRAD_TRANSFORM(name, m, taps, AFFINE_PLAIN)   \
  CK_WINOGRAD_TRANSFORM(name, m, taps, AFFINE_ONE)     \
  CK_WINOGRAD_TRANSFORM(name, m, taps, AFFINE_TWO)
#define CK_WINOGRAD_KIND_NAMES(name, m, taps) \
  {name##_##m##_##taps##_AFFINE_PLAIN, name##_##m##_##taps##_AFFINE_ONE, name##_##m##_##taps##_AFFINE_TWO}
// In the order of ck_winograd_form.
#define CK_WINOGRAD_TRANSFORMS(name)                                                             \
  CK_WINOGRAD_KINDS(name, 2, 3)                                                                  \
  CK_WINOGRAD_KINDS(name, 4, 3)                                                                  \
  CK_WINOGRAD_KINDS(name, 2, 5)                                                                  \
  static const winograd_transform name##s[CK_WINOGRAD_FORMS][AFFINE_KINDS] = {                   \
      CK_WINOGRAD_KIND_NAMES(name, 2, 3), CK_WINOGRAD_KIND_NAMES(name, 4, 3), CK_WINOGRAD_KIND_NAMES(name, 2, 5)};
CK_WINOGRAD_TRANSFORMS(winograd_input)
CK_WINOGRAD_TRANSFORMS(winograd_gradient)

CK_INLINE void winograd_transform_block(const winograd_transform transform, const winograd_image *g,
                                        const ck_winograd_plan *plan, size_t first, size_t end) {
  for (size_t t = first; t < end;) {
    winograd_run run = winograd_run_at(plan, t, end);
    transform(g, &run, t - first);
    t += run.count;
  }
}

typedef struct winograd_filters_call {
  size_t m, taps, filters, channels;  // of the convolution they are for
  bool turned;
  const float *w;
  float *u;
} winograd_filters_call;

CK_INLINE void winograd_filters_panel(const size_t m, const size_t taps, const winograd_filters_call *call, size_t j,
                                      size_t from, size_t to) {
  const size_t n = m + taps - 1, count = taps * taps, C = call->channels, columns = panel_columns(call->filters, j);
  const size_t width = panel_width(columns);
  float *panel = call->u + j * n * n * C;
  for (size_t c = from; c < to; c++) {
    for (size_t v = 0; v < width; v += CK_LANES) {
      vf half[5][6];
      for (size_t column = 0; column < taps; column++) {
        vf g[5];
        for (size_t row = 0; row < taps; row++) {
          float lane[CK_LANES];
          for (size_t i = 0; i < CK_LANES; i++) {
            size_t o = j + v + i, tap = row * taps + column;
            // Turned, filters and channels change places and taps run backwards.
            size_t place = call->turned ? (c * call->filters + o) * count + count - 1 - tap : (o * C + c) * count + tap;
            lane[i] = v + i < columns ? call->w[place] : 0;
          }
          g[row] = vf_load(lane);
        }
        winograd_filter(taps, n, g, half[column]);
      }
      CK_UNROLL for (size_t i = 0; i < n; i++) {
        vf g[5], r[6];
        CK_UNROLL for (size_t column = 0; column < taps; column++) g[column] = half[column][i];
        winograd_filter(taps, n, g, r);
        CK_UNROLL for (size_t k = 0; k < n; k++) vf_store(panel + ((i * n + k) * C + c) * width + v, r[k]);
      }
    }
  }
}

static void winograd_filters_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const winograd_filters_call *call = context;
  const size_t parts = ck_ceil_div(call->channels, CK_WINOGRAD_FILTER_CHANNELS);
  const size_t j = chunk / parts * CK_TILE_COLUMNS, from = chunk % parts * CK_WINOGRAD_FILTER_CHANNELS;
  const size_t to = ck_least(call->channels, from + CK_WINOGRAD_FILTER_CHANNELS);
  switch (ck_winograd_form_of(call->m, call->taps)) {
  case CK_WINOGRAD_2_3: winograd_filters_panel(2, 3, call, j, from, to); break;
  case CK_WINOGRAD_4_3: winograd_filters_panel(4, 3, call, j, from, to); break;
  default: winograd_filters_panel(2, 5, call, j, from, to);
  }
}

static void CK_FN(winograd_filters_f32)(ck_pool *pool, size_t m, size_t taps, size_t filters, size_t channels,
                                        bool turned, const float *w, float *u) {
  winograd_filters_call call = {m, taps, turned ? channels : filters, turned ? filters : channels, turned, w, u};
  const size_t parts = ck_ceil_div(call.channels, CK_WINOGRAD_FILTER_CHANNELS);
  ck_pool_run(pool, ck_ceil_div(call.filters, CK_TILE_COLUMNS) * parts, winograd_filters_chunk, &call);
}

// Memory that is brought near while products keep the arithmetic busy: streams of cache lines, a share of each at
// every tick. What an image's blocks touch lies too far apart for the hardware to see it coming.
typedef struct winograd_prefetch {
  size_t count, ticks, done;
  struct { const char *from; size_t lines; } streams[8];
  char *written;  // or null
  size_t written_lines;
} winograd_prefetch;

// The pixels that a block of tiles is the first to touch, of images of height × width pixels: whole rows of tiles.
CK_INLINE size_t winograd_first_pixel(const ck_winograd_plan *plan, size_t m, size_t t, size_t height, size_t width) {
  const size_t row = ck_ceil_div(t, plan->columns);
  return row / plan->rows * height * width + ck_least(height, row % plan->rows * m) * width;
}
CK_INLINE void winograd_prefetch_add(winograd_prefetch *fetch, const float *x, size_t first, size_t end,
                                     size_t channels) {
  if (x == NULL || end <= first) return;
  fetch->streams[fetch->count].from = (const char *)(x + first * channels);
  fetch->streams[fetch->count++].lines = ck_ceil_div((end - first) * channels, 16);
}
CK_INLINE void winograd_prefetch_affine(winograd_prefetch *fetch, const ck_affine *x, size_t first, size_t end,
                                        size_t channels) {
  winograd_prefetch_add(fetch, x->x, first, end, channels);
  winograd_prefetch_add(fetch, x->second, first, end, channels);
}
CK_INLINE void winograd_prefetch_tick(winograd_prefetch *fetch) {
  const size_t before = fetch->done, after = ++fetch->done;
  for (size_t s = 0; s < fetch->count; s++) {
    const size_t lines = fetch->streams[s].lines, last = lines * after / fetch->ticks;
    for (size_t line = lines * before / fetch->ticks; line < last; line++)
      __builtin_prefetch(fetch->streams[s].from + line * 64, 0, 2);
  }
  const size_t last = fetch->written_lines * after / fetch->ticks;
  for (size_t line = fetch->written_lines * before / fetch->ticks; line < last; line++)
    __builtin_prefetch(fetch->written + line * 64, 1, 3);
}

typedef struct winograd_call {
  const ck_conv2d *p;
  ck_winograd_plan plan;
  ck_cut cut;
  size_t m;
  const ck_affine *x;
  float *input;
  const float *u;
  const ck_conv2d_output *y;
  double *sums;  // per chunk: first and second sum of a normalisation, or of each gradient's
  float *workers;
} winograd_call;

typedef enum winograd_mode { WINOGRAD_STORE, WINOGRAD_NORMALIZE, WINOGRAD_GRADIENT } winograd_mode;

// The sums of a block in floats; those of a normalisation are of differences from `pivot`, a value of the block, so
// that means far from zero do not cancel.
typedef struct winograd_block_sums { vf first, second[2], pivot; } winograd_block_sums;

// Transforms one tile's products to outputs and stores them. `rows` and `columns` say how many of its m × m outputs
// there are; `whole` that it is all.
CK_INLINE void winograd_output_lanes(const size_t m, const size_t n, const winograd_mode mode, const bool whole,
                                     const ck_conv2d_output *y, const float *products, size_t step, size_t place,
                                     size_t row_pitch, size_t column_pitch, size_t rows, size_t columns, size_t channel,
                                     size_t lanes, bool opens, winograd_block_sums *sums) {
  vf half[4][6], o[4][4];
  CK_UNROLL for (size_t j = 0; j < n; j++) {
    vf d[6], r[4];
    CK_UNROLL for (size_t i = 0; i < n; i++) d[i] = vf_load(products + (i * n + j) * step);
    winograd_output(m, n, d, r);
    CK_UNROLL for (size_t i = 0; i < m; i++) half[i][j] = r[i];
  }
  CK_UNROLL for (size_t i = 0; i < m; i++) winograd_output(m, n, half[i], o[i]);

#define CK_EACH_OUTPUT(i, j)                   \
  CK_UNROLL for (size_t i = 0; i < m; i++)     \
  CK_UNROLL for (size_t j = 0; j < m; j++) if (whole || (i < rows && j < columns))
#define CK_PLACE(i, j) (place + i * row_pitch + j * column_pitch)
  if (y->bias) {
    vf bias = vf_load_upto(y->bias + channel, lanes);
    CK_EACH_OUTPUT(i, j) o[i][j] += bias;
  }
  if (mode == WINOGRAD_GRADIENT) {
    if (y->addend) {
      CK_EACH_OUTPUT(i, j) o[i][j] += vf_load_upto(y->addend + CK_PLACE(i, j), lanes);
    }
    if (y->mask && y->mask_scale) {
      vf scale = vf_load_upto(y->mask_scale + channel, lanes), shift = vf_load_upto(y->mask_shift + channel, lanes);
      CK_EACH_OUTPUT(i, j)
        o[i][j] = (vf)((vi)o[i][j] & (vf_fma(vf_load_upto(y->mask + CK_PLACE(i, j), lanes), scale, shift) > 0));
    } else if (y->mask) {
      CK_EACH_OUTPUT(i, j) o[i][j] = (vf)((vi)o[i][j] & (vf_load_upto(y->mask + CK_PLACE(i, j), lanes) > 0));
    }
  }
  CK_EACH_OUTPUT(i, j) vf_store_upto(y->y + CK_PLACE(i, j), o[i][j], lanes);
  if (mode == WINOGRAD_NORMALIZE) {
    if (opens) sums->pivot = o[0][0];
    CK_EACH_OUTPUT(i, j) {
      vf difference = o[i][j] - sums->pivot;
      sums->first += difference;
      sums->second[0] = vf_fma(difference, difference, sums->second[0]);
    }
  }
  if (mode == WINOGRAD_GRADIENT) {
#define CK_SUM_CENTRED(g)                                                                                    \
  if (y->gradient_count > g) {                                                                               \
    const vf mean = vf_load_upto(y->gradients[g]->mean + channel, lanes);                                    \
    const float *x = y->gradients[g]->x;                                                                     \
    CK_EACH_OUTPUT(i, j)                                                                                     \
      sums->second[g] = vf_fma(o[i][j], vf_load_upto(x + CK_PLACE(i, j), lanes) - mean, sums->second[g]);    \
  }
    if (y->gradient_count > 0) CK_EACH_OUTPUT(i, j) sums->first += o[i][j];
    CK_SUM_CENTRED(0)
    CK_SUM_CENTRED(1)
#undef CK_SUM_CENTRED
  }
#undef CK_EACH_OUTPUT
#undef CK_PLACE
}

CK_INLINE size_t winograd_sum_pairs(const ck_conv2d_output *y) {
  return y->normalization ? 1 : y->gradient_count;
}

// Adds a block's sums to the chunk's.
CK_INLINE void winograd_add_sums(const winograd_mode mode, const ck_conv2d_output *y, size_t channels, size_t channel,
                                 size_t lanes, size_t count, const winograd_block_sums *sums, double *chunk) {
  for (size_t pair = 0; pair < winograd_sum_pairs(y); pair++) {
    double *first = chunk + pair * 2 * channels + channel, *second = first + channels;
    for (size_t i = 0; i < lanes; i++) {
      double a = (double)sums->first[i], b = (double)sums->second[pair][i];
      if (mode == WINOGRAD_NORMALIZE) {
        double pivot = (double)sums->pivot[i];
        b += pivot * (2 * a + (double)count * pivot);
        a += (double)count * pivot;
      }
      first[i] += a;
      second[i] += b;
    }
  }
}

// Transforms a register of filters of a block back.
CK_INLINE void winograd_output_block(const size_t m, const size_t n, const winograd_mode mode,
                                     const winograd_call *call, size_t first, size_t end, const float *products,
                                     size_t width, size_t channel, double *chunk) {
  const ck_conv2d *p = call->p;
  const size_t O = p->output_channels, lanes = ck_least(CK_LANES, O - channel);
  winograd_block_sums sums = {{0}, {{0}, {0}}, {0}};
  size_t count = 0;
  for (size_t t = first; t < end;) {
    const winograd_run run = winograd_run_at(&call->plan, t, end);
    const size_t row = run.row * m, rows = ck_least(m, p->output_height - row);
    for (size_t i = 0; i < run.count; i++, t++, products += width) {
      const size_t column = (run.column + i) * m, columns = ck_least(m, p->output_width - column);
      const size_t place = ((run.image * p->output_height + row) * p->output_width + column) * O + channel;
      if (rows == m && columns == m && lanes == CK_LANES)
        winograd_output_lanes(m, n, mode, true, call->y, products, call->plan.output_step, place,
                              p->output_width * O, O, m, m, channel, CK_LANES, t == first, &sums);
      else
        winograd_output_lanes(m, n, mode, false, call->y, products, call->plan.output_step, place, p->output_width * O,
                              O, rows, columns, channel, lanes, t == first, &sums);
      count += rows * columns;
    }
  }
  if (mode != WINOGRAD_STORE) winograd_add_sums(mode, call->y, O, channel, lanes, count, &sums, chunk);
}

typedef void (*winograd_output_function)(const winograd_call *call, size_t first, size_t end, const float *products,
                                         size_t width, size_t channel, double *chunk);
#define CK_WINOGRAD_OUTPUT(m, n, mode)                                                                      \
  static void winograd_output_##m##_##n##_##mode(const winograd_call *call, size_t first, size_t end,       \
                                                 const float *products, size_t width, size_t channel,       \
                                                 double *chunk) {                                           \
    winograd_output_block(m, n, mode, call, first, end, products, width, channel, chunk);                   \
  }
#define CK_WINOGRAD_OUTPUTS(m, n)            \
  CK_WINOGRAD_OUTPUT(m, n, WINOGRAD_STORE)     \
  CK_WINOGRAD_OUTPUT(m, n, WINOGRAD_NORMALIZE) \
  CK_WINOGRAD_OUTPUT(m, n, WINOGRAD_GRADIENT)
#define CK_WINOGRAD_OUTPUT_NAMES(m, n) \
  {winograd_output_##m##_##n##_WINOGRAD_STORE, winograd_output_##m##_##n##_WINOGRAD_NORMALIZE, \
   winograd_output_##m##_##n##_WINOGRAD_GRADIENT}
CK_WINOGRAD_OUTPUTS(2, 4)
CK_WINOGRAD_OUTPUTS(4, 6)
CK_WINOGRAD_OUTPUTS(2, 6)
static const winograd_output_function winograd_outputs[CK_WINOGRAD_FORMS][3] = {
    CK_WINOGRAD_OUTPUT_NAMES(2, 4), CK_WINOGRAD_OUTPUT_NAMES(4, 6), CK_WINOGRAD_OUTPUT_NAMES(2, 6)};

CK_INLINE winograd_mode winograd_mode_of(const ck_conv2d_output *y) {
  if (y->normalization) return WINOGRAD_NORMALIZE;
  return y->addend || y->mask || y->gradient_count > 0 ? WINOGRAD_GRADIENT : WINOGRAD_STORE;
}

// What storing this block's outputs reads and writes, and what the next block reads, by the time the first panel of
// filters is done.
CK_INLINE winograd_prefetch winograd_prefetch_of(const winograd_call *call, size_t first, size_t end, size_t stop) {
  const ck_conv2d *p = call->p;
  const ck_winograd_plan *plan = &call->plan;
  const ck_conv2d_output *y = call->y;
  winograd_prefetch fetch = {.ticks = plan->points * ck_ceil_div(p->output_channels, CK_TILE_COLUMNS)};
  const size_t next = ck_least(stop, end + CK_WINOGRAD_TILES);
  winograd_prefetch_affine(&fetch, call->x, winograd_first_pixel(plan, call->m, end, p->height, p->width),
                           winograd_first_pixel(plan, call->m, next, p->height, p->width), p->channels);
  const size_t from = winograd_first_pixel(plan, call->m, first, p->output_height, p->output_width);
  const size_t to = winograd_first_pixel(plan, call->m, end, p->output_height, p->output_width);
  const size_t O = p->output_channels;
  winograd_prefetch_add(&fetch, y->addend, from, to, O);
  winograd_prefetch_add(&fetch, y->mask, from, to, O);
  for (size_t g = 0; g < y->gradient_count; g++)
    if (y->gradients[g]->x != y->mask) winograd_prefetch_add(&fetch, y->gradients[g]->x, from, to, O);
  if (to > from) fetch.written = (char *)(y->y + from * O), fetch.written_lines = ck_ceil_div((to - from) * O, 16);
  return fetch;
}

static void winograd_chunk(void *context, size_t chunk, size_t worker) {
  const winograd_call *call = context;
  const ck_conv2d *p = call->p;
  const ck_winograd_plan *plan = &call->plan;
  const size_t C = p->channels, O = p->output_channels, form = ck_winograd_form_of(call->m, p->kernel_height);
  float *points = call->workers + worker * ck_winograd_worker_floats(plan);
  float *products = points + plan->points * plan->input_step;
  const winograd_image image = {.image = call->x, .copy = call->input, .height = p->height, .width = p->width,
                                .channels = C, .pad_top = p->pad_top, .pad_left = p->pad_left, .points = points,
                                .step = plan->input_step, .pitch = plan->channels,
                                .columns = products + plan->points * plan->output_step};
  const winograd_transform transform = winograd_inputs[form][affine_kind_of(call->x)];
  const winograd_output_function store = winograd_outputs[form][winograd_mode_of(call->y)];
  double *sums = call->sums + chunk * 2 * winograd_sum_pairs(call->y) * O;
  memset(sums, 0, 2 * winograd_sum_pairs(call->y) * O * sizeof(double));
  const tile_result result = {.alpha = 1};
  const size_t start = ck_cut_start(&call->cut, chunk), stop = start + ck_cut_length(&call->cut, chunk);
  for (size_t first = start; first < stop; first += CK_WINOGRAD_TILES) {
    const size_t end = ck_least(stop, first + CK_WINOGRAD_TILES), tiles = end - first;
    const size_t panels = ck_ceil_div(tiles, CK_TILE_ROWS);
    winograd_transform_block(transform, &image, plan, first, end);
    winograd_prefetch fetch = winograd_prefetch_of(call, first, end, stop);
    for (size_t j = 0; j < O; j += CK_TILE_COLUMNS) {
      const size_t columns = panel_columns(O, j), width = panel_width(columns);
      const tile_terms terms = {.outer = 1, .inner = 1, .length = C, .a_row = plan->channels, .b_step = width};
      const float *u = call->u + j * plan->points * C;
      for (size_t point = 0; point < plan->points; point++, u += C * width) {
        winograd_prefetch_tick(&fetch);
        for (size_t panel = 0; panel < panels; panel++) {
          const size_t t = ck_split(tiles, panels, panel), rows = ck_split(tiles, panels, panel + 1) - t;
          tile_for(rows, width, true)(&terms, points + point * plan->input_step + t * plan->channels, u,
                                      products + point * plan->output_step + t * width, width, width, &result);
        }
      }
      for (size_t v = 0; v < columns; v += CK_LANES) store(call, first, end, products + v, width, j + v, sums);
    }
  }
}

CK_INLINE winograd_call winograd_call_of(size_t m, const ck_conv2d *p, const ck_affine *x, float *input, const float *u,
                                         const ck_conv2d_output *y, void *scratch) {
  winograd_call call = {.p = p, .plan = ck_plan_winograd(p, m, CK_WINOGRAD_TILES), .m = m, .x = x, .input = input,
                        .u = u, .y = y, .sums = scratch};
  call.cut = ck_cut_winograd(&call.plan);
  call.workers = (float *)(call.sums + ck_winograd_sums(p, &call.plan));
  return call;
}

// Adds up what the chunks summed.
static void winograd_finish(const winograd_call *call) {
  const ck_conv2d *p = call->p;
  const ck_conv2d_output *y = call->y;
  const size_t O = p->output_channels, pairs = winograd_sum_pairs(y), rows = p->batch * p->output_height * p->output_width;
  double *sums = call->sums;
  if (call->cut.count == 0) memset(sums, 0, 2 * pairs * O * sizeof(double));
  for (size_t chunk = 1; chunk < call->cut.count; chunk++)
    for (size_t i = 0; i < 2 * pairs * O; i++) sums[i] += sums[chunk * 2 * pairs * O + i];
  if (y->normalization) normalization_finish(y->normalization, rows, O, sums, sums + O);
  for (size_t g = 0; g < y->gradient_count; g++)
    normalization_gradient_finish(y->gradients[g], rows, O, sums + 2 * g * O, sums + (2 * g + 1) * O);
}

static void CK_FN(winograd_conv2d_f32)(ck_pool *pool, size_t m, const ck_conv2d *p, const ck_affine *x, float *input,
                                       const float *u, const ck_conv2d_output *y, void *scratch) {
  winograd_call call = winograd_call_of(m, p, x, input, u, y, scratch);
  ck_pool_run(pool, call.cut.count, winograd_chunk, &call);
  winograd_finish(&call);
}

#endif
