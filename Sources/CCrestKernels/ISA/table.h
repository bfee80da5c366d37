// The table of the including file's instruction set, one entry per line of crest_kernels.def.
extern const ck_kernels CK_TABLE;
const ck_kernels CK_TABLE = {
    .isa = CK_TABLE_ISA,
#define CK_KERNEL(name, parameters) .name = CK_FN(name),
#include "crest_kernels.def"
#undef CK_KERNEL
};
