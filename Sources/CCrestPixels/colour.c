#include <math.h>
#include <string.h>

#include "include/crest_pixels.h"

static float clipped(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

// torchvision's weights, which are also fastai's.
static float grey_of(float red, float green, float blue) { return 0.2989f * red + 0.587f * green + 0.114f * blue; }

void crest_pixels_blend(crest_planes size, float *image, float factor, float other) {
  size_t count = size.channels * size.height * size.width;
  float rest = (1 - factor) * other;
  for (size_t i = 0; i < count; i++) image[i] = clipped(factor * image[i] + rest);
}

void crest_pixels_blend_grey(crest_planes size, float *image, float factor) {
  if (size.channels != 3) return;
  size_t area = size.height * size.width;
  float *red = image, *green = image + area, *blue = image + 2 * area;
  for (size_t i = 0; i < area; i++) {
    float rest = (1 - factor) * grey_of(red[i], green[i], blue[i]);
    red[i] = clipped(factor * red[i] + rest);
    green[i] = clipped(factor * green[i] + rest);
    blue[i] = clipped(factor * blue[i] + rest);
  }
}

float crest_pixels_mean_grey(crest_planes size, const float *image) {
  size_t area = size.height * size.width;
  double sum = 0;
  if (size.channels == 3) {
    for (size_t i = 0; i < area; i++) sum += grey_of(image[i], image[area + i], image[2 * area + i]);
    return (float)(sum / (double)area);
  }
  for (size_t i = 0; i < area * size.channels; i++) sum += image[i];
  return (float)(sum / (double)(area * size.channels));
}

static float logit(float x) {
  const float least = 1e-7f;
  x = x < least ? least : x > 1 - least ? 1 - least : x;
  return -logf(1 / x - 1);
}

static float sigmoid(float x) { return 1 / (1 + expf(-x)); }

void crest_pixels_logit_line(crest_planes size, float *image, float factor, float shift) {
  size_t count = size.channels * size.height * size.width;
  for (size_t i = 0; i < count; i++) image[i] = sigmoid(factor * logit(image[i]) + shift);
}

void crest_pixels_logit_grey(crest_planes size, float *image, float factor) {
  if (size.channels != 3) return;
  size_t area = size.height * size.width;
  for (size_t i = 0; i < area; i++) {
    float red = logit(image[i]), green = logit(image[area + i]), blue = logit(image[2 * area + i]);
    float rest = (1 - factor) * grey_of(red, green, blue);
    image[i] = sigmoid(factor * red + rest);
    image[area + i] = sigmoid(factor * green + rest);
    image[2 * area + i] = sigmoid(factor * blue + rest);
  }
}

// One pixel, by way of hue, saturation and value.
static void turn_hue(float *red, float *green, float *blue, float turn) {
  float r = *red, g = *green, b = *blue;
  float high = fmaxf(r, fmaxf(g, b)), low = fminf(r, fminf(g, b)), range = high - low;
  if (!(range > 0)) return;
  float saturation = range / high;
  float sixth = high == r ? (g - b) / range : high == g ? 2 + (b - r) / range : 4 + (r - g) / range;
  float hue = sixth / 6 + turn;
  hue -= floorf(hue);
  float place = hue * 6, whole = floorf(place), part = place - whole;
  float p = clipped(high * (1 - saturation)), q = clipped(high * (1 - saturation * part)),
        t = clipped(high * (1 - saturation * (1 - part)));
  switch ((int)whole % 6) {
    case 0: *red = high, *green = t, *blue = p; break;
    case 1: *red = q, *green = high, *blue = p; break;
    case 2: *red = p, *green = high, *blue = t; break;
    case 3: *red = p, *green = q, *blue = high; break;
    case 4: *red = t, *green = p, *blue = high; break;
    default: *red = high, *green = p, *blue = q; break;
  }
}

void crest_pixels_hue(crest_planes size, float *image, float turn) {
  if (size.channels != 3) return;
  size_t area = size.height * size.width;
  for (size_t i = 0; i < area; i++) turn_hue(image + i, image + area + i, image + 2 * area + i, turn);
}

static size_t mirrored(ptrdiff_t place, size_t count) {
  if (place < 0) return (size_t)-place;
  return (size_t)place < count ? (size_t)place : 2 * (count - 1) - (size_t)place;
}

void crest_pixels_blur(crest_planes size, float *image, const float *weights, size_t taps, float *scratch) {
  size_t area = size.height * size.width;
  ptrdiff_t half = (ptrdiff_t)(taps / 2);
  for (size_t channel = 0; channel < size.channels; channel++) {
    float *plane = image + channel * area;
    for (size_t row = 0; row < size.height; row++) {
      for (size_t column = 0; column < size.width; column++) {
        float sum = 0;
        for (size_t tap = 0; tap < taps; tap++) {
          size_t place = mirrored((ptrdiff_t)column + (ptrdiff_t)tap - half, size.width);
          sum += weights[tap] * plane[row * size.width + place];
        }
        scratch[row * size.width + column] = sum;
      }
    }
    for (size_t row = 0; row < size.height; row++) {
      float *out = plane + row * size.width;
      memset(out, 0, size.width * sizeof *out);
      for (size_t tap = 0; tap < taps; tap++) {
        const float *from = scratch + mirrored((ptrdiff_t)row + (ptrdiff_t)tap - half, size.height) * size.width;
        float weight = weights[tap];
        for (size_t column = 0; column < size.width; column++) out[column] += weight * from[column];
      }
    }
  }
}
