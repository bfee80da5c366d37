#include <math.h>

#include "include/crest_pixels.h"

// The place that a coordinate shows in 0 … count - 1, mirrored about the outermost ones.
static double reflected(double x, size_t count) {
  if (count < 2) return 0;
  double last = (double)(count - 1);
  if (x >= 0 && x <= last) return x;
  double within = fmod(fabs(x), 2 * last);
  return within > last ? 2 * last - within : within;
}

static double clamped(double x, size_t count) {
  double last = (double)(count - 1);
  return x < 0 ? 0 : x > last ? last : x;
}

// The four pixels around a point, and their weights; a pixel outside has weight 0.
typedef struct sample {
  size_t places[4];
  float weights[4];
} sample;

static sample sample_at(double x, double y, crest_planes size) {
  sample s = {{0}, {0}};
  double width = (double)size.width, height = (double)size.height;
  if (!(x > -1 && x < width && y > -1 && y < height)) return s;
  double left = floor(x), top = floor(y);
  double right_part = x - left, lower_part = y - top;
  for (int corner = 0; corner < 4; corner++) {
    double column = left + (corner & 1), row = top + (corner >> 1);
    if (column < 0 || column >= width || row < 0 || row >= height) continue;
    s.places[corner] = (size_t)row * size.width + (size_t)column;
    s.weights[corner] = (float)((corner & 1 ? right_part : 1 - right_part) * (corner >> 1 ? lower_part : 1 - lower_part));
  }
  return s;
}

void crest_pixels_project(crest_planes size, const float *in, const double *matrix, crest_padding padding, float *out) {
  const double *m = matrix;
  size_t area = size.height * size.width;
  for (size_t row = 0; row < size.height; row++) {
    for (size_t column = 0; column < size.width; column++) {
      double x = (double)column, y = (double)row;
      double w = m[6] * x + m[7] * y + m[8];
      double u = x, v = y;
      if (w != 0) {
        u = (m[0] * x + m[1] * y + m[2]) / w;
        v = (m[3] * x + m[4] * y + m[5]) / w;
        if (!isfinite(u) || !isfinite(v)) u = x, v = y;
      }
      if (padding == CREST_PADDING_REFLECTION) {
        u = reflected(u, size.width), v = reflected(v, size.height);
      } else if (padding == CREST_PADDING_BORDER) {
        u = clamped(u, size.width), v = clamped(v, size.height);
      }
      sample s = sample_at(u, v, size);
      for (size_t channel = 0; channel < size.channels; channel++) {
        const float *plane = in + channel * area;
        out[channel * area + row * size.width + column] =
            plane[s.places[0]] * s.weights[0] + plane[s.places[1]] * s.weights[1] + plane[s.places[2]] * s.weights[2] +
            plane[s.places[3]] * s.weights[3];
      }
    }
  }
}
