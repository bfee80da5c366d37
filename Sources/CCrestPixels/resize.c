#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "include/crest_pixels.h"

// Binary places of weights: a sum of 8-bit values by weights that sum to 1 stays in 32 bits.
#define PLACES 22
#define PI 3.14159265358979323846

typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));

static double box(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }
static double bilinear(double x) { return fabs(x) < 1 ? 1 - fabs(x) : 0; }
static double sinc(double x) { return x == 0 ? 1 : sin(x * PI) / (x * PI); }
static double hamming(double x) {
  x = fabs(x);
  return x == 0 ? 1 : x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * cos(x * PI));
}
static double bicubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
static double lanczos(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

static const struct {
  double (*weight)(double);
  double support;
} filters[] = {
    [CREST_FILTER_BOX] = {box, 0.5},         [CREST_FILTER_BILINEAR] = {bilinear, 1},
    [CREST_FILTER_HAMMING] = {hamming, 1},   [CREST_FILTER_BICUBIC] = {bicubic, 2},
    [CREST_FILTER_LANCZOS] = {lanczos, 3},
};

// For each output place the first source place and the weights from it on.
typedef struct axis {
  size_t taps;
  size_t *first, *count;
  int32_t *weights;
} axis;

static void release(axis *a) {
  free(a->first);
  free(a->weights);
}

static int make_axis(axis *a, size_t from, size_t to, crest_image_filter filter) {
  double scale = (double)from / (double)to;
  double stretch = filter == CREST_FILTER_NEAREST || scale < 1 ? 1 : scale;
  double support = filter == CREST_FILTER_NEAREST ? 0.5 : filters[filter].support * stretch;
  a->taps = (size_t)ceil(support) * 2 + 1;
  a->first = malloc(2 * to * sizeof *a->first);
  a->weights = calloc(a->taps * to, sizeof *a->weights);
  double *exact = malloc(a->taps * sizeof *exact);
  if (a->first == NULL || a->weights == NULL || exact == NULL) {
    free(exact);
    return -1;
  }
  a->count = a->first + to;
  // Summed up step by step as Pillow does, whose nearest pixels hang on the rounding.
  double place = 0.5 * scale;
  for (size_t x = 0; x < to; x++, place += scale) {
    double centre = ((double)x + 0.5) * scale;
    int32_t *weights = a->weights + x * a->taps;
    if (filter == CREST_FILTER_NEAREST) {
      a->first[x] = place < (double)from ? (size_t)place : from - 1;
      a->count[x] = 1;
      weights[0] = 1 << PLACES;
      continue;
    }
    double low = centre - support + 0.5, high = centre + support + 0.5;
    size_t lo = low > 0 ? (size_t)low : 0, hi = (size_t)high < from ? (size_t)high : from;
    double sum = 0;
    for (size_t i = lo; i < hi; i++) {
      exact[i - lo] = filters[filter].weight(((double)i - centre + 0.5) * (1 / stretch));
      sum += exact[i - lo];
    }
    for (size_t i = 0; i < hi - lo; i++) {
      double w = (sum != 0 ? exact[i] / sum : exact[i]) * (1 << PLACES);
      weights[i] = (int32_t)(w < 0 ? w - 0.5 : w + 0.5);
    }
    a->first[x] = lo;
    a->count[x] = hi - lo;
  }
  free(exact);
  return 0;
}

static uint8_t rounded(int32_t sum) {
  int32_t value = sum >> PLACES;
  return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value;
}

static void filter_row_grey(const uint8_t *row, const axis *a, size_t width, uint8_t *out) {
  for (size_t x = 0; x < width; x++) {
    const int32_t *weights = a->weights + x * a->taps;
    const uint8_t *from = row + a->first[x];
    int32_t sum = 1 << (PLACES - 1);
    for (size_t i = 0; i < a->count[x]; i++) sum += from[i] * weights[i];
    out[x] = rounded(sum);
  }
}

// `row` has a byte after its last, which is read and not used.
static void filter_row_rgb(const uint8_t *row, const axis *a, size_t width, uint8_t *out) {
  for (size_t x = 0; x < width; x++) {
    const int32_t *weights = a->weights + x * a->taps;
    const uint8_t *from = row + 3 * a->first[x];
    const int32_t half = 1 << (PLACES - 1);
    lanes sum = {half, half, half, half};
    for (size_t i = 0; i < a->count[x]; i++) {
      bytes4 pixel;
      memcpy(&pixel, from + 3 * i, sizeof pixel);
      sum += __builtin_convertvector(pixel, lanes) * weights[i];
    }
    out[3 * x] = rounded(sum[0]), out[3 * x + 1] = rounded(sum[1]), out[3 * x + 2] = rounded(sum[2]);
  }
}

// Rows that are `stride` bytes apart, of `n` bytes.
static void filter_column(const uint8_t *rows, size_t stride, size_t n, const int32_t *weights, size_t count,
                          uint8_t *out) {
  enum { BLOCK = 64 };
  for (size_t start = 0; start < n; start += BLOCK) {
    int32_t sums[BLOCK];
    size_t size = n - start < BLOCK ? n - start : BLOCK;
    for (size_t i = 0; i < BLOCK; i++) sums[i] = 1 << (PLACES - 1);
    for (size_t row = 0; row < count; row++) {
      const uint8_t *from = rows + row * stride + start;
      int32_t weight = weights[row];
      if (size == BLOCK) {
        for (size_t i = 0; i < BLOCK; i++) sums[i] += from[i] * weight;
      } else {
        for (size_t i = 0; i < size; i++) sums[i] += from[i] * weight;
      }
    }
    for (size_t i = 0; i < size; i++) out[start + i] = rounded(sums[i]);
  }
}

// Columns of the rows that the vertical pass reads; the row of three channels is copied first, as one byte more is read.
static int filter_columns(const crest_image_part *part, const axis *a, size_t width, size_t first, size_t count,
                          uint8_t *out) {
  size_t channels = (size_t)part->channels, size = part->width * channels;
  uint8_t *row = malloc(size + 1);
  if (row == NULL) return -1;
  for (size_t y = 0; y < count; y++) {
    const uint8_t *from = part->pixels + (part->top + first + y) * part->row_stride + part->left * channels;
    if (channels == 1) {
      filter_row_grey(from, a, width, out + y * width);
    } else {
      memcpy(row, from, size);
      row[size] = 0;
      filter_row_rgb(row, a, width, out + y * width * 3);
    }
  }
  free(row);
  return 0;
}

int crest_image_resize(const crest_image_part *part, crest_image_filter filter, size_t width, size_t height,
                       uint8_t *pixels) {
  size_t channels = (size_t)part->channels, stride = width * channels;
  axis across = {0}, down = {0};
  uint8_t *between = NULL;
  int status = -1;
  int is_wide = width != part->width, is_high = height != part->height;
  if (is_wide && make_axis(&across, part->width, width, filter) != 0) goto end;
  if (is_high && make_axis(&down, part->height, height, filter) != 0) goto end;
  size_t first = is_high ? down.first[0] : 0;
  size_t last = is_high ? down.first[height - 1] + down.count[height - 1] : height;
  const uint8_t *rows = part->pixels + (part->top + first) * part->row_stride + part->left * channels;
  size_t row_stride = part->row_stride;
  if (is_wide) {
    between = malloc((last - first) * stride);
    if (between == NULL || filter_columns(part, &across, width, first, last - first, between) != 0) goto end;
    rows = between;
    row_stride = stride;
  }
  for (size_t y = 0; y < height; y++) {
    uint8_t *out = pixels + y * stride;
    if (!is_high) {
      memcpy(out, rows + y * row_stride, stride);
    } else {
      filter_column(rows + (down.first[y] - first) * row_stride, row_stride, stride, down.weights + y * down.taps,
                    down.count[y], out);
    }
  }
  status = 0;
end:
  free(between);
  release(&across);
  release(&down);
  return status;
}
