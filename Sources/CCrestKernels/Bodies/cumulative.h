#ifndef CK_CUMULATIVE_H
#define CK_CUMULATIVE_H

#include "cast.h"

#define CK_CUMULATIVE_COLUMNS ((size_t)64)

typedef struct ck_cumulation {
  ck_cut cut, blocks;  // of outer indices times blocks of columns, and of columns
  ck_type type;
  size_t length, inner;
  bool exclusive, reversed;
  const void *x;
  void *y;
} ck_cumulation;

#define CK_CUMULATE(element, wide)                                               \
  {                                                                              \
    wide sums[CK_CUMULATIVE_COLUMNS] = {0};                                      \
    for (size_t step = 0; step < c->length; step++) {                            \
      size_t row = c->reversed ? c->length - 1 - step : step;                    \
      const element *x = (const element *)c->x + start + row * c->inner;         \
      element *y = (element *)c->y + start + row * c->inner;                     \
      for (size_t i = 0; i < columns; i++) {                                     \
        wide next = sums[i] + (wide)x[i];                                        \
        y[i] = (element)(c->exclusive ? sums[i] : next);                         \
        sums[i] = next;                                                          \
      }                                                                          \
    }                                                                            \
  }                                                                              \
  break

static void ck_cumulative_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_cumulation *c = context;
  size_t from = ck_cut_start(&c->cut, chunk), to = from + ck_cut_length(&c->cut, chunk);
  for (size_t item = from; item < to; item++) {
    size_t outer = item / c->blocks.count, block = item % c->blocks.count;
    size_t columns = ck_cut_length(&c->blocks, block);
    size_t start = outer * c->length * c->inner + ck_cut_start(&c->blocks, block);
    switch (c->type) {
    case CK_FLOAT32: CK_CUMULATE(float, double);
    case CK_INT64: CK_CUMULATE(uint64_t, uint64_t);
    case CK_INT32: CK_CUMULATE(uint32_t, uint32_t);
    case CK_INT16: CK_CUMULATE(uint16_t, uint16_t);
    default: CK_CUMULATE(uint8_t, uint8_t);
    }
  }
}

static void CK_FN(cumulative_sum)(ck_pool *pool, ck_type type, size_t outer, size_t length, size_t inner,
                                  bool exclusive, bool reversed, const void *x, void *y) {
  ck_cumulation c = {.blocks = ck_cut_by(inner, CK_CUMULATIVE_COLUMNS), .type = type, .length = length,
                     .inner = inner, .exclusive = exclusive, .reversed = reversed, .x = x, .y = y};
  if (outer == 0 || length == 0 || inner == 0) return;
  c.cut = ck_cut_rows(outer * c.blocks.count, length * c.blocks.size, CK_CHUNK_ELEMENTS / 4);
  ck_pool_run(pool, c.cut.count, ck_cumulative_chunk, &c);
}

#endif
