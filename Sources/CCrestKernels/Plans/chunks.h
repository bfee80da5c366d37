// How a kernel's work is cut for the pool: by the problem's size alone, never by the number of threads, so that
// partial results and with them the bits of the whole don't depend on it. The scratch sizes follow from the cuts.
#ifndef CK_CHUNKS_H
#define CK_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>

// 128 KB of floats: long against the few microseconds that waking a thread takes, short against a second-level cache.
#define CK_CHUNK_ELEMENTS ((size_t)32768)
// Kernels that keep one partial result per chunk have at most this many chunks.
#define CK_PARTIAL_CHUNKS ((size_t)128)

// `count` chunks of `size` items each, the last of them shorter.
typedef struct ck_cut { size_t items, size, count; } ck_cut;

static inline ck_cut ck_cut_by(size_t items, size_t size) {
  if (size > items) size = items;
  if (size == 0) size = 1;
  return (ck_cut){items, size, items / size + (items % size != 0)};
}
static inline size_t ck_cut_start(const ck_cut *cut, size_t chunk) { return chunk * cut->size; }
static inline size_t ck_cut_length(const ck_cut *cut, size_t chunk) {
  size_t left = cut->items - chunk * cut->size;
  return left < cut->size ? left : cut->size;
}

static inline ck_cut ck_cut_elements(size_t count) { return ck_cut_by(count, CK_CHUNK_ELEMENTS); }
// Whole rows, about `elements` of them a chunk.
static inline ck_cut ck_cut_rows(size_t rows, size_t columns, size_t elements) {
  return ck_cut_by(rows, columns == 0 ? rows : elements / columns);
}
// Whole rows with one partial result per chunk.
static inline ck_cut ck_cut_partial_rows(size_t rows, size_t columns) {
  ck_cut cut = ck_cut_rows(rows, columns, CK_CHUNK_ELEMENTS);
  if (cut.count <= CK_PARTIAL_CHUNKS) return cut;
  return ck_cut_by(rows, rows / CK_PARTIAL_CHUNKS + (rows % CK_PARTIAL_CHUNKS != 0));
}

// A reduction over (outer, reduced, inner) runs as groups × splits × blocks: of outer indices, of the reduced
// dimension, and of inner columns. Only a problem with too few results to fill the threads splits the reduced one.
typedef struct ck_reduce_cut { ck_cut groups, splits, blocks; } ck_reduce_cut;

static inline ck_reduce_cut ck_cut_reduction(size_t outer, size_t reduced, size_t inner) {
  ck_reduce_cut cut;
  size_t columns = inner < 1024 ? inner : 1024;
  cut.blocks = ck_cut_by(inner, columns);
  size_t results = outer * cut.blocks.count;
  size_t splits = results >= CK_PARTIAL_CHUNKS ? 1 : CK_PARTIAL_CHUNKS / (results == 0 ? 1 : results);
  size_t length = columns == 0 ? reduced : CK_CHUNK_ELEMENTS / columns;
  size_t shortest = reduced / splits + (reduced % splits != 0);
  cut.splits = ck_cut_by(reduced, length > shortest ? length : shortest);
  size_t work = cut.splits.size * cut.blocks.size;
  bool whole = cut.splits.count <= 1 && cut.blocks.count <= 1;
  cut.groups = ck_cut_by(outer, whole ? CK_CHUNK_ELEMENTS / work : 1);
  return cut;
}

#endif
