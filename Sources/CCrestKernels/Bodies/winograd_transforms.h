// The transforms of F(m × m, r × r) along one dimension (Winograd 1980; Lavin and Gray, "Fast algorithms for
// convolutional neural networks", 2016): m outputs of r taps by interpolation at n = m + r - 1 points, which are 0, ±1
// and infinity for F(2, 3), and ±2 too for F(4, 3) and F(2, 5).
#ifndef CK_WINOGRAD_TRANSFORMS_H
#define CK_WINOGRAD_TRANSFORMS_H

#include "vector.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")

// n inputs, Bᵀ d.
CK_INLINE void winograd_input(const size_t n, const vf *d, vf *r) {
  if (n == 6) {
    vf a = d[4] - 4.0f * d[2], b = d[3] - 4.0f * d[1], c = d[4] - d[2], e = d[3] - d[1];
    r[0] = (d[4] - 5.0f * d[2]) + 4.0f * d[0];
    r[1] = a + b;
    r[2] = a - b;
    r[3] = c + 2.0f * e;
    r[4] = c - 2.0f * e;
    r[5] = (d[5] - 5.0f * d[3]) + 4.0f * d[1];
  } else {
    r[0] = d[0] - d[2];
    r[1] = d[1] + d[2];
    r[2] = d[2] - d[1];
    r[3] = d[1] - d[3];
  }
}

// m outputs of n products, Aᵀ p.
CK_INLINE void winograd_output(const size_t m, const size_t n, const vf *p, vf *y) {
  vf sum = p[1] + p[2], difference = p[1] - p[2];
  if (m == 4) {
    vf sum2 = p[3] + p[4], difference2 = p[3] - p[4];
    y[0] = p[0] + sum + sum2;
    y[1] = difference + 2.0f * difference2;
    y[2] = sum + 4.0f * sum2;
    y[3] = (difference + p[5]) + 8.0f * difference2;
  } else if (n == 6) {
    y[0] = p[0] + sum + (p[3] + p[4]);
    y[1] = (difference + p[5]) + 2.0f * (p[3] - p[4]);
  } else {
    y[0] = p[0] + sum;
    y[1] = difference - p[3];
  }
}

// n points of m gradients of outputs, A dy.
CK_INLINE void winograd_output_gradient(const size_t m, const size_t n, const vf *d, vf *r) {
  if (m == 4) {
    vf even = d[0] + d[2], odd = d[1] + d[3], even2 = d[0] + 4.0f * d[2], odd2 = d[1] + 4.0f * d[3];
    r[0] = d[0];
    r[1] = even + odd;
    r[2] = even - odd;
    r[3] = even2 + 2.0f * odd2;
    r[4] = even2 - 2.0f * odd2;
    r[5] = d[3];
  } else if (n == 6) {
    r[0] = d[0];
    r[1] = d[0] + d[1];
    r[2] = d[0] - d[1];
    r[3] = d[0] + 2.0f * d[1];
    r[4] = d[0] - 2.0f * d[1];
    r[5] = d[1];
  } else {
    r[0] = d[0];
    r[1] = d[0] + d[1];
    r[2] = d[0] - d[1];
    r[3] = -d[1];
  }
}

// n points of `taps` of a filter, G g.
CK_INLINE void winograd_filter(const size_t taps, const size_t n, const vf *g, vf *r) {
  vf outer = taps == 5 ? g[0] + g[2] + g[4] : g[0] + g[2], inner = taps == 5 ? g[1] + g[3] : g[1];
  if (n == 6) {
    vf even = g[0] * (1 / 24.0f) + g[2] * (1 / 6.0f), odd = g[1] * (1 / 12.0f);
    if (taps == 5) even += g[4] * (2 / 3.0f), odd += g[3] * (1 / 3.0f);
    r[0] = g[0] * 0.25f;
    r[1] = (outer + inner) * (-1 / 6.0f);
    r[2] = (outer - inner) * (-1 / 6.0f);
    r[3] = even + odd;
    r[4] = even - odd;
    r[5] = g[taps - 1];
  } else {
    r[0] = g[0];
    r[1] = (outer + inner) * 0.5f;
    r[2] = (outer - inner) * 0.5f;
    r[3] = g[2];
  }
}

// The gradients of `taps` of a filter, of n points, Gᵀ u.
CK_INLINE void winograd_filter_gradient(const size_t taps, const size_t n, const vf *u, vf *r) {
  vf sum = u[1] + u[2], difference = u[1] - u[2];
  if (n == 6) {
    vf sum2 = u[3] + u[4], difference2 = u[3] - u[4];
    r[0] = u[0] * 0.25f - sum * (1 / 6.0f) + sum2 * (1 / 24.0f);
    r[1] = difference2 * (1 / 12.0f) - difference * (1 / 6.0f);
    r[2] = (sum2 - sum) * (1 / 6.0f);
    if (taps == 5) {
      r[3] = difference2 * (1 / 3.0f) - difference * (1 / 6.0f);
      r[4] = sum2 * (2 / 3.0f) - sum * (1 / 6.0f);
    }
    r[taps - 1] += u[5];
  } else {
    r[0] = u[0] + sum * 0.5f;
    r[1] = difference * 0.5f;
    r[2] = sum * 0.5f + u[3];
  }
}

#endif
