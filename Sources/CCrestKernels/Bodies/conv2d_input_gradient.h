// The gradient of a convolution's input: a convolution of dy for each phase of the stride, or where that costs less,
// products added to the windows they come from. Legend: t row of a phase, g group, j first channel of a panel.
#ifndef CK_CONV2D_INPUT_GRADIENT_H
#define CK_CONV2D_INPUT_GRADIENT_H

#include "conv2d_window.h"
#include "depthwise.h"

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

#endif
