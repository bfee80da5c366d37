// Convolutions of 3 × 3 and 5 × 5 by Winograd's algorithm. A block of tiles is transformed to points, each point is a
// matrix product (tiles, channels) · (channels, filters), and the products are transformed back while they are stored.
// Legend: m outputs of a tile's edge, t tile, j first filter of a panel.
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include "tile.h"
#include "winograd_filters.h"
#include "winograd_input.h"
#include "winograd_output.h"
#include "winograd_prefetch.h"

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
