#ifndef CK_COPY_H
#define CK_COPY_H

#include "../Plans/chunks.h"
#include "vector.h"

// A normalised box: no dimension of one element, the output's strides falling in size, neighbours merged where both
// sides walk them as one. The last dimension (rows), or the last and `across` (transposes), is cut into tiles.
typedef struct ck_box {
  size_t element_bytes, rank, sizes[CK_MAX_RANK];
  ptrdiff_t x_strides[CK_MAX_RANK], y_strides[CK_MAX_RANK];
  const char *x;
  char *y;
  size_t across;        // the dimension along which x is contiguous, or the last
  ck_cut rows, lines;   // tiles of the last dimension, and of `across` where it is another
  ck_cut cut;           // of the tiles
} ck_box;

#define CK_TILE_ELEMENTS ((size_t)4096)

static void ck_box_normalise(ck_box *box, size_t rank, const size_t *sizes, const ptrdiff_t *x_strides,
                             const ptrdiff_t *y_strides) {
  size_t order[CK_MAX_RANK], count = 0;
  for (size_t d = 0; d < rank; d++) {
    if (sizes[d] == 1) continue;
    size_t at = count++;
    for (; at > 0 && imaxabs(y_strides[order[at - 1]]) < imaxabs(y_strides[d]); at--) order[at] = order[at - 1];
    order[at] = d;
  }
  box->rank = 0;
  for (size_t i = 0; i < count; i++) {
    size_t d = order[i], last = box->rank - 1;
    ptrdiff_t size = (ptrdiff_t)sizes[d];
    if (box->rank > 0 && box->x_strides[last] == x_strides[d] * size && box->y_strides[last] == y_strides[d] * size)
      box->sizes[last] *= sizes[d];
    else
      box->sizes[last = box->rank++] = sizes[d];
    box->x_strides[last] = x_strides[d], box->y_strides[last] = y_strides[d];
  }
  if (box->rank > 0) return;
  box->rank = box->sizes[0] = 1;
  box->x_strides[0] = box->y_strides[0] = 1;
}

// One strided line per element size; a copy of known size becomes one load and store.
#define CK_COPY_LINE(bytes)                                                           \
  for (size_t i = 0; i < n; i++)                                                      \
    memcpy(y + (ptrdiff_t)i * y_stride * bytes, x + (ptrdiff_t)i * x_stride * bytes, bytes); \
  break
static void ck_copy_line(size_t element_bytes, size_t n, const char *x, ptrdiff_t x_stride, char *y,
                         ptrdiff_t y_stride) {
  switch (element_bytes) {
  case 1: CK_COPY_LINE(1);
  case 2: CK_COPY_LINE(2);
  case 4: CK_COPY_LINE(4);
  case 8: CK_COPY_LINE(8);
  }
}

// y[i · y_row + j] = x[j · x_row + i] for i < m, j < n, by squares of registers: whole cache lines on both sides
// where a register is one, so that the strides of images, powers of two whose lines share a few cache sets, do no
// harm. Values pass through registers as they are, signalling NaNs and integers too.
CK_INLINE void ck_transpose(size_t m, size_t n, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row) {
  size_t whole_m = m / CK_LANES * CK_LANES, whole_n = n / CK_LANES * CK_LANES;
  for (size_t i = 0; i < whole_m; i += CK_LANES)
    for (size_t j = 0; j < whole_n; j += CK_LANES) {
      vf square[CK_LANES];
      for (size_t r = 0; r < CK_LANES; r++) square[r] = vf_load(x + (ptrdiff_t)(j + r) * x_row + i);
      vf_transpose(square);
      for (size_t r = 0; r < CK_LANES; r++) vf_store(y + (ptrdiff_t)(i + r) * y_row + j, square[r]);
    }
  for (size_t j = whole_n; j < n; j++)
    ck_copy_line(4, m, (const char *)(x + (ptrdiff_t)j * x_row), 1, (char *)(y + j), y_row);
  for (size_t i = whole_m; i < m; i++)
    ck_copy_line(4, whole_n, (const char *)(x + i), x_row, (char *)(y + (ptrdiff_t)i * y_row), 1);
}

static void ck_copy_tile(const ck_box *box, size_t line, size_t lines, size_t start, size_t length, const char *x,
                         char *y) {
  size_t last = box->rank - 1, bytes = box->element_bytes;
  ptrdiff_t x_stride = box->x_strides[last], y_stride = box->y_strides[last];
  x += (ptrdiff_t)(start * bytes) * x_stride, y += (ptrdiff_t)(start * bytes) * y_stride;
  if (box->across == last) {
    if (x_stride == 1 && y_stride == 1)
      memcpy(y, x, length * bytes);
    else
      ck_copy_line(bytes, length, x, x_stride, y, y_stride);
    return;
  }
  ptrdiff_t y_line = box->y_strides[box->across];
  x += line * bytes, y += (ptrdiff_t)(line * bytes) * y_line;
  if (bytes == 4 && y_stride == 1) {
    ck_transpose(lines, length, (const float *)x, x_stride, (float *)y, y_line);
    return;
  }
  for (size_t i = 0; i < lines; i++)
    ck_copy_line(bytes, length, x + i * bytes, x_stride, y + (ptrdiff_t)(i * bytes) * y_line, y_stride);
}

static void ck_copy_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_box *box = context;
  size_t last = box->rank - 1, from = ck_cut_start(&box->cut, chunk), count = ck_cut_length(&box->cut, chunk);
  for (size_t tile = from; tile < from + count; tile++) {
    size_t rest = tile;
    size_t row_tile = rest % box->rows.count;
    rest /= box->rows.count;
    size_t line_tile = rest % box->lines.count;
    rest /= box->lines.count;
    ptrdiff_t x = 0, y = 0;
    for (size_t d = last; d-- > 0;) {
      if (d == box->across) continue;
      x += (ptrdiff_t)(rest % box->sizes[d]) * box->x_strides[d];
      y += (ptrdiff_t)(rest % box->sizes[d]) * box->y_strides[d];
      rest /= box->sizes[d];
    }
    ck_copy_tile(box, ck_cut_start(&box->lines, line_tile), ck_cut_length(&box->lines, line_tile),
                 ck_cut_start(&box->rows, row_tile), ck_cut_length(&box->rows, row_tile),
                 box->x + x * (ptrdiff_t)box->element_bytes, box->y + y * (ptrdiff_t)box->element_bytes);
  }
}

static void CK_FN(copy_box)(ck_pool *pool, size_t element_bytes, size_t rank, const size_t *sizes,
                            const ptrdiff_t *x_strides, const ptrdiff_t *y_strides, const void *x, void *y) {
  size_t count = 1;
  for (size_t d = 0; d < rank; d++) count *= sizes[d];
  if (count == 0) return;
  ck_box box = {.element_bytes = element_bytes, .x = x, .y = y};
  ck_box_normalise(&box, rank, sizes, x_strides, y_strides);
  size_t last = box.rank - 1;
  box.across = last;
  if (box.x_strides[last] != 1)
    for (size_t d = 0; d < last; d++)
      if (box.x_strides[d] == 1) box.across = d;
  if (box.across == last) {
    box.rows = ck_cut_by(box.sizes[last], CK_CHUNK_ELEMENTS);
    box.lines = ck_cut_by(1, 1);
  } else {
    box.rows = ck_cut_by(box.sizes[last], 64);
    box.lines = ck_cut_by(box.sizes[box.across], CK_TILE_ELEMENTS / ck_least(64, box.sizes[last]));
  }
  size_t tiles = box.rows.count * box.lines.count;
  for (size_t d = 0; d < last; d++)
    if (d != box.across) tiles *= box.sizes[d];
  box.cut = ck_cut_by(tiles, CK_CHUNK_ELEMENTS / (box.rows.size * box.lines.size));
  ck_pool_run(pool, box.cut.count, ck_copy_chunk, &box);
}

typedef struct ck_filling {
  ck_cut cut;
  size_t element_bytes;
  const void *value;
  char *y;
} ck_filling;

static void ck_fill_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_filling *f = context;
  size_t bytes = f->element_bytes, n = ck_cut_length(&f->cut, chunk) * bytes;
  char *y = f->y + ck_cut_start(&f->cut, chunk) * bytes;
  char pattern[CK_LANES * 4];
  for (size_t i = 0; i < sizeof pattern; i += bytes) memcpy(pattern + i, f->value, bytes);
  size_t i = 0;
  for (; i + sizeof pattern <= n; i += sizeof pattern) memcpy(y + i, pattern, sizeof pattern);
  memcpy(y + i, pattern, n - i);
}

static void CK_FN(fill)(ck_pool *pool, size_t element_bytes, size_t count, const void *value, void *y) {
  ck_filling f = {ck_cut_elements(count), element_bytes, value, y};
  ck_pool_run(pool, f.cut.count, ck_fill_chunk, &f);
}

#endif
