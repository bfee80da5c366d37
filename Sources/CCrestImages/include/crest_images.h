#ifndef CREST_IMAGES_H
#define CREST_IMAGES_H

#include <stddef.h>
#include <stdint.h>

// Longest message, its end included.
#define CREST_IMAGE_MESSAGE 200

// An image file in memory, and what its header says. The decoders refuse a file that says otherwise, so `pixels` always
// has room: height · width · channels bytes, row by row, channels interleaved; 1 channel is grey, 3 are red, green, blue.
typedef struct crest_image_source {
  const uint8_t *bytes;
  size_t byte_count;
  uint32_t width, height;
  int channels;
} crest_image_source;

// Decodes a PNG of any kind to 8 bits: 16 bits are divided by 257 and rounded, alpha is dropped.
// Returns 0, or -1 with a message.
int crest_png_decode(const crest_image_source *source, uint8_t *pixels, char *message);

// Decodes a JPEG, with the accurate inverse transform, to a `1 / shrink` of its size: ceil(width / shrink) columns.
// CMYK is taken as Adobe writes it. `shrink` is 1, 2, 4 or 8. Returns 0, or -1 with a message.
int crest_jpeg_decode(const crest_image_source *source, int shrink, uint8_t *pixels, char *message);

// The upright image of one stored with EXIF's orientation, 1 to 8; 5 to 8 swap rows and columns.
void crest_image_orient(const uint8_t *pixels, size_t width, size_t height, int channels, int orientation,
                        uint8_t *upright);

#endif
