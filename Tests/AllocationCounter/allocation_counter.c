#include "allocation_counter.h"

#include <stddef.h>

// A sanitizer has an allocator of its own, which must be the only one.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#if defined(__GLIBC__) && !defined(HAS_SANITIZER)
// The executable's own malloc comes before libc's in symbol lookup, for every library of the
// process; glibc keeps the real ones under these names.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local uint64_t count;

void *malloc(size_t size) {
  count++;
  return __libc_malloc(size);
}
void *calloc(size_t elements, size_t size) {
  count++;
  return __libc_calloc(elements, size);
}
void *realloc(void *pointer, size_t size) {
  count++;
  return __libc_realloc(pointer, size);
}
int posix_memalign(void **pointer, size_t alignment, size_t size) {
  count++;
  *pointer = __libc_memalign(alignment, size);
  return *pointer ? 0 : 12;
}
void *aligned_alloc(size_t alignment, size_t size) {
  count++;
  return __libc_memalign(alignment, size);
}

int allocation_counter_is_available(void) { return 1; }
uint64_t allocation_counter_value(void) { return count; }
#else
int allocation_counter_is_available(void) { return 0; }
uint64_t allocation_counter_value(void) { return 0; }
#endif
