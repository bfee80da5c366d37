#ifndef CREST_GREY_H
#define CREST_GREY_H

#include <stddef.h>
#include <stdint.h>

// Luma of ITU-R 601 in whole numbers, as Pillow's convert("L"). `grey` may be `colours`.
static inline void crest_image_grey(const uint8_t *colours, size_t count, uint8_t *grey) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t *c = colours + 3 * i;
    grey[i] = (uint8_t)((19595u * c[0] + 38470u * c[1] + 7471u * c[2] + 32768u) >> 16);
  }
}

#endif
