#ifndef CREST_GUARD_H
#define CREST_GUARD_H

#include <stddef.h>
#include <stdint.h>

#include "crest_plugin.h"

/// A plugin, for whoever has to say what it did while it was called.
struct crest_caller {
  const char *identifier;
  /// The names of hooks, by number.
  const char *const *hooks;
  /// What runs: an event, or else what `place` names.
  const crest_event *event;
  const char *place;
  /// The floating-point control before and after the last event that changed it; equal while none has.
  uint64_t control_before, control_after;
};

/// The code of a process that a plugin ended: that of a failed plugin (`EX_DATAERR`).
#define CREST_ENDED_BY_PLUGIN 65

/// What `create`, and so on, of a plugin runs in; the process ends with a message if it doesn't come back from there.
///
/// Calls on a thread are properly nested. Returns what has to be given to `crest_end_call`.
struct crest_caller *crest_begin_call(struct crest_caller *caller, const char *place);
void crest_end_call(struct crest_caller *outer);

/// `on_event` of a plugin: what it does to rounding, flushing of small numbers and traps is put back.
///
/// Returns its status; CREST_FAILED when it is CREST_OK and the control has changed.
int32_t crest_call_event(int32_t (*on_event)(void *state, const crest_event *event), void *state,
                         const crest_event *event, struct crest_caller *caller);

/// Writes what differs between two floating-point controls, as in "the rounding mode".
void crest_describe_control(uint64_t before, uint64_t after, char *text, size_t capacity);

/// Who is told, before the process ends with CREST_ENDED_BY_PLUGIN, that a plugin has ended it: `how` is the function
/// that was called, `place` what ran, or NULL.
typedef void crest_end_report(const char *identifier, const char *place, const char *how);
void crest_report_ends_to(crest_end_report *report);

/// All that a library could change in its process, as it is now.
struct crest_process_state;

/// Returns NULL when there is no memory.
///
/// `is_long` is for more than a call: then what other processes can change is left out.
struct crest_process_state *crest_process_state_take(int is_long);

/// Compares with how it is now, puts back what differs, and frees the state.
///
/// Returns how many things differed, and writes what they are to `text`, as in "the working folder, the umask".
int crest_process_state_settle(struct crest_process_state *state, char *text, size_t capacity);

#endif
