// Rows and elements chosen by an index, and updates put where an index says. Indices are int32 or int64, each in
// -size ..< size, as the caller has checked; those below 0 count from the end.
#ifndef CK_CHOICE_H
#define CK_CHOICE_H

#include "../Plans/chunks.h"
#include "vector.h"

CK_INLINE size_t ck_index(ck_type type, const void *indices, size_t place, size_t size) {
  int64_t index = type == CK_INT32 ? ((const int32_t *)indices)[place] : ((const int64_t *)indices)[place];
  return (size_t)(index < 0 ? index + (int64_t)size : index);
}

typedef struct ck_gathering {
  ck_cut cut;  // of the rows that are chosen
  ck_type index_type;
  size_t size, count, row_bytes;
  const void *indices;
  const char *x;
  char *y;
} ck_gathering;

static void ck_gather_rows_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_gathering *g = context;
  size_t from = ck_cut_start(&g->cut, chunk), to = from + ck_cut_length(&g->cut, chunk), bytes = g->row_bytes;
  for (size_t row = from; row < to; row++) {
    size_t chosen = row / g->count * g->size + ck_index(g->index_type, g->indices, row % g->count, g->size);
    if (bytes == 4)
      memcpy(g->y + row * 4, g->x + chosen * 4, 4);
    else
      memcpy(g->y + row * bytes, g->x + chosen * bytes, bytes);
  }
}

static void CK_FN(gather)(ck_pool *pool, ck_type index_type, size_t element_bytes, size_t outer, size_t size,
                          size_t count, size_t inner, const void *indices, const void *x, void *y) {
  ck_gathering g = {ck_cut_rows(outer * count, inner * element_bytes / 4, CK_CHUNK_ELEMENTS), index_type, size, count,
                    inner * element_bytes, indices, x, y};
  if (inner == 0) return;
  ck_pool_run(pool, g.cut.count, ck_gather_rows_chunk, &g);
}

CK_INLINE double ck_joined(ck_joining joining, double old, double update) {
  switch (joining) {
  case CK_JOIN_REPLACE: return update;
  case CK_JOIN_ADD: return old + update;
  case CK_JOIN_MULTIPLY: return old * update;
  case CK_JOIN_MAXIMUM: return old > update || old != old ? old : update;
  case CK_JOIN_MINIMUM: return old < update || old != old ? old : update;
  }
}

// The updates of a row are a chain in their order: the first of row r is first[r], and the one after k is next[k]. A row
// is joined in double, and rounded once.
typedef struct ck_scattering {
  ck_cut cut, rows, columns;  // of outer indices times ranges of rows times blocks of columns; of rows; of columns
  ck_joining joining;
  size_t size, count, inner;
  const size_t *first, *next;
  const float *updates;
  float *y;
} ck_scattering;

#define CK_NO_UPDATE SIZE_MAX
#define CK_SCATTER_COLUMNS ((size_t)256)

CK_INLINE void ck_join_sums(ck_joining joining, size_t n, const float *update, double *sums) {
  if (joining == CK_JOIN_ADD)
    for (size_t i = 0; i < n; i++) sums[i] += (double)update[i];
  else
    for (size_t i = 0; i < n; i++) sums[i] = ck_joined(joining, sums[i], (double)update[i]);
}

static void ck_scatter_rows_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_scattering *s = context;
  size_t from = ck_cut_start(&s->cut, chunk), to = from + ck_cut_length(&s->cut, chunk);
  for (size_t item = from; item < to; item++) {
    size_t block = item % s->columns.count, rest = item / s->columns.count;
    size_t range = rest % s->rows.count, outer = rest / s->rows.count;
    size_t column = ck_cut_start(&s->columns, block), n = ck_cut_length(&s->columns, block);
    size_t start = ck_cut_start(&s->rows, range), end = start + ck_cut_length(&s->rows, range);
    const float *updates = s->updates + outer * s->count * s->inner + column;
    for (size_t row = start; row < end; row++) {
      if (s->first[row] == CK_NO_UPDATE) continue;
      float *y = s->y + (outer * s->size + row) * s->inner + column;
      double sums[CK_SCATTER_COLUMNS];
      for (size_t i = 0; i < n; i++) sums[i] = (double)y[i];
      for (size_t k = s->first[row]; k != CK_NO_UPDATE; k = s->next[k])
        ck_join_sums(s->joining, n, updates + k * s->inner, sums);
      for (size_t i = 0; i < n; i++) y[i] = (float)sums[i];
    }
  }
}

static void CK_FN(scatter_f32)(ck_pool *pool, ck_type index_type, ck_joining joining, size_t outer, size_t size,
                               size_t count, size_t inner, const void *indices, const float *updates, float *y,
                               void *scratch) {
  if (outer == 0 || count == 0 || inner == 0) return;
  size_t *first = scratch, *next = first + size;
  for (size_t row = 0; row < size; row++) first[row] = CK_NO_UPDATE;
  for (size_t k = count; k-- > 0;) {
    size_t row = ck_index(index_type, indices, k, size);
    next[k] = first[row], first[row] = k;
  }
  ck_scattering s = {.rows = ck_cut_by(size, 64), .columns = ck_cut_by(inner, CK_SCATTER_COLUMNS), .joining = joining,
                     .size = size, .count = count, .inner = inner, .first = first, .next = next, .updates = updates,
                     .y = y};
  // As many chunks as there is work for, though some rows may have most of it.
  size_t items = outer * s.rows.count * s.columns.count, work = outer * (count * inner + size);
  s.cut = ck_cut_by(items, items / (work / 4096 + 1));
  ck_pool_run(pool, s.cut.count, ck_scatter_rows_chunk, &s);
}

// Elements chosen one by one go by rows of the last axis of their indices.
typedef struct ck_choosing {
  const ck_element_choice *p;
  ck_cut cut;     // of rows, or of groups of rows that may meet in an element, times blocks
  ck_cut blocks;  // of a row's elements
  size_t rows;    // of a group
  ck_type index_type;
  ck_joining joining;
  size_t element_bytes;
  const void *indices;
  const char *x;
  char *y;
} ck_choosing;

// Where the data's elements of a row begin.
CK_INLINE size_t ck_row_start(const ck_element_choice *p, size_t row) {
  size_t start = 0;
  for (size_t d = p->rank - 1; d-- > 0; row /= p->sizes[d])
    if (d != p->axis) start += row % p->sizes[d] * p->strides[d];
  return start;
}

#define CK_TAKE_ELEMENTS(bytes)                                                                            \
  for (size_t j = 0; j < n; j++) {                                                                         \
    size_t place = start + j * step + ck_index(c->index_type, c->indices, row * n + j, p->size) * along;   \
    memcpy(c->y + (row * n + j) * bytes, c->x + place * bytes, bytes);                                     \
  }                                                                                                        \
  break

static void ck_gather_elements_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_choosing *c = context;
  const ck_element_choice *p = c->p;
  size_t last = p->rank - 1, n = p->sizes[last], along = p->strides[p->axis];
  size_t step = p->axis == last ? 0 : p->strides[last];
  size_t from = ck_cut_start(&c->cut, chunk), to = from + ck_cut_length(&c->cut, chunk);
  for (size_t row = from; row < to; row++) {
    size_t start = ck_row_start(p, row);
    switch (c->element_bytes) {
    case 1: CK_TAKE_ELEMENTS(1);
    case 2: CK_TAKE_ELEMENTS(2);
    case 4: CK_TAKE_ELEMENTS(4);
    case 8: CK_TAKE_ELEMENTS(8);
    }
  }
}

CK_INLINE size_t ck_size_product(const ck_element_choice *p, size_t from, size_t to) {
  size_t product = 1;
  for (size_t d = from; d < to; d++) product *= p->sizes[d];
  return product;
}

static void CK_FN(gather_elements)(ck_pool *pool, ck_type index_type, size_t element_bytes, const ck_element_choice *p,
                                   const void *indices, const void *x, void *y) {
  size_t rows = ck_size_product(p, 0, p->rank - 1), columns = p->sizes[p->rank - 1];
  if (rows == 0 || columns == 0) return;
  ck_choosing c = {.p = p, .cut = ck_cut_rows(rows, columns, CK_CHUNK_ELEMENTS / 4), .index_type = index_type,
                   .element_bytes = element_bytes, .indices = indices, .x = x, .y = y};
  ck_pool_run(pool, c.cut.count, ck_gather_elements_chunk, &c);
}

// Updates meet in an element only along the axis: rows that differ in it alone are one task, and in order.
static void ck_scatter_elements_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_choosing *c = context;
  const ck_element_choice *p = c->p;
  const float *updates = (const float *)c->x;
  float *y = (float *)c->y;
  size_t last = p->rank - 1, n = p->sizes[last], along = p->strides[p->axis];
  size_t step = p->axis == last ? 0 : p->strides[last];
  size_t from = ck_cut_start(&c->cut, chunk), to = from + ck_cut_length(&c->cut, chunk);
  for (size_t item = from; item < to; item++) {
    size_t group = item / c->blocks.count, block = item % c->blocks.count;
    size_t first = ck_cut_start(&c->blocks, block), end = first + ck_cut_length(&c->blocks, block);
    for (size_t row = group * c->rows; row < (group + 1) * c->rows; row++) {
      size_t start = ck_row_start(p, row);
      for (size_t j = first; j < end; j++) {
        size_t place = start + j * step + ck_index(c->index_type, c->indices, row * n + j, p->size) * along;
        y[place] = (float)ck_joined(c->joining, (double)y[place], (double)updates[row * n + j]);
      }
    }
  }
}

static void CK_FN(scatter_elements_f32)(ck_pool *pool, ck_type index_type, ck_joining joining,
                                        const ck_element_choice *p, const void *indices, const float *updates,
                                        float *y) {
  size_t last = p->rank - 1, columns = p->sizes[last];
  bool is_last = p->axis == last;
  size_t rows = is_last ? 1 : ck_size_product(p, p->axis, last);
  size_t groups = ck_size_product(p, 0, is_last ? last : p->axis);
  if (rows == 0 || groups == 0 || columns == 0) return;
  ck_choosing c = {.p = p, .blocks = ck_cut_by(columns, is_last ? columns : 256), .rows = rows,
                   .index_type = index_type, .joining = joining, .indices = indices, .x = (const char *)updates,
                   .y = (char *)y};
  c.cut = ck_cut_rows(groups * c.blocks.count, rows * c.blocks.size, CK_CHUNK_ELEMENTS / 4);
  ck_pool_run(pool, c.cut.count, ck_scatter_elements_chunk, &c);
}

#endif
