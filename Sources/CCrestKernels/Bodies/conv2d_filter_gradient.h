// The gradient of a convolution's filters, summed over parts of the batch and slices of the kernel.
// Legend: t output row, g group, j first filter of a panel, v row of taps.
#ifndef CK_CONV2D_FILTER_GRADIENT_H
#define CK_CONV2D_FILTER_GRADIENT_H

#include "conv2d_window.h"
#include "depthwise.h"

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
