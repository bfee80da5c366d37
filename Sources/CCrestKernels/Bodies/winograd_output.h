// Winograd's algorithm after its products: these transformed back, with what is done to outputs while they are stored.
// Legend: m outputs of a tile's edge, n points of it, t tile.
#ifndef CK_WINOGRAD_OUTPUT_H
#define CK_WINOGRAD_OUTPUT_H

#include "normalization.h"
#include "winograd_input.h"

typedef struct winograd_call {
  const ck_conv2d *p;
  ck_winograd_plan plan;
  ck_cut cut;
  size_t m;
  const ck_affine *x;
  float *input;
  const float *u;
  const ck_conv2d_output *y;
  double *sums;  // per chunk: first and second sum of a normalisation, or of each gradient's
  float *workers;
} winograd_call;

typedef enum winograd_mode { WINOGRAD_STORE, WINOGRAD_NORMALIZE, WINOGRAD_GRADIENT } winograd_mode;

// The sums of a block in floats; those of a normalisation are of differences from `pivot`, a value of the block, so
// that means far from zero do not cancel.
typedef struct winograd_block_sums { vf first, second[2], pivot; } winograd_block_sums;

// Transforms one tile's products to outputs and stores them. `rows` and `columns` say how many of its m × m outputs
// there are; `whole` that it is all.
CK_INLINE void winograd_output_lanes(const size_t m, const size_t n, const winograd_mode mode, const bool whole,
                                     const ck_conv2d_output *y, const float *products, size_t step, size_t place,
                                     size_t row_pitch, size_t column_pitch, size_t rows, size_t columns, size_t channel,
                                     size_t lanes, bool opens, winograd_block_sums *sums) {
  vf half[4][6], o[4][4];
  CK_UNROLL for (size_t j = 0; j < n; j++) {
    vf d[6], r[4];
    CK_UNROLL for (size_t i = 0; i < n; i++) d[i] = vf_load(products + (i * n + j) * step);
    winograd_output(m, n, d, r);
    CK_UNROLL for (size_t i = 0; i < m; i++) half[i][j] = r[i];
  }
  CK_UNROLL for (size_t i = 0; i < m; i++) winograd_output(m, n, half[i], o[i]);

#define CK_EACH_OUTPUT(i, j)                   \
  CK_UNROLL for (size_t i = 0; i < m; i++)     \
  CK_UNROLL for (size_t j = 0; j < m; j++) if (whole || (i < rows && j < columns))
#define CK_PLACE(i, j) (place + i * row_pitch + j * column_pitch)
  if (y->bias) {
    vf bias = vf_load_upto(y->bias + channel, lanes);
    CK_EACH_OUTPUT(i, j) o[i][j] += bias;
  }
  if (mode == WINOGRAD_GRADIENT) {
    if (y->addend) {
      CK_EACH_OUTPUT(i, j) o[i][j] += vf_load_upto(y->addend + CK_PLACE(i, j), lanes);
    }
    if (y->mask && y->mask_scale) {
      vf scale = vf_load_upto(y->mask_scale + channel, lanes), shift = vf_load_upto(y->mask_shift + channel, lanes);
      CK_EACH_OUTPUT(i, j)
        o[i][j] = (vf)((vi)o[i][j] & (vf_fma(vf_load_upto(y->mask + CK_PLACE(i, j), lanes), scale, shift) > 0));
    } else if (y->mask) {
      CK_EACH_OUTPUT(i, j) o[i][j] = (vf)((vi)o[i][j] & (vf_load_upto(y->mask + CK_PLACE(i, j), lanes) > 0));
    }
  }
  CK_EACH_OUTPUT(i, j) vf_store_upto(y->y + CK_PLACE(i, j), o[i][j], lanes);
  if (mode == WINOGRAD_NORMALIZE) {
    if (opens) sums->pivot = o[0][0];
    CK_EACH_OUTPUT(i, j) {
      vf difference = o[i][j] - sums->pivot;
      sums->first += difference;
      sums->second[0] = vf_fma(difference, difference, sums->second[0]);
    }
  }
  if (mode == WINOGRAD_GRADIENT) {
#define CK_SUM_CENTRED(g)                                                                                    \
  if (y->gradient_count > g) {                                                                               \
    const vf mean = vf_load_upto(y->gradients[g]->mean + channel, lanes);                                    \
    const float *x = y->gradients[g]->x;                                                                     \
    CK_EACH_OUTPUT(i, j)                                                                                     \
      sums->second[g] = vf_fma(o[i][j], vf_load_upto(x + CK_PLACE(i, j), lanes) - mean, sums->second[g]);    \
  }
    if (y->gradient_count > 0) CK_EACH_OUTPUT(i, j) sums->first += o[i][j];
    CK_SUM_CENTRED(0)
    CK_SUM_CENTRED(1)
#undef CK_SUM_CENTRED
  }
#undef CK_EACH_OUTPUT
#undef CK_PLACE
}

CK_INLINE size_t winograd_sum_pairs(const ck_conv2d_output *y) {
  return y->normalization ? 1 : y->gradient_count;
}

// Adds a block's sums to the chunk's.
CK_INLINE void winograd_add_sums(const winograd_mode mode, const ck_conv2d_output *y, size_t channels, size_t channel,
                                 size_t lanes, size_t count, const winograd_block_sums *sums, double *chunk) {
  for (size_t pair = 0; pair < winograd_sum_pairs(y); pair++) {
    double *first = chunk + pair * 2 * channels + channel, *second = first + channels;
    for (size_t i = 0; i < lanes; i++) {
      double a = (double)sums->first[i], b = (double)sums->second[pair][i];
      if (mode == WINOGRAD_NORMALIZE) {
        double pivot = (double)sums->pivot[i];
        b += pivot * (2 * a + (double)count * pivot);
        a += (double)count * pivot;
      }
      first[i] += a;
      second[i] += b;
    }
  }
}

// Transforms a register of filters of a block back.
CK_INLINE void winograd_output_block(const size_t m, const size_t n, const winograd_mode mode,
                                     const winograd_call *call, size_t first, size_t end, const float *products,
                                     size_t width, size_t channel, double *chunk) {
  const ck_conv2d *p = call->p;
  const size_t O = p->output_channels, lanes = ck_least(CK_LANES, O - channel);
  winograd_block_sums sums = {{0}, {{0}, {0}}, {0}};
  size_t count = 0;
  for (size_t t = first; t < end;) {
    const winograd_run run = winograd_run_at(&call->plan, t, end);
    const size_t row = run.row * m, rows = ck_least(m, p->output_height - row);
    for (size_t i = 0; i < run.count; i++, t++, products += width) {
      const size_t column = (run.column + i) * m, columns = ck_least(m, p->output_width - column);
      const size_t place = ((run.image * p->output_height + row) * p->output_width + column) * O + channel;
      if (rows == m && columns == m && lanes == CK_LANES)
        winograd_output_lanes(m, n, mode, true, call->y, products, call->plan.output_step, place,
                              p->output_width * O, O, m, m, channel, CK_LANES, t == first, &sums);
      else
        winograd_output_lanes(m, n, mode, false, call->y, products, call->plan.output_step, place, p->output_width * O,
                              O, rows, columns, channel, lanes, t == first, &sums);
      count += rows * columns;
    }
  }
  if (mode != WINOGRAD_STORE) winograd_add_sums(mode, call->y, O, channel, lanes, count, &sums, chunk);
}

typedef void (*winograd_output_function)(const winograd_call *call, size_t first, size_t end, const float *products,
                                         size_t width, size_t channel, double *chunk);
#define CK_WINOGRAD_OUTPUT(m, n, mode)                                                                      \
  static void winograd_output_##m##_##n##_##mode(const winograd_call *call, size_t first, size_t end,       \
                                                 const float *products, size_t width, size_t channel,       \
                                                 double *chunk) {                                           \
    winograd_output_block(m, n, mode, call, first, end, products, width, channel, chunk);                   \
  }
#define CK_WINOGRAD_OUTPUTS(m, n)            \
  CK_WINOGRAD_OUTPUT(m, n, WINOGRAD_STORE)     \
  CK_WINOGRAD_OUTPUT(m, n, WINOGRAD_NORMALIZE) \
  CK_WINOGRAD_OUTPUT(m, n, WINOGRAD_GRADIENT)
#define CK_WINOGRAD_OUTPUT_NAMES(m, n) \
  {winograd_output_##m##_##n##_WINOGRAD_STORE, winograd_output_##m##_##n##_WINOGRAD_NORMALIZE, \
   winograd_output_##m##_##n##_WINOGRAD_GRADIENT}
CK_WINOGRAD_OUTPUTS(2, 4)
CK_WINOGRAD_OUTPUTS(4, 6)
CK_WINOGRAD_OUTPUTS(2, 6)
static const winograd_output_function winograd_outputs[CK_WINOGRAD_FORMS][3] = {
    CK_WINOGRAD_OUTPUT_NAMES(2, 4), CK_WINOGRAD_OUTPUT_NAMES(4, 6), CK_WINOGRAD_OUTPUT_NAMES(2, 6)};

CK_INLINE winograd_mode winograd_mode_of(const ck_conv2d_output *y) {
  if (y->normalization) return WINOGRAD_NORMALIZE;
  return y->addend || y->mask || y->gradient_count > 0 ? WINOGRAD_GRADIENT : WINOGRAD_STORE;
}

#endif
