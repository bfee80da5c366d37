// Kernels of the engine: C functions over plain arrays, one table of them per instruction set.
#ifndef CREST_KERNELS_H
#define CREST_KERNELS_H

#include "crest_pool.h"

#pragma clang assume_nonnull begin

typedef enum ck_isa { CK_ISA_BASELINE, CK_ISA_NEON, CK_ISA_AVX2, CK_ISA_AVX512, CK_ISA_COUNT } ck_isa;

typedef enum ck_type {
  CK_FLOAT32, CK_FLOAT64, CK_BFLOAT16, CK_FLOAT16, CK_INT8, CK_INT16, CK_INT32, CK_INT64, CK_UINT8, CK_BOOL
} ck_type;

typedef enum ck_reduction { CK_SUM, CK_MEAN, CK_MAXIMUM, CK_MINIMUM, CK_PRODUCT } ck_reduction;

// Output sizes are the caller's, already consistent with the rest (floor or ceil as its graph says).
typedef struct ck_conv2d {
  size_t batch, height, width, channels;
  size_t output_channels, kernel_height, kernel_width, output_height, output_width;
  size_t stride_height, stride_width, dilation_height, dilation_width;
  size_t pad_top, pad_left;  // bottom and right follow from the sizes
  size_t groups;
} ck_conv2d;

// An image that is computed while it is read: per channel, x · scale + shift [+ second · second_scale], of which
// relu keeps the positive part (and NaN). Without scale and shift it is x as it is.
typedef struct ck_affine {
  const float *x;
  const float *_Nullable scale, *_Nullable shift;          // (C); both or neither
  const float *_Nullable second, *_Nullable second_scale;  // of x's shape, and (C); both or neither, with scale only
  bool relu;
} ck_affine;

// Batch normalisation of rows of channels as coefficients: mean and variance (population) of each channel,
// factor = scale / sqrt(variance + epsilon) and shift = bias - mean · factor, so that y = x · factor + shift.
typedef struct ck_normalization {
  float epsilon;
  const float *scale, *bias;
  float *mean, *variance, *factor, *shift;
} ck_normalization;
// Its gradient as coefficients: dscale, dbias, and dx = dy · dy_factor + x · x_factor + shift.
typedef struct ck_normalization_gradient {
  float epsilon;
  const float *x, *scale, *mean, *variance;
  float *dscale, *dbias, *dy_factor, *x_factor, *shift;
} ck_normalization_gradient;

// What is done to a convolution's result while it is stored, in this order.
typedef struct ck_conv2d_output {
  float *y;
  const float *_Nullable bias;    // (O): added
  const float *_Nullable addend;  // of y's shape: added
  // Keeps what stands where mask · mask_scale + mask_shift > 0 (mask > 0 without them), and makes the rest 0.
  const float *_Nullable mask, *_Nullable mask_scale, *_Nullable mask_shift;
  const ck_normalization *_Nullable normalization;  // of y
  // Of normalisations whose gradient y is.
  size_t gradient_count;
  const ck_normalization_gradient *_Nullable gradients[2];
} ck_conv2d_output;

typedef struct ck_pool2d {
  size_t batch, height, width, channels;
  size_t kernel_height, kernel_width, output_height, output_width;
  size_t stride_height, stride_width, dilation_height, dilation_width;
  size_t pad_top, pad_left, pad_bottom, pad_right;
  bool count_padding;
} ck_pool2d;

// One fused optimiser step: w *= 1 - rate · decay; g += l2 · w; then the rule, with its coefficients p.
#pragma clang assume_nonnull end
typedef enum ck_rule {
#define CK_UPDATE(name, moments, setup, ...) CK_RULE_##name,
#include "crest_updates.def"
#undef CK_UPDATE
  CK_RULE_COUNT
} ck_rule;
#pragma clang assume_nonnull begin
#define CK_RULE_COEFFICIENTS 12
typedef struct ck_update { ck_rule rule; float rate, l2, decay; float p[CK_RULE_COEFFICIENTS]; } ck_update;
// A pass of a rule that looks at a parameter, or at the network, as a whole: g += l2 · w, where it reads w; then the pass,
// with its coefficients p.
#pragma clang assume_nonnull end
typedef enum ck_summed_rule {
#define CK_SUMMED(name, reads, writes, setup, ...) CK_SUMMED_##name,
#include "crest_summed_updates.def"
#undef CK_SUMMED
  CK_SUMMED_COUNT
} ck_summed_rule;
#pragma clang assume_nonnull begin
#define CK_SUMMED_COEFFICIENTS 8
typedef struct ck_summed { ck_summed_rule rule; float l2; float p[CK_SUMMED_COEFFICIENTS]; } ck_summed;
// A parameter as matrices of rows, whose squares of gradients are estimated from the means of rows and columns: the square
// of an element is r · c / mean of r, of which the last is at least epsilon, and all of it at least epsilon² and 2⁻¹²⁶.
typedef struct ck_factored { size_t matrices, height, width; double epsilon; } ck_factored;
// Sums in double of changes c and d that follow each other, at rates r and s: Σ|d|, Σd², Σ|c - d|, Σ(c - d)²,
// Σ|c/r - d/s|, Σ(c/r - d/s)².
#define CK_CHANGE_SUMS 6
// The moment buffers that a rule needs, at most 4.
size_t ck_rule_moment_count(ck_rule rule);

// An elementwise program: registers 0 ..< input_count are the inputs, each instruction appends one
// register, the last register is the result. It runs block by block, so that intermediates stay in
// the first-level cache.
#pragma clang assume_nonnull end
typedef enum ck_op {
#define CK_OP(name, operands, element) CK_##name,
#define CK_PASS(name, operands, call) CK_##name,
#include "crest_elementwise.def"
#undef CK_OP
#undef CK_PASS
  CK_OP_COUNT
} ck_op;
#pragma clang assume_nonnull begin
typedef struct ck_instruction { ck_op op; uint16_t a, b, c; float constant; } ck_instruction;

// An input is addressed through the output's index space, cut into `rank` sizes (outermost first):
// element strides per dimension, zero where it is broadcast.
#define CK_MAX_RANK 8
#define CK_MAX_INPUTS 16
#define CK_MAX_INSTRUCTIONS 64
typedef struct ck_elementwise {
  size_t rank;
  size_t sizes[CK_MAX_RANK];
  size_t input_count;
  const float *_Nullable inputs[CK_MAX_INPUTS];
  ptrdiff_t strides[CK_MAX_INPUTS][CK_MAX_RANK];
  size_t instruction_count;
  ck_instruction instructions[CK_MAX_INSTRUCTIONS];
} ck_elementwise;

// One operation on whole numbers of a type, with inputs addressed as an elementwise program's.
#pragma clang assume_nonnull end
typedef enum ck_whole_op {
#define CK_WHOLE_OP(name, operands, element) CK_WHOLE_##name,
#include "crest_whole.def"
#undef CK_WHOLE_OP
  CK_WHOLE_COUNT
} ck_whole_op;
#pragma clang assume_nonnull begin
typedef struct ck_whole {
  ck_type type;  // of the inputs and the output
  ck_whole_op op;
  size_t rank;   // at least 1
  size_t sizes[CK_MAX_RANK];
  ptrdiff_t strides[3][CK_MAX_RANK];
  const void *_Nullable inputs[3];
} ck_whole;

// How an update joins the element that is there; of several that replace it the last one stays, and NaN wins an extreme.
typedef enum ck_joining {
  CK_JOIN_REPLACE, CK_JOIN_ADD, CK_JOIN_MULTIPLY, CK_JOIN_MAXIMUM, CK_JOIN_MINIMUM
} ck_joining;

// Elements of data, each chosen by its own index along an axis: element i of the indices' space is of the data's element
// with the same place along the other axes.
typedef struct ck_element_choice {
  size_t rank, axis;             // at least one axis
  size_t size;                   // of the data along the axis
  size_t sizes[CK_MAX_RANK];     // of the indices
  size_t strides[CK_MAX_RANK];   // of the data
} ck_element_choice;

// The list brings its own nullability region: clang allows no #include inside one.
#pragma clang assume_nonnull end
typedef struct ck_kernels {
  ck_isa isa;
#define CK_KERNEL(name, parameters) void (*name) parameters;
#include "crest_kernels.def"
#undef CK_KERNEL
} ck_kernels;
#pragma clang assume_nonnull begin

// The table of one instruction set; null when this CPU or this build lacks it.
const ck_kernels *_Nullable ck_kernels_for(ck_isa isa);
// Whether the compiler optimised this build: package managers build C with -O0 for debugging.
bool ck_is_optimized(void);
// The widest this CPU has.
const ck_kernels *ck_kernels_best(void);
const char *ck_isa_name(ck_isa isa);  // "baseline", "neon", "avx2", "avx512"
// Names of all kernels, in the order of crest_kernels.def; null past the last.
const char *_Nullable ck_kernel_name(size_t index);

// Scratch of a call, for any instruction set and a pool of this many threads.
size_t ck_gemm_batch_scratch_bytes(size_t count, size_t m, size_t n, size_t k, size_t thread_count);
size_t ck_gemm_scratch_bytes(size_t m, size_t n, size_t k, size_t thread_count);
size_t ck_conv2d_scratch_bytes(const ck_conv2d *p, size_t thread_count);
size_t ck_conv2d_input_gradient_scratch_bytes(const ck_conv2d *p, size_t thread_count);
size_t ck_conv2d_filter_gradient_scratch_bytes(const ck_conv2d *p, size_t thread_count);
// What conv2d_input_gradient_f32 costs per image, in products of a lane.
size_t ck_conv2d_input_gradient_products(const ck_conv2d *p);
size_t ck_winograd_conv2d_scratch_bytes(const ck_conv2d *p, size_t tile, size_t thread_count);
size_t ck_winograd_filter_gradient_scratch_bytes(const ck_conv2d *p, size_t tile, size_t thread_count);
size_t ck_winograd_gradients_scratch_bytes(const ck_conv2d *p, size_t tile, size_t thread_count);
size_t ck_batch_norm_scratch_bytes(size_t rows, size_t channels);
size_t ck_layer_norm_scratch_bytes(size_t rows, size_t columns);
size_t ck_ctc_scratch_bytes(size_t steps, size_t classes, size_t width, size_t workers);
size_t ck_factored_scratch_bytes(const ck_factored *p);
size_t ck_scatter_scratch_bytes(size_t size, size_t count);
size_t ck_reduce_scratch_bytes(size_t outer, size_t reduced, size_t inner);
size_t ck_sum_scratch_bytes(size_t count);

// Whether Winograd's algorithm serves a convolution and its gradients: 3 × 3 with tiles of 2 or 4, 5 × 5 with tiles of
// 2, stride and dilation 1, one group, a padding smaller than the kernel.
bool ck_winograd_conv2d_serves(const ck_conv2d *p, size_t tile);
// The floats of transformed filters of taps × taps.
size_t ck_winograd_filter_floats(size_t tile, size_t taps, size_t channels, size_t filters);
// The convolution of stride 1 that makes dx from dy, with turned filters.
ck_conv2d ck_conv2d_input_gradient_as_conv2d(const ck_conv2d *p);

// Whether windows lie side by side, so that no element is in two.
bool ck_pool2d_is_tiling(const ck_pool2d *p);

// The uniform in [0, 1) of an element: word (index mod 4) of Philox 4×32-10 (Salmon et al. 2011) under
// the key (low, high half of seed) and the counter (low, high half of index / 4, step, stream); its
// top 24 bits over 2²⁴.
float ck_philox_uniform(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index);

#pragma clang assume_nonnull end
#endif
