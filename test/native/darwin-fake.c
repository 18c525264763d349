/*
 * Runs the macOS part against a pretended kernel, modelled on xnu (osfmk/kern/thread_policy.c, work_interval.c;
 * bsd/pthread/pthread_workqueue.c; libpthread src/qos.c). It proves the logic of the part, the order of its attempts, its
 * conversions and what it takes back, not how macOS behaves. Ends with status 0 if all holds.
 *   cc -std=c11 -g -Itest/native/darwin-stubs test/native/darwin-fake.c -o fake && ./fake
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <mach/mach.h>
#include <mach/mach_time.h>
#include <mach/thread_policy.h>
#include <os/object.h>
#include <os/workgroup.h>
#include <pthread.h>
#include <pthread/qos.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
  /* the machine */
  uint32_t numer, denom;
  long cpus;
  bool has_affinity;
  bool has_audio_toolbox;
  bool is_main_thread;
  /* refusals */
  kern_return_t constraint_error;
  bool is_static;
  int join_error;
  /* the thread, as the kernel has it */
  qos_class_t kernel_class;
  int importance;
  int tag;
  int latency;
  bool realtime;
  bool failsafe;
  struct thread_time_constraint_policy constraint;
  /* the thread, as the library has it */
  qos_class_t library_class;
  bool joined;
  int groups;
  char name[64];
} fake;

/* --- the kernel --- */

static int base_priority(void) {
  if (fake.realtime && !fake.failsafe) return 97;
  switch (fake.kernel_class) {
    case QOS_CLASS_USER_INTERACTIVE: return 46;
    case QOS_CLASS_USER_INITIATED: return 37;
    case QOS_CLASS_UTILITY: return 20;
    case QOS_CLASS_BACKGROUND: return 4;
    default: return 31 + fake.importance;
  }
}

static uint64_t ticks(uint64_t us) { return us * 1000 * fake.denom / fake.numer; }

static kern_return_t set_constraint(const struct thread_time_constraint_policy *info) {
  if (fake.constraint_error != KERN_SUCCESS) return fake.constraint_error;
  if (info->constraint < info->computation || info->computation > ticks(50000) || info->computation < ticks(50)) {
    return KERN_INVALID_ARGUMENT;
  }
  fake.constraint = *info;
  if (info->computation < info->constraint / 2) fake.constraint.computation = info->constraint / 2;
  if (fake.constraint.computation > ticks(50000)) fake.constraint.computation = (uint32_t)ticks(50000);
  fake.realtime = true;
  return KERN_SUCCESS;
}

static kern_return_t set_flavor(thread_policy_flavor_t flavor, const int *info, mach_msg_type_number_t count) {
  switch (flavor) {
    case THREAD_STANDARD_POLICY: fake.realtime = fake.failsafe = false; return KERN_SUCCESS;
    case THREAD_TIME_CONSTRAINT_POLICY:
      return count < 4 ? KERN_INVALID_ARGUMENT : set_constraint((const struct thread_time_constraint_policy *)info);
    case THREAD_PRECEDENCE_POLICY: fake.importance = info[0]; return KERN_SUCCESS;
    case THREAD_AFFINITY_POLICY:
      if (!fake.has_affinity) return KERN_NOT_SUPPORTED;
      fake.tag = info[0];
      return KERN_SUCCESS;
    case THREAD_LATENCY_QOS_POLICY: fake.latency = info[0]; return KERN_SUCCESS;
    default: return KERN_INVALID_ARGUMENT;
  }
}

/* A policy that is set ends the class, one that is refused gives it back. */
kern_return_t thread_policy_set(thread_act_t thread, thread_policy_flavor_t flavor, thread_policy_t info,
                                mach_msg_type_number_t count) {
  if (thread != 77) return KERN_INVALID_ARGUMENT;
  if (fake.is_static) return KERN_POLICY_STATIC;
  kern_return_t result = set_flavor(flavor, info, count);
  if (result == KERN_SUCCESS) fake.kernel_class = QOS_CLASS_UNSPECIFIED;
  return result;
}

kern_return_t thread_policy_get(thread_inspect_t thread, thread_policy_flavor_t flavor, thread_policy_t info,
                                mach_msg_type_number_t *count, boolean_t *is_default) {
  if (thread != 77 || *is_default) return KERN_INVALID_ARGUMENT;
  if (flavor == THREAD_TIME_CONSTRAINT_POLICY && *count == 4) {
    *is_default = !fake.realtime;
    memcpy(info, &fake.constraint, sizeof fake.constraint);
    return KERN_SUCCESS;
  }
  if (flavor == THREAD_LATENCY_QOS_POLICY && *count == 1) {
    info[0] = fake.latency;
    return KERN_SUCCESS;
  }
  return KERN_INVALID_ARGUMENT;
}

kern_return_t thread_info(thread_inspect_t thread, thread_flavor_t flavor, thread_info_t out,
                          mach_msg_type_number_t *count) {
  if (thread != 77) return KERN_INVALID_ARGUMENT;
  if (flavor == THREAD_BASIC_INFO && *count == THREAD_BASIC_INFO_COUNT) {
    struct thread_basic_info info = {.user_time = {2, 500000}, .system_time = {0, 250}};
    memcpy(out, &info, sizeof info);
    return KERN_SUCCESS;
  }
  if (flavor == THREAD_EXTENDED_INFO && *count == THREAD_EXTENDED_INFO_COUNT) {
    struct thread_extended_info info = {.pth_policy = POLICY_TIMESHARE};
    info.pth_priority = base_priority();
    memcpy(out, &info, sizeof info);
    return KERN_SUCCESS;
  }
  return KERN_INVALID_ARGUMENT;
}

kern_return_t mach_timebase_info(mach_timebase_info_t info) {
  info->numer = fake.numer;
  info->denom = fake.denom;
  return KERN_SUCCESS;
}

char *mach_error_string(int error) {
  (void)error;
  return (char *)(uintptr_t)"(os/kern) failure";
}

/* --- the libraries --- */

qos_class_t qos_class_self(void) { return fake.library_class; }

int pthread_set_qos_class_self_np(qos_class_t wanted, int relative) {
  if (relative != 0 || wanted == QOS_CLASS_UNSPECIFIED) return EINVAL;
  if (fake.kernel_class == QOS_CLASS_UNSPECIFIED) return EPERM;
  fake.kernel_class = fake.library_class = wanted;
  return 0;
}

struct os_workgroup_s {
  int unused;
};
static struct os_workgroup_s only_group;

static void *fake_audio_work_interval_create(const char *name, os_clockid_t clock, void *attributes) {
  if (name == NULL || clock != OS_CLOCK_MACH_ABSOLUTE_TIME || attributes != NULL) return NULL;
  fake.groups++;
  return &only_group;
}

int os_workgroup_join(os_workgroup_t group, os_workgroup_join_token_t token) {
  if (fake.join_error != 0) return fake.join_error;
  if (fake.joined) return EALREADY;
  if (!fake.realtime) return EINVAL;
  if (group == &only_group) token->sig = 1;
  fake.joined = true;
  return 0;
}

void os_workgroup_leave(os_workgroup_t group, os_workgroup_join_token_t token) {
  if (group == &only_group && token->sig == 1) fake.joined = false;
}

void os_release(void *object) {
  if (object == &only_group) fake.groups--;
}

static void *fake_dlopen(const char *path, int mode) {
  bool is_toolbox = strstr(path, "AudioToolbox") != NULL && (mode & RTLD_NOLOAD) != 0;
  return is_toolbox && fake.has_audio_toolbox ? &fake : NULL;
}

static void *fake_dlsym(void *library, const char *name) {
  void *address = NULL;
  void *(*create)(const char *, os_clockid_t, void *) = fake_audio_work_interval_create;
  if (library == &fake && strcmp(name, "AudioWorkIntervalCreate") == 0) memcpy(&address, &create, sizeof address);
  return address;
}

static long fake_sysconf(int what) { return what == _SC_NPROCESSORS_ONLN ? fake.cpus : -1; }

static int fake_setname(const char *name) {
  snprintf(fake.name, sizeof fake.name, "%s", name);
  return 0;
}

static int fake_threadid(pthread_t thread, uint64_t *id) {
  (void)thread;
  *id = 4242;
  return 0;
}

#define dlopen fake_dlopen
#define dlsym fake_dlsym
#define sysconf fake_sysconf
#define pthread_setname_np fake_setname
#define pthread_threadid_np fake_threadid
#define pthread_mach_thread_np(thread) ((void)(thread), (thread_act_t)77)
#define pthread_main_np() (fake.is_main_thread)
#include "../../native/thread_darwin.c"
#include "../../native/thread_darwin_workgroup.c"

/* --- what must hold --- */

static int failures;

static void expect(bool holds, const char *what, const char *seen) {
  if (holds) return;
  printf("FAILED: %s, found: %s\n", what, seen);
  failures++;
}

static void expect_text(const char *seen, const char *wanted) { expect(strcmp(seen, wanted) == 0, wanted, seen); }

static void expect_number(int64_t seen, int64_t wanted, const char *what) {
  char text[64];
  snprintf(text, sizeof text, "%lld, not %lld", (long long)seen, (long long)wanted);
  expect(seen == wanted, what, text);
}

static fd_request request_of(fd_priority priority) {
  fd_request request;
  memset(&request, 0, sizeof request);
  request.priority = priority;
  request.any_cpu = true;
  request.period_us = 16667;
  request.budget_us = 8000;
  request.timer_slack_ns = priority == FD_NORMAL ? 0 : 1;
  return request;
}

/* A new thread on an Apple silicon machine. */
static void begin(void) {
  atomic_store(&realtime_threads, 0);
  memset(&fake, 0, sizeof fake);
  memset(&own, 0, sizeof own);
  memset(&joined, 0, sizeof joined);
  fake.numer = 125;
  fake.denom = 3;
  fake.cpus = 8;
  fake.kernel_class = fake.library_class = QOS_CLASS_DEFAULT;
}

static void check_high(void) {
  fd_report report;
  fd_request high = request_of(FD_HIGH), normal = request_of(FD_NORMAL);
  begin();
  snprintf(high.name, sizeof high.name, "frame worker");
  fd_thread_apply(&high, &report);
  expect_text(fake.name, "frame worker");
  expect_number(report.state.thread_id, 4242, "the thread's id");
  expect_number(report.state.priority, FD_HIGH, "high");
  expect_text(report.priority.mechanism, "pthread_set_qos_class_self_np QOS_CLASS_USER_INTERACTIVE");
  expect_text(report.priority.reason, "");
  expect_text(report.state.policy, "POLICY_TIMESHARE, priority 46");
  /* the hint for timers would have ended the class */
  expect_text(report.timer_slack.mechanism, "pthread_set_qos_class_self_np QOS_CLASS_USER_INTERACTIVE");
  expect_number(fake.kernel_class, QOS_CLASS_USER_INTERACTIVE, "the class stays");
  fd_thread_apply(&normal, &report);
  expect_number(report.state.priority, FD_NORMAL, "normal");
  expect_number(fake.kernel_class, QOS_CLASS_DEFAULT, "the class as the process began");
}

static void check_realtime(void) {
  fd_report report;
  fd_request realtime = request_of(FD_REALTIME), high = request_of(FD_HIGH), normal = request_of(FD_NORMAL);
  begin();
  fd_thread_apply(&realtime, &report);
  expect_number(report.state.priority, FD_REALTIME, "real-time");
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY 8334 of 16667 us");
  expect_text(report.state.policy, "THREAD_TIME_CONSTRAINT_POLICY 8334 of 16667 us, priority 97");
  /* 24 ticks a microsecond */
  expect_number(fake.constraint.period, 16667 * 24, "the period in ticks");
  expect_number(fake.constraint.computation, 8334 * 24, "the computation in ticks");
  expect_number(fake.constraint.constraint, 16667 * 24, "the constraint in ticks");
  expect_number(fake.constraint.preemptible, TRUE, "preemptible");
  expect(report.leash[0] != 0, "a leash", report.leash);
  expect_text(report.timer_slack.mechanism, "thread_policy_set THREAD_LATENCY_QOS_POLICY tier 0");
  expect_text(report.timer_slack.reason, "");
  expect_number(fake.joined, false, "no workgroup without AudioToolbox");
  /* the class is gone for good: high is a precedence now */
  fd_thread_apply(&high, &report);
  expect_number(fake.realtime, false, "the standard policy again");
  expect_number(report.state.priority, FD_HIGH, "high");
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_PRECEDENCE_POLICY 15");
  expect_text(report.priority.reason, "");
  expect_text(report.state.policy, "POLICY_TIMESHARE, priority 46");
  expect_number(fake.latency, LATENCY_QOS_TIER_0, "sharp timers");
  fd_thread_apply(&normal, &report);
  expect_number(report.state.priority, FD_NORMAL, "normal");
  expect_text(report.state.policy, "POLICY_TIMESHARE, priority 31");
  expect_number(fake.latency, LATENCY_QOS_TIER_UNSPECIFIED, "timers as they were");
  /* budgets: above half a period, and longer than the kernel grants */
  realtime.budget_us = 12000;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY 12000 of 16667 us");
  realtime.period_us = 200000;
  realtime.budget_us = 80000;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY 50000 of 200000 us");
  expect_text(report.priority.reason, "the kernel grants at most 50000 us of computation");
  /* the shortest */
  realtime.period_us = 60;
  realtime.budget_us = 10;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY 50 of 60 us");
  realtime.period_us = 20;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY 50 of 50 us");
  expect_number(report.state.priority, FD_REALTIME, "real-time");
  expect_number(atomic_load(&realtime_threads), 1, "one real-time thread");
  fd_thread_end();
  expect_number(fake.realtime, false, "no constraint after the end");
  expect_number(atomic_load(&realtime_threads), 0, "none");
}

/* Ticks are nanoseconds, and a minute has more than the kernel's 32 bits hold. */
static void check_intel(void) {
  fd_report report;
  fd_request realtime = request_of(FD_REALTIME);
  begin();
  fake.numer = fake.denom = 1;
  fake.has_affinity = true;
  fd_thread_apply(&realtime, &report);
  expect_number(fake.constraint.period, 16667000, "nanoseconds");
  realtime.period_us = 60000000;
  fd_thread_apply(&realtime, &report);
  expect_number(fake.constraint.period, UINT32_MAX, "the longest period");
  expect_number(report.state.priority, FD_REALTIME, "real-time");
  /* affinity is a hint, and ends the class: so high is a precedence */
  begin();
  fake.numer = fake.denom = 1;
  fake.has_affinity = true;
  fd_request high = request_of(FD_HIGH), normal = request_of(FD_NORMAL);
  high.any_cpu = false;
  fd_cpu_add(&high.cpus, 2);
  fd_cpu_add(&high.cpus, 3);
  fd_thread_apply(&high, &report);
  expect_text(report.cpus.mechanism, "thread_policy_set THREAD_AFFINITY_POLICY 3");
  expect_text(report.cpus.reason, "macOS takes a hint which threads share a cache, not CPUs");
  expect_text(report.priority.mechanism, "thread_policy_set THREAD_PRECEDENCE_POLICY 15");
  expect_number(report.state.priority, FD_HIGH, "high");
  expect_number(fake.tag, 3, "the tag");
  fd_thread_apply(&normal, &report);
  expect_number(fake.tag, THREAD_AFFINITY_TAG_NULL, "no tag");
  expect_number(fake.importance, 0, "no importance");
}

static void check_refusals(void) {
  fd_report report;
  fd_request realtime = request_of(FD_REALTIME), high = request_of(FD_HIGH);
  static const struct {
    kern_return_t error;
    const char *reason;
  } errors[] = {
      {KERN_INVALID_ARGUMENT, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: KERN_INVALID_ARGUMENT"},
      {KERN_NO_ACCESS, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: KERN_NO_ACCESS"},
      {KERN_POLICY_LIMIT, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: KERN_POLICY_LIMIT"},
      {KERN_INVALID_POLICY, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: KERN_INVALID_POLICY"},
      {KERN_TERMINATED, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: KERN_TERMINATED"},
      {KERN_POLICY_STATIC, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: KERN_POLICY_STATIC"},
      {KERN_FAILURE, "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY: (os/kern) failure"},
  };
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    begin();
    fake.constraint_error = errors[i].error;
    fd_thread_apply(&realtime, &report);
    expect_text(report.priority.reason, errors[i].reason);
    /* the class was kept: high is the class */
    expect_text(report.priority.mechanism, "pthread_set_qos_class_self_np QOS_CLASS_USER_INTERACTIVE");
    expect_number(report.state.priority, FD_HIGH, "high instead");
    expect_text(report.leash, "");
  }
  begin();
  fake.cpus = 1;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.reason, "no CPU would be left to the host");
  /* two CPUs: one of two threads */
  begin();
  fake.cpus = 2;
  fd_thread_apply(&realtime, &report);
  expect_number(report.state.priority, FD_REALTIME, "the first");
  memset(&own, 0, sizeof own);
  fake.realtime = false;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.reason, "no CPU would be left to the host");
  own.counted = true;
  fd_thread_end();
  fd_thread_apply(&realtime, &report);
  expect_number(report.state.priority, FD_REALTIME, "after the first has ended");
  fd_thread_end();
  begin();
  realtime.budget_us = 0;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.reason, "realtime needs a declared budget per period");
  /* Apple silicon */
  begin();
  high.any_cpu = false;
  fd_cpu_add(&high.cpus, 0);
  fd_thread_apply(&high, &report);
  expect_text(report.cpus.mechanism, "");
  expect_text(report.cpus.reason, "thread_policy_set THREAD_AFFINITY_POLICY: KERN_NOT_SUPPORTED");
  expect_text(report.priority.mechanism, "pthread_set_qos_class_self_np QOS_CLASS_USER_INTERACTIVE");
  /* a thread of the system's, which takes neither */
  begin();
  fake.is_static = true;
  fake.kernel_class = QOS_CLASS_UNSPECIFIED;
  high.any_cpu = true;
  fd_thread_apply(&high, &report);
  expect_number(report.state.priority, FD_NORMAL, "normal is in force");
  expect_text(report.priority.mechanism, "");
  expect_text(report.priority.reason,
              "pthread_set_qos_class_self_np: EPERM; thread_policy_set THREAD_PRECEDENCE_POLICY: KERN_POLICY_STATIC");
}

/* What the thread was told it has, and what the kernel does. */
static void check_reading(void) {
  fd_report report;
  fd_state state;
  fd_usage usage;
  fd_request realtime = request_of(FD_REALTIME);
  begin();
  fd_thread_apply(&realtime, &report);
  fake.failsafe = true;
  fd_thread_read(0, &state);
  expect_number(state.priority, FD_NORMAL, "demoted");
  expect(strstr(state.demoted, "fail-safe") != NULL, "the fail-safe", state.demoted);
  fake.failsafe = false;
  fd_thread_read(4242, &state);
  expect_number(state.priority, FD_REALTIME, "real-time again");
  expect_text(state.demoted, "");
  fd_thread_read(4243, &state);
  expect_text(state.error, "only the calling thread can be read on macOS");
  /* the library remembers a class that another policy has ended */
  begin();
  fake.library_class = QOS_CLASS_USER_INTERACTIVE;
  fake.kernel_class = QOS_CLASS_UNSPECIFIED;
  fd_thread_read(0, &state);
  expect_number(state.priority, FD_NORMAL, "normal");
  fd_thread_usage(&usage);
  expect(usage.user_us == 2500000 && usage.system_us == 250, "microseconds", "others");
  expect(isnan(usage.voluntary_switches) && isnan(usage.minor_faults), "not told", "numbers");
  expect_number(state.timer_slack_ns, -1, "no timer slack");
  expect_number(fd_leash_pulls(), 0, "no pulls");
}

static void check_workgroup(void) {
  fd_report report;
  fd_request realtime = request_of(FD_REALTIME), high = request_of(FD_HIGH);
  begin();
  fake.has_audio_toolbox = true;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.mechanism,
              "thread_policy_set THREAD_TIME_CONSTRAINT_POLICY 8334 of 16667 us; os_workgroup_join");
  expect_number(fake.joined, true, "joined");
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.reason, "");
  expect_number(fake.groups, 1, "one group");
  fd_thread_apply(&high, &report);
  expect_number(fake.joined, false, "left");
  expect_number(fake.groups, 0, "no group");
  fd_thread_apply(&realtime, &report);
  fd_thread_end();
  expect_number(fake.joined || fake.groups != 0, false, "left at the end");
  fake.join_error = EINVAL;
  fd_thread_apply(&realtime, &report);
  expect_number(report.state.priority, FD_REALTIME, "real-time without a group");
  expect_text(report.priority.reason, "os_workgroup_join: EINVAL");
  expect_number(fake.groups, 0, "no group is kept");
}

/* An app's main thread is interactive; its workers are not for that. */
static void check_app(void) {
  fd_report report;
  fd_request normal = request_of(FD_NORMAL);
  begin();
  began_class = QOS_CLASS_USER_INTERACTIVE;
  fd_thread_apply(&normal, &report);
  expect_number(fake.kernel_class, QOS_CLASS_DEFAULT, "a worker");
  fake.is_main_thread = true;
  fd_thread_apply(&normal, &report);
  expect_number(fake.kernel_class, QOS_CLASS_USER_INTERACTIVE, "the main thread");
  began_class = QOS_CLASS_DEFAULT;
}

int main(void) {
  begin();
  fd_process_begin();
  check_high();
  check_realtime();
  check_intel();
  check_refusals();
  check_reading();
  check_workgroup();
  check_app();
  fd_how how = {"", ""};
  char memory[64];
  expect(fd_memory_lock(memory, sizeof memory, &how) || how.reason[0] != 0, "a reason", "none");
  printf("%d failed\n", failures);
  return failures != 0;
}
