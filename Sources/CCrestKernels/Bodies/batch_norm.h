#ifndef CK_BATCH_NORM_H
#define CK_BATCH_NORM_H

#include "affine.h"
#include "columns.h"
#include "normalization.h"

typedef struct ck_batch_norm {
  ck_cut cut;
  size_t rows, channels;
  const float *x, *dy, *mean;
  double *partials;  // (chunk, first or second sum, channel); after combining, chunk 0 has the totals
} ck_batch_norm;

CK_INLINE void ck_batch_norm_sums(ck_terms terms, const ck_batch_norm *n, size_t chunk) {
  size_t start = ck_cut_start(&n->cut, chunk) * n->channels;
  double *first = n->partials + chunk * 2 * n->channels;
  // Without gradients there is neither dy nor mean, and arithmetic on null is undefined.
  bool has_gradients = terms == CK_SUM_GRADIENTS_CENTRED;
  ck_column_sums(terms, ck_cut_length(&n->cut, chunk), n->channels, n->channels, n->x + start,
                 has_gradients ? n->dy + start : n->x, has_gradients ? n->mean : n->x, first, first + n->channels);
}
static void ck_batch_norm_statistics_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_batch_norm_sums(CK_SUM_VALUES_SQUARES, context, chunk);
}
static void ck_batch_norm_gradient_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_batch_norm_sums(CK_SUM_GRADIENTS_CENTRED, context, chunk);
}

CK_INLINE void ck_batch_norm_combine(const ck_batch_norm *n) {
  size_t width = 2 * n->channels;
  if (n->cut.count == 0)
    for (size_t i = 0; i < width; i++) n->partials[i] = 0;
  for (size_t chunk = 1; chunk < n->cut.count; chunk++)
    for (size_t i = 0; i < width; i++) n->partials[i] += n->partials[chunk * width + i];
}

static void CK_FN(normalization_f32)(ck_pool *pool, size_t rows, size_t channels, const float *x,
                                     const ck_normalization *n, void *scratch) {
  ck_batch_norm call = {.cut = ck_cut_partial_rows(rows, channels), .rows = rows, .channels = channels, .x = x,
                        .partials = scratch};
  ck_pool_run(pool, call.cut.count, ck_batch_norm_statistics_chunk, &call);
  ck_batch_norm_combine(&call);
  normalization_finish(n, rows, channels, call.partials, call.partials + channels);
}

static void CK_FN(normalization_gradient_f32)(ck_pool *pool, size_t rows, size_t channels, const float *dy,
                                              const ck_normalization_gradient *n, void *scratch) {
  ck_batch_norm call = {.cut = ck_cut_partial_rows(rows, channels), .rows = rows, .channels = channels, .x = n->x,
                        .dy = dy, .mean = n->mean, .partials = scratch};
  ck_pool_run(pool, call.cut.count, ck_batch_norm_gradient_chunk, &call);
  ck_batch_norm_combine(&call);
  normalization_gradient_finish(n, rows, channels, call.partials, call.partials + channels);
}

// Channels whose coefficients are held at a time; the loop over rows runs inside.
#define CK_CHANNEL_BLOCK CK_WIDE

typedef struct affine_call {
  ck_cut cut;
  size_t channels;
  const ck_affine *x;
  float *y;
} affine_call;

CK_INLINE void affine_rows(const affine_kind kind, const affine_call *call, size_t chunk) {
  size_t C = call->channels, start = ck_cut_start(&call->cut, chunk), rows = ck_cut_length(&call->cut, chunk);
  // Aligned, for a register that straddles two cache lines costs two loads.
  _Alignas(64) float scale[CK_CHANNEL_BLOCK], second_scale[CK_CHANNEL_BLOCK], shift[CK_CHANNEL_BLOCK];
  for (size_t from = 0; from < C; from += CK_CHANNEL_BLOCK) {
    size_t width = ck_least(CK_CHANNEL_BLOCK, C - from);
    // Narrow rows are taken several at a time, so that every register is full.
    size_t repeats = width == C ? ck_rows_per_wide_row(C) : 1, length = width * repeats;
    for (size_t i = 0; i < length && kind != AFFINE_PLAIN; i++) {
      scale[i] = call->x->scale[from + i % width], shift[i] = call->x->shift[from + i % width];
      if (kind == AFFINE_TWO) second_scale[i] = call->x->second_scale[from + i % width];
    }
    const ck_affine x = {.x = call->x->x, .scale = scale, .shift = shift, .second = call->x->second,
                         .second_scale = second_scale, .relu = call->x->relu};
    for (size_t r = 0; r < rows; r += repeats) {
      size_t offset = (start + r) * C + from;
      size_t row = ck_least(length, (rows - r) * width);  // the last wide row may be short
      for (size_t i = 0; i < row; i += CK_LANES) {
        affine_lanes k = affine_lanes_at(kind, &x, i, CK_LANES);
        vf_store_upto(call->y + offset + i, affine_load(kind, &x, &k, offset + i, row - i), row - i);
      }
    }
  }
}
#define CK_AFFINE_CHUNK(kind)                                                   \
  static void affine_chunk_##kind(void *context, size_t chunk, size_t worker) { \
    (void)worker;                                                               \
    affine_rows(kind, context, chunk);                                          \
  }
CK_AFFINE_CHUNK(AFFINE_PLAIN)
CK_AFFINE_CHUNK(AFFINE_ONE)
CK_AFFINE_CHUNK(AFFINE_TWO)

static void CK_FN(affine_f32)(ck_pool *pool, size_t rows, size_t channels, const ck_affine *x, float *y) {
  static const ck_chunk chunks[AFFINE_KINDS] = {affine_chunk_AFFINE_PLAIN, affine_chunk_AFFINE_ONE,
                                                affine_chunk_AFFINE_TWO};
  affine_call call = {.cut = ck_cut_rows(rows, channels, CK_CHUNK_ELEMENTS), .channels = channels, .x = x, .y = y};
  ck_pool_run(pool, call.cut.count, chunks[affine_kind_of(x)], &call);
}

#endif
