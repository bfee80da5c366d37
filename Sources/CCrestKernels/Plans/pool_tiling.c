#include "crest_kernels.h"

bool ck_pool2d_is_tiling(const ck_pool2d *p) {
  return p->stride_height == p->kernel_height && p->stride_width == p->kernel_width && p->dilation_height == 1 &&
         p->dilation_width == 1;
}
