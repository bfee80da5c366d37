// From sums over rows to the coefficients of a batch normalisation and of its gradient.
#ifndef CK_NORMALIZATION_H
#define CK_NORMALIZATION_H

#include "vector.h"

// From Σ x and Σ x² of each channel.
CK_INLINE void normalization_finish(const ck_normalization *n, size_t rows, size_t channels, const double *sums,
                                    const double *squares) {
  double inverse = rows == 0 ? 0 : 1 / (double)rows;
  for (size_t c = 0; c < channels; c++) {
    double mean = sums[c] * inverse, variance = squares[c] * inverse - mean * mean;
    if (variance < 0) variance = 0;  // rounding only; NaN stays
    double factor = (double)n->scale[c] / sqrt(variance + (double)n->epsilon);
    n->mean[c] = (float)mean;
    n->variance[c] = (float)variance;
    n->factor[c] = (float)factor;
    // By the rounded factor, so that the mean goes to the bias.
    n->shift[c] = (float)((double)n->bias[c] - mean * (double)n->factor[c]);
  }
}

// From Σ dy and Σ dy · (x - mean) of each channel.
CK_INLINE void normalization_gradient_finish(const ck_normalization_gradient *n, size_t rows, size_t channels,
                                             const double *sums, const double *centred) {
  double inverse = rows == 0 ? 0 : 1 / (double)rows;
  for (size_t c = 0; c < channels; c++) {
    double inverse_deviation = 1 / sqrt((double)n->variance[c] + (double)n->epsilon);
    double factor = (double)n->scale[c] * inverse_deviation;
    double slope = factor * centred[c] * inverse_deviation * inverse_deviation * inverse;
    n->dbias[c] = (float)sums[c];
    n->dscale[c] = (float)(centred[c] * inverse_deviation);
    n->dy_factor[c] = (float)factor;
    n->x_factor[c] = (float)-slope;
    n->shift[c] = (float)(slope * (double)n->mean[c] - factor * sums[c] * inverse);
  }
}

#endif
