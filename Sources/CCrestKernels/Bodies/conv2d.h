// Convolutions by the tile of matrix products, on windows of the image instead of an im2col copy of it:
// neighbouring outputs of a row lie a fixed step apart in the window, and so do the rows of `a` that the
// tile reads. Legend: t u output row and column, g group, j first filter of a panel.
#ifndef CK_CONV2D_H
#define CK_CONV2D_H

#include "../Plans/conv2d_plan.h"
#include "depthwise.h"
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

// Filters of a group as b (taps · channels, filters).
static void conv2d_pack_filters(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  size_t og = p->output_channels / p->groups, cg = p->channels / p->groups, taps = ck_conv2d_taps(p);
  size_t panels = ck_ceil_div(og, CK_TILE_COLUMNS), g = chunk / panels, j = chunk % panels * CK_TILE_COLUMNS;
  size_t columns = panel_columns(og, j), width = panel_width(columns);
  float *out = call->filters + g * call->plan.group_filter_floats + j * taps * cg;
  pack_transposed(call->w + (g * og + j) * cg * taps, cg * taps, columns, cg * taps, taps, out, width);
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

static void conv2d_chunk(void *context, size_t chunk, size_t worker) {
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  const ck_conv2d_plan *plan = &call->plan;
  size_t og = p->output_channels / p->groups, cg = p->channels / p->groups, taps = ck_conv2d_taps(p);
  size_t image = chunk / plan->blocks, t0 = chunk % plan->blocks * plan->block_rows;
  size_t t1 = ck_least(t0 + plan->block_rows, p->output_height), pitch;
  const float *window = conv2d_input_window(call, image, t0, t1, worker, &pitch);
  float *y = call->y + image * p->output_height * p->output_width * p->output_channels;
  size_t y_pitch = p->output_width * p->output_channels;
  tile_terms terms = {.outer = p->kernel_height, .inner = p->kernel_width, .length = cg,
                      .a_outer = p->dilation_height * pitch, .a_inner = p->dilation_width * p->channels,
                      .a_row = p->stride_width * p->channels};
  if (ck_conv2d_is_depthwise(p)) {
    for (size_t t = t0; t < t1; t++)
      depthwise_row(&terms, window + (t - t0) * p->stride_height * pitch, call->filters, call->bias,
                    y + t * y_pitch, p->channels, p->output_width, p->channels);
    return;
  }
  conv2d_join_taps(&terms);
  tile_result result = {.alpha = 1};
  for (size_t g = 0; g < p->groups; g++) {
    for (size_t j = 0; j < og; j += CK_TILE_COLUMNS) {
      size_t columns = panel_columns(og, j);
      const float *b = call->filters + g * plan->group_filter_floats + j * taps * cg;
      terms.b_step = panel_width(columns);
      result.bias = call->bias ? call->bias + g * og + j : NULL;
      for (size_t t = t0; t < t1; t++)
        conv2d_row(&terms, window + (t - t0) * p->stride_height * pitch + g * cg, b,
                   y + t * y_pitch + g * og + j, p->output_channels, p->output_width, columns, &result);
    }
  }
}

static void CK_FN(conv2d_f32)(ck_pool *pool, const ck_conv2d *p, const float *x, const float *w,
                              const float *bias, float *y, void *scratch) {
  if (ck_conv2d_is_pointwise(p)) {
    CK_FN(gemm_f32)(pool, false, true, ck_conv2d_pixels(p), p->output_channels, p->channels, 1, x, w, 0,
                    bias, y, scratch);
    return;
  }
  conv2d_call call = {.p = p, .plan = ck_plan_conv2d(p), .x = x, .w = w, .bias = bias, .y = y,
                      .filters = scratch};
  if (p->output_width == 0) return;
  call.windows = call.filters + p->groups * call.plan.group_filter_floats;
  if (ck_conv2d_is_depthwise(p))
    depthwise_pack_filters(w, p->channels, ck_conv2d_taps(p), call.filters);
  else
    ck_pool_run(pool, p->groups * ck_ceil_div(p->output_channels / p->groups, CK_TILE_COLUMNS),
                conv2d_pack_filters, &call);
  ck_pool_run(pool, p->batch * call.plan.blocks, conv2d_chunk, &call);
}

// A phase of the stride in both directions, and how many taps the phases before it have.
typedef struct conv2d_phase {
  ck_conv2d_phase h, w;
  size_t first_row, first_column, taps_before;
} conv2d_phase;

// Steps through the phases; starts from zeros with `started` false.
static bool conv2d_next_phase(const conv2d_call *call, conv2d_phase *phase, bool *started) {
  const ck_conv2d *p = call->p;
  if (!*started) {
    *started = true;
    *phase = (conv2d_phase){0};
  } else {
    phase->taps_before += phase->h.taps * phase->w.taps;
    if (++phase->first_column == call->gradient_plan.phases_width) {
      phase->first_column = 0;
      phase->first_row++;
    }
  }
  const ck_conv2d_gradient_plan *plan = &call->gradient_plan;
  if (phase->first_row >= plan->phases_height || plan->phases_width == 0) return false;
  phase->h = ck_plan_phase(phase->first_row, p->height, p->stride_height, p->dilation_height, p->pad_top,
                           p->kernel_height);
  phase->w = ck_plan_phase(phase->first_column, p->width, p->stride_width, p->dilation_width, p->pad_left,
                           p->kernel_width);
  return true;
}

// Filters of a group as b (taps · filters, channels), phase by phase, in the order in which taps meet dy.
static void conv2d_pack_gradient_filters(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  size_t og = p->output_channels / p->groups, cg = p->channels / p->groups, taps = ck_conv2d_taps(p);
  size_t panels = ck_ceil_div(cg, CK_TILE_COLUMNS), g = chunk / panels, j = chunk % panels * CK_TILE_COLUMNS;
  size_t columns = panel_columns(cg, j), width = panel_width(columns);
  float *group = call->filters + g * call->gradient_plan.group_filter_floats;
  conv2d_phase phase;
  for (bool started = false; conv2d_next_phase(call, &phase, &started);) {
    float *out = group + phase.taps_before * og * ck_plan_round(cg, CK_GEMM_LANES_MOST) +
                 j * phase.h.taps * phase.w.taps * og;
    for (size_t h = 0; h < phase.h.taps; h++) {
      for (size_t v = 0; v < phase.w.taps; v++) {
        size_t tap = (phase.h.last_tap - h * phase.h.tap_step) * p->kernel_width +
                     phase.w.last_tap - v * phase.w.tap_step;
        for (size_t o = 0; o < og; o++, out += width)
          for (size_t c = 0; c < width; c++)
            out[c] = c < columns ? call->w[((g * og + o) * cg + j + c) * taps + tap] : 0;
      }
    }
  }
}

static void conv2d_input_gradient_chunk(void *context, size_t chunk, size_t worker) {
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  const ck_conv2d_gradient_plan *plan = &call->gradient_plan;
  size_t og = p->output_channels / p->groups, cg = p->channels / p->groups;
  size_t image = chunk / plan->blocks, t0 = chunk % plan->blocks * plan->block_rows;
  const float *dy = call->dy + image * p->output_height * p->output_width * p->output_channels;
  float *dx = call->dx + image * p->height * p->width * p->channels;
  float *buffer = call->windows + worker * plan->window_floats;
  tile_result result = {.alpha = 1};
  conv2d_phase phase;
  for (bool started = false; conv2d_next_phase(call, &phase, &started);) {
    size_t taps = phase.h.taps * phase.w.taps, t1 = ck_least(t0 + plan->block_rows, phase.h.rows), pitch = 0;
    if (t0 >= t1) continue;
    const float *window = buffer;
    if (taps > 0)
      window = conv2d_window(dy, p->output_height, p->output_width, p->output_channels,
                             phase.h.lowest + (ptrdiff_t)t0, phase.w.lowest,
                             t1 - t0 + (phase.h.taps - 1) * phase.h.place_step,
                             phase.w.rows + (phase.w.taps - 1) * phase.w.place_step, buffer, &pitch);
    tile_terms terms = {.outer = taps > 0 ? phase.h.taps : 0, .inner = phase.w.taps, .length = og,
                        .a_outer = phase.h.place_step * pitch,
                        .a_inner = phase.w.place_step * p->output_channels, .a_row = p->output_channels};
    float *origin = dx + (phase.first_row * p->width + phase.first_column) * p->channels;
    size_t row_step = p->stride_height * p->width * p->channels, column_step = p->stride_width * p->channels;
    if (ck_conv2d_is_depthwise(p)) {
      for (size_t t = t0; t < t1; t++)
        depthwise_row(&terms, window + (t - t0) * pitch, call->filters + phase.taps_before * p->channels, NULL,
                      origin + t * row_step, column_step, phase.w.rows, p->channels);
      continue;
    }
    conv2d_join_taps(&terms);
    for (size_t g = 0; g < p->groups; g++) {
      for (size_t j = 0; j < cg; j += CK_TILE_COLUMNS) {
        size_t columns = panel_columns(cg, j);
        const float *b = call->filters + g * plan->group_filter_floats +
                         phase.taps_before * og * ck_plan_round(cg, CK_GEMM_LANES_MOST) + j * taps * og;
        terms.b_step = panel_width(columns);
        for (size_t t = t0; t < t1; t++)
          conv2d_row(&terms, window + (t - t0) * pitch + g * og, b, origin + t * row_step + g * cg + j,
                     column_step, phase.w.rows, columns, &result);
      }
    }
  }
}

static void depthwise_pack_gradient_filters(const conv2d_call *call) {
  const ck_conv2d *p = call->p;
  conv2d_phase phase;
  float *out = call->filters;
  for (bool started = false; conv2d_next_phase(call, &phase, &started);) {
    for (size_t h = 0; h < phase.h.taps; h++) {
      for (size_t v = 0; v < phase.w.taps; v++, out += p->channels) {
        size_t tap = (phase.h.last_tap - h * phase.h.tap_step) * p->kernel_width +
                     phase.w.last_tap - v * phase.w.tap_step;
        for (size_t c = 0; c < p->channels; c++) out[c] = call->w[c * ck_conv2d_taps(p) + tap];
      }
    }
  }
}

// Filters (O, C, taps) as panels of columns (O, width), of the columns (taps, C).
static void conv2d_pack_columns(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const conv2d_call *call = context;
  const size_t C = call->p->channels, taps = ck_conv2d_taps(call->p), n = taps * C, j = chunk * CK_TILE_COLUMNS;
  const size_t columns = panel_columns(n, j), width = panel_width(columns);
  float *out = call->filters + j * call->p->output_channels;
  for (size_t o = 0; o < call->p->output_channels; o++, out += width)
    for (size_t i = 0; i < width; i++)
      out[i] = i < columns ? call->w[(o * C + (j + i) % C) * taps + (j + i) / C] : 0;
}

// Adds a row of columns, an output's share, to the window it comes from.
CK_INLINE void conv2d_add_columns(const ck_conv2d *p, const float *columns, size_t row, size_t column, float *dx) {
  const size_t C = p->channels;
  // Taps side by side are one run of floats, cut where the image ends.
  const size_t runs = p->dilation_width == 1 ? 1 : p->kernel_width, run = p->kernel_width / runs;
  for (size_t v = 0; v < p->kernel_height; v++) {
    const ptrdiff_t h = (ptrdiff_t)(row * p->stride_height + v * p->dilation_height) - (ptrdiff_t)p->pad_top;
    if (h < 0 || (size_t)h >= p->height) continue;
    for (size_t r = 0; r < runs; r++) {
      const ptrdiff_t w = (ptrdiff_t)(column * p->stride_width + r * p->dilation_width) - (ptrdiff_t)p->pad_left;
      const size_t first = w < 0 ? (size_t)-w : 0;
      const ptrdiff_t left = (ptrdiff_t)p->width - w;
      const size_t last = left < 0 ? 0 : ck_least(run, (size_t)left);
      if (first >= last) continue;
      const float *from = columns + (v * p->kernel_width + r + first) * C;
      float *to = dx + ((size_t)h * p->width + (size_t)(w + (ptrdiff_t)first)) * C;
      for (size_t i = 0; i < (last - first) * C; i += CK_LANES) {
        const size_t lanes = (last - first) * C - i;
        vf_store_upto(to + i, vf_load_upto(to + i, lanes) + vf_load_upto(from + i, lanes), lanes);
      }
    }
  }
}

static void conv2d_columns_chunk(void *context, size_t image, size_t worker) {
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  const size_t O = p->output_channels, n = ck_conv2d_taps(p) * p->channels, pitch = ck_conv2d_column_floats(p);
  const size_t pixels = p->output_height * p->output_width;
  const float *dy = call->dy + image * pixels * O;
  float *dx = call->dx + image * p->height * p->width * p->channels;
  float *buffer = call->windows + worker * CK_CONV2D_COLUMN_ROWS * pitch;
  const tile_result result = {.alpha = 1};
  memset(dx, 0, p->height * p->width * p->channels * sizeof(float));
  for (size_t first = 0; first < pixels; first += CK_CONV2D_COLUMN_ROWS) {
    const size_t count = ck_least(CK_CONV2D_COLUMN_ROWS, pixels - first), panels = ck_ceil_div(count, CK_TILE_ROWS);
    for (size_t j = 0; j < n; j += CK_TILE_COLUMNS) {
      const size_t width = panel_width(panel_columns(n, j));
      const tile_terms terms = {.outer = 1, .inner = 1, .length = O, .a_row = O, .b_step = width};
      for (size_t panel = 0; panel < panels; panel++) {
        const size_t i = ck_split(count, panels, panel), rows = ck_split(count, panels, panel + 1) - i;
        tile_for(rows, width, true)(&terms, dy + (first + i) * O, call->filters + j * O, buffer + i * pitch + j, pitch,
                                    width, &result);
      }
    }
    for (size_t i = 0; i < count; i++)
      conv2d_add_columns(p, buffer + i * pitch, (first + i) / p->output_width, (first + i) % p->output_width, dx);
  }
}

static void CK_FN(conv2d_input_gradient_f32)(ck_pool *pool, const ck_conv2d *p, const float *dy, const float *w,
                                             float *dx, void *scratch) {
  if (ck_conv2d_is_pointwise(p)) {
    CK_FN(gemm_f32)(pool, false, false, ck_conv2d_pixels(p), p->channels, p->output_channels, 1, dy, w, 0,
                    NULL, dx, scratch);
    return;
  }
  conv2d_call call = {.p = p, .gradient_plan = ck_plan_conv2d_input_gradient(p), .w = w, .dy = dy, .dx = dx,
                      .filters = scratch};
  if (ck_conv2d_gradient_by_columns(p)) {
    call.windows = call.filters + p->output_channels * ck_conv2d_column_floats(p);
    ck_pool_run(pool, ck_ceil_div(ck_conv2d_taps(p) * p->channels, CK_TILE_COLUMNS), conv2d_pack_columns, &call);
    ck_pool_run(pool, p->batch, conv2d_columns_chunk, &call);
    return;
  }
  call.windows = call.filters + p->groups * call.gradient_plan.group_filter_floats;
  if (ck_conv2d_is_depthwise(p))
    depthwise_pack_gradient_filters(&call);
  else
    ck_pool_run(pool, p->groups * ck_ceil_div(p->channels / p->groups, CK_TILE_COLUMNS),
                conv2d_pack_gradient_filters, &call);
  ck_pool_run(pool, p->batch * call.gradient_plan.blocks, conv2d_input_gradient_chunk, &call);
}

// Partial sums over a range of images, of the taps in a range of the kernel's rows, as
// (group, taps · channels, filters) or, depthwise, (taps, channels).
static void conv2d_filter_gradient_chunk(void *context, size_t chunk, size_t worker) {
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  const ck_conv2d_plan *plan = &call->plan;
  size_t og = p->output_channels / p->groups, cg = p->channels / p->groups, taps = ck_conv2d_taps(p);
  size_t part = chunk / plan->slices, slice = chunk % plan->slices;
  size_t v0 = ck_split(p->kernel_height, plan->slices, slice);
  size_t v1 = ck_split(p->kernel_height, plan->slices, slice + 1);
  size_t first = ck_split(p->batch, plan->parts, part), last = ck_split(p->batch, plan->parts, part + 1);
  float *partial = call->partial + part * taps * cg * p->output_channels;
  float *packed = call->packed_dy + worker * ck_conv2d_packed_dy_floats(p, plan);
  // Taps that lie without a gap between them are more rows of a.
  bool joined = p->dilation_width == 1 && cg == p->channels;
  size_t runs = joined ? 1 : p->kernel_width, run_rows = joined ? p->kernel_width * cg : cg;
  size_t panels = ck_ceil_div(run_rows, CK_TILE_ROWS);
  for (size_t image = first; image < last; image++) {
    for (size_t block = 0; block < plan->blocks; block++) {
      size_t t0 = block * plan->block_rows, t1 = ck_least(t0 + plan->block_rows, p->output_height), pitch;
      const float *window = conv2d_input_window(call, image, t0, t1, worker, &pitch);
      const float *dy = call->dy + (image * p->output_height + t0) * p->output_width * p->output_channels;
      bool fresh = image == first && block == 0;
      if (ck_conv2d_is_depthwise(p)) {
        depthwise_filter_gradient(p, v0, v1, window, pitch, dy, t1 - t0, fresh, partial);
        continue;
      }
      tile_result result = {.alpha = 1, .scale = fresh ? 0 : 1};
      tile_terms terms = {.outer = t1 - t0, .inner = 1, .length = p->output_width,
                          .a_outer = p->stride_height * pitch, .a_step = p->stride_width * p->channels};
      for (size_t g = 0; g < p->groups; g++) {
        for (size_t j = 0; j < og; j += CK_TILE_COLUMNS) {
          size_t columns = panel_columns(og, j), width = panel_width(columns);
          const float *b = dy + g * og + j;
          terms.b_step = p->output_channels;
          if (columns < width) {
            pack_rows(b, p->output_channels, columns, (t1 - t0) * p->output_width, packed, width);
            b = packed;
            terms.b_step = width;
          }
          for (size_t v = v0; v < v1; v++) {
            for (size_t run = 0; run < runs; run++) {
              const float *a = window + v * p->dilation_height * pitch +
                               run * p->dilation_width * p->channels + g * cg;
              float *c = partial + ((g * taps + v * p->kernel_width + run) * cg) * og + j;
              for (size_t panel = 0; panel < panels; panel++) {
                size_t i = ck_split(run_rows, panels, panel), rows = ck_split(run_rows, panels, panel + 1) - i;
                tile_for(rows, columns, false)(&terms, a + i, b, c + i * og, og, columns, &result);
              }
            }
          }
        }
      }
    }
  }
}

// Adds the parts in their order, a block of them at a time, into the first.
static void conv2d_filter_gradient_sum(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  size_t count = ck_conv2d_taps(p) * (p->channels / p->groups) * p->output_channels;
  size_t first = chunk * CK_CONV2D_SUM_FLOATS, last = ck_least(first + CK_CONV2D_SUM_FLOATS, count);
  for (size_t i = first; i < last; i += CK_LANES) {
    vf sum = vf_load_upto(call->partial + i, last - i);
    for (size_t part = 1; part < call->plan.parts; part++)
      sum += vf_load_upto(call->partial + part * count + i, last - i);
    vf_store_upto(call->partial + i, sum, last - i);
  }
}

// Puts a filter's taps last, a cache line of filters at a time, so that both sides move by whole lines.
static void conv2d_filter_gradient_order(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const conv2d_call *call = context;
  const ck_conv2d *p = call->p;
  size_t og = p->output_channels / p->groups, cg = p->channels / p->groups, taps = ck_conv2d_taps(p);
  size_t lines = ck_ceil_div(og, CK_GEMM_LANES_MOST), g = chunk / lines;
  size_t o0 = chunk % lines * CK_GEMM_LANES_MOST, o1 = ck_least(o0 + CK_GEMM_LANES_MOST, og);
  bool depthwise = ck_conv2d_is_depthwise(p);
  for (size_t c = 0; c < cg; c++) {
    for (size_t tap = 0; tap < taps; tap++) {
      size_t place = depthwise ? tap * p->channels + g : ((g * taps + tap) * cg + c) * og;
      for (size_t o = o0; o < o1; o++) {
        call->dw[((g * og + o) * cg + c) * taps + tap] = call->partial[place + o];
      }
    }
  }
}

// dw from the partial sums of `parts` ranges of the batch.
static void conv2d_finish_filter_gradient(ck_pool *pool, const ck_conv2d *p, size_t parts, float *partial,
                                          float *dw) {
  conv2d_call call = {.p = p, .plan = {.parts = parts}, .partial = partial, .dw = dw};
  size_t count = ck_conv2d_taps(p) * (p->channels / p->groups) * p->output_channels;
  if (parts > 1) ck_pool_run(pool, ck_ceil_div(count, CK_CONV2D_SUM_FLOATS), conv2d_filter_gradient_sum, &call);
  ck_pool_run(pool, p->groups * ck_ceil_div(p->output_channels / p->groups, CK_GEMM_LANES_MOST),
              conv2d_filter_gradient_order, &call);
}

static void CK_FN(conv2d_filter_gradient_f32)(ck_pool *pool, const ck_conv2d *p, const float *x,
                                              const float *dy, float *dw, void *scratch) {
  if (ck_conv2d_is_pointwise(p)) {
    CK_FN(gemm_f32)(pool, true, false, p->output_channels, p->channels, ck_conv2d_pixels(p), 1, dy, x, 0,
                    NULL, dw, scratch);
    return;
  }
  conv2d_call call = {.p = p, .plan = ck_plan_conv2d(p), .x = x, .dy = dy, .dw = dw, .partial = scratch};
  size_t count = ck_conv2d_taps(p) * (p->channels / p->groups) * p->output_channels;
  if (p->batch == 0 || p->output_height == 0 || p->output_width == 0) {
    memset(dw, 0, count * sizeof(float));
    return;
  }
  call.windows = call.partial + ck_plan_round(call.plan.parts * count, CK_GEMM_LANES_MOST);
  call.packed_dy = call.windows + ck_pool_thread_count(pool) * call.plan.window_floats;
  ck_pool_run(pool, call.plan.parts * call.plan.slices, conv2d_filter_gradient_chunk, &call);
  conv2d_finish_filter_gradient(pool, p, call.plan.parts, call.partial, dw);
}

#endif
