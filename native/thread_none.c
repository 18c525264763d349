/* Platforms without an implementation: nothing is set, and every answer says so. */
#include <math.h>

#include "text.h"

const char fd_platform[] = "none";
static const char nothing[] = "the addon does nothing on this platform";

void fd_process_begin(void) {}

void fd_thread_apply(const fd_request *request, fd_report *report) {
  fd_report_clear(report);
  fd_say(report->state.error, "%s", nothing);
  if (request->priority != FD_NORMAL) fd_say(report->priority.reason, "%s", nothing);
  if (!request->any_cpu) fd_say(report->cpus.reason, "%s", nothing);
  if (request->timer_slack_ns != 0) fd_say(report->timer_slack.reason, "%s", nothing);
}

void fd_thread_read(int64_t thread_id, fd_state *state) {
  (void)thread_id;
  fd_state_clear(state);
  fd_say(state->error, "%s", nothing);
}

void fd_thread_usage(fd_usage *usage) {
  usage->user_us = usage->system_us = NAN;
  usage->voluntary_switches = usage->involuntary_switches = NAN;
  usage->minor_faults = usage->major_faults = NAN;
}

void fd_thread_end(void) {}

bool fd_memory_lock(void *address, size_t bytes, fd_how *how) {
  (void)address;
  (void)bytes;
  fd_say(how->reason, "%s", nothing);
  return false;
}

void fd_thread_abandon(int64_t thread_id) { (void)thread_id; }

uint32_t fd_leash_pulls(void) { return 0; }
