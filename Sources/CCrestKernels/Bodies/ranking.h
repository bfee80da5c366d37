// Where the largest and smallest elements of lines are. NaN counts as the largest of all in a ranking, and in a search
// as what is searched for.
#ifndef CK_RANKING_H
#define CK_RANKING_H

#include "cast.h"

typedef struct ck_ranking {
  ck_cut cut;  // of lines
  ck_type type;
  bool largest, takes_last;
  size_t k, length, inner;
  const void *x;
  int64_t *y;
} ck_ranking;

#define CK_SEARCH(element)                                                                    \
  {                                                                                           \
    const element *x = (const element *)r->x + start;                                         \
    for (size_t i = 1; i < r->length; i++) {                                                  \
      element a = x[i * r->inner], b = x[leader * r->inner];                                  \
      bool better = (r->largest ? a > b : a < b) || (a != a && b == b);                       \
      bool worse = (r->largest ? b > a : b < a) || (b != b && a == a);                        \
      if (better || (r->takes_last && !worse)) leader = i;                                    \
    }                                                                                         \
  }                                                                                           \
  break

static void ck_search_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_ranking *r = context;
  size_t from = ck_cut_start(&r->cut, chunk), to = from + ck_cut_length(&r->cut, chunk);
  for (size_t line = from; line < to; line++) {
    size_t start = line / r->inner * r->length * r->inner + line % r->inner, leader = 0;
    switch (r->type) {
    case CK_FLOAT32: CK_SEARCH(float);
    case CK_INT8: CK_SEARCH(int8_t);
    case CK_INT16: CK_SEARCH(int16_t);
    case CK_INT32: CK_SEARCH(int32_t);
    case CK_INT64: CK_SEARCH(int64_t);
    default: CK_SEARCH(uint8_t);
    }
    r->y[line] = (int64_t)leader;
  }
}

static void CK_FN(search)(ck_pool *pool, ck_type type, bool largest, bool takes_last, size_t outer, size_t length,
                          size_t inner, const void *x, int64_t *y) {
  ck_ranking r = {.cut = ck_cut_rows(outer * inner, length, CK_CHUNK_ELEMENTS / 4), .type = type, .largest = largest,
                  .takes_last = takes_last, .length = length, .inner = inner, .x = x, .y = y};
  ck_pool_run(pool, r.cut.count, ck_search_chunk, &r);
}

// Whether element i of a line comes before element j: a total order, for the first of equals does.
CK_INLINE bool ck_is_ahead(const ck_ranking *r, const float *x, int64_t i, int64_t j) {
  float a = x[(size_t)i * r->inner], b = x[(size_t)j * r->inner];
  bool less = a < b || (a == a && b != b), more = b < a || (b == b && a != a);
  return less || more ? (r->largest ? more : less) : i < j;
}

// Sinks the element at `place` of a heap of `count` whose root comes last.
static void ck_heap_sink(const ck_ranking *r, const float *x, int64_t *heap, size_t place, size_t count) {
  size_t step = r->inner;
  int64_t sinking = heap[place * step];
  for (size_t child; (child = 2 * place + 1) < count; place = child) {
    if (child + 1 < count && ck_is_ahead(r, x, heap[child * step], heap[(child + 1) * step])) child++;
    if (!ck_is_ahead(r, x, sinking, heap[child * step])) break;
    heap[place * step] = heap[child * step];
  }
  heap[place * step] = sinking;
}

// A heap of the best so far, in the output's place, whose root gives way to what comes before it; then in order.
static void ck_top_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_ranking *r = context;
  size_t from = ck_cut_start(&r->cut, chunk), to = from + ck_cut_length(&r->cut, chunk), step = r->inner;
  for (size_t line = from; line < to; line++) {
    const float *x = (const float *)r->x + line / step * r->length * step + line % step;
    int64_t *heap = r->y + line / step * r->k * step + line % step;
    for (size_t i = 0; i < r->k; i++) heap[i * step] = (int64_t)i;
    for (size_t i = r->k / 2; i-- > 0;) ck_heap_sink(r, x, heap, i, r->k);
    for (size_t i = r->k; i < r->length; i++) {
      if (!ck_is_ahead(r, x, (int64_t)i, heap[0])) continue;
      heap[0] = (int64_t)i;
      ck_heap_sink(r, x, heap, 0, r->k);
    }
    for (size_t count = r->k; count > 1; count--) {
      int64_t worst = heap[0];
      heap[0] = heap[(count - 1) * step], heap[(count - 1) * step] = worst;
      ck_heap_sink(r, x, heap, 0, count - 1);
    }
  }
}

static void CK_FN(top_f32)(ck_pool *pool, bool largest, size_t k, size_t outer, size_t length, size_t inner,
                           const float *x, int64_t *y) {
  ck_ranking r = {.cut = ck_cut_rows(outer * inner, length, CK_CHUNK_ELEMENTS / 16), .largest = largest, .k = k,
                  .length = length, .inner = inner, .x = x, .y = y};
  if (k == 0) return;
  ck_pool_run(pool, r.cut.count, ck_top_chunk, &r);
}

#endif
