#ifndef CONNX_PROCESS_LIMITS_H
#define CONNX_PROCESS_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Makes a crash end this process by its signal and nothing else: no backtrace, which Swift's runtime would write, and
/// no core dump. Returns 0, or an `errno`.
int crest_crash_quietly(void);

/// Limits the address space of this process for good. Returns 0, or an `errno`.
int crest_limit_memory(uint64_t bytes);

/// Ends this process when it has used `seconds` of processor time in all: writes `output` to standard output and
/// `error` to standard error, which must live until then, and exits with `status`. Returns 0, or an `errno`.
int crest_limit_time(uint64_t seconds, const char *output, const char *error, int status);

#ifdef __cplusplus
}
#endif

#endif
