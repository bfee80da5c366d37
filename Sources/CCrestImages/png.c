#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "grey.h"
#include "include/crest_images.h"

// The most bytes of a chunk that libpng keeps in memory.
#define CHUNK_LIMIT (8u << 20)

typedef struct reader {
  const crest_image_source *source;
  size_t place;
  char *message;
} reader;

static void fail(png_structp png, png_const_charp text) {
  reader *from = png_get_error_ptr(png);
  strncpy(from->message, text, CREST_IMAGE_MESSAGE - 1);
  from->message[CREST_IMAGE_MESSAGE - 1] = 0;
  png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void read_bytes(png_structp png, png_bytep to, size_t count) {
  reader *from = png_get_io_ptr(png);
  if (count > from->source->byte_count - from->place) png_error(png, "it ends early");
  memcpy(to, from->source->bytes + from->place, count);
  from->place += count;
}

// What is to be freed after a jump.
typedef struct rows {
  png_bytep *volatile starts;
  uint8_t *volatile colours;
} rows;

static void read_image(png_structp png, png_infop info, const crest_image_source *source, rows *own, uint8_t *pixels) {
  png_set_user_limits(png, source->width, source->height);
  png_set_chunk_cache_max(png, 64);
  png_set_chunk_malloc_max(png, CHUNK_LIMIT);
  // Texts, profiles and the like are skipped: they say nothing of the pixels, and may be compressed.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_read_info(png, info);
  if (png_get_image_width(png, info) != source->width || png_get_image_height(png, info) != source->height)
    png_error(png, "it has two sizes");
  int is_grey = !(png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR);
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_strip_alpha(png);
  int channels = source->channels == 1 && is_grey ? 1 : 3;
  if (channels == 3 && is_grey) png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size_t stride = (size_t)source->width * (size_t)channels;
  if (png_get_rowbytes(png, info) != stride) png_error(png, "its rows have an unexpected size");
  uint8_t *base = pixels;
  if (channels != source->channels) base = own->colours = malloc(stride * source->height);
  own->starts = malloc(sizeof(png_bytep) * source->height);
  if (base == NULL || own->starts == NULL) png_error(png, "there is no memory for it");
  for (size_t row = 0; row < source->height; row++) own->starts[row] = base + row * stride;
  png_read_image(png, own->starts);
  png_read_end(png, NULL);
  if (channels != source->channels) crest_image_grey(base, (size_t)source->width * source->height, pixels);
}

int crest_png_decode(const crest_image_source *source, uint8_t *pixels, char *message) {
  reader from = {source, 0, message};
  rows own = {0};
  strcpy(message, "there is no memory for it");
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &from, fail, ignore);
  if (png == NULL) return -1;
  png_infop info = png_create_info_struct(png);
  int status = -1;
  if (info != NULL && setjmp(png_jmpbuf(png)) == 0) {
    png_set_read_fn(png, &from, read_bytes);
    read_image(png, info, source, &own, pixels);
    status = 0;
  }
  free(own.starts);
  free(own.colours);
  png_destroy_read_struct(&png, &info, NULL);
  return status;
}
