// The SIMD vocabulary of the kernels, on clang's vector extensions: the including file has chosen an
// instruction set and defined CK_LANES, the number of floats in a register.
#ifndef CK_VECTOR_H
#define CK_VECTOR_H

#define CK_INLINE static inline __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(CK_LANES * 4)));    // a register of floats
typedef int32_t vi __attribute__((vector_size(CK_LANES * 4)));  // of integers; as a mask, 0 or -1 per lane
typedef double vd __attribute__((vector_size(CK_LANES * 4)));   // of doubles, half as many
typedef float vf_half __attribute__((vector_size(CK_LANES * 2)));

typedef float vf_unaligned __attribute__((vector_size(CK_LANES * 4), aligned(4), may_alias));
typedef int32_t vi_unaligned __attribute__((vector_size(CK_LANES * 4), aligned(4), may_alias));

// By subtraction: -0 + 0 would be 0.
CK_INLINE vf vf_splat(float x) { return x - (vf){0}; }
CK_INLINE vi vi_splat(int32_t x) { return (vi){0} + x; }
CK_INLINE vd vd_splat(double x) { return x - (vd){0}; }

CK_INLINE vf vf_load(const float *p) { return *(const vf_unaligned *)p; }
CK_INLINE void vf_store(float *p, vf v) { *(vf_unaligned *)p = v; }
CK_INLINE vi vi_load(const int32_t *p) { return *(const vi_unaligned *)p; }
CK_INLINE void vi_store(int32_t *p, vi v) { *(vi_unaligned *)p = v; }

CK_INLINE vi vi_iota(void) {
  vi v;
  for (int i = 0; i < CK_LANES; i++) v[i] = i;
  return v;
}
// Lanes 0 ..< n.
CK_INLINE vi vi_first(size_t n) { return vi_iota() < (int32_t)n; }

// The first n < CK_LANES elements; lanes past them load as zero and are not touched in memory.
// Vector extensions can't spell a masked access, hence the intrinsics.
#if CK_LANES == 16
CK_INLINE vf vf_load_part(const float *p, size_t n) {
  return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
CK_INLINE void vf_store_part(float *p, vf v, size_t n) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}
#elif CK_LANES == 8
CK_INLINE vf vf_load_part(const float *p, size_t n) {
  return (vf)_mm256_maskload_ps(p, (__m256i)vi_first(n));
}
CK_INLINE void vf_store_part(float *p, vf v, size_t n) {
  _mm256_maskstore_ps(p, (__m256i)vi_first(n), (__m256)v);
}
#else
CK_INLINE vf vf_load_part(const float *p, size_t n) {
  vf v = {0};
  if (n > 0) v[0] = p[0];
  if (n > 1) v[1] = p[1];
  if (n > 2) v[2] = p[2];
  return v;
}
CK_INLINE void vf_store_part(float *p, vf v, size_t n) {
  if (n > 0) p[0] = v[0];
  if (n > 1) p[1] = v[1];
  if (n > 2) p[2] = v[2];
}
#endif

// The first n elements, at most CK_LANES of them: loops over n elements need no second body for their rest.
CK_INLINE vf vf_load_upto(const float *p, size_t n) { return n >= CK_LANES ? vf_load(p) : vf_load_part(p, n); }
CK_INLINE void vf_store_upto(float *p, vf v, size_t n) {
  if (n >= CK_LANES)
    vf_store(p, v);
  else
    vf_store_part(p, v, n);
}

// The same in a pass that memory bounds, of a few arrays: more of what comes is under way than a core sees to by itself.
CK_INLINE vf vf_load_stream(const float *p, size_t n) {
  __builtin_prefetch(p + 1024);
  return vf_load_upto(p, n);
}

// a · b + c, in one rounding where the instruction set has it (never through a libm call).
CK_INLINE vf vf_fma(vf a, vf b, vf c) {
#if CK_FMA
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

// mask ? a : b per lane (C has no vector ?:).
CK_INLINE vf vf_select(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
CK_INLINE vi vi_select(vi mask, vi a, vi b) { return (mask & a) | (~mask & b); }

// Lanes past the first n are `otherwise`.
CK_INLINE vf vf_load_upto_or(const float *p, size_t n, float otherwise) {
  return n >= CK_LANES ? vf_load(p) : vf_select(vi_first(n), vf_load_part(p, n), vf_splat(otherwise));
}
CK_INLINE vf vf_keep_upto(vf v, size_t n) {
  return n >= CK_LANES ? v : (vf)(vi_first(n) & (vi)v);
}

// NaN in either operand gives NaN.
CK_INLINE vf vf_max(vf a, vf b) { return vf_select((a > b) | (a != a), a, b); }
CK_INLINE vf vf_min(vf a, vf b) { return vf_select((a < b) | (a != a), a, b); }
CK_INLINE vf vf_abs(vf a) { return (vf)((vi)a & 0x7fffffff); }
CK_INLINE vf vf_sqrt(vf a) { return __builtin_elementwise_sqrt(a); }

// A register of floats as two of doubles, and back.
CK_INLINE vd vd_low(vf a) {
  vf_half h;
  for (int i = 0; i < CK_LANES / 2; i++) h[i] = a[i];
  return __builtin_convertvector(h, vd);
}
CK_INLINE vd vd_high(vf a) {
  vf_half h;
  for (int i = 0; i < CK_LANES / 2; i++) h[i] = a[i + CK_LANES / 2];
  return __builtin_convertvector(h, vd);
}
CK_INLINE vf vf_from_vd(vd low, vd high) {
  vf v;
  for (int i = 0; i < CK_LANES / 2; i++) v[i] = (float)low[i], v[i + CK_LANES / 2] = (float)high[i];
  return v;
}
CK_INLINE vf vf_from_vi(vi a) { return __builtin_convertvector(a, vf); }
CK_INLINE vi vi_from_vf(vf a) { return __builtin_convertvector(a, vi); }  // lanes must fit int32

// Folds halve the register until one lane is left, so the order of a sum is fixed per lane count.
CK_INLINE float vf_sum(vf v) {
  for (int w = CK_LANES / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) v[i] += v[i + w];
  return v[0];
}
CK_INLINE double vd_sum(vd v) {
  for (int w = CK_LANES / 4; w > 0; w /= 2)
    for (int i = 0; i < w; i++) v[i] += v[i + w];
  return v[0];
}
CK_INLINE float ck_max(float a, float b) { return a > b || a != a ? a : b; }
CK_INLINE float ck_min(float a, float b) { return a < b || a != a ? a : b; }
CK_INLINE float vf_fold_max(vf v) {
  for (int w = CK_LANES / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) v[i] = ck_max(v[i], v[i + w]);
  return v[0];
}
CK_INLINE float vf_fold_min(vf v) {
  for (int w = CK_LANES / 2; w > 0; w /= 2)
    for (int i = 0; i < w; i++) v[i] = ck_min(v[i], v[i + w]);
  return v[0];
}

// Lanes of a and b in turn: of their lower halves, and of their upper ones.
#if CK_LANES == 16
#define CK_INTERLEAVE(a, b, i)                                                                       \
  __builtin_shufflevector(a, b, i, i + 16, i + 1, i + 17, i + 2, i + 18, i + 3, i + 19, i + 4, i + 20, i + 5, \
                          i + 21, i + 6, i + 22, i + 7, i + 23)
#elif CK_LANES == 8
#define CK_INTERLEAVE(a, b, i) \
  __builtin_shufflevector(a, b, i, i + 8, i + 1, i + 9, i + 2, i + 10, i + 3, i + 11)
#else
#define CK_INTERLEAVE(a, b, i) __builtin_shufflevector(a, b, i, i + 4, i + 1, i + 5)
#endif
CK_INLINE vf vf_interleave_low(vf a, vf b) { return CK_INTERLEAVE(a, b, 0); }
CK_INLINE vf vf_interleave_high(vf a, vf b) { return CK_INTERLEAVE(a, b, CK_LANES / 2); }
#undef CK_INTERLEAVE

// Transposes a square of registers: log2(CK_LANES) perfect shuffles of the rows.
CK_INLINE void vf_transpose(vf r[CK_LANES]) {
  for (int done = 1; done < CK_LANES; done *= 2) {
    vf t[CK_LANES];
    for (int i = 0; i < CK_LANES / 2; i++) {
      t[2 * i] = vf_interleave_low(r[i], r[i + CK_LANES / 2]);
      t[2 * i + 1] = vf_interleave_high(r[i], r[i + CK_LANES / 2]);
    }
    for (int i = 0; i < CK_LANES; i++) r[i] = t[i];
  }
}

CK_INLINE size_t ck_least(size_t a, size_t b) { return a < b ? a : b; }
CK_INLINE size_t ck_ceil_div(size_t a, size_t b) { return a / b + (a % b != 0); }
// Where part i of n things begins when they are cut into `count` parts as even as can be.
CK_INLINE size_t ck_split(size_t n, size_t count, size_t i) { return n / count * i + ck_least(i, n % count); }

#endif
