// Convolutions with one filter per channel: lanes are channels, nothing is shared between them.
#ifndef CK_DEPTHWISE_H
#define CK_DEPTHWISE_H

#include "../Plans/conv2d_plan.h"
#include "tile.h"

#define CK_DEPTHWISE_COLUMNS 8  // outputs at once: enough independent sums to hide the latency of an FMA

// Filters (channels, taps) as (taps, channels).
static void depthwise_pack_filters(const float *w, size_t channels, size_t taps, float *out) {
  for (size_t tap = 0; tap < taps; tap++)
    for (size_t c = 0; c < channels; c++) out[tap * channels + c] = w[c * taps + tap];
}

CK_INLINE void depthwise_columns(const size_t columns, const tile_terms *terms, const float *a,
                                 const float *filters, const float *bias, float *y, size_t y_column,
                                 size_t channels, size_t lanes) {
  vf sum[CK_DEPTHWISE_COLUMNS];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < columns; i++) sum[i] = vf_splat(0);
  for (size_t outer = 0; outer < terms->outer; outer++) {
    for (size_t inner = 0; inner < terms->inner; inner++, filters += channels) {
      const float *x = a + outer * terms->a_outer + inner * terms->a_inner;
      vf w = vf_load_upto(filters, lanes);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < columns; i++)
        sum[i] = vf_fma(vf_load_upto(x + i * terms->a_row, lanes), w, sum[i]);
    }
  }
  tile_result result = {.alpha = 1};
#pragma clang loop unroll(full)
  for (size_t i = 0; i < columns; i++) tile_store(y + i * y_column, sum[i], lanes, &result, bias);
}

// One row of `count` outputs, all channels. The terms' taps are in the order of `filters`.
static void depthwise_row(const tile_terms *terms, const float *a, const float *filters, const float *bias,
                          float *y, size_t y_column, size_t count, size_t channels) {
  for (size_t c = 0; c < channels; c += CK_LANES) {
    size_t lanes = ck_least(CK_LANES, channels - c), u = 0;
    const float *channel_bias = bias ? bias + c : NULL;
    const float *from = a + c;
    float *to = y + c;
    for (; u + CK_DEPTHWISE_COLUMNS <= count; u += CK_DEPTHWISE_COLUMNS)
      depthwise_columns(CK_DEPTHWISE_COLUMNS, terms, from + u * terms->a_row, filters + c, channel_bias,
                        to + u * y_column, y_column, channels, lanes);
    for (; u < count; u++)
      depthwise_columns(1, terms, from + u * terms->a_row, filters + c, channel_bias, to + u * y_column,
                        y_column, channels, lanes);
  }
}

// Adds a block of `rows` rows to the sums (taps, channels) of the taps in kernel rows v0 ..< v1.
static void depthwise_filter_gradient(const ck_conv2d *p, size_t v0, size_t v1, const float *window,
                                      size_t pitch, const float *dy, size_t rows, bool fresh, float *sums) {
  tile_result result = {.alpha = 1, .scale = fresh ? 0 : 1};
  for (size_t v = v0; v < v1; v++) {
    for (size_t tap = 0; tap < p->kernel_width; tap++) {
      for (size_t c = 0; c < p->channels; c += CK_LANES) {
        size_t lanes = ck_least(CK_LANES, p->channels - c), step = p->stride_width * p->channels;
        vf even = vf_splat(0), odd = vf_splat(0);
        for (size_t t = 0; t < rows; t++) {
          const float *x = window + (t * p->stride_height + v * p->dilation_height) * pitch +
                           tap * p->dilation_width * p->channels + c;
          const float *d = dy + t * p->output_width * p->channels + c;
          size_t u = 0;
          for (; u + 2 <= p->output_width; u += 2, x += 2 * step, d += 2 * p->channels) {
            even = vf_fma(vf_load_upto(x, lanes), vf_load_upto(d, lanes), even);
            odd = vf_fma(vf_load_upto(x + step, lanes), vf_load_upto(d + p->channels, lanes), odd);
          }
          if (u < p->output_width) even = vf_fma(vf_load_upto(x, lanes), vf_load_upto(d, lanes), even);
        }
        tile_store(sums + (v * p->kernel_width + tap) * p->channels + c, even + odd, lanes, &result, NULL);
      }
    }
  }
}

#endif
