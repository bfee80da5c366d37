// Elementary functions on registers of floats, within 2 ulp over the whole range: denormal results, signed
// zeros, infinities and NaN are those of IEEE 754 and of C's Annex F.
#ifndef CK_VECTOR_MATH_H
#define CK_VECTOR_MATH_H

#include "vector.h"

#define CK_LOG2_E 0x1.715476p+0f
// ln 2 in two parts; the high one has 16 bits, so that its product with an exponent is exact.
#define CK_LN2_HIGH 0x1.62e4p-1f
#define CK_LN2_LOW 0x1.7f7d1cp-20f
// Adding and taking away 1.5 · 2²³ rounds a float below 2²² to the nearest integer.
#define CK_ROUNDER 0x1.8p+23f

// 2ⁿ for n in -126 … 127.
CK_INLINE vf vf_power_of_two(vi n) { return (vf)((n + 127) << 23); }

// eˣ = 2ⁿ · eʳ with n = round(x / ln 2), |r| ≤ ln 2 / 2. The scaling by 2ⁿ is in two steps, since n may leave
// the range of normal exponents on either side; only the second of them rounds.
CK_INLINE vf vf_exp(vf x) {
  vf t = vf_select(x > 89.0f, vf_splat(89.0f), x);  // both bounds are past the ends: ∞ and 0
  t = vf_select(t < -104.0f, vf_splat(-104.0f), t);
  vf n = (t * CK_LOG2_E + CK_ROUNDER) - CK_ROUNDER;
  n = vf_select(x == x, n, vf_splat(0));  // NaN has no integer
  vf exact = t - n * CK_LN2_HIGH, low = n * CK_LN2_LOW;
  vf r = exact - low, r_error = (exact - r) - low;
  vf p = vf_splat(0x1.a057b4p-13f);
  p = vf_fma(p, r, vf_splat(0x1.6d2d92p-10f));
  p = vf_fma(p, r, vf_splat(0x1.11114cp-7f));
  p = vf_fma(p, r, vf_splat(0x1.5554f4p-5f));
  p = vf_fma(p, r, vf_splat(0x1.555556p-3f));
  p = vf_fma(p, r, vf_splat(0.5f));
  // 1 + r keeps its rounding error, so that only the last addition rounds: 0.6 ulp, not 1.
  vf sum = 1.0f + r, error = (r - (sum - 1.0f)) + r_error;
  p = sum + vf_fma(r * r, p, error);
  vi k = vi_from_vf(n), half = k >> 1;
  return p * vf_power_of_two(half) * vf_power_of_two(k - half);
}

// ln((1 + f) · 2ᵏ) for 1 + f in [√½, √2]: with s = f / (2 + f), ln(1 + f) = 2 atanh(s) = f - s · (f - R(s²)) in
// a form that loses nothing for small f. The polynomial is that of FreeBSD's logf, error 2⁻³⁴.
CK_INLINE vf vf_log_reduced(vf f, vf k) {
  vf s = f / (2.0f + f), z = s * s, w = z * z;
  vf even = w * vf_fma(w, vf_splat(0xf89e26.0p-26f), vf_splat(0xccce13.0p-25f));
  vf odd = z * vf_fma(w, vf_splat(0x91e9ee.0p-25f), vf_splat(0xaaaaaa.0p-24f));
  vf half_square = 0.5f * f * f;
  vf low = vf_fma(k, vf_splat(CK_LN2_LOW), s * (half_square + (even + odd)));
  return vf_fma(k, vf_splat(CK_LN2_HIGH), (low - half_square) + f);
}

CK_INLINE vf vf_log(vf x) {
  vi denormal = x < 0x1p-126f;
  vf scaled = vf_select(denormal, x * 0x1p+25f, x);
  vi bits = (vi)scaled - 0x3f3504f3;  // √½, so that the mantissa's range is around 1
  vi exponent = bits >> 23;
  vf mantissa = (vf)((bits & 0x007fffff) + 0x3f3504f3);
  vf y = vf_log_reduced(mantissa - 1.0f, vf_from_vi(exponent + (denormal & -25)));
  y = vf_select(x == 0.0f, vf_splat(-INFINITY), y);
  y = vf_select(x < 0.0f, vf_splat(NAN), y);
  return vf_select((x == INFINITY) | (x != x), x, y);
}

// ln(1 + u) for u in [0, 1], down to denormal u.
CK_INLINE vf vf_log1p_unit(vf u) {
  vi upper = u > 0x1.a827ap-2f;  // √2 - 1
  return vf_log_reduced(vf_select(upper, 0.5f * (u - 1.0f), u), vf_from_vi(upper & 1));
}

// An odd polynomial near zero, where 1 - 2 / (e²ˣ + 1) would cancel.
CK_INLINE vf vf_tanh(vf x) {
  vf a = vf_abs(x), z = x * x;
  vf p = vf_splat(-5.70498872745e-3f);
  p = vf_fma(p, z, vf_splat(2.06390887954e-2f));
  p = vf_fma(p, z, vf_splat(-5.37397155531e-2f));
  p = vf_fma(p, z, vf_splat(1.33314422036e-1f));
  p = vf_fma(p, z, vf_splat(-3.33332819422e-1f));
  vf near = vf_fma(p * z, x, x);
  vf far = 1.0f - 2.0f / (vf_exp(2.0f * a) + 1.0f);
  return (vf)((vi)vf_select(a < 0.625f, near, far) | ((vi)x & INT32_MIN));
}

// By e^-|x| ≤ 1 on both sides: for x → -∞ the result runs into the denormals as eˣ does.
CK_INLINE vf vf_sigmoid(vf x) {
  vf e = vf_exp(-vf_abs(x));
  vf sum = 1.0f + e, error = e - (sum - 1.0f);
  vf y = vf_select(x < 0.0f, e, vf_splat(1.0f)) / sum;
  return y - y * error * (1.0f - 0.5f * e);  // y / (1 + error / sum), with a chord for 1 / sum
}

CK_INLINE vf vf_softplus(vf x) {
  return vf_max(x, vf_splat(0.0f)) + vf_log1p_unit(vf_exp(-vf_abs(x)));
}

// e^(-x²/2), from x² in two parts: its rounding error alone would be 40 ulp of the result at x = 13.
CK_INLINE vf vf_exp_half_square(vf x) {
  vf high = (vf)((vi)x & ~0xfff), square = x * x;
  vf error = (high * high - square) + (x - high) * (x + high);
  vf e = vf_exp(-0.5f * square);
  return vf_fma(e, -0.5f * error, e);
}

// The normal distribution's upper tail over its density's power, Q(t) · e^(t²/2), for t ≥ 0, within 2⁻²⁷: u · P(u)
// with u = 3.5 / (t + 3.5), a fit of least largest relative error over t in 0 … 14.5, beyond which the tail is 0.
CK_INLINE vf vf_scaled_tail(vf t) {
  vf u = 3.5f / (t + 3.5f);
  vf p = vf_splat(-0x1.094aa6p-6f);
  p = vf_fma(p, u, vf_splat(0x1.a8d9aep-4f));
  p = vf_fma(p, u, vf_splat(-0x1.0116bp-2f));
  p = vf_fma(p, u, vf_splat(0x1.0ef6ap-2f));
  p = vf_fma(p, u, vf_splat(-0x1.11c2a8p-3f));
  p = vf_fma(p, u, vf_splat(0x1.09e0a6p-3f));
  p = vf_fma(p, u, vf_splat(0x1.134404p-4f));
  p = vf_fma(p, u, vf_splat(0x1.b9f21ap-4f));
  p = vf_fma(p, u, vf_splat(0x1.d198fep-4f));
  p = vf_fma(p, u, vf_splat(0x1.d2ee1ep-4f));
  return p * u;
}

// |x|, at most where the tail is 0 for long, so that squares stay finite; NaN stays.
CK_INLINE vf vf_tail_argument(vf x) {
  vf t = vf_abs(x);
  return vf_select(t > 15.0f, vf_splat(15.0f), t);
}

// An odd polynomial near zero, beyond it by the tail: erf(x) = 1 - 2 · Q(√2 · x).
CK_INLINE vf vf_erf(vf x) {
  vf a = vf_abs(x), z = x * x;
  vf p = vf_splat(0x1.496a3p-14f);
  p = vf_fma(p, z, vf_splat(-0x1.a3f7p-11f));
  p = vf_fma(p, z, vf_splat(0x1.5405b2p-8f));
  p = vf_fma(p, z, vf_splat(-0x1.b7f90ep-6f));
  p = vf_fma(p, z, vf_splat(0x1.ce2cf8p-4f));
  p = vf_fma(p, z, vf_splat(-0x1.81273ep-2f));
  p = vf_fma(p, z, vf_splat(0x1.06eba8p-3f));
  vf near = vf_fma(p, x, x);
  vf t = vf_tail_argument(x * 0x1.6a09e6p+0f);
  vf far = 1.0f - 2.0f * vf_scaled_tail(t) * vf_exp(-0.5f * t * t);
  return (vf)((vi)vf_select(a < 1.0f, near, far) | ((vi)x & INT32_MIN));
}

// x · Φ(x) by the tail on the side where it is small, so that nothing cancels.
CK_INLINE vf vf_gelu(vf x) {
  vf t = vf_tail_argument(x), e = vf_exp_half_square(t), r = vf_scaled_tail(t);
  return vf_select(x < 0.0f, x * r * e, x * (1.0f - r * e));
}

// Φ(x) + x · φ(x).
CK_INLINE vf vf_gelu_slope(vf x) {
  vf t = vf_tail_argument(x), e = vf_exp_half_square(t), r = vf_scaled_tail(t);
  vf line = x * 0x1.988454p-2f;  // 1 / √(2π)
  return vf_select(x < 0.0f, e * (r + line), 1.0f + e * (line - r));
}

// Of z = 2 · √(2/π) · (x + 0.044715 · x³), with 1 + tanh(z/2) = 2 / (1 + e^-z).
typedef struct gelu_tanh_parts {
  vf tail;   // 1 / (1 + e^|z|)
  vf slope;  // dz/dx
} gelu_tanh_parts;

CK_INLINE gelu_tanh_parts vf_gelu_tanh_parts(vf x) {
  vf t = vf_tail_argument(x), square = t * t;
  vf z = t * vf_fma(square, vf_splat(0x1.2444f2p-4f), vf_splat(0x1.988454p+0f));
  vf e = vf_exp(-z);
  return (gelu_tanh_parts){
      .tail = e / (1.0f + e), .slope = vf_fma(square, vf_splat(0x1.b6676cp-3f), vf_splat(0x1.988454p+0f))};
}

// x/2 · (1 + tanh(z/2)).
CK_INLINE vf vf_gelu_tanh(vf x) {
  vf tail = vf_gelu_tanh_parts(x).tail;
  return x * vf_select(x < 0.0f, tail, 1.0f - tail);
}

CK_INLINE vf vf_gelu_tanh_slope(vf x) {
  gelu_tanh_parts k = vf_gelu_tanh_parts(x);
  return vf_select(x < 0.0f, k.tail, 1.0f - k.tail) + x * (k.tail * (1.0f - k.tail) * k.slope);
}

#endif
