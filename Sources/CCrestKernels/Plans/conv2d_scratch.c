#include "conv2d_plan.h"

size_t ck_conv2d_scratch_bytes(const ck_conv2d *p, size_t thread_count) {
  if (ck_conv2d_is_pointwise(p))
    return ck_gemm_scratch_bytes(ck_conv2d_pixels(p), p->output_channels, p->channels, thread_count);
  ck_conv2d_plan plan = ck_plan_conv2d(p);
  return (p->groups * plan.group_filter_floats + thread_count * plan.window_floats) * sizeof(float);
}

size_t ck_conv2d_input_gradient_scratch_bytes(const ck_conv2d *p, size_t thread_count) {
  if (ck_conv2d_is_pointwise(p))
    return ck_gemm_scratch_bytes(ck_conv2d_pixels(p), p->channels, p->output_channels, thread_count);
  if (ck_conv2d_gradient_by_columns(p))
    return (p->output_channels + thread_count * CK_CONV2D_COLUMN_ROWS) * ck_conv2d_column_floats(p) * sizeof(float);
  ck_conv2d_gradient_plan plan = ck_plan_conv2d_input_gradient(p);
  return (p->groups * plan.group_filter_floats + thread_count * plan.window_floats) * sizeof(float);
}

size_t ck_conv2d_filter_gradient_scratch_bytes(const ck_conv2d *p, size_t thread_count) {
  if (ck_conv2d_is_pointwise(p))
    return ck_gemm_scratch_bytes(p->output_channels, p->channels, ck_conv2d_pixels(p), thread_count);
  ck_conv2d_plan plan = ck_plan_conv2d(p);
  size_t partial = ck_conv2d_taps(p) * (p->channels / p->groups) * p->output_channels;
  size_t worker = plan.window_floats + ck_conv2d_packed_dy_floats(p, &plan);
  return (ck_plan_round(plan.parts * partial, CK_GEMM_LANES_MOST) + thread_count * worker) * sizeof(float);
}

size_t ck_conv2d_input_gradient_products(const ck_conv2d *p) {
  return ck_conv2d_gradient_by_columns(p) ? ck_conv2d_column_products(p) : ck_conv2d_phase_products(p);
}
