// Filters transformed to points, as panels for the products.
// Legend: m outputs of a tile's edge, taps of a filter's edge, n = m + taps - 1 points, j first filter of a panel.
#ifndef CK_WINOGRAD_FILTERS_H
#define CK_WINOGRAD_FILTERS_H

#include "../Plans/winograd_plan.h"
#include "tile.h"
#include "winograd_transforms.h"

typedef struct winograd_filters_call {
  size_t m, taps, filters, channels;  // of the convolution they are for
  bool turned;
  const float *w;
  float *u;
} winograd_filters_call;

CK_INLINE void winograd_filters_panel(const size_t m, const size_t taps, const winograd_filters_call *call, size_t j,
                                      size_t from, size_t to) {
  const size_t n = m + taps - 1, count = taps * taps, C = call->channels, columns = panel_columns(call->filters, j);
  const size_t width = panel_width(columns);
  float *panel = call->u + j * n * n * C;
  for (size_t c = from; c < to; c++) {
    for (size_t v = 0; v < width; v += CK_LANES) {
      vf half[5][6];
      for (size_t column = 0; column < taps; column++) {
        vf g[5];
        for (size_t row = 0; row < taps; row++) {
          float lane[CK_LANES];
          for (size_t i = 0; i < CK_LANES; i++) {
            size_t o = j + v + i, tap = row * taps + column;
            // Turned, filters and channels change places and taps run backwards.
            size_t place = call->turned ? (c * call->filters + o) * count + count - 1 - tap : (o * C + c) * count + tap;
            lane[i] = v + i < columns ? call->w[place] : 0;
          }
          g[row] = vf_load(lane);
        }
        winograd_filter(taps, n, g, half[column]);
      }
      CK_UNROLL for (size_t i = 0; i < n; i++) {
        vf g[5], r[6];
        CK_UNROLL for (size_t column = 0; column < taps; column++) g[column] = half[column][i];
        winograd_filter(taps, n, g, r);
        CK_UNROLL for (size_t k = 0; k < n; k++) vf_store(panel + ((i * n + k) * C + c) * width + v, r[k]);
      }
    }
  }
}

static void winograd_filters_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const winograd_filters_call *call = context;
  const size_t parts = ck_ceil_div(call->channels, CK_WINOGRAD_FILTER_CHANNELS);
  const size_t j = chunk / parts * CK_TILE_COLUMNS, from = chunk % parts * CK_WINOGRAD_FILTER_CHANNELS;
  const size_t to = ck_least(call->channels, from + CK_WINOGRAD_FILTER_CHANNELS);
  switch (ck_winograd_form_of(call->m, call->taps)) {
  case CK_WINOGRAD_2_3: winograd_filters_panel(2, 3, call, j, from, to); break;
  case CK_WINOGRAD_4_3: winograd_filters_panel(4, 3, call, j, from, to); break;
  default: winograd_filters_panel(2, 5, call, j, from, to);
  }
}

static void CK_FN(winograd_filters_f32)(ck_pool *pool, size_t m, size_t taps, size_t filters, size_t channels,
                                        bool turned, const float *w, float *u) {
  winograd_filters_call call = {m, taps, turned ? channels : filters, turned ? filters : channels, turned, w, u};
  const size_t parts = ck_ceil_div(call.channels, CK_WINOGRAD_FILTER_CHANNELS);
  ck_pool_run(pool, ck_ceil_div(call.filters, CK_TILE_COLUMNS) * parts, winograd_filters_chunk, &call);
}

#endif
