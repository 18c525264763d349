/*
 * macOS. Real-time is a time constraint (period, computation, constraint), `high` a quality-of-service class.
 * Sources: mach/thread_policy.h, pthread/qos.h, Apple TN2169 "High Precision Timers in iOS / OS X".
 */
#include <errno.h>
#include <mach/mach.h>
#include <mach/mach_time.h>
#include <mach/thread_policy.h>
#include <math.h>
#include <pthread.h>
#include <pthread/qos.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text.h"

const char fd_platform[] = "darwin";

/* The kernel refuses a computation above it. */
#define LONGEST_COMPUTATION_US 50000

static qos_class_t began_class = QOS_CLASS_UNSPECIFIED;
static pthread_once_t began_once = PTHREAD_ONCE_INIT;

static void record_beginning(void) {
  began_class = qos_class_self();
  if (began_class == QOS_CLASS_UNSPECIFIED) began_class = QOS_CLASS_DEFAULT;
}

void fd_process_begin(void) { pthread_once(&began_once, record_beginning); }

static const char *kern_name(kern_return_t result) {
  switch (result) {
    case KERN_NOT_SUPPORTED: return "KERN_NOT_SUPPORTED";
    case KERN_INVALID_ARGUMENT: return "KERN_INVALID_ARGUMENT";
    case KERN_POLICY_LIMIT: return "KERN_POLICY_LIMIT";
    case KERN_NO_ACCESS: return "KERN_NO_ACCESS";
    default: return mach_error_string(result);
  }
}

/* Mach's absolute time is in ticks of numer / denom nanoseconds: 125 / 3 on Apple silicon. */
static uint32_t ticks_of_us(uint32_t us) {
  mach_timebase_info_data_t base;
  mach_timebase_info(&base);
  return (uint32_t)((uint64_t)us * 1000 * base.denom / base.numer);
}

static bool apply_constraint(const fd_request *request, fd_report *report) {
  fd_how *how = &report->priority;
  if (!fd_budget_declared(request, how->reason)) return false;
  /* threads cannot be kept off a CPU here */
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
    fd_add(how->reason, "no CPU would be left to the host");
    return false;
  }
  uint32_t computation_us = request->budget_us > request->period_us / 2 ? request->budget_us : request->period_us / 2;
  if (computation_us > LONGEST_COMPUTATION_US) computation_us = LONGEST_COMPUTATION_US;
  thread_time_constraint_policy_data_t policy = {
      .period = ticks_of_us(request->period_us),
      .computation = ticks_of_us(computation_us),
      .constraint = ticks_of_us(request->period_us),
      .preemptible = TRUE,
  };
  thread_port_t self = pthread_mach_thread_np(pthread_self());
  kern_return_t result = thread_policy_set(self, THREAD_TIME_CONSTRAINT_POLICY, (thread_policy_t)&policy,
                                           THREAD_TIME_CONSTRAINT_POLICY_COUNT);
  if (result != KERN_SUCCESS) {
    fd_add(how->reason, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: %s", kern_name(result));
    return false;
  }
  fd_say(how->mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY %u of %u us", (unsigned)computation_us,
         (unsigned)request->period_us);
  fd_say(report->leash, "the kernel demotes a thread that overruns its computation of %u us", (unsigned)computation_us);
  return true;
}

static void apply_class(qos_class_t wanted, const char *name, fd_how *how) {
  int error = pthread_set_qos_class_self_np(wanted, 0);
  if (error == 0) fd_say(how->mechanism, "pthread_set_qos_class_self_np %s", name);
  /* EPERM: a thread whose policy was set by other means has left the classes for good */
  else fd_add(how->reason, "pthread_set_qos_class_self_np: %s", error == EPERM ? "EPERM" : "EINVAL");
}

/* A thread that had a time constraint goes back to time sharing. */
static void reset_thread(void) {
  fd_state state;
  fd_thread_read(0, &state);
  if (state.priority != FD_REALTIME) return;
  thread_standard_policy_data_t standard = {0};
  thread_policy_set(pthread_mach_thread_np(pthread_self()), THREAD_STANDARD_POLICY, (thread_policy_t)&standard,
                    THREAD_STANDARD_POLICY_COUNT);
}

static void apply_cpus(const fd_request *request, fd_how *how) {
  /* only a hint: threads of one tag share a cache; the lowest CPU serves as the tag */
  integer_t tag = 0;
  for (uint32_t cpu = 0; cpu < FD_MAX_CPUS && tag == 0; cpu++) {
    if (fd_cpu_has(&request->cpus, cpu)) tag = (integer_t)cpu + 1;
  }
  thread_affinity_policy_data_t policy = {tag};
  kern_return_t result = thread_policy_set(pthread_mach_thread_np(pthread_self()), THREAD_AFFINITY_POLICY,
                                           (thread_policy_t)&policy, THREAD_AFFINITY_POLICY_COUNT);
  if (result == KERN_SUCCESS) {
    fd_say(how->mechanism, "thread_policy_set THREAD_AFFINITY_POLICY %d", (int)tag);
    fd_add(how->reason, "macOS takes a hint which threads share a cache, not CPUs");
  } else {
    fd_add(how->reason, "thread_policy_set THREAD_AFFINITY_POLICY: %s", kern_name(result));
  }
}

/* Tier 0 asks for timers that are not put off (thread_policy.h, THREAD_LATENCY_QOS_POLICY). */
static void apply_timer_slack(fd_how *how) {
  thread_latency_qos_policy_data_t policy = {LATENCY_QOS_TIER_0};
  kern_return_t result = thread_policy_set(pthread_mach_thread_np(pthread_self()), THREAD_LATENCY_QOS_POLICY,
                                           (thread_policy_t)&policy, THREAD_LATENCY_QOS_POLICY_COUNT);
  if (result == KERN_SUCCESS) fd_say(how->mechanism, "thread_policy_set THREAD_LATENCY_QOS_POLICY tier 0");
  else fd_add(how->reason, "thread_policy_set THREAD_LATENCY_QOS_POLICY: %s", kern_name(result));
}

void fd_thread_apply(const fd_request *request, fd_report *report) {
  fd_process_begin();
  fd_report_clear(report);
  if (request->name[0] != 0) pthread_setname_np(request->name);
  reset_thread();
  if (request->priority == FD_NORMAL) {
    fd_how ignored = {"", ""};
    apply_class(began_class, "as the process began", &ignored);
  } else if (request->priority == FD_HIGH || !apply_constraint(request, report)) {
    apply_class(QOS_CLASS_USER_INTERACTIVE, "QOS_CLASS_USER_INTERACTIVE", &report->priority);
  }
  if (!request->any_cpu) apply_cpus(request, &report->cpus);
  if (request->timer_slack_ns != 0) apply_timer_slack(&report->timer_slack);
  fd_thread_read(0, &report->state);
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
  thread_time_constraint_policy_data_t constraint;
  mach_msg_type_number_t count = THREAD_TIME_CONSTRAINT_POLICY_COUNT;
  boolean_t is_default = FALSE;
  kern_return_t result = thread_policy_get(pthread_mach_thread_np(pthread_self()), THREAD_TIME_CONSTRAINT_POLICY,
                                           (thread_policy_t)&constraint, &count, &is_default);
  if (result == KERN_SUCCESS && !is_default) {
    state->priority = FD_REALTIME;
    fd_say(state->policy, "THREAD_TIME_CONSTRAINT_POLICY");
    return;
  }
  switch (qos_class_self()) {
    case QOS_CLASS_USER_INTERACTIVE:
      state->priority = FD_HIGH;
      fd_say(state->policy, "QOS_CLASS_USER_INTERACTIVE");
      break;
    case QOS_CLASS_USER_INITIATED: fd_say(state->policy, "QOS_CLASS_USER_INITIATED"); break;
    case QOS_CLASS_UTILITY: fd_say(state->policy, "QOS_CLASS_UTILITY"); break;
    case QOS_CLASS_BACKGROUND: fd_say(state->policy, "QOS_CLASS_BACKGROUND"); break;
    default: fd_say(state->policy, "QOS_CLASS_DEFAULT"); break;
  }
}

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

void fd_thread_end(void) {}

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
