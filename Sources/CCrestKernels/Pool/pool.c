// Goals, in order: the same chunks whatever the threads do; nothing allocated per run; a run of a few
// microseconds must pay, so idle workers spin a little before they sleep; what a core wrote is read by that core,
// for fetching it from another's cache costs more than from memory.
#define _POSIX_C_SOURCE 200809L  // pthread_sigmask

#include "crest_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

// About ten microseconds: longer than the gap between two kernels, shorter than a scheduler's slice.
#define SPIN_COUNT 1000
#define CACHE_LINE 64

// A thread and its share of a run's chunks: the same part of any run, so that kernels that go through the same
// images meet them on the same core. Who is done with its own takes from the others' shares.
typedef struct worker {
  // Chunks of the share not yet claimed. A claim is a decrement of this from above zero, and the task's fields are
  // read only after one: a claimed chunk keeps the run, and with it those fields, alive. So a worker that overslept a
  // run can only find the next one's chunks.
  _Alignas(CACHE_LINE) atomic_size_t unclaimed;
  size_t first, end;  // the share
  ck_pool *pool;
  size_t number;
  pthread_t thread;
} worker;

struct ck_pool {
  _Alignas(CACHE_LINE) atomic_size_t run;  // counts up, once a run's chunks may be claimed
  _Alignas(CACHE_LINE) atomic_size_t unfinished;
  _Alignas(CACHE_LINE) ck_chunk body;
  void *context;
  bool backwards;  // every other run: it begins with what the run before it touched last

  _Alignas(CACHE_LINE) atomic_size_t sleeping_workers;
  atomic_bool sleeping_caller;
  atomic_bool stopping;
  pthread_mutex_t mutex;
  pthread_cond_t work_or_stop;
  pthread_cond_t finished;

  size_t thread_count;
  size_t started;  // workers that exist, the caller too: fewer than wanted when creation failed half-way
  worker workers[];
};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void run_share(ck_pool *pool, worker *share, size_t number) {
  size_t left = atomic_load(&share->unclaimed);
  while (left > 0) {
    if (!atomic_compare_exchange_weak(&share->unclaimed, &left, left - 1)) continue;
    pool->body(pool->context, pool->backwards ? share->first + left - 1 : share->end - left, number);
    // Sleeping callers announce themselves before they look at `unfinished` for the last time, and
    // both accesses are sequentially consistent: one of the two sides sees the other.
    if (atomic_fetch_sub(&pool->unfinished, 1) == 1 && atomic_load(&pool->sleeping_caller)) {
      pthread_mutex_lock(&pool->mutex);
      pthread_cond_signal(&pool->finished);
      pthread_mutex_unlock(&pool->mutex);
    }
    left = atomic_load(&share->unclaimed);
  }
}

static void run_chunks(ck_pool *pool, size_t number) {
  for (size_t i = 0; i < pool->thread_count; i++)
    run_share(pool, &pool->workers[(number + i) % pool->thread_count], number);
}

static void sleep_until_work(ck_pool *pool, size_t last_run) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleeping_workers, 1);
  while (atomic_load(&pool->run) == last_run && !atomic_load(&pool->stopping))
    pthread_cond_wait(&pool->work_or_stop, &pool->mutex);
  atomic_fetch_sub(&pool->sleeping_workers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument) {
  worker *self = argument;
  ck_pool *pool = self->pool;
  size_t last_run = 0;
  while (!atomic_load(&pool->stopping)) {
    int spins = 0;
    while (spins < SPIN_COUNT && atomic_load_explicit(&pool->run, memory_order_relaxed) == last_run) {
      relax();
      spins++;
    }
    if (spins == SPIN_COUNT) sleep_until_work(pool, last_run);
    last_run = atomic_load(&pool->run);
    run_chunks(pool, self->number);
  }
  return NULL;
}

ck_pool *_Nullable ck_pool_create(size_t thread_count) {
  if (thread_count == 0 || thread_count > SIZE_MAX / sizeof(worker) / 2) return NULL;
  // The first worker is the caller, who has no thread of the pool's.
  ck_pool *pool = aligned_alloc(CACHE_LINE, sizeof(ck_pool) + thread_count * sizeof(worker));
  if (!pool) return NULL;
  for (size_t i = 0; i < thread_count; i++) pool->workers[i] = (worker){.pool = pool, .number = i};
  atomic_init(&pool->run, 0);
  atomic_init(&pool->unfinished, 0);
  atomic_init(&pool->sleeping_workers, 0);
  atomic_init(&pool->sleeping_caller, false);
  atomic_init(&pool->stopping, false);
  pool->thread_count = thread_count;
  pool->started = 1;
  pool->backwards = false;
  if (pthread_mutex_init(&pool->mutex, NULL)) goto no_mutex;
  if (pthread_cond_init(&pool->work_or_stop, NULL)) goto no_work_condition;
  if (pthread_cond_init(&pool->finished, NULL)) goto no_finished_condition;

  // Signals are for the program's own threads: workers inherit a mask that blocks them all.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  int failure = 0;
  while (!failure && pool->started < thread_count) {
    worker *next = &pool->workers[pool->started];
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
  for (size_t i = 1; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
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
  pool->backwards = !pool->backwards;
  atomic_store(&pool->unfinished, chunk_count);
  const size_t share = chunk_count / pool->thread_count, rest = chunk_count % pool->thread_count;
  for (size_t i = 0, first = 0; i < pool->thread_count; i++) {
    worker *w = &pool->workers[i];
    w->first = first;
    w->end = first += share + (i < rest);
    atomic_store(&w->unclaimed, w->end - w->first);
  }
  atomic_fetch_add(&pool->run, 1);
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

static void run_either(void *context, size_t chunk, size_t worker) {
  const ck_task *tasks = context;
  const size_t count = tasks[0].chunk_count, all = count + tasks[1].chunk_count;
  // How many chunks of the first task there are before this one and before the next, rounded up.
  const size_t before = (chunk * count + all - 1) / all, after = ((chunk + 1) * count + all - 1) / all;
  const ck_task *task = &tasks[after > before ? 0 : 1];
  task->body(task->context, after > before ? before : chunk - before, worker);
}

void ck_pool_run_both(ck_pool *pool, ck_task first, ck_task second) {
  ck_task tasks[2] = {first, second};
  ck_pool_run(pool, first.chunk_count + second.chunk_count, run_either, tasks);
}
