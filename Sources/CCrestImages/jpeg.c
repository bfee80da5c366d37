#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "grey.h"
#include "include/crest_images.h"

// Scans of a progressive file: encoders write about ten, and each costs a pass over the image.
#define SCAN_LIMIT 100

typedef struct errors {
  struct jpeg_error_mgr base;
  jmp_buf place;
  char *message;
} errors;

static void fail(j_common_ptr jpeg) {
  errors *own = (errors *)jpeg->err;
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  strncpy(own->message, text, CREST_IMAGE_MESSAGE - 1);
  own->message[CREST_IMAGE_MESSAGE - 1] = 0;
  longjmp(own->place, 1);
}

// libjpeg fills in grey for what is damaged or missing and calls that a warning.
static void judge(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM: return;
    default: fail(jpeg);
  }
}

static void watch(j_common_ptr jpeg) {
  if (jpeg->is_decompressor && ((j_decompress_ptr)jpeg)->input_scan_number > SCAN_LIMIT) {
    errors *own = (errors *)jpeg->err;
    snprintf(own->message, CREST_IMAGE_MESSAGE, "it has more than %d scans", SCAN_LIMIT);
    longjmp(own->place, 1);
  }
}

static void refuse(j_decompress_ptr jpeg, const char *text) {
  errors *own = (errors *)jpeg->err;
  strcpy(own->message, text);
  longjmp(own->place, 1);
}

// x · y / 255, rounded.
static uint8_t product(unsigned x, unsigned y) {
  unsigned twice = x * y + 128;
  return (uint8_t)((twice + (twice >> 8)) >> 8);
}

// Adobe's CMYK is inverted: 255 is no ink.
static void colours_of_inks(uint8_t *row, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t *inks = row + 4 * i;
    uint8_t c = inks[0], m = inks[1], y = inks[2], k = inks[3];
    row[3 * i] = product(c, k), row[3 * i + 1] = product(m, k), row[3 * i + 2] = product(y, k);
  }
}

static void read_image(j_decompress_ptr jpeg, const crest_image_source *source, int shrink,
                       uint8_t *volatile *own, uint8_t *pixels) {
  jpeg_mem_src(jpeg, source->bytes, source->byte_count);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->image_width != source->width || jpeg->image_height != source->height) refuse(jpeg, "it has two sizes");
  int is_grey = jpeg->jpeg_color_space == JCS_GRAYSCALE;
  int has_inks = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
  int is_direct = is_grey && source->channels == 1;
  jpeg->out_color_space = has_inks ? JCS_CMYK : is_direct ? JCS_GRAYSCALE : JCS_RGB;
  jpeg->dct_method = JDCT_ISLOW;
  jpeg->scale_num = 1;
  jpeg->scale_denom = (unsigned)shrink;
  jpeg_start_decompress(jpeg);
  size_t width = jpeg->output_width, rows = jpeg->output_height;
  size_t wide = (source->width + (size_t)shrink - 1) / (size_t)shrink;
  size_t high = (source->height + (size_t)shrink - 1) / (size_t)shrink;
  if (width != wide || rows != high) refuse(jpeg, "its rows have an unexpected size");
  *own = malloc(width * 4);
  if (*own == NULL) refuse(jpeg, "there is no memory for it");
  size_t stride = width * (size_t)source->channels;
  while (jpeg->output_scanline < rows) {
    uint8_t *to = pixels + jpeg->output_scanline * stride;
    int is_in_place = !has_inks && (is_direct || source->channels == 3);
    JSAMPROW row = is_in_place ? to : *own;
    jpeg_read_scanlines(jpeg, &row, 1);
    if (is_in_place) continue;
    if (has_inks) colours_of_inks(*own, width);
    if (source->channels == 1) crest_image_grey(*own, width, to);
    else memcpy(to, *own, width * 3);
  }
  jpeg_finish_decompress(jpeg);
}

int crest_jpeg_decode(const crest_image_source *source, int shrink, uint8_t *pixels, char *message) {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_progress_mgr progress = {.progress_monitor = watch};
  errors own_errors = {.message = message};
  uint8_t *volatile own = NULL;
  volatile int status = -1;
  memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = jpeg_std_error(&own_errors.base);
  own_errors.base.error_exit = fail;
  own_errors.base.emit_message = judge;
  if (setjmp(own_errors.place) == 0) {
    jpeg_create_decompress(&jpeg);
    jpeg.progress = &progress;
    read_image(&jpeg, source, shrink, &own, pixels);
    status = 0;
  }
  free(own);
  jpeg_destroy_decompress(&jpeg);
  return status;
}
