#define _GNU_SOURCE
#include "crest_pool.h"

#include <sched.h>
#include <unistd.h>

size_t ck_available_core_count(void) {
#if defined(__linux__)
  // A container or `taskset` may leave fewer than the machine has.
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (size_t)CPU_COUNT(&set);
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (size_t)online : 1;
}
