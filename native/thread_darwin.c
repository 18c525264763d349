/*
 * macOS 11 or later. Real-time is a time constraint (period, computation, constraint), `high` a quality-of-service class.
 * Two facts of the kernel decide the order of the calls (xnu, osfmk/kern/thread_policy.c, bsd/pthread):
 * a thread whose policy of any flavour was set has left its class for good (EPERM), and qos_class_self() still tells the
 * class that the library remembers. So hints come first, and what is in force is read from the kernel's priorities.
 * Sources: mach/thread_policy.h, mach/thread_info.h, pthread/qos.h, Apple TN2169.
 */
#include <errno.h>
#include <mach/mach.h>
#include <mach/mach_time.h>
#include <mach/thread_policy.h>
#include <math.h>
#include <pthread.h>
#include <pthread/qos.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text.h"
#include "thread_darwin_workgroup.h"

const char fd_platform[] = "darwin";

/* The kernel refuses a computation outside of these (osfmk/kern/sched_prim.c). */
#define SHORTEST_COMPUTATION_US 50
#define LONGEST_COMPUTATION_US 50000
/* Base priorities (osfmk/kern/sched.h): QOS_CLASS_USER_INTERACTIVE runs at 46, real-time at 97 and above. */
#define PRIORITY_DEFAULT 31
#define PRIORITY_USER_INITIATED 37
#define PRIORITY_USER_INTERACTIVE 46
#define PRIORITY_REALTIME 96

static qos_class_t began_class = QOS_CLASS_UNSPECIFIED;
static pthread_once_t began_once = PTHREAD_ONCE_INIT;

/* Policies that were set for the calling thread and are to be taken back. */
static _Thread_local struct {
  bool importance;
  bool affinity;
  bool latency;
  bool counted;
} own;

/* Threads of this process that were made real-time: one fewer than CPUs, since none can be kept off a CPU here. */
static atomic_int realtime_threads;

static void record_beginning(void) {
  began_class = qos_class_self();
  if (began_class == QOS_CLASS_UNSPECIFIED) began_class = QOS_CLASS_DEFAULT;
}

void fd_process_begin(void) { pthread_once(&began_once, record_beginning); }

static const char *kern_name(kern_return_t result) {
  switch (result) {
    case KERN_INVALID_ARGUMENT: return "KERN_INVALID_ARGUMENT";
    case KERN_NO_ACCESS: return "KERN_NO_ACCESS";
    case KERN_POLICY_LIMIT: return "KERN_POLICY_LIMIT";
    case KERN_INVALID_POLICY: return "KERN_INVALID_POLICY";
    case KERN_TERMINATED: return "KERN_TERMINATED";
    case KERN_NOT_SUPPORTED: return "KERN_NOT_SUPPORTED";
    case KERN_POLICY_STATIC: return "KERN_POLICY_STATIC";
    default: return mach_error_string(result);
  }
}

static kern_return_t set_policy(thread_policy_flavor_t flavor, void *policy, mach_msg_type_number_t count) {
  return thread_policy_set(pthread_mach_thread_np(pthread_self()), flavor, (thread_policy_t)policy, count);
}

static bool read_policy(thread_policy_flavor_t flavor, void *policy, mach_msg_type_number_t count) {
  /* in: not the default but the thread's; out: whether it has only the default */
  boolean_t is_default = FALSE;
  return thread_policy_get(pthread_mach_thread_np(pthread_self()), flavor, (thread_policy_t)policy, &count,
                           &is_default) == KERN_SUCCESS &&
         !is_default;
}

/* Mach's absolute time is in ticks of numer / denom nanoseconds: 125 / 3 on Apple silicon, 1 on Intel. */
static uint32_t ticks_of_us(uint32_t us) {
  mach_timebase_info_data_t base = {1, 1};
  mach_timebase_info(&base);
  uint64_t ticks = (uint64_t)us * 1000 * base.denom / base.numer;
  /* the kernel's fields: 4.29 s on Intel */
  return ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

static uint32_t us_of_ticks(uint32_t ticks) {
  mach_timebase_info_data_t base = {1, 1};
  mach_timebase_info(&base);
  return (uint32_t)(((uint64_t)ticks * base.numer / base.denom + 500) / 1000);
}

static bool is_constrained(thread_time_constraint_policy_data_t *policy) {
  return read_policy(THREAD_TIME_CONSTRAINT_POLICY, policy, THREAD_TIME_CONSTRAINT_POLICY_COUNT);
}

static bool count_thread(void) {
  if (atomic_fetch_add(&realtime_threads, 1) + 1 < sysconf(_SC_NPROCESSORS_ONLN)) own.counted = true;
  else atomic_fetch_sub(&realtime_threads, 1);
  return own.counted;
}

static void uncount_thread(void) {
  if (own.counted) atomic_fetch_sub(&realtime_threads, 1);
  own.counted = false;
}

/* The kernel lengthens a computation below half of the constraint; to declare that much shows it. */
static bool apply_constraint(const fd_request *request, fd_report *report) {
  fd_how *how = &report->priority;
  if (!fd_budget_declared(request, how->reason)) return false;
  if (!count_thread()) {
    fd_add(how->reason, "no CPU would be left to the host");
    return false;
  }
  uint32_t half_us = (request->period_us + 1) / 2;
  uint32_t computation_us = request->budget_us > half_us ? request->budget_us : half_us;
  if (computation_us < SHORTEST_COMPUTATION_US) computation_us = SHORTEST_COMPUTATION_US;
  if (computation_us > LONGEST_COMPUTATION_US) computation_us = LONGEST_COMPUTATION_US;
  uint32_t period_us = request->period_us > computation_us ? request->period_us : computation_us;
  thread_time_constraint_policy_data_t policy = {
      .period = ticks_of_us(period_us),
      .computation = ticks_of_us(computation_us),
      .constraint = ticks_of_us(period_us),
      .preemptible = TRUE,
  };
  kern_return_t result = set_policy(THREAD_TIME_CONSTRAINT_POLICY, &policy, THREAD_TIME_CONSTRAINT_POLICY_COUNT);
  if (result != KERN_SUCCESS) {
    uncount_thread();
    fd_add(how->reason, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: %s", kern_name(result));
    return false;
  }
  fd_say(how->mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY %u of %u us", (unsigned)computation_us,
         (unsigned)period_us);
  if (request->budget_us > LONGEST_COMPUTATION_US) {
    fd_add(how->reason, "the kernel grants at most %u us of computation", LONGEST_COMPUTATION_US);
  }
  fd_workgroup_join(how);
  fd_say(report->leash,
         "others may run after %u us of computation; a thread that computes for about 1 s without a wait is demoted",
         (unsigned)computation_us);
  return true;
}

/* False if the thread has left the classes; another error is told. */
static bool apply_class(qos_class_t wanted, const char *name, fd_how *how) {
  int error = pthread_set_qos_class_self_np(wanted, 0);
  if (error == 0) fd_say(how->mechanism, "pthread_set_qos_class_self_np %s", name);
  else if (error != EPERM) fd_add(how->reason, "pthread_set_qos_class_self_np: %s", error == EINVAL ? "EINVAL" : "?");
  return error != EPERM;
}

/* Whether by its class. */
static bool apply_high(fd_how *how) {
  if (apply_class(QOS_CLASS_USER_INTERACTIVE, "QOS_CLASS_USER_INTERACTIVE", how)) return how->mechanism[0] != 0;
  /* the same base priority, without the class */
  thread_precedence_policy_data_t policy = {PRIORITY_USER_INTERACTIVE - PRIORITY_DEFAULT};
  kern_return_t result = set_policy(THREAD_PRECEDENCE_POLICY, &policy, THREAD_PRECEDENCE_POLICY_COUNT);
  own.importance = result == KERN_SUCCESS;
  if (result == KERN_SUCCESS) {
    fd_say(how->mechanism, "thread_policy_set THREAD_PRECEDENCE_POLICY %d", (int)policy.importance);
  } else {
    fd_add(how->reason, "pthread_set_qos_class_self_np: EPERM; thread_policy_set THREAD_PRECEDENCE_POLICY: %s",
           kern_name(result));
  }
  return false;
}

/* A main thread keeps the class it has in an app; a worker's creator may not lift it. */
static void apply_normal(void) {
  fd_how ignored = {"", ""};
  bool is_lifted = !pthread_main_np() && began_class > QOS_CLASS_DEFAULT;
  apply_class(is_lifted ? QOS_CLASS_DEFAULT : began_class, "as the process began", &ignored);
}

/* Takes back what this thread was given. A class that it never left stays. */
static void reset_thread(void) {
  thread_time_constraint_policy_data_t constraint;
  fd_workgroup_leave();
  uncount_thread();
  if (is_constrained(&constraint)) {
    thread_standard_policy_data_t standard = {0};
    set_policy(THREAD_STANDARD_POLICY, &standard, THREAD_STANDARD_POLICY_COUNT);
  }
  if (own.importance) {
    thread_precedence_policy_data_t none = {0};
    set_policy(THREAD_PRECEDENCE_POLICY, &none, THREAD_PRECEDENCE_POLICY_COUNT);
  }
  if (own.affinity) {
    thread_affinity_policy_data_t none = {THREAD_AFFINITY_TAG_NULL};
    set_policy(THREAD_AFFINITY_POLICY, &none, THREAD_AFFINITY_POLICY_COUNT);
  }
  if (own.latency) {
    thread_latency_qos_policy_data_t none = {LATENCY_QOS_TIER_UNSPECIFIED};
    set_policy(THREAD_LATENCY_QOS_POLICY, &none, THREAD_LATENCY_QOS_POLICY_COUNT);
  }
  own.importance = own.affinity = own.latency = false;
}

static void apply_cpus(const fd_request *request, fd_how *how) {
  /* only a hint: threads of one tag share a cache; the lowest CPU serves as the tag */
  integer_t tag = 0;
  for (uint32_t cpu = 0; cpu < FD_MAX_CPUS && tag == 0; cpu++) {
    if (fd_cpu_has(&request->cpus, cpu)) tag = (integer_t)cpu + 1;
  }
  thread_affinity_policy_data_t policy = {tag};
  kern_return_t result = set_policy(THREAD_AFFINITY_POLICY, &policy, THREAD_AFFINITY_POLICY_COUNT);
  if (result != KERN_SUCCESS) {
    fd_add(how->reason, "thread_policy_set THREAD_AFFINITY_POLICY: %s", kern_name(result));
    return;
  }
  own.affinity = true;
  fd_say(how->mechanism, "thread_policy_set THREAD_AFFINITY_POLICY %d", (int)tag);
  fd_add(how->reason, "macOS takes a hint which threads share a cache, not CPUs");
}

/* Tier 0: timers are not put off to coincide with others. Its class gives it to an interactive thread. */
static void apply_timer_slack(bool in_class, fd_how *how) {
  if (in_class) {
    /* to set the tier would end the class */
    fd_say(how->mechanism, "pthread_set_qos_class_self_np QOS_CLASS_USER_INTERACTIVE");
    return;
  }
  thread_latency_qos_policy_data_t policy = {LATENCY_QOS_TIER_0};
  kern_return_t result = set_policy(THREAD_LATENCY_QOS_POLICY, &policy, THREAD_LATENCY_QOS_POLICY_COUNT);
  if (result != KERN_SUCCESS) {
    fd_add(how->reason, "thread_policy_set THREAD_LATENCY_QOS_POLICY: %s", kern_name(result));
    return;
  }
  own.latency = true;
  fd_say(how->mechanism, "thread_policy_set THREAD_LATENCY_QOS_POLICY tier 0");
  policy.thread_latency_qos_tier = LATENCY_QOS_TIER_UNSPECIFIED;
  if (!read_policy(THREAD_LATENCY_QOS_POLICY, &policy, THREAD_LATENCY_QOS_POLICY_COUNT) ||
      policy.thread_latency_qos_tier != LATENCY_QOS_TIER_0) {
    fd_add(how->reason, "another tier reads back");
  }
}

void fd_thread_apply(const fd_request *request, fd_report *report) {
  fd_process_begin();
  fd_report_clear(report);
  if (request->name[0] != 0) pthread_setname_np(request->name);
  reset_thread();
  /* before the class, which it would end */
  if (!request->any_cpu) apply_cpus(request, &report->cpus);
  fd_priority granted = request->priority;
  if (granted == FD_REALTIME && !apply_constraint(request, report)) granted = FD_HIGH;
  bool in_class = granted == FD_HIGH && apply_high(&report->priority);
  if (granted == FD_NORMAL) apply_normal();
  if (request->timer_slack_ns != 0) apply_timer_slack(in_class, &report->timer_slack);
  fd_thread_read(0, &report->state);
  if (report->state.priority < granted && report->priority.reason[0] == 0) {
    fd_add(report->priority.reason, "the thread's priority reads back as %s", report->state.policy);
  }
}

void fd_thread_read(int64_t thread_id, fd_state *state) {
  fd_process_begin();
  fd_state_clear(state);
  uint64_t self = 0;
  pthread_threadid_np(pthread_self(), &self);
  if (thread_id != 0 && (uint64_t)thread_id != self) {
    fd_say(state->error, "only the calling thread can be read on macOS");
    return;
  }
  state->thread_id = (int64_t)self;
  thread_extended_info_data_t info;
  mach_msg_type_number_t count = THREAD_EXTENDED_INFO_COUNT;
  kern_return_t result = thread_info(pthread_mach_thread_np(pthread_self()), THREAD_EXTENDED_INFO, (thread_info_t)&info,
                                     &count);
  if (result != KERN_SUCCESS) {
    fd_say(state->error, "thread_info THREAD_EXTENDED_INFO: %s", kern_name(result));
    return;
  }
  int priority = (int)info.pth_priority;
  thread_time_constraint_policy_data_t constraint;
  if (is_constrained(&constraint)) {
    fd_say(state->policy, "THREAD_TIME_CONSTRAINT_POLICY %u of %u us, priority %d",
           (unsigned)us_of_ticks(constraint.computation), (unsigned)us_of_ticks(constraint.period), priority);
    if (priority >= PRIORITY_REALTIME) {
      state->priority = FD_REALTIME;
      return;
    }
    /* TH_SFLAG_FAILSAFE: lifted when the thread next waits */
    fd_say(state->demoted, "the kernel's fail-safe: the thread computed for too long without a wait");
  } else {
    fd_say(state->policy, "%s, priority %d", info.pth_policy == POLICY_TIMESHARE ? "POLICY_TIMESHARE" : "POLICY_RR",
           priority);
  }
  if (priority > PRIORITY_USER_INITIATED) state->priority = FD_HIGH;
}

/* Context switches of one thread are not told. */
void fd_thread_usage(fd_usage *usage) {
  usage->user_us = usage->system_us = NAN;
  usage->voluntary_switches = usage->involuntary_switches = NAN;
  usage->minor_faults = usage->major_faults = NAN;
  thread_basic_info_data_t info;
  mach_msg_type_number_t count = THREAD_BASIC_INFO_COUNT;
  if (thread_info(pthread_mach_thread_np(pthread_self()), THREAD_BASIC_INFO, (thread_info_t)&info, &count) !=
      KERN_SUCCESS) {
    return;
  }
  usage->user_us = (double)info.user_time.seconds * 1e6 + (double)info.user_time.microseconds;
  usage->system_us = (double)info.system_time.seconds * 1e6 + (double)info.system_time.microseconds;
}

void fd_thread_end(void) { reset_thread(); }

bool fd_memory_lock(void *address, size_t bytes, fd_how *how) {
  if (mlock(address, bytes) == 0) {
    fd_say(how->mechanism, "mlock");
    return true;
  }
  fd_add(how->reason, "mlock: %s", errno == EAGAIN ? "EAGAIN" : errno == ENOMEM ? "ENOMEM" : "EINVAL");
  return false;
}

void fd_thread_abandon(int64_t thread_id) { (void)thread_id; }

uint32_t fd_leash_pulls(void) { return 0; }
