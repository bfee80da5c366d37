#include <string.h>

#include "include/crest_images.h"

void crest_image_orient(const uint8_t *pixels, size_t width, size_t height, int channels, int orientation,
                        uint8_t *upright) {
  size_t size = (size_t)channels;
  int swaps = orientation >= 5;
  size_t columns = swaps ? height : width, rows = swaps ? width : height;
  int mirrors = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  int flips = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  for (size_t row = 0; row < rows; row++) {
    size_t v = flips ? rows - 1 - row : row;
    for (size_t column = 0; column < columns; column++) {
      size_t u = mirrors ? columns - 1 - column : column;
      size_t from = swaps ? u * width + v : v * width + u;
      memcpy(upright + (row * columns + column) * size, pixels + from * size, size);
    }
  }
}
