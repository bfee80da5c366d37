// Matrix product after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008):
// b is packed once in panels that the tile streams. a is read in place, 14 rows of it at a time: packing
// it too, as they do, made every size we measured slower.
#ifndef CK_GEMM_H
#define CK_GEMM_H

#include "../Plans/gemm_plan.h"
#include "tile.h"

// Row k of `out` gets x[i · x_step + k] for i < columns, k < count; the lanes from `columns` to `width` are
// padding and get any value. Rows come in groups of `period`: the first of every group go first.
static void pack_transposed(const float *x, size_t x_step, size_t columns, size_t count, size_t period,
                            float *out, size_t width) {
  if (count == 0) return;
  const size_t groups = count / period;
#define CK_PACKED_ROW(k) (period == 1 ? (k) : (k) % period * groups + (k) / period)
  size_t k = 0;
  for (; k + CK_LANES <= count; k += CK_LANES) {
    for (size_t i = 0; i < width; i += CK_LANES) {
      vf square[CK_LANES];
#pragma clang loop unroll(full)
      for (size_t r = 0; r < CK_LANES; r++) square[r] = vf_load(x + ck_least(i + r, columns - 1) * x_step + k);
      vf_transpose(square);
#pragma clang loop unroll(full)
      for (size_t r = 0; r < CK_LANES; r++) vf_store(out + CK_PACKED_ROW(k + r) * width + i, square[r]);
    }
  }
  for (; k < count; k++)
    for (size_t i = 0; i < width; i++)
      out[CK_PACKED_ROW(k) * width + i] = x[ck_least(i, columns - 1) * x_step + k];
#undef CK_PACKED_ROW
}

// out[k · width + i] = x[k · x_step + i], with the same freedom.
static void pack_rows(const float *x, size_t x_step, size_t columns, size_t count, float *out, size_t width) {
  for (size_t k = 0; k < count; k++) {
    for (size_t i = 0; i < width; i += CK_LANES) {
      size_t lanes = columns > i ? columns - i : 0;
      vf_store(out + k * width + i, vf_load_upto(x + k * x_step + i, lanes));
    }
  }
}

typedef struct gemm_call {
  ck_gemm_plan plan;
  bool transpose_a, transpose_b, direct_b;
  size_t m, n, k;
  float alpha, beta;
  const float *a, *b;
  const float *bias;
  float *c, *packed_b, *partial;
} gemm_call;

static void gemm_pack_b(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const gemm_call *g = context;
  size_t blocks = ck_ceil_div(g->k, CK_GEMM_PACK_DEPTH);
  size_t from = chunk / blocks * CK_TILE_COLUMNS, columns = panel_columns(g->n, from);
  size_t width = panel_width(columns);
  if (g->direct_b && columns == width) return;
  size_t k0 = chunk % blocks * CK_GEMM_PACK_DEPTH, count = ck_least(CK_GEMM_PACK_DEPTH, g->k - k0);
  float *out = g->packed_b + from * g->k + k0 * width;
  if (g->transpose_b) pack_transposed(g->b + from * g->k + k0, g->k, columns, count, 1, out, width);
  else pack_rows(g->b + k0 * g->n + from, g->n, columns, count, out, width);
}

static void gemm_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const gemm_call *g = context;
  const ck_gemm_plan *plan = &g->plan;
  size_t row_block = chunk % plan->row_blocks, rest = chunk / plan->row_blocks;
  size_t column_block = rest % plan->column_blocks, part = rest / plan->column_blocks;
  size_t i0 = ck_split(g->m, plan->row_blocks, row_block), i1 = ck_split(g->m, plan->row_blocks, row_block + 1);
  size_t j0 = column_block * plan->column_step, j1 = ck_least(g->n, j0 + plan->column_step);
  size_t k0 = ck_split(g->k, plan->parts, part), k1 = ck_split(g->k, plan->parts, part + 1);
  bool partial = plan->parts > 1;
  float *c = partial ? g->partial + part * g->m * g->n : g->c;

  size_t row_panels = ck_ceil_div(i1 - i0, CK_TILE_ROWS);
  size_t blocks = k1 > k0 ? ck_ceil_div(k1 - k0, CK_GEMM_DEPTH) : 1;
  for (size_t block = 0; block < blocks; block++) {
    size_t p0 = k0 + ck_split(k1 - k0, blocks, block), depth = k0 + ck_split(k1 - k0, blocks, block + 1) - p0;
    bool first = block == 0, last = block + 1 == blocks;
    tile_result result = {.alpha = partial ? 1 : g->alpha, .scale = !first ? 1 : partial ? 0 : g->beta};
    for (size_t j = j0; j < j1; j += CK_TILE_COLUMNS) {
      size_t columns = panel_columns(g->n, j), width = panel_width(columns);
      bool direct_b = g->direct_b && columns == width;
      const float *b = direct_b ? g->b + p0 * g->n + j : g->packed_b + j * g->k + p0 * width;
      tile_terms terms = {.outer = 1, .inner = 1, .length = depth, .a_row = g->k, .a_step = g->m,
                          .b_step = direct_b ? g->n : width};
      result.bias = g->bias && last && !partial ? g->bias + j : NULL;
      for (size_t r = 0; r < row_panels; r++) {
        size_t i = i0 + ck_split(i1 - i0, row_panels, r), rows = i0 + ck_split(i1 - i0, row_panels, r + 1) - i;
        const float *a = g->transpose_a ? g->a + p0 * g->m + i : g->a + i * g->k + p0;
        tile_for(rows, columns, !g->transpose_a)(&terms, a, b, c + i * g->n + j, g->n, columns, &result);
      }
    }
  }
}

// Adds the parts of K in their order.
static void gemm_add_parts(void *context, size_t row, size_t worker) {
  (void)worker;
  const gemm_call *g = context;
  tile_result result = {.alpha = g->alpha, .scale = g->beta};
  for (size_t j = 0; j < g->n; j += CK_LANES) {
    size_t columns = ck_least(CK_LANES, g->n - j);
    vf sum = vf_splat(0);
    for (size_t part = 0; part < g->plan.parts; part++) {
      vf term = vf_load_upto(g->partial + (part * g->m + row) * g->n + j, columns);
      sum = part == 0 ? term : sum + term;
    }
    tile_store(g->c + row * g->n + j, sum, columns, &result, g->bias ? g->bias + j : NULL);
  }
}

static void CK_FN(gemm_f32)(ck_pool *pool, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
                            float alpha, const float *a, const float *b, float beta,
                            const float *bias, float *c, void *scratch) {
  gemm_call g = {.plan = ck_plan_gemm(m, n, k), .transpose_a = transpose_a, .transpose_b = transpose_b,
                 .m = m, .n = n, .k = k, .alpha = alpha, .beta = beta, .a = a, .b = b, .bias = bias, .c = c};
  if (m == 0 || n == 0) return;
  // Packing pays where memory is read again, and not where rows of b lie close together.
  g.direct_b = !transpose_b && (m <= CK_GEMM_ROWS || n <= 128);
  g.packed_b = scratch;
  g.partial = g.packed_b + ck_plan_gemm_b_floats(n, k);
  if (!g.direct_b || n % CK_LANES != 0)
    ck_pool_run(pool, ck_ceil_div(n, CK_TILE_COLUMNS) * ck_ceil_div(k, CK_GEMM_PACK_DEPTH), gemm_pack_b, &g);
  ck_pool_run(pool, g.plan.row_blocks * g.plan.column_blocks * g.plan.parts, gemm_chunk, &g);
  if (g.plan.parts > 1) ck_pool_run(pool, m, gemm_add_parts, &g);
}

typedef struct gemm_batch {
  gemm_call call;  // of matrices at the beginning of a, b and c
  ck_cut cut;      // of all products' chunks of what is run
  size_t chunks;   // of one product
  size_t packed;   // floats of b
  const size_t *a_starts, *b_starts;
  void (*run)(void *, size_t, size_t);
} gemm_batch;

static void gemm_batch_chunk(void *context, size_t chunk, size_t worker) {
  const gemm_batch *batch = context;
  size_t from = ck_cut_start(&batch->cut, chunk), to = from + ck_cut_length(&batch->cut, chunk);
  for (size_t item = from; item < to; item++) {
    size_t number = item / batch->chunks;
    gemm_call g = batch->call;
    g.a += batch->a_starts[number], g.b += batch->b_starts[number];
    g.c += number * g.m * g.n, g.packed_b += number * batch->packed;
    batch->run(&g, item % batch->chunks, worker);
  }
}

static void gemm_batch_run(ck_pool *pool, gemm_batch *batch, size_t count, size_t chunks, size_t work,
                           void (*run)(void *, size_t, size_t)) {
  batch->chunks = chunks, batch->run = run;
  batch->cut = ck_cut_by(count * chunks, CK_GEMM_BATCH_WORK * chunks / (work == 0 ? 1 : work));
  ck_pool_run(pool, batch->cut.count, gemm_batch_chunk, batch);
}

static void CK_FN(gemm_batch_f32)(ck_pool *pool, bool transpose_a, bool transpose_b, size_t count, size_t m, size_t n,
                                  size_t k, const size_t *a_starts, const size_t *b_starts, const float *a,
                                  const float *b, float *c, void *scratch) {
  if (count == 0 || m == 0 || n == 0) return;
  if (!ck_plan_gemm_is_joint(count, m, n, k)) {
    for (size_t i = 0; i < count; i++)
      CK_FN(gemm_f32)(pool, transpose_a, transpose_b, m, n, k, 1, a + a_starts[i], b + b_starts[i], 0, NULL,
                      c + i * m * n, scratch);
    return;
  }
  gemm_batch batch = {.call = {.plan = ck_plan_gemm(m, n, k), .transpose_a = transpose_a, .transpose_b = transpose_b,
                               .direct_b = !transpose_b && (m <= CK_GEMM_ROWS || n <= 128), .m = m, .n = n, .k = k,
                               .alpha = 1, .a = a, .b = b, .c = c, .packed_b = scratch},
                      .packed = ck_plan_gemm_b_floats(n, k), .a_starts = a_starts, .b_starts = b_starts};
  if (!batch.call.direct_b || n % CK_LANES != 0)
    gemm_batch_run(pool, &batch, count, ck_ceil_div(n, CK_TILE_COLUMNS) * ck_ceil_div(k, CK_GEMM_PACK_DEPTH),
                   8 * n * k, gemm_pack_b);
  gemm_batch_run(pool, &batch, count, batch.call.plan.row_blocks * batch.call.plan.column_blocks, m * n * k,
                 gemm_chunk);
}

#endif
