// Operations on integers, and on booleans as 0 and 1. All compute in int64, which holds every type, and keep the low
// bits that their type has, so that results wrap around.
#ifndef CK_WHOLE_H
#define CK_WHOLE_H

#include "cast.h"

#define CK_WHOLE_BLOCK ((size_t)256)

CK_INLINE int64_t ck_whole_add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }
CK_INLINE int64_t ck_whole_subtract(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
CK_INLINE int64_t ck_whole_multiply(int64_t a, int64_t b) { return (int64_t)((uint64_t)a * (uint64_t)b); }
CK_INLINE int64_t ck_whole_negative(int64_t a) { return ck_whole_subtract(0, a); }

// Truncated; by 0 it is 0.
CK_INLINE int64_t ck_whole_divide(int64_t a, int64_t b) {
  return b == 0 ? 0 : b == -1 ? ck_whole_negative(a) : a / b;
}

// With the sign of the divisor, or of the dividend; what is left by 0 is 0.
CK_INLINE int64_t ck_whole_remainder(int64_t a, int64_t b, bool follows_dividend) {
  if (b == 0 || b == -1) return 0;
  int64_t rest = a % b;
  return !follows_dividend && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// By squaring; a negative exponent makes a reciprocal, truncated.
CK_INLINE int64_t ck_whole_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  int64_t result = 1;
  for (int64_t square = base; exponent > 0; exponent /= 2, square = ck_whole_multiply(square, square))
    if (exponent % 2 == 1) result = ck_whole_multiply(result, square);
  return result;
}

CK_INLINE int ck_whole_operand_count(ck_whole_op op) {
  static const uint8_t counts[CK_WHOLE_COUNT] = {
#define CK_WHOLE_OP(name, operands, element) operands,
#include "../include/crest_whole.def"
#undef CK_WHOLE_OP
  };
  return counts[op];
}

typedef struct ck_whole_call {
  const ck_whole *p;
  ck_cut cut;
  char *y;
} ck_whole_call;

// The elements of an input from the output's place `start` on.
static void ck_whole_load(const ck_whole *p, size_t input, size_t start, size_t n, int64_t *values) {
  const ptrdiff_t *strides = p->strides[input];
  size_t bytes = ck_type_bytes(p->type), index[CK_MAX_RANK], last = p->rank - 1;
  ptrdiff_t place = 0;
  for (size_t d = p->rank, rest = start; d-- > 0; rest /= p->sizes[d]) {
    index[d] = rest % p->sizes[d];
    place += (ptrdiff_t)index[d] * strides[d];
  }
  while (n > 0) {
    const char *x = (const char *)p->inputs[input] + place * (ptrdiff_t)bytes;
    size_t run = ck_least(n, p->sizes[last] - index[last]);
    if (strides[last] == 1) {
      ck_load_integers(p->type, run, x, values);
    } else {
      ck_load_integers(p->type, 1, x, values);
      for (size_t i = 1; i < run; i++)
        if (strides[last] == 0)
          values[i] = values[0];
        else
          ck_load_integers(p->type, 1, x + (ptrdiff_t)i * strides[last] * (ptrdiff_t)bytes, values + i);
    }
    values += run, n -= run, index[last] += run, place += (ptrdiff_t)run * strides[last];
    for (size_t d = last; d > 0 && index[d] == p->sizes[d]; d--) {
      place += strides[d - 1] - (ptrdiff_t)p->sizes[d] * strides[d];
      index[d] = 0, index[d - 1]++;
    }
  }
}

static void ck_whole_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_whole_call *call = context;
  const ck_whole *p = call->p;
  size_t start = ck_cut_start(&call->cut, chunk), end = start + ck_cut_length(&call->cut, chunk);
  int64_t operands[3][CK_WHOLE_BLOCK], y[CK_WHOLE_BLOCK];
  for (size_t n; start < end; start += n) {
    n = ck_least(CK_WHOLE_BLOCK, end - start);
    for (int i = 0; i < ck_whole_operand_count(p->op); i++) ck_whole_load(p, (size_t)i, start, n, operands[i]);
#define CK_X operands[0][i]
#define CK_Y operands[1][i]
#define CK_Z operands[2][i]
    switch (p->op) {
#define CK_WHOLE_OP(name, count, element)              \
  case CK_WHOLE_##name:                                \
    for (size_t i = 0; i < n; i++) y[i] = element;     \
    break;
#include "../include/crest_whole.def"
#undef CK_WHOLE_OP
    case CK_WHOLE_COUNT:
      break;
    }
#undef CK_X
#undef CK_Y
#undef CK_Z
    ck_store_integers(p->type, n, y, call->y + start * ck_type_bytes(p->type));
  }
}

static void CK_FN(elementwise_whole)(ck_pool *pool, const ck_whole *p, void *y) {
  size_t count = 1;
  for (size_t d = 0; d < p->rank; d++) count *= p->sizes[d];
  ck_whole_call call = {p, ck_cut_by(count, CK_CHUNK_ELEMENTS / 4), y};
  ck_pool_run(pool, call.cut.count, ck_whole_chunk, &call);
}

typedef struct ck_whole_reduction {
  ck_cut cut;
  ck_type type;
  ck_reduction reduction;
  size_t reduced, inner;
  const char *x;
  char *y;
} ck_whole_reduction;

CK_INLINE int64_t ck_whole_least(ck_type type) {
  switch (type) {
  case CK_INT8: return INT8_MIN;
  case CK_INT16: return INT16_MIN;
  case CK_INT32: return INT32_MIN;
  case CK_INT64: return INT64_MIN;
  default: return 0;
  }
}
CK_INLINE int64_t ck_whole_greatest(ck_type type) {
  switch (type) {
  case CK_INT8: return INT8_MAX;
  case CK_INT16: return INT16_MAX;
  case CK_INT32: return INT32_MAX;
  case CK_INT64: return INT64_MAX;
  case CK_UINT8: return UINT8_MAX;
  default: return 1;
  }
}

CK_INLINE int64_t ck_whole_folded(ck_reduction reduction, int64_t a, int64_t b) {
  switch (reduction) {
  case CK_SUM: case CK_MEAN: return ck_whole_add(a, b);
  case CK_MAXIMUM: return a > b ? a : b;
  case CK_MINIMUM: return a < b ? a : b;
  case CK_PRODUCT: return ck_whole_multiply(a, b);
  }
}

static void ck_whole_reduce_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_whole_reduction *r = context;
  size_t from = ck_cut_start(&r->cut, chunk), to = from + ck_cut_length(&r->cut, chunk);
  size_t bytes = ck_type_bytes(r->type);
  for (size_t element = from; element < to; element++) {
    size_t outer = element / r->inner, column = element % r->inner;
    const char *x = r->x + (outer * r->reduced * r->inner + column) * bytes;
    int64_t result = r->reduction == CK_MAXIMUM   ? ck_whole_least(r->type)
                     : r->reduction == CK_MINIMUM ? ck_whole_greatest(r->type)
                     : r->reduction == CK_PRODUCT ? 1
                                                  : 0;
    int64_t values[CK_WHOLE_BLOCK];
    for (size_t i = 0, n; i < r->reduced; i += n) {
      n = ck_least(CK_WHOLE_BLOCK, r->reduced - i);
      if (r->inner == 1)
        ck_load_integers(r->type, n, x + i * bytes, values);
      else
        for (size_t j = 0; j < n; j++) ck_load_integers(r->type, 1, x + (i + j) * r->inner * bytes, values + j);
      for (size_t j = 0; j < n; j++) result = ck_whole_folded(r->reduction, result, values[j]);
    }
    if (r->reduction == CK_MEAN) result = ck_whole_divide(result, (int64_t)r->reduced);
    ck_store_integers(r->type, 1, &result, r->y + element * bytes);
  }
}

static void CK_FN(reduce_whole)(ck_pool *pool, ck_type type, ck_reduction reduction, size_t outer, size_t reduced,
                                size_t inner, const void *x, void *y) {
  ck_whole_reduction r = {ck_cut_rows(outer * inner, reduced, CK_CHUNK_ELEMENTS / 4), type, reduction, reduced, inner,
                          x, y};
  ck_pool_run(pool, r.cut.count, ck_whole_reduce_chunk, &r);
}

#endif
