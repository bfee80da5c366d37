#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include "../Plans/chunks.h"
#include "vector.h"

typedef struct ck_step {
  ck_cut cut;
  const ck_sgd *sgd;
  const ck_adam *adam;
  const float *g;
  float *w, *v, *m, *s;
} ck_step;

static void ck_sgd_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_step *step = context;
  const ck_sgd p = *step->sgd;
  size_t start = ck_cut_start(&step->cut, chunk), n = ck_cut_length(&step->cut, chunk);
  const float *g = step->g + start;
  float *w = step->w + start, *v = step->v ? step->v + start : NULL;
  vf keep = vf_splat(1 - p.rate * p.decay), rate = vf_splat(-p.rate), momentum = vf_splat(p.momentum);
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf weight = vf_load_upto(w + i, n - i) * keep;
    vf direction = vf_fma(vf_splat(p.l2), weight, vf_load_upto(g + i, n - i));
    if (v) {
      vf velocity = vf_fma(momentum, vf_load_upto(v + i, n - i), direction);
      vf_store_upto(v + i, velocity, n - i);
      direction = p.nesterov ? vf_fma(momentum, velocity, direction) : velocity;
    }
    vf_store_upto(w + i, vf_fma(rate, direction, weight), n - i);
  }
}

static void ck_adam_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_step *step = context;
  const ck_adam p = *step->adam;
  size_t start = ck_cut_start(&step->cut, chunk), n = ck_cut_length(&step->cut, chunk);
  const float *g = step->g + start;
  float *w = step->w + start, *m = step->m + start, *s = step->s + start;
  vf keep = vf_splat(1 - p.rate * p.decay), rate = vf_splat(-p.rate / p.correction1);
  vf inverse_root = vf_splat(1 / sqrtf(p.correction2)), beta1 = vf_splat(p.beta1), beta2 = vf_splat(p.beta2);
  for (size_t i = 0; i < n; i += CK_LANES) {
    vf weight = vf_load_upto(w + i, n - i) * keep;
    vf gradient = vf_fma(vf_splat(p.l2), weight, vf_load_upto(g + i, n - i));
    vf first = vf_fma(beta1, vf_load_upto(m + i, n - i), (1 - p.beta1) * gradient);
    vf second = vf_fma(beta2, vf_load_upto(s + i, n - i), (1 - p.beta2) * gradient * gradient);
    vf_store_upto(m + i, first, n - i);
    vf_store_upto(s + i, second, n - i);
    vf direction = first / vf_fma(vf_sqrt(second), inverse_root, vf_splat(p.epsilon));
    vf_store_upto(w + i, vf_fma(rate, direction, weight), n - i);
  }
}

static void CK_FN(sgd_f32)(ck_pool *pool, size_t count, const ck_sgd *p, const float *g, float *v, float *w) {
  ck_step step = {.cut = ck_cut_elements(count), .sgd = p, .g = g, .w = w, .v = v};
  ck_pool_run(pool, step.cut.count, ck_sgd_chunk, &step);
}
static void CK_FN(adam_f32)(ck_pool *pool, size_t count, const ck_adam *p, const float *g, float *m, float *s,
                            float *w) {
  ck_step step = {.cut = ck_cut_elements(count), .adam = p, .g = g, .w = w, .m = m, .s = s};
  ck_pool_run(pool, step.cut.count, ck_adam_chunk, &step);
}

#endif
