// Conversions go through double or, from integers, int64: both hold every value of their sources, so that the
// second half rounds once. Only int64 to a float type of few digits needs care (ck_sticky).
#ifndef CK_CAST_H
#define CK_CAST_H

#include "../Plans/chunks.h"
#include "vector.h"

#define CK_CAST_BLOCK 512

typedef struct ck_casting {
  ck_cut cut;
  ck_type from, to;
  const char *x;
  char *y;
} ck_casting;

CK_INLINE size_t ck_type_bytes(ck_type type) {
  switch (type) {
  case CK_FLOAT64: case CK_INT64:
    return 8;
  case CK_FLOAT32: case CK_INT32:
    return 4;
  case CK_BFLOAT16: case CK_FLOAT16: case CK_INT16:
    return 2;
  default:
    return 1;
  }
}
CK_INLINE bool ck_is_float(ck_type type) { return type <= CK_FLOAT16; }

CK_INLINE double ck_double_of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
CK_INLINE uint64_t ck_bits_of_double(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

CK_INLINE double ck_double_of_bfloat16(uint16_t x) {
  uint32_t bits = (uint32_t)x << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return (double)y;
}

CK_INLINE double ck_double_of_float16(uint16_t x) {
  uint64_t sign = (uint64_t)(x & 0x8000u) << 48, exponent = (x >> 10) & 31, fraction = x & 1023u;
  if (exponent == 0) {  // zero or denormal: an integer multiple of 2⁻²⁴
    double magnitude = (double)fraction * 0x1p-24;
    return sign != 0 ? -magnitude : magnitude;
  }
  uint64_t wide = exponent == 31 ? 2047 : exponent + (1023 - 15);
  return ck_double_of_bits(sign | wide << 52 | fraction << 42);
}

// The nearest (ties to even) of a 16-bit float type with `digits` fraction bits, of any double.
CK_INLINE uint16_t ck_round_to_16_bits(double x, int digits) {
  int exponent_bits = 15 - digits, bias = (1 << (exponent_bits - 1)) - 1, drop = 52 - digits;
  uint64_t bits = ck_bits_of_double(x), magnitude = bits & INT64_MAX, sign = bits >> 48 & 0x8000u;
  uint64_t infinity = (((uint64_t)1 << exponent_bits) - 1) << digits;
  uint64_t rounded = magnitude + (((uint64_t)1 << (drop - 1)) - 1) + (magnitude >> drop & 1);
  uint64_t result = (rounded >> drop) - ((uint64_t)(1023 - bias) << digits);
  if (result > infinity) result = infinity;
  double absolute = ck_double_of_bits(magnitude);
  if (absolute < ck_double_of_bits((uint64_t)(1023 + 1 - bias) << 52)) {
    // Below the normal numbers: an addition whose last place is the type's smallest step does the rounding.
    double magic = ck_double_of_bits((uint64_t)(1023 + 1 - bias - digits + 52) << 52);
    result = ck_bits_of_double(absolute + magic) - ck_bits_of_double(magic);
  }
  if (x != x) result = infinity | (uint64_t)1 << (digits - 1);
  return (uint16_t)(sign | result);
}

// An int64 in 53 bits, the last of them set if any below it was: rounding that once more to 11 digits or fewer is
// rounding the integer once.
CK_INLINE double ck_sticky(int64_t x) {
  uint64_t magnitude = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
  if (magnitude >> 53 != 0) magnitude = (magnitude >> 11 | ((magnitude & 2047) != 0)) << 11;
  return x < 0 ? -(double)magnitude : (double)magnitude;
}

// Truncates toward zero, saturates, and makes 0 of NaN. `above` is the first double past the type's greatest value.
#define CK_TRUNCATE(x, least, greatest, above) \
  ((x) != (x) ? 0 : (x) >= (above) ? (greatest) : (x) <= (double)(least) ? (least) : (x))

#define CK_LOAD(type, expression)                                   \
  for (size_t i = 0; i < n; i++) {                                  \
    type v;                                                         \
    memcpy(&v, x + i * sizeof v, sizeof v);                         \
    values[i] = expression;                                         \
  }                                                                 \
  break
#define CK_STORE(type, expression)                                  \
  for (size_t i = 0; i < n; i++) {                                  \
    type r = (type)(expression);                                    \
    memcpy(y + i * sizeof r, &r, sizeof r);                         \
  }                                                                 \
  break

static void ck_load_doubles(ck_type from, size_t n, const char *x, double *values) {
  switch (from) {
  case CK_FLOAT32: CK_LOAD(float, (double)v);
  case CK_FLOAT64: CK_LOAD(double, v);
  case CK_BFLOAT16: CK_LOAD(uint16_t, ck_double_of_bfloat16(v));
  case CK_FLOAT16: CK_LOAD(uint16_t, ck_double_of_float16(v));
  default: break;
  }
}

static void ck_load_integers(ck_type from, size_t n, const char *x, int64_t *values) {
  switch (from) {
  case CK_INT8: CK_LOAD(int8_t, v);
  case CK_INT16: CK_LOAD(int16_t, v);
  case CK_INT32: CK_LOAD(int32_t, v);
  case CK_INT64: CK_LOAD(int64_t, v);
  case CK_UINT8: CK_LOAD(uint8_t, v);
  case CK_BOOL: CK_LOAD(uint8_t, v != 0);
  default: break;
  }
}

static void ck_store_doubles(ck_type to, size_t n, const double *values, char *y) {
  switch (to) {
  case CK_FLOAT32: CK_STORE(float, values[i]);
  case CK_FLOAT64: CK_STORE(double, values[i]);
  case CK_BFLOAT16: CK_STORE(uint16_t, ck_round_to_16_bits(values[i], 7));
  case CK_FLOAT16: CK_STORE(uint16_t, ck_round_to_16_bits(values[i], 10));
  case CK_INT8: CK_STORE(int8_t, CK_TRUNCATE(values[i], INT8_MIN, INT8_MAX, 0x1p7));
  case CK_INT16: CK_STORE(int16_t, CK_TRUNCATE(values[i], INT16_MIN, INT16_MAX, 0x1p15));
  case CK_INT32: CK_STORE(int32_t, CK_TRUNCATE(values[i], INT32_MIN, INT32_MAX, 0x1p31));
  case CK_INT64:
    // Apart, for INT64_MAX as a double is 2⁶³.
    CK_STORE(int64_t, values[i] >= 0x1p63 ? INT64_MAX : (int64_t)CK_TRUNCATE(values[i], INT64_MIN, 0, 0x1p63));
  case CK_UINT8: CK_STORE(uint8_t, CK_TRUNCATE(values[i], 0, UINT8_MAX, 0x1p8));
  case CK_BOOL: CK_STORE(uint8_t, values[i] != 0);
  }
}

static void ck_store_integers(ck_type to, size_t n, const int64_t *values, char *y) {
  switch (to) {
  case CK_FLOAT32: CK_STORE(float, values[i]);
  case CK_FLOAT64: CK_STORE(double, values[i]);
  case CK_BFLOAT16: CK_STORE(uint16_t, ck_round_to_16_bits(ck_sticky(values[i]), 7));
  case CK_FLOAT16: CK_STORE(uint16_t, ck_round_to_16_bits(ck_sticky(values[i]), 10));
  case CK_INT8: CK_STORE(int8_t, values[i]);
  case CK_INT16: CK_STORE(int16_t, values[i]);
  case CK_INT32: CK_STORE(int32_t, values[i]);
  case CK_INT64: CK_STORE(int64_t, values[i]);
  case CK_UINT8: CK_STORE(uint8_t, values[i]);
  case CK_BOOL: CK_STORE(uint8_t, values[i] != 0);
  }
}

static void ck_cast_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_casting *c = context;
  size_t x_bytes = ck_type_bytes(c->from), y_bytes = ck_type_bytes(c->to);
  size_t start = ck_cut_start(&c->cut, chunk), count = ck_cut_length(&c->cut, chunk);
  const char *x = c->x + start * x_bytes;
  char *y = c->y + start * y_bytes;
  if (c->from == c->to) {
    memcpy(y, x, count * x_bytes);
    return;
  }
  for (size_t i = 0; i < count; i += CK_CAST_BLOCK) {
    size_t n = ck_least(CK_CAST_BLOCK, count - i);
    if (ck_is_float(c->from)) {
      double values[CK_CAST_BLOCK];
      ck_load_doubles(c->from, n, x + i * x_bytes, values);
      ck_store_doubles(c->to, n, values, y + i * y_bytes);
    } else {
      int64_t values[CK_CAST_BLOCK];
      ck_load_integers(c->from, n, x + i * x_bytes, values);
      ck_store_integers(c->to, n, values, y + i * y_bytes);
    }
  }
}

static void CK_FN(cast)(ck_pool *pool, ck_type from, ck_type to, size_t count, const void *x, void *y) {
  ck_casting c = {ck_cut_elements(count), from, to, x, y};
  ck_pool_run(pool, c.cut.count, ck_cast_chunk, &c);
}

#endif
