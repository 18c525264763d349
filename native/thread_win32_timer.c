/*
 * Resolution of timed waits on Windows. A wait with a timeout (Atomics.wait, setTimeout) ends on a tick of the system's
 * clock: every 15.6 ms unless a process asks for more, and since Windows 10 2004 only for the process that asks.
 *
 * High-resolution waitable timers (CREATE_WAITABLE_TIMER_HIGH_RESOLUTION) are finer, but only who waits for such a timer
 * itself gains: a worker parks in Atomics.wait, which a bell must end and no waitable timer can. So the period of the
 * clock is raised while a thread of high priority is there, and released with the last of them.
 * Sources: timeBeginPeriod, SetProcessInformation (PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION).
 */
#include "thread_win32.h"

enum { PERIOD_MS = 1, PROCESS_POWER_THROTTLING = 4, IGNORE_TIMER_RESOLUTION = 4 };

static SRWLOCK timer_guard = SRWLOCK_INIT;
static uint32_t holders;
/* What was in force for hidden windows before the first holder. */
static fd_power_throttling throttling_before;
static bool throttling_changed;

/* Windows 11 ignores the period of a process whose windows are all hidden, unless told not to. */
static void honour_while_hidden(void) {
  fd_power_throttling state = {FD_THROTTLING_VERSION, 0, 0};
  throttling_changed = false;
  if (fd_win32.set_process_information == NULL) return;
  if (fd_win32.get_process_information != NULL) {
    /* the app may have set the other half of it: that stays */
    fd_win32.get_process_information(GetCurrentProcess(), PROCESS_POWER_THROTTLING, &state, sizeof state);
    state.version = FD_THROTTLING_VERSION;
  }
  throttling_before = state;
  state.control_mask |= IGNORE_TIMER_RESOLUTION;
  state.state_mask &= ~(ULONG)IGNORE_TIMER_RESOLUTION;
  throttling_changed =
      fd_win32.set_process_information(GetCurrentProcess(), PROCESS_POWER_THROTTLING, &state, sizeof state);
}

void fd_win32_raise_timer(uint32_t asked_ns, fd_how *how) {
  if (fd_win32.begin_period == NULL || fd_win32.end_period == NULL) {
    fd_add(how->reason, "winmm.dll is missing: timed waits end on the system clock's ticks");
    return;
  }
  AcquireSRWLockExclusive(&timer_guard);
  UINT result = fd_win32.begin_period(PERIOD_MS);
  if (result == 0) {
    if (holders++ == 0) honour_while_hidden();
    fd_win32_hold(FD_HOLDS_TIMER, true);
  }
  bool hidden = throttling_changed;
  ReleaseSRWLockExclusive(&timer_guard);
  if (result != 0) {
    /* the only error that it knows */
    fd_add(how->reason, "timeBeginPeriod: %s", result == 97 ? "TIMERR_NOCANDO" : "an unknown error");
    return;
  }
  fd_say(how->mechanism, "timeBeginPeriod %d%s", PERIOD_MS,
         hidden ? "; PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION off" : "");
  int64_t tick_ns = fd_win32_timer_ns();
  if (tick_ns > (int64_t)asked_ns) {
    fd_add(how->reason, "timed waits end on ticks of the clock, %lld ns apart in this process", (long long)tick_ns);
  } else if (tick_ns < 0) {
    fd_add(how->reason, "NtQueryTimerResolution is missing: not read back");
  }
}

void fd_win32_drop_timer(void) {
  if (!fd_win32_holds(FD_HOLDS_TIMER)) return;
  AcquireSRWLockExclusive(&timer_guard);
  fd_win32.end_period(PERIOD_MS);
  if (--holders == 0 && throttling_changed) {
    fd_win32.set_process_information(GetCurrentProcess(), PROCESS_POWER_THROTTLING, &throttling_before,
                                     sizeof throttling_before);
    throttling_changed = false;
  }
  ReleaseSRWLockExclusive(&timer_guard);
  fd_win32_hold(FD_HOLDS_TIMER, false);
}

int64_t fd_win32_timer_ns(void) {
  ULONG coarsest = 0, finest = 0, now = 0;
  AcquireSRWLockShared(&timer_guard);
  bool held = holders > 0;
  ReleaseSRWLockShared(&timer_guard);
  if (!held || fd_win32.query_timer_resolution == NULL) return -1;
  /* in units of 100 ns; 0 is success */
  if (fd_win32.query_timer_resolution(&coarsest, &finest, &now) != 0 || now == 0) return -1;
  return (int64_t)now * 100;
}
