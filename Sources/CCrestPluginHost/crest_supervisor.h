#ifndef CREST_SUPERVISOR_H
#define CREST_SUPERVISOR_H

#include "crest_processes.h"

#if defined(__linux__)
/// What a supervisor tells the process that forked it.
struct crest_report {
  int kind, value;
};
enum {
  /// The program runs.
  CREST_CHILD_STARTED,
  /// It could not be started, for this error.
  CREST_CHILD_FAILED,
  /// It ended with this status.
  CREST_CHILD_ENDED,
  /// Nothing of it is left.
  CREST_CHILD_GONE
};

/// What the system calls a file in a folder (getdents64): who reads one here may not use opendir, which takes memory.
struct crest_folder_entry {
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

/// Becomes the supervisor of a program, in a process just forked by `trainer`; returns never.
void crest_supervise(const struct crest_start *start, pid_t trainer, int order, int report)
    __attribute__((noreturn));
#endif

/// Becomes the program, in a process just forked; what went wrong is written to `report` as an error number, which
/// closes when all went well.
void crest_become(const struct crest_start *start, int report) __attribute__((noreturn));

#endif
