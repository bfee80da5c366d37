// Images that are computed while they are read.
#ifndef CK_AFFINE_H
#define CK_AFFINE_H

#include "vector.h"

typedef enum affine_kind { AFFINE_PLAIN, AFFINE_ONE, AFFINE_TWO, AFFINE_KINDS } affine_kind;

CK_INLINE affine_kind affine_kind_of(const ck_affine *a) {
  return a->scale == NULL ? AFFINE_PLAIN : a->second == NULL ? AFFINE_ONE : AFFINE_TWO;
}

// The coefficients of a register of channels.
typedef struct affine_lanes {
  vf scale, second_scale, shift;
  vi relu;
} affine_lanes;

CK_INLINE affine_lanes affine_lanes_at(affine_kind kind, const ck_affine *a, size_t channel, size_t lanes) {
  affine_lanes k = {.relu = vi_splat(a->relu ? -1 : 0)};
  if (kind != AFFINE_PLAIN) {
    k.scale = vf_load_upto(a->scale + channel, lanes);
    k.shift = vf_load_upto(a->shift + channel, lanes);
  }
  if (kind == AFFINE_TWO) k.second_scale = vf_load_upto(a->second_scale + channel, lanes);
  return k;
}

// A register of the image, `place` floats from its start.
CK_INLINE vf affine_load(affine_kind kind, const ck_affine *a, const affine_lanes *k, size_t place, size_t lanes) {
  vf x = vf_load_upto(a->x + place, lanes);
  if (kind == AFFINE_PLAIN) return x;
  vf y = k->shift;
  if (kind == AFFINE_TWO) y = vf_fma(vf_load_upto(a->second + place, lanes), k->second_scale, y);
  y = vf_fma(x, k->scale, y);
  return (vf)((vi)y & ~((y <= 0) & k->relu));
}

#endif
