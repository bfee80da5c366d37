// Goals, in order: the same chunks whatever the threads do; nothing allocated per run; a run of a few
// microseconds must pay, so idle workers spin a little before they sleep.
#define _POSIX_C_SOURCE 200809L  // pthread_sigmask

#include "crest_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

// About ten microseconds: longer than the gap between two kernels, shorter than a scheduler's slice.
#define SPIN_COUNT 1000
#define CACHE_LINE 64

typedef struct worker {
  ck_pool *pool;
  size_t number;
  pthread_t thread;
} worker;

struct ck_pool {
  // Chunks not yet claimed. A claim is a decrement of this from above zero, and the task's fields are
  // read only after one: a claimed chunk keeps the run, and with it those fields, alive. So a worker
  // that overslept a run can only find the next one's chunks, and none has to be waited for in vain.
  _Alignas(CACHE_LINE) atomic_size_t unclaimed;
  _Alignas(CACHE_LINE) atomic_size_t unfinished;
  _Alignas(CACHE_LINE) ck_chunk body;
  void *context;
  size_t chunk_count;

  _Alignas(CACHE_LINE) atomic_size_t sleeping_workers;
  atomic_bool sleeping_caller;
  atomic_bool stopping;
  pthread_mutex_t mutex;
  pthread_cond_t work_or_stop;
  pthread_cond_t finished;

  size_t thread_count;
  size_t started;  // threads that exist: fewer than wanted when creation failed half-way
  worker workers[];
};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void run_chunks(ck_pool *pool, size_t number) {
  size_t left = atomic_load(&pool->unclaimed);
  while (left > 0) {
    if (!atomic_compare_exchange_weak(&pool->unclaimed, &left, left - 1)) continue;
    pool->body(pool->context, pool->chunk_count - left, number);
    // Sleeping callers announce themselves before they look at `unfinished` for the last time, and
    // both accesses are sequentially consistent: one of the two sides sees the other.
    if (atomic_fetch_sub(&pool->unfinished, 1) == 1 && atomic_load(&pool->sleeping_caller)) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->finished);
      pthread_mutex_unlock(&pool->mutex);
    }
    left = atomic_load(&pool->unclaimed);
  }
}

static void sleep_until_work(ck_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleeping_workers, 1);
  while (atomic_load(&pool->unclaimed) == 0 && !atomic_load(&pool->stopping))
    pthread_cond_wait(&pool->work_or_stop, &pool->mutex);
  atomic_fetch_sub(&pool->sleeping_workers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument) {
  worker *self = argument;
  ck_pool *pool = self->pool;
  while (!atomic_load(&pool->stopping)) {
    int spins = 0;
    while (spins < SPIN_COUNT && atomic_load_explicit(&pool->unclaimed, memory_order_relaxed) == 0) {
      relax();
      spins++;
    }
    if (spins == SPIN_COUNT) sleep_until_work(pool);
    run_chunks(pool, self->number);
  }
  return NULL;
}

ck_pool *_Nullable ck_pool_create(size_t thread_count) {
  if (thread_count == 0 || thread_count > SIZE_MAX / sizeof(worker) / 2) return NULL;
  size_t bytes = sizeof(ck_pool) + (thread_count - 1) * sizeof(worker);
  bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
  ck_pool *pool = aligned_alloc(CACHE_LINE, bytes);
  if (!pool) return NULL;
  atomic_init(&pool->unclaimed, 0);
  atomic_init(&pool->unfinished, 0);
  atomic_init(&pool->sleeping_workers, 0);
  atomic_init(&pool->sleeping_caller, false);
  atomic_init(&pool->stopping, false);
  pool->thread_count = thread_count;
  pool->started = 0;
  if (pthread_mutex_init(&pool->mutex, NULL)) goto no_mutex;
  if (pthread_cond_init(&pool->work_or_stop, NULL)) goto no_work_condition;
  if (pthread_cond_init(&pool->finished, NULL)) goto no_finished_condition;

  // Signals are for the program's own threads: workers inherit a mask that blocks them all.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  int failure = 0;
  while (!failure && pool->started < thread_count - 1) {
    worker *next = &pool->workers[pool->started];
    *next = (worker){.pool = pool, .number = pool->started + 1};
    failure = pthread_create(&next->thread, NULL, work, next);
    if (!failure) pool->started++;
  }
  pthread_sigmask(SIG_SETMASK, &previous, NULL);
  if (!failure) return pool;
  ck_pool_destroy(pool);
  return NULL;

no_finished_condition:
  pthread_cond_destroy(&pool->work_or_stop);
no_work_condition:
  pthread_mutex_destroy(&pool->mutex);
no_mutex:
  free(pool);
  return NULL;
}

void ck_pool_destroy(ck_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stopping, true);
  pthread_cond_broadcast(&pool->work_or_stop);
  pthread_mutex_unlock(&pool->mutex);
  for (size_t i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->finished);
  pthread_cond_destroy(&pool->work_or_stop);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

size_t ck_pool_thread_count(const ck_pool *pool) { return pool->thread_count; }

void ck_pool_run(ck_pool *pool, size_t chunk_count, ck_chunk body, void *_Nullable context) {
  if (pool->thread_count == 1 || chunk_count <= 1) {
    for (size_t chunk = 0; chunk < chunk_count; chunk++) body(context, chunk, 0);
    return;
  }
  pool->body = body;
  pool->context = context;
  pool->chunk_count = chunk_count;
  atomic_store(&pool->unfinished, chunk_count);
  atomic_store(&pool->unclaimed, chunk_count);
  if (atomic_load(&pool->sleeping_workers) > 0) {
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->work_or_stop);
    pthread_mutex_unlock(&pool->mutex);
  }
  run_chunks(pool, 0);

  for (int spins = 0; spins < SPIN_COUNT; spins++) {
    if (atomic_load(&pool->unfinished) == 0) return;
    relax();
  }
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->sleeping_caller, true);
  while (atomic_load(&pool->unfinished) > 0) pthread_cond_wait(&pool->finished, &pool->mutex);
  atomic_store(&pool->sleeping_caller, false);
  pthread_mutex_unlock(&pool->mutex);
}
