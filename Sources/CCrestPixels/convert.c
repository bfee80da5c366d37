#include "include/crest_pixels.h"

void crest_pixels_line(float *values, size_t count, float factor, float shift) {
  for (size_t i = 0; i < count; i++) values[i] = values[i] * factor + shift;
}

// Also of NaN, which is 0.
static uint8_t byte_of(float value) { return value > 0 ? (value < 255 ? (uint8_t)(value + 0.5f) : 255) : 0; }

void crest_pixels_round(float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = byte_of(values[i]);
}

void crest_pixels_to_bytes(const float *values, size_t count, uint8_t *bytes) {
  for (size_t i = 0; i < count; i++) bytes[i] = byte_of(values[i]);
}

void crest_pixels_from_bytes(const uint8_t *bytes, size_t count, float *values) {
  for (size_t i = 0; i < count; i++) values[i] = bytes[i];
}

void crest_pixels_interleave(crest_planes size, const float *planes, uint8_t *pixels) {
  size_t area = size.height * size.width;
  for (size_t channel = 0; channel < size.channels; channel++) {
    for (size_t i = 0; i < area; i++) pixels[i * size.channels + channel] = byte_of(planes[channel * area + i]);
  }
}

void crest_pixels_separate(crest_planes size, const uint8_t *pixels, float *planes) {
  size_t area = size.height * size.width;
  for (size_t channel = 0; channel < size.channels; channel++) {
    for (size_t i = 0; i < area; i++) planes[channel * area + i] = pixels[i * size.channels + channel];
  }
}
