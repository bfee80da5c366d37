// How Winograd's convolutions are cut: by their sizes alone. Tiles are numbered over all images; a block of them is
// transformed, multiplied and transformed back while it stays in the second-level cache.
#ifndef CK_WINOGRAD_PLAN_H
#define CK_WINOGRAD_PLAN_H

#include "chunks.h"
#include "conv2d_plan.h"

enum {
  CK_WINOGRAD_TILES = 28,      // of a block: two tiles of registers of the widest instruction set
  CK_WINOGRAD_TILES_MOST = 56, // where channels are few, so that sums over a block are long
  CK_WINOGRAD_RUN = 8,         // tiles side by side that share the transform of the columns between them
  CK_WINOGRAD_PANEL = 2 * CK_GEMM_LANES_MOST,
  CK_WINOGRAD_FILTER_CHANNELS = 16,  // of a chunk that transforms filters
  CK_WINOGRAD_CHUNKS = 48,     // at most: enough for any number of threads, each long enough to run ahead of itself
};

// F(m × m, taps × taps) that there are, as F(m, taps).
typedef enum ck_winograd_form { CK_WINOGRAD_2_3, CK_WINOGRAD_4_3, CK_WINOGRAD_2_5, CK_WINOGRAD_FORMS } ck_winograd_form;

static inline ck_winograd_form ck_winograd_form_of(size_t tile, size_t taps) {
  if (taps == 3 && tile == 2) return CK_WINOGRAD_2_3;
  if (taps == 3 && tile == 4) return CK_WINOGRAD_4_3;
  return taps == 5 && tile == 2 ? CK_WINOGRAD_2_5 : CK_WINOGRAD_FORMS;
}

typedef struct ck_winograd_plan {
  size_t points;             // what is multiplied per tile
  size_t rows, columns;      // of tiles in an image
  size_t tiles;              // of the batch
  size_t channels, filters;  // rounded up to whole registers of the widest instruction set
  // Floats from a point's block to the next point's: a cache line more than the block, for at powers of two
  // all points would meet in the same places of the first-level cache.
  size_t input_step, output_step;
  size_t column_floats;      // of scratch for the columns of a run
} ck_winograd_plan;

static inline ck_winograd_plan ck_plan_winograd(const ck_conv2d *p, size_t tile, size_t block) {
  const size_t edge = tile + p->kernel_height - 1;
  ck_winograd_plan plan = {.points = edge * edge};
  plan.rows = ck_plan_ceil(p->output_height, tile);
  plan.columns = ck_plan_ceil(p->output_width, tile);
  plan.tiles = p->batch * plan.rows * plan.columns;
  plan.channels = ck_plan_round(p->channels, CK_GEMM_LANES_MOST);
  plan.filters = ck_plan_round(p->output_channels, CK_GEMM_LANES_MOST);
  plan.input_step = block * plan.channels + CK_GEMM_LANES_MOST;
  plan.output_step = block * CK_WINOGRAD_PANEL + CK_GEMM_LANES_MOST;
  plan.column_floats = (tile * (CK_WINOGRAD_RUN - 1) + edge) * edge * CK_GEMM_LANES_MOST;
  return plan;
}

// Chunks of whole blocks, each with sums of its own.
static inline ck_cut ck_cut_winograd(const ck_winograd_plan *plan) {
  size_t blocks = ck_plan_ceil(plan->tiles, CK_WINOGRAD_TILES);
  return ck_cut_by(plan->tiles, ck_plan_ceil(blocks, CK_WINOGRAD_CHUNKS) * CK_WINOGRAD_TILES);
}
static inline size_t ck_winograd_worker_floats(const ck_winograd_plan *plan) {
  return plan->points * (plan->input_step + plan->output_step) + plan->column_floats;
}
// The sums of the output's statistics: up to two pairs a channel and chunk.
static inline size_t ck_winograd_sums(const ck_conv2d *p, const ck_winograd_plan *plan) {
  return ck_plan_round((ck_cut_winograd(plan).count + 1) * 4 * p->output_channels, CK_GEMM_LANES_MOST);
}

// A filter gradient: ranges of tiles, each summed over blocks, then brought back to taps.
typedef struct ck_winograd_gradient_plan {
  ck_winograd_plan x, dy;  // dy's blocks are laid out with filters for channels
  size_t block;            // tiles
  ck_cut parts;
  size_t sum_floats, partial_floats;
} ck_winograd_gradient_plan;

static inline ck_winograd_gradient_plan ck_plan_winograd_gradient(const ck_conv2d *p, size_t tile) {
  ck_winograd_gradient_plan plan = {0};
  plan.block = p->channels + p->output_channels <= 64 ? CK_WINOGRAD_TILES_MOST : CK_WINOGRAD_TILES;
  plan.x = ck_plan_winograd(p, tile, plan.block);
  plan.dy = plan.x;
  plan.dy.input_step = plan.block * plan.x.filters + CK_GEMM_LANES_MOST;
  plan.partial_floats = ck_conv2d_taps(p) * p->channels * p->output_channels;
  size_t affordable = plan.partial_floats > 0 ? CK_CONV2D_PARTIAL_FLOATS / plan.partial_floats : 1;
  size_t parts = ck_plan_clamp(affordable, 1, CK_CONV2D_PARTS);
  size_t blocks = ck_plan_ceil(plan.x.tiles, plan.block);
  plan.parts = ck_cut_by(plan.x.tiles, ck_plan_ceil(blocks, parts) * plan.block);
  plan.sum_floats = plan.x.points * p->channels * plan.x.filters;
  return plan;
}
static inline size_t ck_winograd_gradient_worker_floats(const ck_winograd_gradient_plan *plan) {
  return plan->x.points * (plan->x.input_step + plan->dy.input_step) + plan->x.column_floats +
         ck_plan_round(plan->sum_floats, CK_GEMM_LANES_MOST);
}

#endif
