/*
 * The leash: RLIMIT_RTTIME counts the CPU time that a real-time thread uses without a blocking call. At the soft limit
 * the kernel sends SIGXCPU, which ends the process unless handled; at the hard limit it kills it (getrlimit(2)). So the
 * soft limit goes below the hard one, and a handler demotes the thread. Beside it the kernel itself leaves other
 * threads a share (sched_rt_runtime_us, sched(7)).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "text.h"
#include "thread_linux_leash.h"

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif
#ifndef RLIMIT_RTTIME
#define RLIMIT_RTTIME 15
#endif

/* What RealtimeKit grants too. Longer than a pause of the garbage collector should be. */
#define LEASH_US 200000
/* The kernel counts in clock ticks, of 10 ms at most. */
#define SHORTEST_LEASH_US 20000
#define MAX_REALTIME_THREADS 64

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
/* Thread ids, 0: free. Written under `guard`, read by the signal handler. */
static atomic_int claimants[MAX_REALTIME_THREADS];
/* Threads that the leash demoted, 0: none. Written by the signal handler, cleared under `guard`. */
static atomic_int demoted[MAX_REALTIME_THREADS];
static fd_cpu_set claimed[MAX_REALTIME_THREADS];
/* Of one CPU, what the thread declared to need. */
static double shares[MAX_REALTIME_THREADS];
static atomic_bool narrowed[MAX_REALTIME_THREADS];
/* What a demoted thread gets, in nanoseconds; 0: what it inherited. */
static atomic_uint slacks[MAX_REALTIME_THREADS];
static int claims;
static struct rlimit inherited;
/* What a narrowed thread gets back. Written once, before the first claim. */
static fd_cpu_set process_cpus;
static bool process_cpus_known;
static atomic_uint leash_us;
/* The soft limit while there are claims, 0 without. */
static atomic_uint laid_us;
static atomic_uint pulls;

uint32_t fd_leash_pulls(void) { return atomic_load(&pulls); }

static int slot_of(pid_t thread) {
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    if (atomic_load(&claimants[slot]) == thread) return slot;
  }
  return -1;
}

static bool demote(pid_t thread) {
  int policy = (int)syscall(SYS_sched_getscheduler, thread);
  if (policy < 0) return false;
  policy &= ~SCHED_RESET_ON_FORK;
  if (policy != SCHED_RR && policy != SCHED_FIFO) return false;
  int slot = slot_of(thread);
  if (slot >= 0) {
    /* all this first: once demoted, a thread may wait long for a CPU that others at fault hold */
    atomic_store(&demoted[slot], thread);
    /* it may use the host's CPU again */
    if (atomic_load(&narrowed[slot])) syscall(SYS_sched_setaffinity, thread, sizeof process_cpus, &process_cpus);
  }
  struct sched_param none = {0};
  atomic_fetch_add(&pulls, 1);
  if (syscall(SYS_sched_setscheduler, thread, SCHED_OTHER | SCHED_RESET_ON_FORK, &none) != 0) {
    atomic_fetch_sub(&pulls, 1);
    if (slot >= 0) atomic_store(&demoted[slot], 0);
    return false;
  }
  if (slot < 0) return true;
  /* real-time has none, and what was set for it meanwhile was not taken (kernel 6.12 and later) */
  unsigned slack = atomic_load(&slacks[slot]);
  if (slack != 0 && thread == (pid_t)syscall(SYS_gettid)) prctl(PR_SET_TIMERSLACK, (unsigned long)slack);
  return true;
}

static void set_soft_limit(rlim_t soft) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_RTTIME, &limit) != 0) return;
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  setrlimit(RLIMIT_RTTIME, &limit);
}

/*
 * With each SIGXCPU the kernel lengthens the soft limit of the process by a second (check_thread_timers): other threads
 * at fault would keep real-time for that long, or be killed at the hard limit without a warning.
 */
static void lay_leash_anew(void) {
  unsigned laid = atomic_load(&laid_us);
  if (laid == 0) return;
  set_soft_limit(laid);
  /* the last claim was given back meanwhile */
  if (atomic_load(&laid_us) == 0) set_soft_limit(inherited.rlim_cur);
}

/* Only system calls and lock-free atomics: async-signal-safe. */
static void on_cpu_limit(int number) {
  int kept = errno;
  lay_leash_anew();
  /* the kernel prefers the thread at fault; where another got the signal, all claimants go */
  bool demoted = demote((pid_t)syscall(SYS_gettid));
  if (!demoted) {
    for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
      int thread = atomic_load(&claimants[slot]);
      if (thread != 0 && demote(thread)) demoted = true;
    }
  }
  if (!demoted) {
    /* RLIMIT_CPU, or somebody's kill: as if there were no handler */
    signal(number, SIG_DFL);
    raise(number);
  }
  errno = kept;
}

/* Leaves a handler of the application's alone. */
static bool handle_cpu_limit(void) {
  struct sigaction present;
  if (sigaction(SIGXCPU, NULL, &present) != 0) return false;
  if (present.sa_handler == on_cpu_limit) return true;
  if ((present.sa_flags & SA_SIGINFO) != 0 || present.sa_handler != SIG_DFL) return false;
  struct sigaction ours;
  memset(&ours, 0, sizeof ours);
  ours.sa_handler = on_cpu_limit;
  ours.sa_flags = SA_RESTART;
  sigemptyset(&ours.sa_mask);
  return sigaction(SIGXCPU, &ours, NULL) == 0;
}

static const char nobody_demotes[] = "the application handles SIGXCPU itself, and RLIMIT_RTTIME's hard limit would kill it";

/* Reads a small number from a file of /proc; -2 where it cannot. */
static long number_in(const char *path) {
  char text[32];
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -2;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -2;
  text[length] = 0;
  return strtol(text, NULL, 10);
}

static void say_leash(const struct rlimit *limit, bool handled, char leash[FD_TEXT_BYTES]) {
  fd_say(leash, "RLIMIT_RTTIME %llu us, then %s", (unsigned long long)limit->rlim_cur,
         handled ? "demotion" : "the application's own handler of SIGXCPU");
  if (limit->rlim_max == RLIM_INFINITY) fd_add(leash, "no hard limit");
  else fd_add(leash, "killed at %llu us", (unsigned long long)limit->rlim_max);
  long runtime = number_in("/proc/sys/kernel/sched_rt_runtime_us");
  long period = number_in("/proc/sys/kernel/sched_rt_period_us");
  if (runtime > 0 && period > 0) fd_add(leash, "kernel: %ld of %ld us", runtime, period);
}

/* Under `guard`. The limit is the whole process's: it is laid once and taken up with the last claim. */
static bool lay_leash(const fd_request *request, char reason[FD_TEXT_BYTES], char leash[FD_TEXT_BYTES]) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_RTTIME, &limit) != 0) {
    fd_add(reason, "getrlimit RLIMIT_RTTIME: %s", fd_errno_name(errno));
    return false;
  }
  if (claims == 0) inherited = limit;
  rlim_t soft = LEASH_US;
  if (inherited.rlim_cur < soft) soft = inherited.rlim_cur;
  /* desktop sessions hand out a soft limit that equals the hard one: that would kill before it warns */
  if (limit.rlim_max != RLIM_INFINITY && soft > limit.rlim_max / 4 * 3) soft = limit.rlim_max / 4 * 3;
  if (soft < SHORTEST_LEASH_US) {
    fd_add(reason, "RLIMIT_RTTIME of %llu us is too short: it is counted in clock ticks, %u us are needed",
           (unsigned long long)soft, (unsigned)SHORTEST_LEASH_US);
    return false;
  }
  if (soft <= request->budget_us) {
    fd_add(reason, "RLIMIT_RTTIME of %llu us is too short for a budget of %u us", (unsigned long long)soft,
           (unsigned)request->budget_us);
    return false;
  }
  bool handled = handle_cpu_limit();
  if (!handled && limit.rlim_max != RLIM_INFINITY) {
    fd_add(reason, "%s", nobody_demotes);
    return false;
  }
  limit.rlim_cur = soft;
  if (setrlimit(RLIMIT_RTTIME, &limit) != 0) {
    fd_add(reason, "setrlimit RLIMIT_RTTIME: %s", fd_errno_name(errno));
    return false;
  }
  atomic_store(&leash_us, (unsigned)soft);
  atomic_store(&laid_us, (unsigned)soft);
  say_leash(&limit, handled, leash);
  return true;
}

bool fd_leash_for_broker(const fd_request *request, char reason[FD_TEXT_BYTES], char leash[FD_TEXT_BYTES]) {
  bool shortened = false;
  struct rlimit limit;
  if (!handle_cpu_limit()) {
    fd_add(reason, "%s", nobody_demotes);
    return false;
  }
  pthread_mutex_lock(&guard);
  if (getrlimit(RLIMIT_RTTIME, &limit) == 0) {
    if (limit.rlim_max > LEASH_US) limit.rlim_max = LEASH_US;
    if (limit.rlim_cur > limit.rlim_max / 4 * 3) limit.rlim_cur = limit.rlim_max / 4 * 3;
    shortened = limit.rlim_cur > request->budget_us && setrlimit(RLIMIT_RTTIME, &limit) == 0;
  }
  if (shortened) {
    atomic_store(&leash_us, (unsigned)limit.rlim_cur);
    atomic_store(&laid_us, (unsigned)limit.rlim_cur);
    say_leash(&limit, true, leash);
  } else {
    fd_add(reason, "RLIMIT_RTTIME as brokers want it is too short for a budget of %u us", (unsigned)request->budget_us);
  }
  pthread_mutex_unlock(&guard);
  return shortened;
}

/* Under `guard`. Whether a CPU is left to the host; takes one from `cpus` if these are all. */
static bool leave_one_cpu(const fd_request *request, const fd_cpu_set *allowed, fd_cpu_set *cpus) {
  fd_cpu_set left = *allowed;
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    if (atomic_load(&claimants[slot]) == 0) continue;
    for (int i = 0; i < FD_MAX_CPUS / 64; i++) left.words[i] &= ~claimed[slot].words[i];
  }
  if (request->any_cpu) {
    /* the lowest: interrupts are handled there on most machines */
    for (uint32_t cpu = 0; cpu < FD_MAX_CPUS; cpu++) {
      if (!fd_cpu_has(&left, cpu)) continue;
      fd_cpu_remove(cpus, cpu);
      return !fd_cpu_none(cpus);
    }
    return false;
  }
  for (int i = 0; i < FD_MAX_CPUS / 64; i++) left.words[i] &= ~cpus->words[i];
  return !fd_cpu_none(&left);
}

static int count_cpus(const fd_cpu_set *cpus) {
  int count = 0;
  for (uint32_t cpu = 0; cpu < FD_MAX_CPUS; cpu++) count += fd_cpu_has(cpus, cpu);
  return count;
}

static bool is_within(const fd_cpu_set *inner, const fd_cpu_set *outer) {
  for (int i = 0; i < FD_MAX_CPUS / 64; i++) {
    if ((inner->words[i] & ~outer->words[i]) != 0) return false;
  }
  return true;
}

/*
 * Under `guard`. Whether the CPUs of each claim can do what all claims that have no others declare, in the share of
 * time that the kernel leaves to real-time (Hall's condition over the claimed sets: necessary, and for one CPU enough).
 */
static bool fits_budget(const fd_cpu_set *cpus, double share, char reason[FD_TEXT_BYTES]) {
  long runtime = number_in("/proc/sys/kernel/sched_rt_runtime_us");
  long period = number_in("/proc/sys/kernel/sched_rt_period_us");
  double left_by_kernel = runtime > 0 && period > 0 ? (double)runtime / (double)period : 1;
  for (int outer = -1; outer < MAX_REALTIME_THREADS; outer++) {
    if (outer >= 0 && atomic_load(&claimants[outer]) == 0) continue;
    const fd_cpu_set *set = outer < 0 ? cpus : &claimed[outer];
    if (!is_within(cpus, set)) continue;
    double declared = share;
    for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
      if (atomic_load(&claimants[slot]) != 0 && is_within(&claimed[slot], set)) declared += shares[slot];
    }
    int count = count_cpus(set);
    if (declared <= left_by_kernel * count) continue;
    fd_add(reason, "real-time threads of this process would need %.2f of %d CPU%s, of which real-time gets %.2f",
           declared, count, count == 1 ? "" : "s", left_by_kernel * count);
    return false;
  }
  return true;
}

/* Under `guard`. */
static void free_slot(int slot) {
  atomic_store(&claimants[slot], 0);
  claims--;
  if (claims > 0) return;
  atomic_store(&laid_us, 0);
  set_soft_limit(inherited.rlim_cur);
}

/* Under `guard`. One that is free, best one of which nothing is to be told any more; -1 where none is. */
static int find_slot(void) {
  int found = -1;
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    if (atomic_load(&claimants[slot]) != 0) continue;
    if (atomic_load(&demoted[slot]) == 0) return slot;
    found = slot;
  }
  return found;
}

bool fd_leash_enter(const fd_request *request, const fd_cpu_set *allowed, fd_cpu_set *cpus, char reason[FD_TEXT_BYTES],
                    char leash[FD_TEXT_BYTES]) {
  bool entered = false;
  double share = (double)request->budget_us / (double)request->period_us;
  pthread_mutex_lock(&guard);
  if (!process_cpus_known) process_cpus = *allowed;
  process_cpus_known = true;
  /* a demoted thread claims nothing any more */
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    int thread = atomic_load(&claimants[slot]);
    if (thread != 0 && atomic_load(&demoted[slot]) == thread) free_slot(slot);
  }
  int slot = find_slot();
  if (slot < 0) {
    fd_add(reason, "%d threads of this process are real-time already", MAX_REALTIME_THREADS);
  } else if (!leave_one_cpu(request, allowed, cpus)) {
    fd_add(reason, "no allowed CPU would be left to the host");
  } else if (fits_budget(cpus, share, reason) && lay_leash(request, reason, leash)) {
    claimed[slot] = *cpus;
    shares[slot] = share;
    atomic_store(&narrowed[slot], request->any_cpu);
    atomic_store(&slacks[slot], request->timer_slack_ns);
    atomic_store(&demoted[slot], 0);
    atomic_store(&claimants[slot], (int)syscall(SYS_gettid));
    claims++;
    entered = true;
  }
  pthread_mutex_unlock(&guard);
  return entered;
}

bool fd_leash_leave(int thread) {
  bool was_narrowed = false;
  pthread_mutex_lock(&guard);
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    if (atomic_load(&claimants[slot]) != thread) continue;
    was_narrowed = atomic_load(&narrowed[slot]);
    free_slot(slot);
    break;
  }
  pthread_mutex_unlock(&guard);
  return was_narrowed;
}

void fd_leash_say_demoted(int thread, char reason[FD_TEXT_BYTES]) {
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    if (atomic_load(&demoted[slot]) != thread) continue;
    fd_say(reason, "demoted: did not sleep for %u ms of CPU time (RLIMIT_RTTIME)", atomic_load(&leash_us) / 1000);
    return;
  }
}

void fd_leash_forget(int thread) {
  pthread_mutex_lock(&guard);
  for (int slot = 0; slot < MAX_REALTIME_THREADS; slot++) {
    if (atomic_load(&demoted[slot]) == thread) atomic_store(&demoted[slot], 0);
  }
  pthread_mutex_unlock(&guard);
}
