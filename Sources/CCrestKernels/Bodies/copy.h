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

typedef float ck_four __attribute__((vector_size(16), aligned(4), may_alias));

// y[i · y_row + j] = x[j · x_row + i] for 4 × 4 elements of four bytes.
CK_INLINE void ck_transpose_four(const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row) {
  ck_four a = *(const ck_four *)x, b = *(const ck_four *)(x + x_row);
  ck_four c = *(const ck_four *)(x + 2 * x_row), d = *(const ck_four *)(x + 3 * x_row);
  ck_four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  ck_four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(ck_four *)y = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(ck_four *)(y + y_row) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *(ck_four *)(y + 2 * y_row) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  *(ck_four *)(y + 3 * y_row) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// y[i · y_row + j] = x[j · x_row + i] for i < m, j < n. Images make strides of powers of two, whose lines share a
// few cache sets; so the side with the longer stride is finished line by line, sixteen elements at a time.
CK_INLINE void ck_transpose(size_t m, size_t n, const float *x, ptrdiff_t x_row, float *y, ptrdiff_t y_row) {
  size_t m4 = m / 4 * 4, n4 = n / 4 * 4;
  bool x_first = imaxabs(x_row) >= imaxabs(y_row);
  for (size_t i16 = 0; i16 < m4; i16 += 16)
    for (size_t j16 = 0; j16 < n4; j16 += 16) {
      size_t i_end = ck_least(m4, i16 + 16), j_end = ck_least(n4, j16 + 16);
      if (x_first) {
        for (size_t j = j16; j < j_end; j += 4)
          for (size_t i = i16; i < i_end; i += 4)
            ck_transpose_four(x + (ptrdiff_t)j * x_row + i, x_row, y + (ptrdiff_t)i * y_row + j, y_row);
      } else {
        for (size_t i = i16; i < i_end; i += 4)
          for (size_t j = j16; j < j_end; j += 4)
            ck_transpose_four(x + (ptrdiff_t)j * x_row + i, x_row, y + (ptrdiff_t)i * y_row + j, y_row);
      }
    }
  for (size_t i = 0; i < m; i++)
    for (size_t j = i < m4 ? n4 : 0; j < n; j++) {
      // Not a float's load and store, which could quieten a signalling NaN on some machines.
      memcpy(y + (ptrdiff_t)i * y_row + j, x + (ptrdiff_t)j * x_row + i, 4);
    }
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
