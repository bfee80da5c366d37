// What kernel bodies may use. It comes before the target attribute, which would otherwise leak into
// the system's inline functions.
#ifndef CK_SYSTEM_H
#define CK_SYSTEM_H

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "../Random/philox.h"
#include "crest_kernels.h"

#endif
