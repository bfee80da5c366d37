// How convolutions are cut: by their sizes alone. A chunk is a block of rows of one image; the part of the
// other image that the block needs is its window, copied with its padding into the worker's scratch.
#ifndef CK_CONV2D_PLAN_H
#define CK_CONV2D_PLAN_H

#include "crest_kernels.h"
#include "gemm_plan.h"

enum {
  CK_CONV2D_WINDOW_FLOATS = 12 * 1024,  // what a block of rows aims at: a first-level cache
  CK_CONV2D_PARTS = 16,                 // of the batch, in a filter gradient
  CK_CONV2D_PARTIAL_FLOATS = 4 << 20,   // what these may take together, where one does not take more
  CK_CONV2D_SUM_FLOATS = 4096,          // of a chunk that adds them
};

// A convolution without a window: a matrix product over all pixels.
static inline bool ck_conv2d_is_pointwise(const ck_conv2d *p) {
  return p->kernel_height == 1 && p->kernel_width == 1 && p->stride_height == 1 && p->stride_width == 1 &&
         p->pad_top == 0 && p->pad_left == 0 && p->output_height == p->height && p->output_width == p->width &&
         p->groups == 1;
}
static inline size_t ck_conv2d_pixels(const ck_conv2d *p) { return p->batch * p->height * p->width; }
static inline size_t ck_conv2d_taps(const ck_conv2d *p) { return p->kernel_height * p->kernel_width; }

// Rows of a window under `rows` rows that step `stride`, and the rows of a block whose window fits.
static inline size_t ck_conv2d_reach(size_t rows, size_t stride, size_t kernel, size_t dilation) {
  return rows == 0 || kernel == 0 ? 0 : (rows - 1) * stride + (kernel - 1) * dilation + 1;
}
static inline size_t ck_conv2d_block_rows(size_t rows, size_t stride, size_t extent, size_t row_floats) {
  size_t fit = CK_CONV2D_WINDOW_FLOATS / (row_floats > 0 ? row_floats : 1);
  size_t block = fit > extent ? (fit - extent) / stride + 1 : 1;
  // Below four rows, the rows that neighbouring windows share would cost too much.
  return ck_plan_clamp(block, rows < 4 ? 1 : 4, rows > 0 ? rows : 1);
}

typedef struct ck_conv2d_plan {
  size_t window_width;               // pixels of a window's row
  size_t block_rows, blocks;         // of an image's rows
  size_t window_floats;              // of scratch per worker
  size_t group_filter_floats;        // of a group's packed filters
  size_t parts, slices;              // of a filter gradient: ranges of images, of filters
} ck_conv2d_plan;

static inline ck_conv2d_plan ck_plan_conv2d(const ck_conv2d *p) {
  ck_conv2d_plan plan = {0};
  size_t extent = ck_conv2d_reach(1, 1, p->kernel_height, p->dilation_height);
  plan.window_width = ck_conv2d_reach(p->output_width, p->stride_width, p->kernel_width, p->dilation_width);
  size_t row_floats = plan.window_width * p->channels;
  plan.block_rows = ck_conv2d_block_rows(p->output_height, p->stride_height, extent, row_floats);
  plan.blocks = ck_plan_ceil(p->output_height, plan.block_rows);
  size_t rows = ck_conv2d_reach(plan.block_rows, p->stride_height, p->kernel_height, p->dilation_height);
  plan.window_floats = ck_plan_round(rows * row_floats, CK_GEMM_LANES_MOST);
  plan.group_filter_floats = ck_conv2d_taps(p) * (p->channels / p->groups) *
                             ck_plan_round(p->output_channels / p->groups, CK_GEMM_LANES_MOST);
  size_t filter_floats = ck_conv2d_taps(p) * (p->channels / p->groups) * p->output_channels;
  size_t affordable = filter_floats > 0 ? CK_CONV2D_PARTIAL_FLOATS / filter_floats : CK_CONV2D_PARTS;
  plan.parts = ck_plan_clamp(p->batch, 0, ck_plan_clamp(affordable, 1, CK_CONV2D_PARTS));
  plan.slices = plan.parts < CK_CONV2D_PARTS ? ck_plan_clamp(p->kernel_height, 1, CK_CONV2D_PARTS) : 1;
  return plan;
}

// Scratch for the columns of dy that don't fill a panel, over the rows of a block.
static inline size_t ck_conv2d_packed_dy_floats(const ck_conv2d *p, const ck_conv2d_plan *plan) {
  return plan->block_rows * p->output_width * 2 * CK_GEMM_LANES_MOST;
}

static inline bool ck_conv2d_is_depthwise(const ck_conv2d *p) {
  return p->groups > 1 && p->channels == p->groups && p->output_channels == p->groups;
}

// The input gradient runs over the input's rows, one phase of the stride at a time: rows h of the
// same (h + pad) mod stride meet the same taps, and each phase is a convolution of stride one over dy.
typedef struct ck_conv2d_phase {
  size_t taps, rows;     // taps that meet it; rows (or columns) of it, `stride` apart
  size_t last_tap;       // the tap that reaches the lowest place of dy; the others are tap_step below
  size_t tap_step;       // each other
  ptrdiff_t lowest;      // that place, for the phase's first row
  size_t place_step;     // from each tap's place to the next one's
} ck_conv2d_phase;

static inline ck_conv2d_phase ck_plan_phase(size_t phase, size_t size, size_t stride, size_t dilation,
                                            size_t pad, size_t kernel) {
  ck_conv2d_phase result = {.rows = phase < size ? ck_plan_ceil(size - phase, stride) : 0, .place_step = 1};
  for (size_t tap = kernel; tap-- > 0;) {
    ptrdiff_t shift = (ptrdiff_t)(phase + pad) - (ptrdiff_t)(tap * dilation);
    if (shift % (ptrdiff_t)stride != 0) continue;
    ptrdiff_t place = shift / (ptrdiff_t)stride;
    if (result.taps == 0) {
      result.last_tap = tap;
      result.lowest = place;
    } else if (result.taps == 1) {
      result.tap_step = result.last_tap - tap;
      result.place_step = (size_t)(place - result.lowest);
    }
    result.taps++;
  }
  return result;
}

// An input gradient by columns: every output's share of its window is one row of a matrix product, dy · w, and rows
// are added where their windows lie. It wastes no lanes where channels are few, and multiplies by no padding where
// kernels are large; it adds every product's sum once more.
enum { CK_CONV2D_COLUMN_ROWS = 28 };
static inline size_t ck_conv2d_column_floats(const ck_conv2d *p) {
  return ck_plan_round(ck_conv2d_taps(p) * p->channels, CK_GEMM_LANES_MOST);
}
// Per image, in products of a lane; adding a lane costs about four.
static inline size_t ck_conv2d_column_products(const ck_conv2d *p) {
  return p->output_height * p->output_width * ck_conv2d_column_floats(p) * (p->output_channels + 4);
}
static inline size_t ck_conv2d_phase_products(const ck_conv2d *p) {
  size_t phases = p->stride_height * p->stride_width;
  return p->height * p->width * ck_plan_ceil(ck_conv2d_taps(p), phases) * p->output_channels *
         ck_plan_round(p->channels / p->groups, CK_GEMM_LANES_MOST);
}
static inline bool ck_conv2d_gradient_by_columns(const ck_conv2d *p) {
  return p->groups == 1 && p->batch >= 4 && ck_conv2d_column_products(p) < ck_conv2d_phase_products(p);
}

typedef struct ck_conv2d_gradient_plan {
  size_t phases_height, phases_width;  // at most the stride, at most the size
  size_t block_rows, blocks;           // of the rows of a phase
  size_t window_floats, group_filter_floats;
} ck_conv2d_gradient_plan;

static inline ck_conv2d_gradient_plan ck_plan_conv2d_input_gradient(const ck_conv2d *p) {
  ck_conv2d_gradient_plan plan = {0};
  plan.phases_height = p->stride_height < p->height ? p->stride_height : p->height;
  plan.phases_width = p->stride_width < p->width ? p->stride_width : p->width;
  // Of all phases, the window is at most this high and wide, for taps lie a dilation apart at least.
  size_t extent = ck_conv2d_reach(1, 1, p->kernel_height, p->dilation_height) / p->stride_height + 1;
  size_t phase_rows = ck_plan_ceil(p->height, p->stride_height);
  size_t width = ck_plan_ceil(p->width, p->stride_width) +
                 ck_conv2d_reach(1, 1, p->kernel_width, p->dilation_width) / p->stride_width;
  size_t row_floats = width * p->output_channels;
  plan.block_rows = ck_conv2d_block_rows(phase_rows, 1, extent, row_floats);
  plan.blocks = ck_plan_ceil(phase_rows, plan.block_rows);
  plan.window_floats = ck_plan_round((plan.block_rows + extent) * row_floats, CK_GEMM_LANES_MOST);
  plan.group_filter_floats = ck_conv2d_taps(p) * (p->output_channels / p->groups) *
                             ck_plan_round(p->channels / p->groups, CK_GEMM_LANES_MOST);
  return plan;
}

#endif
