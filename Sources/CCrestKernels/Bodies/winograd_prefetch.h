// Memory that a block of tiles will touch, brought near while the products before it run.
// Legend: m outputs of a tile's edge, t tile.
#ifndef CK_WINOGRAD_PREFETCH_H
#define CK_WINOGRAD_PREFETCH_H

#include "tile.h"
#include "winograd_output.h"

// Memory that is brought near while products keep the arithmetic busy: streams of cache lines, a share of each at
// every tick. What an image's blocks touch lies too far apart for the hardware to see it coming.
typedef struct winograd_prefetch {
  size_t count, ticks, done;
  struct { const char *from; size_t lines; } streams[8];
  char *written;  // or null
  size_t written_lines;
} winograd_prefetch;

// The pixels that a block of tiles is the first to touch, of images of height × width pixels: whole rows of tiles.
CK_INLINE size_t winograd_first_pixel(const ck_winograd_plan *plan, size_t m, size_t t, size_t height, size_t width) {
  const size_t row = ck_ceil_div(t, plan->columns);
  return row / plan->rows * height * width + ck_least(height, row % plan->rows * m) * width;
}
CK_INLINE void winograd_prefetch_add(winograd_prefetch *fetch, const float *x, size_t first, size_t end,
                                     size_t channels) {
  if (x == NULL || end <= first) return;
  fetch->streams[fetch->count].from = (const char *)(x + first * channels);
  fetch->streams[fetch->count++].lines = ck_ceil_div((end - first) * channels, 16);
}
CK_INLINE void winograd_prefetch_affine(winograd_prefetch *fetch, const ck_affine *x, size_t first, size_t end,
                                        size_t channels) {
  winograd_prefetch_add(fetch, x->x, first, end, channels);
  winograd_prefetch_add(fetch, x->second, first, end, channels);
}
CK_INLINE void winograd_prefetch_tick(winograd_prefetch *fetch) {
  const size_t before = fetch->done, after = ++fetch->done;
  for (size_t s = 0; s < fetch->count; s++) {
    const size_t lines = fetch->streams[s].lines, last = lines * after / fetch->ticks;
    for (size_t line = lines * before / fetch->ticks; line < last; line++)
      __builtin_prefetch(fetch->streams[s].from + line * 64, 0, 2);
  }
  const size_t last = fetch->written_lines * after / fetch->ticks;
  for (size_t line = fetch->written_lines * before / fetch->ticks; line < last; line++)
    __builtin_prefetch(fetch->written + line * 64, 1, 3);
}

// What storing this block's outputs reads and writes, and what the next block reads, by the time the first panel of
// filters is done.
CK_INLINE winograd_prefetch winograd_prefetch_of(const winograd_call *call, size_t first, size_t end, size_t stop) {
  const ck_conv2d *p = call->p;
  const ck_winograd_plan *plan = &call->plan;
  const ck_conv2d_output *y = call->y;
  winograd_prefetch fetch = {.ticks = plan->points * ck_ceil_div(p->output_channels, CK_TILE_COLUMNS)};
  const size_t next = ck_least(stop, end + CK_WINOGRAD_TILES);
  winograd_prefetch_affine(&fetch, call->x, winograd_first_pixel(plan, call->m, end, p->height, p->width),
                           winograd_first_pixel(plan, call->m, next, p->height, p->width), p->channels);
  const size_t from = winograd_first_pixel(plan, call->m, first, p->output_height, p->output_width);
  const size_t to = winograd_first_pixel(plan, call->m, end, p->output_height, p->output_width);
  const size_t O = p->output_channels;
  winograd_prefetch_add(&fetch, y->addend, from, to, O);
  winograd_prefetch_add(&fetch, y->mask, from, to, O);
  for (size_t g = 0; g < y->gradient_count; g++)
    if (y->gradients[g]->x != y->mask) winograd_prefetch_add(&fetch, y->gradients[g]->x, from, to, O);
  if (to > from) fetch.written = (char *)(y->y + from * O), fetch.written_lines = ck_ceil_div((to - from) * O, 16);
  return fetch;
}

#endif
