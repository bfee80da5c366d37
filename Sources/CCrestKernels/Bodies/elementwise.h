// An interpreter of elementwise programs. It takes one block of a few KB through the whole program before the next,
// so the cost of decoding an instruction is spread over hundreds of elements and intermediates stay in the
// first-level cache. Inputs that lie like the output are read in place; the last instruction writes to the output.
#ifndef CK_ELEMENTWISE_H
#define CK_ELEMENTWISE_H

#include "../Plans/chunks.h"
#include "vector_math.h"

#define CK_MAX_REGISTERS (CK_MAX_INPUTS + CK_MAX_INSTRUCTIONS)
#define CK_SLOT_FLOATS 8192  // of all slots of a chunk together: 32 KB on the stack
#define CK_LONGEST_BLOCK 1024
#define CK_NO_SLOT UINT8_MAX

// How an input's addresses go as the output's run on.
typedef enum ck_access {
  CK_UNUSED,
  CK_DENSE,     // as the output's: read in place
  CK_UNIFORM,   // one element for all: a slot filled once per chunk
  CK_PERIODIC,  // the same in every row of the innermost dimension: likewise, blocks being whole rows
  CK_WALKED     // anything else: each block is gathered, unless it happens to be contiguous
} ck_access;

typedef struct ck_plan {
  const ck_elementwise *program;
  float *y;
  size_t rank, sizes[CK_MAX_RANK];
  ptrdiff_t strides[CK_MAX_INPUTS][CK_MAX_RANK];
  ck_access access[CK_MAX_INPUTS];
  uint8_t slot[CK_MAX_REGISTERS];
  size_t slot_length, block;
  ck_cut cut;
} ck_plan;

CK_INLINE int ck_operand_count(ck_op op) {
  static const uint8_t counts[CK_OP_COUNT] = {
#define CK_OP(name, operands, element) operands,
#define CK_PASS(name, operands, call) operands,
#include "../include/crest_elementwise.def"
#undef CK_OP
#undef CK_PASS
  };
  return counts[op];
}

// Drops dimensions of one element and merges neighbours that every input walks as one.
static void ck_plan_shape(ck_plan *plan) {
  const ck_elementwise *e = plan->program;
  plan->rank = 0;
  for (size_t d = 0; d < e->rank; d++) {
    if (e->sizes[d] == 1) continue;
    size_t last = plan->rank - 1;
    bool merges = plan->rank > 0;
    for (size_t i = 0; merges && i < e->input_count; i++)
      merges = plan->strides[i][last] == e->strides[i][d] * (ptrdiff_t)e->sizes[d];
    if (merges)
      plan->sizes[last] *= e->sizes[d];
    else
      plan->sizes[last = plan->rank++] = e->sizes[d];
    for (size_t i = 0; i < e->input_count; i++) plan->strides[i][last] = e->strides[i][d];
  }
  if (plan->rank > 0) return;
  plan->rank = plan->sizes[0] = 1;
  for (size_t i = 0; i < e->input_count; i++) plan->strides[i][0] = 0;
}

static ck_access ck_access_of(const ck_plan *plan, size_t input) {
  const ptrdiff_t *strides = plan->strides[input];
  bool dense = true, outer_still = true;
  size_t inside = 1;
  for (size_t d = plan->rank; d-- > 0; inside *= plan->sizes[d]) {
    dense &= strides[d] == (ptrdiff_t)inside || plan->sizes[d] == 1;
    if (d + 1 < plan->rank) outer_still &= strides[d] == 0;
  }
  if (dense) return CK_DENSE;
  if (outer_still && strides[plan->rank - 1] == 0) return CK_UNIFORM;
  if (outer_still && plan->sizes[plan->rank - 1] <= CK_LONGEST_BLOCK / 2) return CK_PERIODIC;
  return CK_WALKED;
}

// Registers share slots: one is free again after its last use.
static void ck_plan_slots(ck_plan *plan) {
  const ck_elementwise *e = plan->program;
  size_t inputs = e->input_count, registers = inputs + e->instruction_count;
  size_t last_use[CK_MAX_REGISTERS];
  for (size_t r = 0; r < registers; r++) last_use[r] = r < inputs ? SIZE_MAX : r;
  last_use[registers - 1] = registers - 1;
  for (size_t i = 0; i < e->instruction_count; i++) {
    const ck_instruction *in = &e->instructions[i];
    int operands = ck_operand_count(in->op);
    if (operands > 0) last_use[in->a] = inputs + i;
    if (operands > 1) last_use[in->b] = inputs + i;
    if (operands > 2) last_use[in->c] = inputs + i;
  }
  bool periodic = false;
  uint8_t free_slots[CK_MAX_REGISTERS], free_count = 0, slots = 0;
  for (size_t r = 0; r < inputs; r++) {
    plan->access[r] = last_use[r] == SIZE_MAX ? CK_UNUSED : ck_access_of(plan, r);
    periodic |= plan->access[r] == CK_PERIODIC;
    plan->slot[r] = plan->access[r] > CK_DENSE ? slots++ : CK_NO_SLOT;
  }
  // Constants first: their slots are filled once per chunk and so never shared.
  for (size_t i = 0; i + 1 < e->instruction_count; i++)
    if (e->instructions[i].op == CK_CONSTANT) plan->slot[inputs + i] = slots++;
  for (size_t i = 0; i + 1 < e->instruction_count; i++) {
    size_t now = inputs + i;
    // An operand's slot may become the result's: all operations read an element before they write it.
    for (size_t r = 0; r < now; r++) {
      bool shared = r < inputs ? plan->access[r] == CK_WALKED : e->instructions[r - inputs].op != CK_CONSTANT;
      if (shared && last_use[r] == now) free_slots[free_count++] = plan->slot[r];
    }
    if (e->instructions[i].op == CK_CONSTANT) continue;
    plan->slot[now] = free_count > 0 ? free_slots[--free_count] : slots++;
    if (last_use[now] == now) free_slots[free_count++] = plan->slot[now];  // nobody reads it
  }
  plan->slot[registers - 1] = e->instruction_count > 0 ? CK_NO_SLOT : plan->slot[registers - 1];
  size_t room = slots > 0 ? CK_SLOT_FLOATS / slots : CK_LONGEST_BLOCK;
  plan->slot_length = ck_least(CK_LONGEST_BLOCK, room / 16 * 16);
  plan->block = plan->slot_length;
  size_t row = plan->sizes[plan->rank - 1];
  if (periodic && row <= plan->block)
    plan->block = plan->block / row * row;
  else
    for (size_t r = 0; r < inputs; r++)
      if (plan->access[r] == CK_PERIODIC) plan->access[r] = CK_WALKED;
}

// Copies n elements of an input, from the output's place `start` on.
static void ck_gather(const ck_plan *plan, size_t input, size_t start, size_t n, float *slot) {
  const ptrdiff_t *strides = plan->strides[input];
  const float *x = plan->program->inputs[input];
  size_t index[CK_MAX_RANK], last = plan->rank - 1;
  for (size_t d = plan->rank, rest = start; d-- > 0; rest /= plan->sizes[d]) {
    index[d] = rest % plan->sizes[d];
    x += (ptrdiff_t)index[d] * strides[d];
  }
  ptrdiff_t stride = strides[last];
  while (n > 0) {
    size_t run = ck_least(n, plan->sizes[last] - index[last]);
    if (stride == 1)
      for (size_t i = 0; i < run; i += CK_LANES) vf_store_upto(slot + i, vf_load_upto(x + i, run - i), run - i);
    else if (stride == 0)
      for (size_t i = 0; i < run; i += CK_LANES) vf_store_upto(slot + i, vf_splat(*x), run - i);
    else
      for (size_t i = 0; i < run; i++) slot[i] = x[(ptrdiff_t)i * stride];
    slot += run, n -= run;
    index[last] += run, x += (ptrdiff_t)run * stride;
    for (size_t d = last; d > 0 && index[d] == plan->sizes[d]; d--) {
      x += strides[d - 1] - (ptrdiff_t)plan->sizes[d] * strides[d];
      index[d] = 0, index[d - 1]++;
    }
  }
}

// The input's elements at start ..< start + n, in place if they lie together.
static const float *ck_input_block(const ck_plan *plan, size_t input, size_t start, size_t n, float *slot) {
  size_t last = plan->rank - 1, column = start % plan->sizes[last];
  if (plan->strides[input][last] == 1 && column + n <= plan->sizes[last]) {
    const float *x = plan->program->inputs[input] + column;
    for (size_t d = last, rest = start / plan->sizes[last]; d-- > 0; rest /= plan->sizes[d])
      x += (ptrdiff_t)(rest % plan->sizes[d]) * plan->strides[input][d];
    return x;
  }
  ck_gather(plan, input, start, n, slot);
  return slot;
}

CK_INLINE vf vf_one_where(vi mask) { return (vf)(mask & (vi)vf_splat(1)); }

// Powers of scalars by libm, but for the exponents networks use, which have the same results by other means.
static void ck_power(const float *a, const float *b, const float *exponent, size_t n, float *y) {
  if (exponent && *exponent == 2) {
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf x = vf_load_upto(a + i, n - i);
      vf_store_upto(y + i, x * x, n - i);
    }
  } else if (exponent && *exponent == -1) {
    for (size_t i = 0; i < n; i += CK_LANES) vf_store_upto(y + i, 1.0f / vf_load_upto(a + i, n - i), n - i);
  } else if (exponent && *exponent == 0.5f) {
    for (size_t i = 0; i < n; i += CK_LANES) {
      vf x = vf_load_upto(a + i, n - i);
      vf root = vf_sqrt(x + 0.0f);  // pow(-0, ½) is +0
      vf_store_upto(y + i, vf_select(x == -INFINITY, vf_splat(INFINITY), root), n - i);
    }
  } else {
    for (size_t i = 0; i < n; i++) y[i] = powf(a[i], b[i]);
  }
}

// A function of libm of each element; y may be an operand.
CK_INLINE void ck_each(float (*function)(float), const float *a, size_t n, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = function(a[i]);
}
CK_INLINE void ck_each_pair(float (*function)(float, float), const float *a, const float *b, size_t n, float *y) {
  for (size_t i = 0; i < n; i++) y[i] = function(a[i], b[i]);
}

// The constant that a register holds; null when it holds anything else.
CK_INLINE const float *ck_constant_operand(const ck_elementwise *e, size_t place) {
  if (place < e->input_count) return NULL;
  const ck_instruction *in = &e->instructions[place - e->input_count];
  return in->op == CK_CONSTANT ? &in->constant : NULL;
}

CK_INLINE vf vf_sign(vf a) {
  return vf_select(a > 0.0f, vf_splat(1), vf_select(a < 0.0f, vf_splat(-1), a));
}
// To the nearest integer, ties to even, of which ±0 keeps the sign; from 2²³ on, floats are integers.
CK_INLINE vf vf_round(vf a) {
  vf size = vf_abs(a), rounded = (size + 0x1p23f) - 0x1p23f;
  return vf_select(size < 0x1p23f, (vf)((vi)rounded | ((vi)a & INT32_MIN)), a);
}
CK_INLINE vf vf_floor(vf a) {
  vf rounded = vf_round(a);
  return vf_select(rounded > a, rounded - 1.0f, rounded);
}
CK_INLINE vf vf_relu(vf a) { return vf_select(a <= 0.0f, vf_splat(0), a); }  // NaN stays

#define CK_A vf_load_upto(a + i, n - i)
#define CK_B vf_load_upto(b + i, n - i)
#define CK_C vf_load_upto(c + i, n - i)

static void ck_execute(const ck_elementwise *e, const ck_instruction *in, const float *const *registers, size_t n,
                       float *y) {
  int operands = ck_operand_count(in->op);  // the others may be anything
  const float *a = operands > 0 ? registers[in->a] : NULL;
  const float *b = operands > 1 ? registers[in->b] : NULL;
  const float *c = operands > 2 ? registers[in->c] : NULL;
  switch (in->op) {
#define CK_OP(name, operands, element)                                              \
  case CK_##name:                                                                   \
    for (size_t i = 0; i < n; i += CK_LANES) vf_store_upto(y + i, element, n - i);  \
    break;
#define CK_PASS(name, operands, call) \
  case CK_##name:                     \
    call;                             \
    break;
#include "../include/crest_elementwise.def"
#undef CK_OP
#undef CK_PASS
  case CK_OP_COUNT:
    break;
  }
}

static void ck_elementwise_chunk(void *context, size_t chunk, size_t worker) {
  (void)worker;
  const ck_plan *plan = context;
  const ck_elementwise *e = plan->program;
  size_t inputs = e->input_count, instructions = e->instruction_count;
  size_t start = ck_cut_start(&plan->cut, chunk), end = start + ck_cut_length(&plan->cut, chunk);
  _Alignas(64) float slots[CK_SLOT_FLOATS];
  const float *registers[CK_MAX_REGISTERS] = {NULL};
  for (size_t r = 0; r < inputs; r++) {
    if (plan->access[r] != CK_UNIFORM && plan->access[r] != CK_PERIODIC) continue;
    float *slot = slots + plan->slot[r] * plan->slot_length;
    ck_gather(plan, r, start, ck_least(plan->block, end - start), slot);
    registers[r] = slot;
  }
  for (size_t i = 0; i + 1 < instructions; i++) {
    if (e->instructions[i].op != CK_CONSTANT) continue;
    float *slot = slots + plan->slot[inputs + i] * plan->slot_length;
    ck_execute(e, &e->instructions[i], registers, plan->block, slot);
    registers[inputs + i] = slot;
  }
  for (size_t n; start < end; start += n) {
    n = ck_least(plan->block, end - start);
    for (size_t r = 0; r < inputs; r++) {
      if (plan->access[r] == CK_DENSE) registers[r] = e->inputs[r] + start;
      if (plan->access[r] == CK_WALKED)
        registers[r] = ck_input_block(plan, r, start, n, slots + plan->slot[r] * plan->slot_length);
    }
    for (size_t i = 0; i + 1 < instructions; i++) {
      if (e->instructions[i].op == CK_CONSTANT) continue;
      float *slot = slots + plan->slot[inputs + i] * plan->slot_length;
      ck_execute(e, &e->instructions[i], registers, n, slot);
      registers[inputs + i] = slot;
    }
    if (instructions > 0)
      ck_execute(e, &e->instructions[instructions - 1], registers, n, plan->y + start);
    else
      memmove(plan->y + start, registers[inputs - 1], n * sizeof(float));
  }
}

static void CK_FN(elementwise_f32)(ck_pool *pool, const ck_elementwise *program, float *y) {
  ck_plan plan;
  plan.program = program, plan.y = y;
  ck_plan_shape(&plan);
  size_t count = 1;
  for (size_t d = 0; d < plan.rank; d++) count *= plan.sizes[d];
  if (count == 0 || program->input_count + program->instruction_count == 0) return;
  ck_plan_slots(&plan);
  plan.cut = ck_cut_by(count, ck_ceil_div(CK_CHUNK_ELEMENTS, plan.block) * plan.block);
  ck_pool_run(pool, plan.cut.count, ck_elementwise_chunk, &plan);
}

#endif
