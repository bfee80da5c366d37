// Adafactor's passes over matrices: squares of gradients by the means of rows and columns.
#ifndef CK_FACTORED_H
#define CK_FACTORED_H

#include "../Plans/factored_plan.h"
#include "change.h"
#include "vector.h"

CK_INLINE vd vd_load(const double *p) {
  vd v;
  memcpy(&v, p, sizeof v);
  return v;
}
CK_INLINE void vd_add_to(double *p, vd v) {
  v += vd_load(p);
  memcpy(p, &v, sizeof v);
}

// The sums of squares of `count` ≤ 4 rows of a tile, and what they add to those of its columns.
CK_INLINE void ck_row_squares(const size_t count, size_t columns, size_t stride, const float *x, double *of_rows,
                              double *of_columns) {
  vd sums[4] = {{0}};
  size_t whole = columns / CK_LANES * CK_LANES;
  for (size_t c = 0; c < whole; c += CK_LANES) {
    vd first = {0}, second = {0};
    for (size_t r = 0; r < count; r++) {
      __builtin_prefetch(x + (r + count) * stride + c);
      vf value = vf_load(x + r * stride + c);
      vd low = vd_low(value), high = vd_high(value);
      low *= low, high *= high;
      first += low, second += high, sums[r] += low + high;
    }
    vd_add_to(of_columns + c, first), vd_add_to(of_columns + c + CK_LANES / 2, second);
  }
  for (size_t r = 0; r < count; r++) {
    double total = vd_sum(sums[r]);
    for (size_t c = whole; c < columns; c++) {
      double value = x[r * stride + c];
      of_columns[c] += value * value, total += value * value;
    }
    of_rows[r] = total;
  }
}

// The sums of squares of each row and each column of a tile whose rows are `stride` apart.
CK_INLINE void ck_tile_squares(size_t rows, size_t columns, size_t stride, const float *x, double *of_rows,
                               double *of_columns) {
  for (size_t c = 0; c < columns; c++) of_columns[c] = 0;
  if (columns < CK_LANES) {
    for (size_t r = 0; r < rows; r++) {
      double total = 0;
      for (size_t c = 0; c < columns; c++) {
        double value = x[r * stride + c];
        of_columns[c] += value * value, total += value * value;
      }
      of_rows[r] = total;
    }
    return;
  }
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) ck_row_squares(4, columns, stride, x + r * stride, of_rows + r, of_columns);
  for (; r < rows; r++) ck_row_squares(1, columns, stride, x + r * stride, of_rows + r, of_columns);
}

typedef struct ck_factored_squares {
  ck_factored_plan plan;
  const ck_factored *p;
  double part;
  const float *g;
  float *rows, *columns;
  uint32_t *nonfinite;
} ck_factored_squares;

// Moves `means` towards the sums, of which there are `parts` for each, over `terms`; returns their sum.
CK_INLINE double ck_factored_approach(float *means, size_t count, double *sums, size_t parts, double terms,
                                      double step) {
  for (size_t i = 1; i < parts; i++)
    for (size_t c = 0; c < count; c++) sums[c] += sums[i * count + c];
  double total = 0;
  for (size_t c = 0; c < count; c++) {
    means[c] = (float)(means[c] + step * (sums[c] / terms - means[c]));
    total += means[c];
  }
  return total;
}

// 1 / √x of each.
CK_INLINE void ck_inverse_roots(float *x, size_t n) {
  for (size_t i = 0; i < n; i += CK_LANES)
    vf_store_upto(x + i, 1 / vf_sqrt(vf_load_upto_or(x + i, n - i, 1)), n - i);
}

static void ck_factored_group(void *context, size_t group, size_t worker) {
  (void)worker;
  const ck_factored_squares *d = context;
  const ck_factored_plan *plan = &d->plan;
  size_t height = d->p->height, width = d->p->width;
  size_t blocks = plan->cut.blocks.count, splits = plan->cut.splits.count;
  size_t from = ck_cut_start(&plan->cut.groups, group), count = ck_cut_length(&plan->cut.groups, group);
  double zeros = 0;
  for (size_t matrix = from; matrix < from + count; matrix++) {
    float *rows = d->rows + matrix * height, *columns = d->columns + matrix * width;
    double total = ck_factored_approach(rows, height, plan->row_sums + matrix * blocks * height, blocks,
                                        (double)width, d->part);
    zeros += total - total;
    double mean = total / (double)height, scale = 1 / (mean < d->p->epsilon ? d->p->epsilon : mean);
    total = ck_factored_approach(columns, width, plan->column_sums + matrix * splits * width, splits,
                                 (double)height, d->part);
    zeros += total - total;
    for (size_t r = 0; r < height; r++) plan->row_roots[matrix * height + r] = (float)(rows[r] * scale);
    memcpy(plan->column_roots + matrix * width, columns, width * sizeof(float));
  }
  ck_inverse_roots(plan->row_roots + from * height, count * height);
  ck_inverse_roots(plan->column_roots + from * width, count * width);
  if (zeros != 0) __atomic_store_n(d->nonfinite, 1, __ATOMIC_RELAXED);
}

static void ck_factored_tile(void *context, size_t chunk, size_t worker) {
  const ck_factored_squares *d = context;
  const ck_factored_plan *plan = &d->plan;
  size_t height = d->p->height, width = d->p->width;
  size_t blocks = plan->cut.blocks.count, splits = plan->cut.splits.count;
  size_t block = chunk % blocks, split = chunk / blocks % splits, group = chunk / blocks / splits;
  size_t column = ck_cut_start(&plan->cut.blocks, block), columns = ck_cut_length(&plan->cut.blocks, block);
  size_t row = ck_cut_start(&plan->cut.splits, split), rows = ck_cut_length(&plan->cut.splits, split);
  size_t from = ck_cut_start(&plan->cut.groups, group), count = ck_cut_length(&plan->cut.groups, group);
  for (size_t matrix = from; matrix < from + count; matrix++)
    ck_tile_squares(rows, columns, width, d->g + (matrix * height + row) * width + column,
                    plan->row_sums + (matrix * blocks + block) * height + row,
                    plan->column_sums + (matrix * splits + split) * width + column);
  // While they are near.
  if (blocks * splits == 1) ck_factored_group(context, group, worker);
}

static void CK_FN(factored_means_f32)(ck_pool *pool, const ck_factored *p, double part, const float *g, float *rows,
                                      float *columns, uint32_t *nonfinite, void *scratch) {
  if (p->matrices * p->height * p->width == 0) return;
  ck_factored_squares d = {.plan = ck_plan_factored(p, scratch), .p = p, .part = part, .g = g, .rows = rows,
                           .columns = columns, .nonfinite = nonfinite};
  const ck_reduce_cut *cut = &d.plan.cut;
  ck_pool_run(pool, cut->groups.count * cut->splits.count * cut->blocks.count, ck_factored_tile, &d);
  if (cut->splits.count * cut->blocks.count > 1) ck_pool_run(pool, cut->groups.count, ck_factored_group, &d);
}

// Elements whose inverse roots are computed at once, so that rows of a few elements fill registers, too.
#define CK_ROOTS ((size_t)512)

typedef struct ck_factored_pass {
  ck_cut cut;
  ck_factored_plan plan;
  const ck_factored *p;
  float keep, step;
  const float *g, *read_w;
  float *w;
  uint32_t *nonfinite;
  double (*partial)[2];
} ck_factored_pass;

// What of a parameter comes next: a column of a row of a matrix.
typedef struct ck_factored_place { size_t matrix, row, column; } ck_factored_place;

// 1 / √estimate of the next `count` elements; what lies behind them in `roots` is written over.
CK_INLINE void ck_factored_roots(const ck_factored_pass *d, ck_factored_place *place, size_t count, float *roots) {
  size_t height = d->p->height, width = d->p->width;
  const vf most = vf_splat((float)(1 / ck_factored_least_root(d->p)));
  for (size_t done = 0; done < count;) {
    size_t length = ck_least(width - place->column, count - done);
    vf factor = vf_splat(d->plan.row_roots[place->matrix * height + place->row]);
    const float *columns = d->plan.column_roots + place->matrix * width + place->column;
    for (size_t c = 0; c < length; c += CK_LANES)
      vf_store(roots + done + c, vf_min(factor * vf_load(columns + c), most));
    done += length, place->column += length;
    if (place->column < width) continue;
    place->column = 0;
    if (++place->row == height) place->row = 0, place->matrix++;
  }
}

CK_INLINE void ck_factored_pass_chunk(const ck_factored_pass *d, size_t chunk, const bool steps) {
  size_t start = ck_cut_start(&d->cut, chunk), n = ck_cut_length(&d->cut, chunk), row = start / d->p->width;
  ck_factored_place place = {row / d->p->height, row % d->p->height, start % d->p->width};
  vf keep = vf_splat(d->keep), scale = vf_splat(-d->step), zeros = vf_splat(0);
  vd first = {0}, second = {0};
  for (size_t done = 0; done < n; done += CK_ROOTS) {
    size_t count = ck_least(CK_ROOTS, n - done);
    float roots[CK_ROOTS + CK_LANES];
    ck_factored_roots(d, &place, count, roots);
    const float *g = d->g + start + done, *w = d->read_w + start + done;
    for (size_t i = 0; i < count; i += CK_LANES) {
      vf weight = vf_load_stream(w + i, count - i);
      vf direction = vf_load_stream(g + i, count - i) * vf_load_upto(roots + i, count - i);
      if (steps) {
        vf next = vf_fma(scale, direction, keep * weight);
        zeros += next - next;
        vf_store_upto(d->w + start + done + i, next, count - i);
      } else {
        vd low = vd_low(weight), high = vd_high(weight);
        first += low * low + high * high;
        low = vd_low(direction), high = vd_high(direction);
        second += low * low + high * high;
      }
    }
  }
  if (!steps) d->partial[chunk][0] = vd_sum(first), d->partial[chunk][1] = vd_sum(second);
  if (steps && vf_sum(zeros) != 0) __atomic_store_n(d->nonfinite, 1, __ATOMIC_RELAXED);
}

static void ck_factored_sums_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_factored_pass_chunk(context, chunk, false);
}
static void ck_factored_step_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  ck_factored_pass_chunk(context, chunk, true);
}

static void CK_FN(factored_sums_f32)(ck_pool *pool, const ck_factored *p, const float *g, const float *w, double *sums,
                                     void *scratch) {
  double partial[CK_PARTIAL_CHUNKS][2];
  ck_factored_pass d = {.cut = ck_change_cut(p->matrices * p->height * p->width), .p = p, .g = g, .read_w = w,
                        .plan = ck_plan_factored(p, scratch), .partial = partial};
  ck_pool_run(pool, d.cut.count, ck_factored_sums_chunk, &d);
  for (int i = 0; i < 2; i++) {
    sums[i] = 0;
    for (size_t chunk = 0; chunk < d.cut.count; chunk++) sums[i] += partial[chunk][i];
  }
}

static void CK_FN(factored_step_f32)(ck_pool *pool, const ck_factored *p, float keep, float step, const float *g,
                                     float *w, uint32_t *nonfinite, void *scratch) {
  ck_factored_pass d = {.cut = ck_change_cut(p->matrices * p->height * p->width), .p = p, .keep = keep,
                        .step = step, .g = g, .read_w = w, .w = w, .nonfinite = nonfinite,
                        .plan = ck_plan_factored(p, scratch)};
  ck_pool_run(pool, d.cut.count, ck_factored_step_chunk, &d);
}

#endif
