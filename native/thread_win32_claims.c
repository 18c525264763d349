/* CPUs of the real-time threads of this process: together they leave one allowed CPU to the host. */
#include "thread_win32.h"

#define MOST_REALTIME_THREADS 64

static SRWLOCK claims_guard = SRWLOCK_INIT;
/* Thread ids, 0: free. */
static DWORD claimants[MOST_REALTIME_THREADS];
static fd_cpu_set claimed[MOST_REALTIME_THREADS];

/* What no other thread claims of the allowed CPUs. Under the lock. */
static fd_cpu_set unclaimed_cpus(void) {
  fd_cpu_set left = *fd_win32_allowed_cpus();
  for (int slot = 0; slot < MOST_REALTIME_THREADS; slot++) {
    if (claimants[slot] == 0) continue;
    for (int i = 0; i < FD_MAX_CPUS / 64; i++) left.words[i] &= ~claimed[slot].words[i];
  }
  return left;
}

/* False if none would be left. A thread that may use any gets all but the lowest that is still the host's. */
static bool choose(const fd_request *request, fd_cpu_set *cpus) {
  fd_cpu_set left = unclaimed_cpus();
  *cpus = *fd_win32_allowed_cpus();
  if (!request->any_cpu) {
    fd_cpu_and(cpus, cpus, &request->cpus);
    for (int i = 0; i < FD_MAX_CPUS / 64; i++) left.words[i] &= ~cpus->words[i];
    return !fd_cpu_none(&left) && !fd_cpu_none(cpus);
  }
  for (uint32_t cpu = 0; cpu < FD_MAX_CPUS; cpu++) {
    if (!fd_cpu_has(&left, cpu)) continue;
    fd_cpu_remove(cpus, cpu);
    return !fd_cpu_none(cpus);
  }
  return false;
}

bool fd_win32_claim(const fd_request *request, fd_cpu_set *cpus, char reason[FD_TEXT_BYTES]) {
  int free_slot = 0;
  AcquireSRWLockExclusive(&claims_guard);
  while (free_slot < MOST_REALTIME_THREADS && claimants[free_slot] != 0) free_slot++;
  bool granted = free_slot < MOST_REALTIME_THREADS && choose(request, cpus);
  if (granted) {
    claimants[free_slot] = GetCurrentThreadId();
    claimed[free_slot] = *cpus;
  } else if (free_slot == MOST_REALTIME_THREADS) {
    fd_add(reason, "%d threads of this process are real-time already", MOST_REALTIME_THREADS);
  } else {
    fd_add(reason, "no allowed CPU would be left to the host");
  }
  ReleaseSRWLockExclusive(&claims_guard);
  return granted;
}

void fd_win32_release(void) {
  DWORD self = GetCurrentThreadId();
  AcquireSRWLockExclusive(&claims_guard);
  for (int slot = 0; slot < MOST_REALTIME_THREADS; slot++) {
    if (claimants[slot] == self) claimants[slot] = 0;
  }
  ReleaseSRWLockExclusive(&claims_guard);
}
