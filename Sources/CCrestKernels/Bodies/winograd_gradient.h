// Filter gradients by Winograd's algorithm: points of x and of dy are multiplied and summed over tiles.
#ifndef CK_WINOGRAD_GRADIENT_H
#define CK_WINOGRAD_GRADIENT_H

#include "conv2d_filter_gradient.h"
#include "winograd.h"

typedef struct winograd_gradient_call {
  const ck_conv2d *p;
  ck_winograd_gradient_plan plan;
  size_t m;
  const ck_affine *x, *dy;
  float *partial, *workers;
} winograd_gradient_call;

// Brings sums over points (points, channels, filters rounded up) back to filters (taps², channels, filters).
CK_INLINE void winograd_sums_to_taps(const size_t taps, const size_t n, const winograd_gradient_call *call,
                                     const float *sums, float *dw) {
  const size_t C = call->p->channels, O = call->p->output_channels, pitch = call->plan.x.filters;
  for (size_t c = 0; c < C; c++) {
    for (size_t o = 0; o < O; o += CK_LANES) {
      vf half[5][6];
      CK_UNROLL for (size_t j = 0; j < n; j++) {
        vf u[6], r[5];
        CK_UNROLL for (size_t i = 0; i < n; i++) u[i] = vf_load(sums + ((i * n + j) * C + c) * pitch + o);
        winograd_filter_gradient(taps, n, u, r);
        CK_UNROLL for (size_t i = 0; i < taps; i++) half[i][j] = r[i];
      }
      CK_UNROLL for (size_t i = 0; i < taps; i++) {
        vf r[5];
        winograd_filter_gradient(taps, n, half[i], r);
        CK_UNROLL for (size_t j = 0; j < taps; j++) vf_store_upto(dw + ((i * taps + j) * C + c) * O + o, r[j], O - o);
      }
    }
  }
}

static void winograd_gradient_chunk(void *context, size_t chunk, size_t worker) {
  const winograd_gradient_call *call = context;
  const ck_conv2d *p = call->p;
  const ck_winograd_gradient_plan *plan = &call->plan;
  const size_t C = p->channels, O = plan->x.filters, points = plan->x.points;
  const ck_winograd_form form = ck_winograd_form_of(call->m, p->kernel_height);
  float *x_points = call->workers + worker * ck_winograd_gradient_worker_floats(plan);
  float *dy_points = x_points + points * plan->x.input_step, *sums = dy_points + points * plan->dy.input_step;
  const winograd_image x = {.image = call->x, .height = p->height, .width = p->width, .channels = C,
                            .pad_top = p->pad_top, .pad_left = p->pad_left, .points = x_points,
                            .step = plan->x.input_step, .pitch = plan->x.channels,
                            .columns = sums + ck_plan_round(plan->sum_floats, CK_GEMM_LANES_MOST)};
  const winograd_image dy = {.image = call->dy, .height = p->output_height, .width = p->output_width,
                             .channels = p->output_channels, .points = dy_points, .step = plan->dy.input_step,
                             .pitch = O};
  const winograd_transform transform_x = winograd_inputs[form][affine_kind_of(call->x)];
  const winograd_transform transform_dy = winograd_gradients[form][affine_kind_of(call->dy)];
  const size_t panels = ck_ceil_div(C, CK_TILE_ROWS);
  const size_t start = ck_cut_start(&plan->parts, chunk), stop = start + ck_cut_length(&plan->parts, chunk);
  // Channels past the last are multiplied too, so they must be something.
  memset(dy_points, 0, points * plan->dy.input_step * sizeof(float));
  for (size_t first = start; first < stop; first += plan->block) {
    const size_t end = ck_least(stop, first + plan->block);
    winograd_transform_block(transform_x, &x, &plan->x, first, end);
    winograd_transform_block(transform_dy, &dy, &plan->x, first, end);
    const tile_terms terms = {.outer = 1, .inner = 1, .length = end - first, .a_step = plan->x.channels, .b_step = O};
    const tile_result result = {.alpha = 1, .scale = first == start ? 0 : 1};
    const size_t next = ck_least(stop, end + plan->block);
    winograd_prefetch fetch = {.ticks = points};
    winograd_prefetch_affine(&fetch, call->x, winograd_first_pixel(&plan->x, call->m, end, p->height, p->width),
                             winograd_first_pixel(&plan->x, call->m, next, p->height, p->width), C);
    winograd_prefetch_affine(
        &fetch, call->dy, winograd_first_pixel(&plan->x, call->m, end, p->output_height, p->output_width),
        winograd_first_pixel(&plan->x, call->m, next, p->output_height, p->output_width), p->output_channels);
    for (size_t point = 0; point < points; point++) {
      winograd_prefetch_tick(&fetch);
      for (size_t j = 0; j < O; j += CK_TILE_COLUMNS) {
        const size_t width = ck_least(CK_TILE_COLUMNS, O - j);
        for (size_t panel = 0; panel < panels; panel++) {
          const size_t c = ck_split(C, panels, panel), rows = ck_split(C, panels, panel + 1) - c;
          tile_for(rows, width, false)(&terms, x_points + point * plan->x.input_step + c,
                                       dy_points + point * plan->dy.input_step + j,
                                       sums + (point * C + c) * O + j, O, width, &result);
        }
      }
    }
  }
  float *dw = call->partial + chunk * plan->partial_floats;
  switch (form) {
  case CK_WINOGRAD_2_3: winograd_sums_to_taps(3, 4, call, sums, dw); break;
  case CK_WINOGRAD_4_3: winograd_sums_to_taps(3, 6, call, sums, dw); break;
  default: winograd_sums_to_taps(5, 6, call, sums, dw);
  }
}

CK_INLINE winograd_gradient_call winograd_gradient_call_of(size_t m, const ck_conv2d *p, const ck_affine *x,
                                                           const ck_affine *dy, void *scratch) {
  winograd_gradient_call call = {.p = p, .plan = ck_plan_winograd_gradient(p, m), .m = m, .x = x, .dy = dy,
                                 .partial = scratch};
  call.workers = call.partial + ck_plan_round(call.plan.parts.count * call.plan.partial_floats, CK_GEMM_LANES_MOST);
  return call;
}

static void winograd_gradient_finish(ck_pool *pool, const winograd_gradient_call *call, float *dw) {
  const size_t parts = call->plan.parts.count;
  if (parts == 0) memset(dw, 0, call->plan.partial_floats * sizeof(float));
  else conv2d_finish_filter_gradient(pool, call->p, parts, call->partial, dw);
}

static void CK_FN(winograd_filter_gradient_f32)(ck_pool *pool, size_t m, const ck_conv2d *p, const ck_affine *x,
                                                const ck_affine *dy, float *dw, void *scratch) {
  winograd_gradient_call call = winograd_gradient_call_of(m, p, x, dy, scratch);
  ck_pool_run(pool, call.plan.parts.count, winograd_gradient_chunk, &call);
  winograd_gradient_finish(pool, &call, dw);
}

static void CK_FN(winograd_gradients_f32)(ck_pool *pool, size_t m, const ck_conv2d *p, const ck_affine *x,
                                          const ck_affine *dy, float *dy_image, const float *u,
                                          const ck_conv2d_output *dx, float *dw, void *scratch) {
  const ck_conv2d q = ck_conv2d_input_gradient_as_conv2d(p);
  winograd_call image = winograd_call_of(m, &q, dy, dy_image, u, dx, scratch);
  winograd_gradient_call filters = winograd_gradient_call_of(
      m, p, x, dy, (char *)scratch + ck_winograd_conv2d_scratch_bytes(&q, m, ck_pool_thread_count(pool)));
  ck_pool_run_both(pool, (ck_task){image.cut.count, winograd_chunk, &image},
                   (ck_task){filters.plan.parts.count, winograd_gradient_chunk, &filters});
  winograd_finish(&image);
  winograd_gradient_finish(pool, &filters, dw);
}

#endif
