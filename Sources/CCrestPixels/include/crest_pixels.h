#ifndef CREST_PIXELS_H
#define CREST_PIXELS_H

#include <stddef.h>
#include <stdint.h>

// Images in memory: resampled, moved and recoloured. Nothing here allocates but `crest_image_resize`.

typedef enum crest_image_filter {
  CREST_FILTER_NEAREST,
  CREST_FILTER_BOX,
  CREST_FILTER_BILINEAR,
  CREST_FILTER_HAMMING,
  CREST_FILTER_BICUBIC,
  CREST_FILTER_LANCZOS
} crest_image_filter;

// A part of an image: columns `left` to `left + width`, rows `top` to `top + height`, of rows that are `row_stride`
// bytes apart.
typedef struct crest_image_part {
  const uint8_t *pixels;
  size_t row_stride, left, top, width, height;
  int channels;
} crest_image_part;

// Resamples a part of an image to `width` columns and `height` rows, as Pillow's resize(box=…) up to version 12: columns
// first, each pass rounded to 8 bits. Returns 0, or -1 when there is no memory.
int crest_image_resize(const crest_image_part *part, crest_image_filter filter, size_t width, size_t height,
                       uint8_t *pixels);

// The size of an image whose channels lie behind one another, each row by row.
typedef struct crest_planes {
  size_t channels, height, width;
} crest_planes;

typedef enum crest_padding { CREST_PADDING_ZEROS, CREST_PADDING_BORDER, CREST_PADDING_REFLECTION } crest_padding;

// Writes to `out` what `in` has at matrix · (x, y, 1), row by row of the 3 × 3 matrix, of pixels (x, y), bilinearly.
// Reflection is about the centres of the outermost pixels. A point at infinity is taken to be (x, y) itself.
void crest_pixels_project(crest_planes size, const float *in, const double *matrix, crest_padding padding, float *out);

// In place, of values from 0 to 1. `grey` has room for a plane.
void crest_pixels_blend(crest_planes size, float *image, float factor, float other);
void crest_pixels_blend_grey(crest_planes size, float *image, float factor);
float crest_pixels_mean_grey(crest_planes size, const float *image);
// sigmoid(factor · logit(x) + shift), with x from 1e-7 to 1 - 1e-7.
void crest_pixels_logit_line(crest_planes size, float *image, float factor, float shift);
// sigmoid(factor · logit(x) + (1 - factor) · grey of the logits).
void crest_pixels_logit_grey(crest_planes size, float *image, float factor);
// Turns the hue of red, green and blue by a part of the circle.
void crest_pixels_hue(crest_planes size, float *image, float turn);
// Convolves each row and column with `taps` weights, an odd number, reflected at the edges, which it must not pass;
// `scratch` has room for the image.
void crest_pixels_blur(crest_planes size, float *image, const float *weights, size_t taps, float *scratch);

// Between normalised values and those from 0 to `scale`: x · factor + shift for each channel.
void crest_pixels_line(float *values, size_t count, float factor, float shift);
// Rounds to whole numbers from 0 to 255.
void crest_pixels_round(float *values, size_t count);
void crest_pixels_to_bytes(const float *values, size_t count, uint8_t *bytes);
void crest_pixels_from_bytes(const uint8_t *bytes, size_t count, float *values);
// Rows of channels side by side, and back.
void crest_pixels_interleave(crest_planes size, const float *planes, uint8_t *pixels);
void crest_pixels_separate(crest_planes size, const uint8_t *pixels, float *planes);

// Pillow's operations on bytes, of planes, `in` and `out` apart.
// transform(AFFINE, NEAREST) with the six coefficients, black outside.
void crest_bytes_affine(crest_planes size, const uint8_t *in, const double *matrix, uint8_t *out);
// ImageEnhance: 1 leaves the image.
void crest_bytes_brightness(crest_planes size, const uint8_t *in, float factor, uint8_t *out);
void crest_bytes_colour(crest_planes size, const uint8_t *in, float factor, uint8_t *out);
void crest_bytes_contrast(crest_planes size, const uint8_t *in, float factor, uint8_t *out);
void crest_bytes_sharpness(crest_planes size, const uint8_t *in, float factor, uint8_t *out);
// ImageOps.
void crest_bytes_posterize(crest_planes size, const uint8_t *in, int bits, uint8_t *out);
void crest_bytes_solarize(crest_planes size, const uint8_t *in, float threshold, uint8_t *out);
void crest_bytes_autocontrast(crest_planes size, const uint8_t *in, uint8_t *out);
void crest_bytes_equalize(crest_planes size, const uint8_t *in, uint8_t *out);

#endif
