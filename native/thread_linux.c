/*
 * Linux. Threads are named by their kernel thread id. Policies are set by system call: musl's own sched_setscheduler
 * always fails (its threads are not processes).
 * Sources: sched(7), sched_setaffinity(2), setpriority(2), getrlimit(2), prctl(2), proc(5), mlock(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "thread_linux_leash.h"

const char fd_platform[] = "linux";

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif
#ifndef SCHED_BATCH
#define SCHED_BATCH 3
#endif
#ifndef SCHED_IDLE
#define SCHED_IDLE 5
#endif
#define POLICY_DEADLINE 6
#ifndef RUSAGE_THREAD
#define RUSAGE_THREAD 1
#endif

/* Removes nearly all misses beside CPU hogs, and cannot kill a process. */
#define HIGH_NICENESS (-11)

/* What was in force for the main thread when the addon was loaded. */
static struct {
  int policy;
  int niceness;
  fd_cpu_set cpus;
  int64_t timer_slack_ns;
} began;
/* not pthread_once: where it is linked against a newer glibc, it would need that version */
static pthread_mutex_t began_guard = PTHREAD_MUTEX_INITIALIZER;
static bool began_recorded;

const char *fd_errno_name(int error) {
  switch (error) {
    case EPERM: return "EPERM";
    case EACCES: return "EACCES";
    case EINVAL: return "EINVAL";
    case ESRCH: return "ESRCH";
    case ENOMEM: return "ENOMEM";
    case EAGAIN: return "EAGAIN";
    case ENOSYS: return "ENOSYS";
    case EBUSY: return "EBUSY";
    case EFAULT: return "EFAULT";
    case E2BIG: return "E2BIG";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    default: return strerror(error);
  }
}

/* Returns 0 or an error number, as all set_* here. */
static int set_policy(pid_t thread, int policy, int priority) {
  struct sched_param parameter = {.sched_priority = priority};
  return syscall(SYS_sched_setscheduler, thread, policy, &parameter) == 0 ? 0 : errno;
}

static int set_niceness(pid_t thread, int niceness) {
  return setpriority(PRIO_PROCESS, (id_t)thread, niceness) == 0 ? 0 : errno;
}

static int set_cpus(pid_t thread, const fd_cpu_set *cpus) {
  return syscall(SYS_sched_setaffinity, thread, sizeof *cpus, cpus) == 0 ? 0 : errno;
}

static bool read_cpus(pid_t thread, fd_cpu_set *cpus) {
  /* the kernel writes as many bytes as it has CPUs for */
  memset(cpus, 0, sizeof *cpus);
  return syscall(SYS_sched_getaffinity, thread, sizeof *cpus, cpus) > 0;
}

static bool is_realtime(int policy) {
  return policy == SCHED_FIFO || policy == SCHED_RR || policy == POLICY_DEADLINE;
}

/* The first user namespace's inode number, the same on every machine (linux/nsfs.h, USER_NS_INIT_INO). */
static const char first_namespace[] = "user:[4026531837]";

/* In a user namespace (a rootless container) a capability is good for nothing outside: scheduling asks for the first's. */
static bool in_first_user_namespace(void) {
  char name[64];
  ssize_t length = readlink("/proc/self/ns/user", name, sizeof name);
  /* no /proc, or a kernel without user namespaces */
  if (length < 0) return true;
  return (size_t)length == sizeof first_namespace - 1 && memcmp(name, first_namespace, (size_t)length) == 0;
}

/* Effective capability of the calling thread (capget(2)); the kernel's header is missing beside musl. */
enum { CAPABILITY_SYS_NICE = 23 };

static bool has_capability(unsigned capability) {
  if (!in_first_user_namespace()) return false;
  struct {
    uint32_t version;
    int thread;
  } header = {0x20080522, 0};
  struct {
    uint32_t effective, permitted, inheritable;
  } data[2] = {{0, 0, 0}, {0, 0, 0}};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  return (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

static void record_beginning(void) {
  pid_t process = getpid(); /* is also the id of the main thread */
  int policy = (int)syscall(SYS_sched_getscheduler, process);
  policy = policy < 0 ? SCHED_OTHER : policy & ~SCHED_RESET_ON_FORK;
  began.policy = is_realtime(policy) ? SCHED_OTHER : policy;
  errno = 0;
  began.niceness = getpriority(PRIO_PROCESS, (id_t)process);
  if (errno != 0) began.niceness = 0;
  if (!read_cpus(process, &began.cpus)) read_cpus(0, &began.cpus);
  began.timer_slack_ns = (pid_t)syscall(SYS_gettid) == process ? prctl(PR_GET_TIMERSLACK) : 50000;
}

void fd_process_begin(void) {
  pthread_mutex_lock(&began_guard);
  if (!began_recorded) record_beginning();
  began_recorded = true;
  pthread_mutex_unlock(&began_guard);
}

static void name_thread(const char *name) {
  if (name[0] == 0) return;
  char first[16];
  snprintf(first, sizeof first, "%.15s", name);
  prctl(PR_SET_NAME, first);
}

/* What the creator of this thread had, this thread did not ask for. */
static void reset_thread(fd_how *how) {
  int policy = (int)syscall(SYS_sched_getscheduler, 0);
  if (policy >= 0 && policy != began.policy) {
    /* only a privileged thread may clear the flag */
    int error = set_policy(0, began.policy, 0);
    if (error != 0) error = set_policy(0, began.policy | SCHED_RESET_ON_FORK, 0);
    if (error != 0) fd_add(how->reason, "sched_setscheduler: %s", fd_errno_name(error));
  }
  fd_leash_leave((int)syscall(SYS_gettid));
  fd_leash_forget((int)syscall(SYS_gettid));
  errno = 0;
  if (getpriority(PRIO_PROCESS, 0) != began.niceness || errno != 0) {
    int error = set_niceness(0, began.niceness);
    if (error == 0) fd_say(how->mechanism, "setpriority %d", began.niceness);
    else fd_add(how->reason, "setpriority %d: %s", began.niceness, fd_errno_name(error));
  }
  set_cpus(0, &began.cpus);
}

/* Lowers the niceness as far as is granted. */
static void apply_high(fd_how *how) {
  /* a process that was started as SCHED_BATCH or SCHED_IDLE */
  if (began.policy != SCHED_OTHER) set_policy(0, SCHED_OTHER, 0);
  /* a process that was started lower still keeps that */
  int wanted = began.niceness < HIGH_NICENESS ? began.niceness : HIGH_NICENESS;
  int error = set_niceness(0, wanted);
  if (error == 0) {
    fd_say(how->mechanism, "setpriority %d", wanted);
    return;
  }
  fd_add(how->reason, "setpriority %d: %s", wanted, fd_errno_name(error));
  struct rlimit limit;
  if (getrlimit(RLIMIT_NICE, &limit) != 0) return;
  /* the limit counts from 40 (nice -20) down to 1 (nice 19); 0 grants nothing */
  int lowest = 20 - (int)(limit.rlim_cur > 40 ? 40 : limit.rlim_cur);
  fd_add(how->reason, "RLIMIT_NICE is %u", (unsigned)(limit.rlim_cur > 40 ? 40 : limit.rlim_cur));
  if (lowest >= 0 || lowest >= began.niceness) return;
  if (set_niceness(0, lowest) == 0) fd_say(how->mechanism, "setpriority %d", lowest);
}

/* Real-time round robin, once more within the limit if refused. */
static bool apply_round_robin(uint32_t asked, fd_how *how) {
  const int policy = SCHED_RR | SCHED_RESET_ON_FORK;
  int error = set_policy(0, policy, (int)asked);
  if (error == 0) {
    fd_say(how->mechanism, "sched_setscheduler SCHED_RR|SCHED_RESET_ON_FORK %u", (unsigned)asked);
    return true;
  }
  fd_add(how->reason, "sched_setscheduler SCHED_RR %u: %s", (unsigned)asked, fd_errno_name(error));
  struct rlimit limit = {0, 0};
  getrlimit(RLIMIT_RTPRIO, &limit);
  if (limit.rlim_cur >= asked || has_capability(CAPABILITY_SYS_NICE)) {
    /* the priority was allowed: only a control group refuses then (sched(7), "RT group scheduling") */
    if (error == EPERM) fd_add(how->reason, "the control group has no cpu.rt_runtime_us");
    return false;
  }
  fd_add(how->reason, "RLIMIT_RTPRIO is %u", (unsigned)limit.rlim_cur);
  if (limit.rlim_cur == 0) return false;
  error = set_policy(0, policy, (int)limit.rlim_cur);
  if (error == 0) {
    fd_say(how->mechanism, "sched_setscheduler SCHED_RR|SCHED_RESET_ON_FORK %u", (unsigned)limit.rlim_cur);
    return true;
  }
  if (error == EPERM) fd_add(how->reason, "the control group has no cpu.rt_runtime_us");
  else fd_add(how->reason, "sched_setscheduler SCHED_RR %u: %s", (unsigned)limit.rlim_cur, fd_errno_name(error));
  return false;
}

/* `cpus`: what to run on; a real-time thread that may use any CPU loses the host's. */
/*
 * The kernel counts towards RLIMIT_RTTIME until a real-time thread blocks: one that was demoted and asks again would be
 * demoted again at the next tick (kernel/sched/rt.c, watchdog and enqueue_task_rt).
 */
static void block_once(void) {
  const struct timespec shortest = {0, 1000};
  nanosleep(&shortest, NULL);
}

static bool apply_realtime(const fd_request *request, fd_cpu_set *cpus, fd_report *report) {
  fd_how *how = &report->priority;
  if (!fd_budget_declared(request, how->reason)) return false;
  fd_cpu_set narrowed = *cpus;
  if (!fd_leash_enter(request, &began.cpus, &narrowed, how->reason, report->leash)) return false;
  bool granted = apply_round_robin(request->realtime_priority, how);
  if (granted) block_once();
  if (granted || (request->brokered && fd_leash_for_broker(request, how->reason, report->leash))) {
    *cpus = narrowed;
    return granted;
  }
  fd_leash_leave((int)syscall(SYS_gettid));
  report->leash[0] = 0;
  return false;
}

static void apply_priority(const fd_request *request, fd_cpu_set *cpus, fd_report *report) {
  if (request->priority == FD_NORMAL) return;
  /* also before real-time: it is what is left if that is refused or taken back */
  fd_how high = {"", ""};
  apply_high(&high);
  if (request->priority == FD_REALTIME && apply_realtime(request, cpus, report)) return;
  /* threads that this one makes later, by Node or by the app, are not high with it */
  errno = 0;
  int niceness = getpriority(PRIO_PROCESS, 0);
  if (errno == 0 && niceness < 0 && niceness < began.niceness) set_policy(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0);
  memcpy(report->priority.mechanism, high.mechanism, FD_TEXT_BYTES);
  if (high.reason[0] != 0) fd_add(report->priority.reason, "%s", high.reason);
}

static void apply_cpus(const fd_request *request, const fd_cpu_set *cpus, fd_how *how) {
  int error = set_cpus(0, cpus);
  if (error != 0) {
    fd_add(how->reason, "sched_setaffinity: %s", fd_errno_name(error));
    return;
  }
  fd_cpu_set now;
  bool narrowed = request->any_cpu && !fd_cpu_equal(cpus, &began.cpus);
  if (!request->any_cpu || narrowed) fd_say(how->mechanism, "sched_setaffinity");
  if (narrowed) fd_add(how->reason, "one allowed CPU stays with the host");
  if (!request->any_cpu && read_cpus(0, &now) && !fd_cpu_equal(&now, &request->cpus)) {
    fd_add(how->reason, "the other CPUs are not allowed to this process");
  }
}

static void apply_timer_slack(uint32_t slack_ns, fd_how *how) {
  int64_t wanted = slack_ns == 0 ? began.timer_slack_ns : (int64_t)slack_ns;
  if (prctl(PR_SET_TIMERSLACK, (unsigned long)wanted) != 0) {
    fd_add(how->reason, "prctl PR_SET_TIMERSLACK: %s", fd_errno_name(errno));
  } else if (slack_ns != 0) {
    fd_say(how->mechanism, "prctl PR_SET_TIMERSLACK");
  }
}

void fd_thread_apply(const fd_request *request, fd_report *report) {
  fd_process_begin();
  fd_report_clear(report);
  name_thread(request->name);
  fd_how normal = {"", ""};
  reset_thread(&normal);
  if (request->priority == FD_NORMAL) report->priority = normal;
  fd_cpu_set cpus = began.cpus;
  if (!request->any_cpu) {
    fd_cpu_and(&cpus, &request->cpus, &began.cpus);
    if (fd_cpu_none(&cpus)) {
      fd_add(report->cpus.reason, "none of the CPUs is allowed to this process");
      cpus = began.cpus;
    }
  }
  apply_priority(request, &cpus, report);
  if (report->cpus.reason[0] == 0) apply_cpus(request, &cpus, &report->cpus);
  apply_timer_slack(request->timer_slack_ns, &report->timer_slack);
  fd_thread_read(0, &report->state);
}

static void read_policy(pid_t thread, fd_state *state) {
  int policy = (int)syscall(SYS_sched_getscheduler, thread);
  if (policy < 0) {
    if (state->error[0] == 0) fd_say(state->error, "%s", fd_errno_name(errno));
    return;
  }
  const char *flag = (policy & SCHED_RESET_ON_FORK) != 0 ? "|SCHED_RESET_ON_FORK" : "";
  policy &= ~SCHED_RESET_ON_FORK;
  struct sched_param parameter = {0};
  syscall(SYS_sched_getparam, thread, &parameter);
  if (is_realtime(policy)) state->priority = FD_REALTIME;
  switch (policy) {
    case SCHED_OTHER: fd_say(state->policy, "SCHED_OTHER%s", flag); break;
    case SCHED_FIFO: fd_say(state->policy, "SCHED_FIFO%s %d", flag, parameter.sched_priority); break;
    case SCHED_RR: fd_say(state->policy, "SCHED_RR%s %d", flag, parameter.sched_priority); break;
    case SCHED_BATCH: fd_say(state->policy, "SCHED_BATCH%s", flag); break;
    case SCHED_IDLE: fd_say(state->policy, "SCHED_IDLE%s", flag); break;
    case POLICY_DEADLINE: fd_say(state->policy, "SCHED_DEADLINE%s", flag); break;
    default: fd_say(state->policy, "policy %d%s", policy, flag); break;
  }
}

void fd_thread_read(int64_t thread_id, fd_state *state) {
  fd_process_begin();
  fd_state_clear(state);
  pid_t self = (pid_t)syscall(SYS_gettid);
  if (thread_id < 0 || thread_id > INT32_MAX) {
    fd_say(state->error, "ESRCH");
    return;
  }
  pid_t thread = thread_id == 0 ? self : (pid_t)thread_id;
  state->thread_id = thread;
  /* the calls below also take threads of other processes */
  if (syscall(SYS_tgkill, getpid(), thread, 0) != 0) {
    fd_say(state->error, "%s", fd_errno_name(errno));
    return;
  }
  errno = 0;
  int niceness = getpriority(PRIO_PROCESS, (id_t)thread);
  if (errno == 0) {
    state->niceness = niceness;
    if (niceness < 0) state->priority = FD_HIGH;
  }
  read_policy(thread, state);
  state->cpus_known = read_cpus(thread, &state->cpus);
  if (thread == self) state->timer_slack_ns = prctl(PR_GET_TIMERSLACK);
  fd_leash_say_demoted(thread, state->demoted);
}

void fd_thread_usage(fd_usage *usage) {
  struct rusage totals;
  memset(&totals, 0, sizeof totals);
  getrusage(RUSAGE_THREAD, &totals);
  usage->user_us = (double)totals.ru_utime.tv_sec * 1e6 + (double)totals.ru_utime.tv_usec;
  usage->system_us = (double)totals.ru_stime.tv_sec * 1e6 + (double)totals.ru_stime.tv_usec;
  usage->voluntary_switches = (double)totals.ru_nvcsw;
  usage->involuntary_switches = (double)totals.ru_nivcsw;
  usage->minor_faults = (double)totals.ru_minflt;
  usage->major_faults = (double)totals.ru_majflt;
}

void fd_thread_end(void) {
  fd_leash_leave((int)syscall(SYS_gettid));
  fd_leash_forget((int)syscall(SYS_gettid));
}

void fd_thread_abandon(int64_t thread_id) {
  if (thread_id <= 0 || thread_id > INT32_MAX) return;
  if (fd_leash_leave((int)thread_id)) set_cpus((pid_t)thread_id, &began.cpus);
}

bool fd_memory_lock(void *address, size_t bytes, fd_how *how) {
  if (mlock(address, bytes) == 0) {
    fd_say(how->mechanism, "mlock");
    return true;
  }
  fd_add(how->reason, "mlock: %s", fd_errno_name(errno));
  struct rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    fd_add(how->reason, "RLIMIT_MEMLOCK is %llu KiB", (unsigned long long)(limit.rlim_cur / 1024));
  }
  return false;
}
