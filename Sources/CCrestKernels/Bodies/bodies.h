// Every kernel, once per instruction set: the files in ISA/ include this with CK_LANES, CK_FMA and CK_FN
// defined, inside a target attribute. Nothing here may be visible outside the including file.
#include "batch_norm.h"
#include "conv2d.h"
#include "copy.h"
#include "cross_entropy.h"
#include "dropout.h"
#include "elementwise.h"
#include "gemm.h"
#include "optimizer.h"
#include "pooling.h"
#include "reduce.h"
#include "scan.h"
#include "softmax.h"
