// The transforms of F(m × m, 3 × 3), m being 2 or 4 (Winograd 1980; Lavin and Gray, "Fast algorithms for
// convolutional neural networks", 2016), along one dimension: interpolation at 0, ±1, ±2 and infinity.
#ifndef CK_WINOGRAD_TRANSFORMS_H
#define CK_WINOGRAD_TRANSFORMS_H

#include "vector.h"

#define CK_UNROLL _Pragma("clang loop unroll(full)")

// m + 2 inputs, Bᵀ d.
CK_INLINE void winograd_input(const size_t m, const vf *d, vf *r) {
  if (m == 4) {
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

// m outputs of m + 2 products, Aᵀ p.
CK_INLINE void winograd_output(const size_t m, const vf *p, vf *y) {
  vf sum = p[1] + p[2], difference = p[1] - p[2];
  if (m == 4) {
    vf sum2 = p[3] + p[4], difference2 = p[3] - p[4];
    y[0] = p[0] + sum + sum2;
    y[1] = difference + 2.0f * difference2;
    y[2] = sum + 4.0f * sum2;
    y[3] = (difference + p[5]) + 8.0f * difference2;
  } else {
    y[0] = p[0] + sum;
    y[1] = difference - p[3];
  }
}

// m + 2 points of m gradients of outputs, A dy.
CK_INLINE void winograd_output_gradient(const size_t m, const vf *d, vf *r) {
  if (m == 4) {
    vf even = d[0] + d[2], odd = d[1] + d[3], even2 = d[0] + 4.0f * d[2], odd2 = d[1] + 4.0f * d[3];
    r[0] = d[0];
    r[1] = even + odd;
    r[2] = even - odd;
    r[3] = even2 + 2.0f * odd2;
    r[4] = even2 - 2.0f * odd2;
    r[5] = d[3];
  } else {
    r[0] = d[0];
    r[1] = d[0] + d[1];
    r[2] = d[0] - d[1];
    r[3] = -d[1];
  }
}

// m + 2 points of 3 filter taps, G g.
CK_INLINE void winograd_filter(const size_t m, const vf *g, vf *r) {
  vf outer = g[0] + g[2];
  if (m == 4) {
    vf even = g[0] * (1 / 24.0f) + g[2] * (1 / 6.0f), odd = g[1] * (1 / 12.0f);
    r[0] = g[0] * 0.25f;
    r[1] = (outer + g[1]) * (-1 / 6.0f);
    r[2] = (outer - g[1]) * (-1 / 6.0f);
    r[3] = even + odd;
    r[4] = even - odd;
    r[5] = g[2];
  } else {
    r[0] = g[0];
    r[1] = (outer + g[1]) * 0.5f;
    r[2] = (outer - g[1]) * 0.5f;
    r[3] = g[2];
  }
}

// 3 taps' gradients of m + 2 points, Gᵀ u.
CK_INLINE void winograd_filter_gradient(const size_t m, const vf *u, vf *r) {
  vf sum = u[1] + u[2], difference = u[1] - u[2];
  if (m == 4) {
    vf sum2 = u[3] + u[4], difference2 = u[3] - u[4];
    r[0] = u[0] * 0.25f - sum * (1 / 6.0f) + sum2 * (1 / 24.0f);
    r[1] = difference2 * (1 / 12.0f) - difference * (1 / 6.0f);
    r[2] = (sum2 - sum) * (1 / 6.0f) + u[5];
  } else {
    r[0] = u[0] + sum * 0.5f;
    r[1] = difference * 0.5f;
    r[2] = sum * 0.5f + u[3];
  }
}

#endif
