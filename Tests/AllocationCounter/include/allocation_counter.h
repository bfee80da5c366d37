// Counts the heap allocations of the calling thread, for tests that promise none.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

// Whether this build sees allocations at all (glibc only).
int allocation_counter_is_available(void);
// Allocations of this thread so far.
uint64_t allocation_counter_value(void);

#endif
