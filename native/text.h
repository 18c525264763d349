/* Small helpers for texts of fixed size and CPU sets, for all platforms. */
#ifndef FD_TEXT_H
#define FD_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "thread_control.h"

#if defined(__GNUC__)
#define FD_PRINTF_LIKE __attribute__((format(printf, 2, 3)))
#else
#define FD_PRINTF_LIKE
#endif

/* Replaces the text. */
FD_PRINTF_LIKE static inline void fd_say(char text[FD_TEXT_BYTES], const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(text, FD_TEXT_BYTES, format, values);
  va_end(values);
}

/* Adds to the text, after "; " where there is one already. */
FD_PRINTF_LIKE static inline void fd_add(char text[FD_TEXT_BYTES], const char *format, ...) {
  size_t length = strlen(text);
  if (length > 0 && length + 2 < FD_TEXT_BYTES) {
    memcpy(text + length, "; ", 3);
    length += 2;
  }
  va_list values;
  va_start(values, format);
  vsnprintf(text + length, FD_TEXT_BYTES - length, format, values);
  va_end(values);
}

static inline bool fd_cpu_has(const fd_cpu_set *set, uint32_t cpu) {
  return cpu < FD_MAX_CPUS && (set->words[cpu / 64] >> (cpu % 64) & 1) != 0;
}

static inline void fd_cpu_add(fd_cpu_set *set, uint32_t cpu) {
  if (cpu < FD_MAX_CPUS) set->words[cpu / 64] |= (uint64_t)1 << (cpu % 64);
}

static inline void fd_cpu_remove(fd_cpu_set *set, uint32_t cpu) {
  if (cpu < FD_MAX_CPUS) set->words[cpu / 64] &= ~((uint64_t)1 << (cpu % 64));
}

static inline bool fd_cpu_none(const fd_cpu_set *set) {
  for (int i = 0; i < FD_MAX_CPUS / 64; i++) {
    if (set->words[i] != 0) return false;
  }
  return true;
}

static inline bool fd_cpu_equal(const fd_cpu_set *a, const fd_cpu_set *b) { return memcmp(a, b, sizeof *a) == 0; }

/* Puts into `both` what is in `a` and in `b`. The three may be the same. */
static inline void fd_cpu_and(fd_cpu_set *both, const fd_cpu_set *a, const fd_cpu_set *b) {
  for (int i = 0; i < FD_MAX_CPUS / 64; i++) both->words[i] = a->words[i] & b->words[i];
}

static inline void fd_report_clear(fd_report *report) {
  memset(report, 0, sizeof *report);
  report->state.thread_id = -1;
  report->state.niceness = FD_UNKNOWN_NICENESS;
  report->state.timer_slack_ns = -1;
}

static inline void fd_state_clear(fd_state *state) {
  memset(state, 0, sizeof *state);
  state->thread_id = -1;
  state->niceness = FD_UNKNOWN_NICENESS;
  state->timer_slack_ns = -1;
}

/* Whether the request declares what real-time needs; else says why not. */
static inline bool fd_budget_declared(const fd_request *request, char reason[FD_TEXT_BYTES]) {
  if (request->period_us == 0 || request->budget_us == 0) {
    fd_add(reason, "realtime needs a declared budget per period");
    return false;
  }
  if (request->budget_us >= request->period_us) {
    fd_add(reason, "the declared budget of %u us leaves nothing of its period of %u us", (unsigned)request->budget_us,
           (unsigned)request->period_us);
    return false;
  }
  return true;
}

#endif
