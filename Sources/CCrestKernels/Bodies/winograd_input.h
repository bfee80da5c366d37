// Winograd's algorithm before its products: tiles of an image, or of the gradient of one, transformed to points.
// Legend: m outputs of a tile's edge, taps of a filter's edge, n = m + taps - 1 points, t tile.
#ifndef CK_WINOGRAD_INPUT_H
#define CK_WINOGRAD_INPUT_H

#include "../Plans/winograd_plan.h"
#include "affine.h"
#include "winograd_transforms.h"

// Tiles side by side in a row of an image.
typedef struct winograd_run { size_t image, row, column, count; } winograd_run;

CK_INLINE winograd_run winograd_run_at(const ck_winograd_plan *plan, size_t t, size_t end) {
  size_t per_image = plan->rows * plan->columns, in_image = t % per_image;
  winograd_run run = {.image = t / per_image, .row = in_image / plan->columns, .column = in_image % plan->columns};
  run.count = ck_least(ck_least(end - t, plan->columns - run.column), CK_WINOGRAD_RUN);
  return run;
}

// Tiles of an image as rows of points: point i of tile t begins at points + i · step + t · pitch.
typedef struct winograd_image {
  const ck_affine *image;
  float *copy;  // or null: gets what the tiles' own places hold
  size_t height, width, channels;
  size_t pad_top, pad_left;
  float *points;
  size_t step, pitch;
  float *columns;  // scratch
} winograd_image;

// Transforms one register of channels of a run to rows `t` and on.
CK_INLINE void winograd_input_lanes(const size_t m, const size_t taps, const affine_kind kind,
                                    const winograd_image *g, const winograd_run *run, size_t t, size_t channel,
                                    const size_t lanes) {
  const size_t n = m + taps - 1, border = taps / 2;
  const affine_lanes k = affine_lanes_at(kind, g->image, channel, lanes);
  const ptrdiff_t top = (ptrdiff_t)(run->row * m) - (ptrdiff_t)g->pad_top;
  const ptrdiff_t left = (ptrdiff_t)(run->column * m) - (ptrdiff_t)g->pad_left;
  // A row outside the image has no place.
  size_t place[6];
  bool inside[6];
  for (size_t i = 0; i < n; i++) {
    ptrdiff_t row = top + (ptrdiff_t)i;
    inside[i] = row >= 0 && (size_t)row < g->height;
    place[i] = inside[i] ? (run->image * g->height + (size_t)row) * g->width * g->channels + channel : 0;
  }
  const size_t columns = m * run->count + taps - 1;
  for (size_t j = 0; j < columns; j++) {
    const ptrdiff_t column = left + (ptrdiff_t)j;
    float *to = g->columns + j * n * CK_LANES;
    vf d[6], r[6];
    if (column < 0 || (size_t)column >= g->width) {
      CK_UNROLL for (size_t i = 0; i < n; i++) vf_store(to + i * CK_LANES, vf_splat(0));
      continue;
    }
    const size_t along = (size_t)column * g->channels;
    CK_UNROLL for (size_t i = 0; i < n; i++)
      d[i] = inside[i] ? affine_load(kind, g->image, &k, place[i] + along, lanes) : vf_splat(0);
    if (kind != AFFINE_PLAIN && g->copy && j >= border && j < border + m * run->count) {
      CK_UNROLL for (size_t i = border; i < border + m; i++)
        if (inside[i]) vf_store_upto(g->copy + place[i] + along, d[i], lanes);
    }
    winograd_input(n, d, r);
    CK_UNROLL for (size_t i = 0; i < n; i++) vf_store(to + i * CK_LANES, r[i]);
  }
  for (size_t tile = 0; tile < run->count; tile++) {
    const float *from = g->columns + tile * m * n * CK_LANES;
    float *to = g->points + (t + tile) * g->pitch + channel;
    CK_UNROLL for (size_t i = 0; i < n; i++) {
      vf d[6], r[6];
      CK_UNROLL for (size_t j = 0; j < n; j++) d[j] = vf_load(from + (j * n + i) * CK_LANES);
      winograd_input(n, d, r);
      CK_UNROLL for (size_t j = 0; j < n; j++) vf_store(to + (i * n + j) * g->step, r[j]);
    }
  }
}

// Transforms one register of channels of a run of gradients of outputs, m × m a tile and zero outside the image.
CK_INLINE void winograd_gradient_lanes(const size_t m, const size_t taps, const affine_kind kind,
                                       const winograd_image *g, const winograd_run *run, size_t t, size_t channel,
                                       const size_t lanes) {
  const size_t n = m + taps - 1;
  const affine_lanes k = affine_lanes_at(kind, g->image, channel, lanes);
  for (size_t tile = 0; tile < run->count; tile++) {
    const size_t row = run->row * m, column = (run->column + tile) * m;
    const size_t place = ((run->image * g->height + row) * g->width + column) * g->channels + channel;
    vf half[4][6];
    CK_UNROLL for (size_t j = 0; j < m; j++) {
      vf d[4];
      CK_UNROLL for (size_t i = 0; i < m; i++) {
        bool inside = row + i < g->height && column + j < g->width;
        d[i] = inside ? affine_load(kind, g->image, &k, place + (i * g->width + j) * g->channels, lanes) : vf_splat(0);
      }
      winograd_output_gradient(m, n, d, half[j]);
    }
    float *to = g->points + (t + tile) * g->pitch + channel;
    CK_UNROLL for (size_t i = 0; i < n; i++) {
      vf d[4], r[6];
      CK_UNROLL for (size_t j = 0; j < m; j++) d[j] = half[j][i];
      winograd_output_gradient(m, n, d, r);
      CK_UNROLL for (size_t j = 0; j < n; j++) vf_store(to + (i * n + j) * g->step, r[j]);
    }
  }
}

typedef void (*winograd_transform)(const winograd_image *g, const winograd_run *run, size_t t);

// Constants where the lanes are inlined, so that registers hold a tile.
#define CK_WINOGRAD_TRANSFORM(name, m, taps, kind)                                                        \
  static void name##_##m##_##taps##_##kind(const winograd_image *g, const winograd_run *run, size_t t) {  \
    size_t c = 0;                                                                                         \
    for (; c + CK_LANES <= g->channels; c += CK_LANES) name##_lanes(m, taps, kind, g, run, t, c, CK_LANES); \
    if (c < g->channels) name##_lanes(m, taps, kind, g, run, t, c, g->channels - c);                      \
  }
#define CK_WINOGRAD_KINDS(name, m, taps)               \
  CK_WINOGRAD_TRANSFORM(name, m, taps, AFFINE_PLAIN)   \
  CK_WINOGRAD_TRANSFORM(name, m, taps, AFFINE_ONE)     \
  CK_WINOGRAD_TRANSFORM(name, m, taps, AFFINE_TWO)
#define CK_WINOGRAD_KIND_NAMES(name, m, taps) \
  {name##_##m##_##taps##_AFFINE_PLAIN, name##_##m##_##taps##_AFFINE_ONE, name##_##m##_##taps##_AFFINE_TWO}
// In the order of ck_winograd_form.
#define CK_WINOGRAD_TRANSFORMS(name)                                                             \
  CK_WINOGRAD_KINDS(name, 2, 3)                                                                  \
  CK_WINOGRAD_KINDS(name, 4, 3)                                                                  \
  CK_WINOGRAD_KINDS(name, 2, 5)                                                                  \
  static const winograd_transform name##s[CK_WINOGRAD_FORMS][AFFINE_KINDS] = {                   \
      CK_WINOGRAD_KIND_NAMES(name, 2, 3), CK_WINOGRAD_KIND_NAMES(name, 4, 3), CK_WINOGRAD_KIND_NAMES(name, 2, 5)};
CK_WINOGRAD_TRANSFORMS(winograd_input)
CK_WINOGRAD_TRANSFORMS(winograd_gradient)

CK_INLINE void winograd_transform_block(const winograd_transform transform, const winograd_image *g,
                                        const ck_winograd_plan *plan, size_t first, size_t end) {
  for (size_t t = first; t < end;) {
    winograd_run run = winograd_run_at(plan, t, end);
    transform(g, &run, t - first);
    t += run.count;
  }
}

#endif
