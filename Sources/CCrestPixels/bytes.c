#include <math.h>
#include <string.h>

#include "include/crest_pixels.h"

static size_t area_of(crest_planes size) { return size.height * size.width; }
static size_t count_of(crest_planes size) { return size.channels * area_of(size); }

// Pillow's 16.16 fixed point, in which nearest pixels are found.
static int64_t fixed(double value) { return (int64_t)floor(value * 65536.0 + 0.5); }

void crest_bytes_affine(crest_planes size, const uint8_t *in, const double *matrix, uint8_t *out) {
  const double *m = matrix;
  size_t area = area_of(size);
  memset(out, 0, count_of(size));
  int64_t across_x = fixed(m[0]), down_x = fixed(m[1]), across_y = fixed(m[3]), down_y = fixed(m[4]);
  int64_t start_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), start_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  for (size_t row = 0; row < size.height; row++) {
    int64_t x = start_x, y = start_y;
    for (size_t column = 0; column < size.width; column++) {
      int64_t u = x >> 16, v = y >> 16;
      if (u >= 0 && u < (int64_t)size.width && v >= 0 && v < (int64_t)size.height) {
        size_t from = (size_t)v * size.width + (size_t)u, to = row * size.width + column;
        for (size_t channel = 0; channel < size.channels; channel++) out[channel * area + to] = in[channel * area + from];
      }
      x += across_x, y += across_y;
    }
    start_x += down_x, start_y += down_y;
  }
}

// Image.blend: truncated between the images, clipped beyond them.
static uint8_t blended(uint8_t from, uint8_t to, float factor) {
  float value = (float)from + factor * (float)((int)to - (int)from);
  return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value;
}

static uint8_t grey_at(crest_planes size, const uint8_t *in, size_t place) {
  if (size.channels != 3) return in[place];
  size_t area = area_of(size);
  return (uint8_t)((19595u * in[place] + 38470u * in[area + place] + 7471u * in[2 * area + place] + 32768u) >> 16);
}

void crest_bytes_brightness(crest_planes size, const uint8_t *in, float factor, uint8_t *out) {
  for (size_t i = 0; i < count_of(size); i++) out[i] = blended(0, in[i], factor);
}

void crest_bytes_colour(crest_planes size, const uint8_t *in, float factor, uint8_t *out) {
  size_t area = area_of(size);
  for (size_t place = 0; place < area; place++) {
    uint8_t grey = grey_at(size, in, place);
    for (size_t channel = 0; channel < size.channels; channel++) {
      out[channel * area + place] = blended(grey, in[channel * area + place], factor);
    }
  }
}

void crest_bytes_contrast(crest_planes size, const uint8_t *in, float factor, uint8_t *out) {
  size_t area = area_of(size);
  uint64_t sum = 0;
  for (size_t place = 0; place < area; place++) sum += grey_at(size, in, place);
  uint8_t mean = (uint8_t)((double)sum / (double)area + 0.5);
  for (size_t i = 0; i < count_of(size); i++) out[i] = blended(mean, in[i], factor);
}

void crest_bytes_sharpness(crest_planes size, const uint8_t *in, float factor, uint8_t *out) {
  size_t area = area_of(size), width = size.width;
  for (size_t channel = 0; channel < size.channels; channel++) {
    const uint8_t *from = in + channel * area;
    uint8_t *to = out + channel * area;
    for (size_t row = 0; row < size.height; row++) {
      for (size_t column = 0; column < width; column++) {
        const uint8_t *p = from + row * width + column;
        uint8_t smooth = *p;
        if (row > 0 && row + 1 < size.height && column > 0 && column + 1 < width) {
          unsigned sum = 5u * p[0] + p[-1] + p[1];
          for (int beside = -1; beside <= 1; beside++) {
            sum += p[beside - (ptrdiff_t)width];
            sum += p[beside + (ptrdiff_t)width];
          }
          smooth = (uint8_t)((2 * sum + 13) / 26);
        }
        to[row * width + column] = blended(smooth, *p, factor);
      }
    }
  }
}

void crest_bytes_posterize(crest_planes size, const uint8_t *in, int bits, uint8_t *out) {
  unsigned mask = 0xFFu << (8 - bits);
  for (size_t i = 0; i < count_of(size); i++) out[i] = (uint8_t)(in[i] & mask);
}

void crest_bytes_solarize(crest_planes size, const uint8_t *in, float threshold, uint8_t *out) {
  for (size_t i = 0; i < count_of(size); i++) out[i] = (float)in[i] < threshold ? in[i] : (uint8_t)(255 - in[i]);
}

static void count_bytes(const uint8_t *plane, size_t area, size_t *histogram) {
  memset(histogram, 0, 256 * sizeof *histogram);
  for (size_t i = 0; i < area; i++) histogram[plane[i]]++;
}

static void look_up(const uint8_t *in, size_t area, const uint8_t *table, uint8_t *out) {
  for (size_t i = 0; i < area; i++) out[i] = table[in[i]];
}

void crest_bytes_autocontrast(crest_planes size, const uint8_t *in, uint8_t *out) {
  size_t area = area_of(size), histogram[256];
  uint8_t table[256];
  for (size_t channel = 0; channel < size.channels; channel++) {
    count_bytes(in + channel * area, area, histogram);
    int low = 0, high = 255;
    while (low < 255 && histogram[low] == 0) low++;
    while (high > 0 && histogram[high] == 0) high--;
    double scale = high > low ? 255.0 / (high - low) : 1, offset = high > low ? -low * scale : 0;
    for (int i = 0; i < 256; i++) {
      int value = (int)(i * scale + offset);
      table[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    look_up(in + channel * area, area, table, out + channel * area);
  }
}

void crest_bytes_equalize(crest_planes size, const uint8_t *in, uint8_t *out) {
  size_t area = area_of(size), histogram[256];
  uint8_t table[256];
  for (size_t channel = 0; channel < size.channels; channel++) {
    count_bytes(in + channel * area, area, histogram);
    int last = 255, levels = 0;
    while (last > 0 && histogram[last] == 0) last--;
    for (int i = 0; i < 256; i++) levels += histogram[i] != 0;
    size_t step = levels > 1 ? (area - histogram[last]) / 255 : 0;
    size_t sum = step / 2;
    for (int i = 0; i < 256; i++) {
      size_t value = step == 0 ? (size_t)i : sum / step;
      table[i] = (uint8_t)(value > 255 ? 255 : value);
      sum += histogram[i];
    }
    look_up(in + channel * area, area, table, out + channel * area);
  }
}
