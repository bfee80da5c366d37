// Convolutions by the tile of matrix products. Legend: t output row, g group, j first filter of a panel.
#ifndef CK_CONV2D_H
#define CK_CONV2D_H

#include "conv2d_window.h"
#include "depthwise.h"

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

#endif
