#include "winograd_plan.h"

bool ck_winograd_conv2d_serves(const ck_conv2d *p, size_t tile) {
  return ck_winograd_form_of(tile, p->kernel_height) != CK_WINOGRAD_FORMS && p->kernel_width == p->kernel_height &&
         p->stride_height == 1 && p->stride_width == 1 && p->dilation_height == 1 && p->dilation_width == 1 &&
         p->groups == 1 && p->pad_top < p->kernel_height && p->pad_left < p->kernel_width;
}

size_t ck_winograd_filter_floats(size_t tile, size_t taps, size_t channels, size_t filters) {
  return (tile + taps - 1) * (tile + taps - 1) * channels * ck_plan_round(filters, CK_GEMM_LANES_MOST);
}

size_t ck_winograd_conv2d_scratch_bytes(const ck_conv2d *p, size_t tile, size_t thread_count) {
  ck_winograd_plan plan = ck_plan_winograd(p, tile, CK_WINOGRAD_TILES);
  return ck_winograd_sums(p, &plan) * sizeof(double) +
         thread_count * ck_winograd_worker_floats(&plan) * sizeof(float);
}

size_t ck_winograd_filter_gradient_scratch_bytes(const ck_conv2d *p, size_t tile, size_t thread_count) {
  ck_winograd_gradient_plan plan = ck_plan_winograd_gradient(p, tile);
  return (ck_plan_round(plan.parts.count * plan.partial_floats, CK_GEMM_LANES_MOST) +
          thread_count * ck_winograd_gradient_worker_floats(&plan)) * sizeof(float);
}

ck_conv2d ck_conv2d_input_gradient_as_conv2d(const ck_conv2d *p) {
  ck_conv2d q = *p;
  q.height = p->output_height, q.width = p->output_width, q.channels = p->output_channels;
  q.output_height = p->height, q.output_width = p->width, q.output_channels = p->channels;
  q.pad_top = p->kernel_height - 1 - p->pad_top, q.pad_left = p->kernel_width - 1 - p->pad_left;
  return q;
}

size_t ck_winograd_gradients_scratch_bytes(const ck_conv2d *p, size_t tile, size_t thread_count) {
  const ck_conv2d q = ck_conv2d_input_gradient_as_conv2d(p);
  return ck_winograd_conv2d_scratch_bytes(&q, tile, thread_count) +
         ck_winograd_filter_gradient_scratch_bytes(p, tile, thread_count);
}
