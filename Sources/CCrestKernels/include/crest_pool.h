// The worker pool: a fixed set of threads that run the chunks of one task at a time.
#ifndef CREST_POOL_H
#define CREST_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct ck_pool ck_pool;

// One chunk of a task. `worker` is in 0 ..< ck_pool_thread_count, and no two chunks run at once
// under the same number, so it may index per-worker scratch. Results must not depend on it.
typedef void (*ck_chunk)(void *_Nullable context, size_t chunk, size_t worker);

// A pool of `thread_count` threads, the caller's own included; null when threads can't be made.
ck_pool *_Nullable ck_pool_create(size_t thread_count);
void ck_pool_destroy(ck_pool *pool);
size_t ck_pool_thread_count(const ck_pool *pool);

// The number of cores this process may run on, at least 1.
size_t ck_available_core_count(void);

// Runs body(context, 0 … chunk_count - 1, …) and returns when all are done. The caller works too.
// Which thread takes which chunk is not fixed; kernels get the same bits for any thread count by
// cutting work into chunks by the problem's size alone and combining them in a fixed order.
// Not re-entrant: a chunk must not call it on the same pool; one caller at a time.
void ck_pool_run(ck_pool *pool, size_t chunk_count, ck_chunk body, void *_Nullable context);

typedef struct ck_task {
  size_t chunk_count;
  ck_chunk body;
  void *_Nullable context;
} ck_task;

// Runs two tasks at once, in turns in proportion to their chunks: where both go through the same images, the second
// finds them near. Neither may need what the other makes.
void ck_pool_run_both(ck_pool *pool, ck_task first, ck_task second);

#pragma clang assume_nonnull end
#endif
