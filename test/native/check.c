/*
 * Runs the Linux part without JavaScript, for the sanitizers, and against a system that answers as a test wants: what
 * limits grant cannot be tried where they cannot be raised. Ends with status 0 if all holds.
 *   cc -std=c11 -g -fsanitize=address,undefined -pthread test/native/check.c -o check && ./check
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the system grants while `pretending`. */
static struct {
  int pretending;
  int niceness;
  int policy;
  int realtime_priority;
  int has_capability;
  rlim_t nice_limit;
  rlim_t realtime_limit;
} pretended;

static int pretend_getrlimit(int resource, struct rlimit *limit) {
  int result = getrlimit(resource, limit);
  if (pretended.pretending && resource == RLIMIT_NICE) limit->rlim_cur = limit->rlim_max = pretended.nice_limit;
  if (pretended.pretending && resource == RLIMIT_RTPRIO) limit->rlim_cur = limit->rlim_max = pretended.realtime_limit;
  return result;
}

static int pretend_setpriority(int which, id_t who, int niceness) {
  if (!pretended.pretending) return setpriority(which, who, niceness);
  if (niceness < pretended.niceness && niceness < 20 - (int)pretended.nice_limit) {
    errno = EACCES;
    return -1;
  }
  pretended.niceness = niceness;
  return 0;
}

static int pretend_getpriority(int which, id_t who) {
  return pretended.pretending ? pretended.niceness : getpriority(which, who);
}

static long pretend_syscall(long number, ...) {
  long a[4];
  va_list values;
  va_start(values, number);
  for (int i = 0; i < 4; i++) a[i] = va_arg(values, long);
  va_end(values);
  if (!pretended.pretending) return syscall(number, a[0], a[1], a[2], a[3]);
  if (number == SYS_capget && !pretended.has_capability) return -1;
  if (number == SYS_sched_getscheduler) return pretended.policy;
  if (number == SYS_sched_getparam) {
    ((struct sched_param *)a[1])->sched_priority = pretended.realtime_priority;
    return 0;
  }
  if (number == SYS_sched_setscheduler) {
    int priority = ((struct sched_param *)a[2])->sched_priority;
    if (priority > (int)pretended.realtime_limit) {
      errno = EPERM;
      return -1;
    }
    pretended.policy = (int)a[1];
    pretended.realtime_priority = priority;
    return 0;
  }
  return syscall(number, a[0], a[1], a[2], a[3]);
}

/* arguments as the kernel has them: whole registers */
#define SYSCALL_4(number, a, b, c, d, ...) pretend_syscall(number, (long)(a), (long)(b), (long)(c), (long)(d))
#define syscall(...) SYSCALL_4(__VA_ARGS__, 0, 0, 0, 0)
#define getrlimit pretend_getrlimit
#define setpriority pretend_setpriority
#define getpriority pretend_getpriority
#include "../../native/thread_linux.c"
#include "../../native/thread_linux_leash.c"
#undef syscall

static int failures;

static void expect(int holds, const char *what, const char *found) {
  if (holds) return;
  printf("FAILED: %s, found: %s\n", what, found);
  failures++;
}

static void expect_text(const char *found, const char *wanted) { expect(strcmp(found, wanted) == 0, wanted, found); }

static fd_request request_of(fd_priority priority) {
  fd_request request;
  memset(&request, 0, sizeof request);
  request.priority = priority;
  request.any_cpu = true;
  request.period_us = 16667;
  request.budget_us = 8000;
  request.realtime_priority = 10;
  return request;
}

static int allowed_cpus(void) {
  int count = 0;
  for (uint32_t cpu = 0; cpu < FD_MAX_CPUS; cpu++) count += fd_cpu_has(&began.cpus, cpu);
  return count;
}

static void check_limits(void) {
  fd_report report;
  fd_request realtime = request_of(FD_REALTIME);
  fd_request high = request_of(FD_HIGH);
  fd_process_begin();
  pretended.pretending = 1;
  pretended.nice_limit = 25;
  fd_thread_apply(&high, &report);
  expect_text(report.priority.mechanism, "setpriority -5");
  expect_text(report.priority.reason, "setpriority -11: EACCES; RLIMIT_NICE is 25");
  expect(report.state.priority == FD_HIGH && report.state.niceness == -5, "niceness -5", report.state.policy);
  pretended.nice_limit = 31;
  fd_thread_apply(&high, &report);
  expect_text(report.priority.mechanism, "setpriority -11");
  expect_text(report.priority.reason, "");
  pretended.nice_limit = 0;
  pretended.niceness = 0;
  if (allowed_cpus() > 1) {
    pretended.realtime_limit = 3;
    fd_thread_apply(&realtime, &report);
    expect_text(report.priority.mechanism, "sched_setscheduler SCHED_RR|SCHED_RESET_ON_FORK 3");
    expect_text(report.priority.reason, "sched_setscheduler SCHED_RR 10: EPERM; RLIMIT_RTPRIO is 3");
    expect_text(report.state.policy, "SCHED_RR|SCHED_RESET_ON_FORK 3");
    pretended.realtime_limit = 20;
    fd_thread_apply(&realtime, &report);
    expect_text(report.priority.reason, "");
    expect_text(report.state.policy, "SCHED_RR|SCHED_RESET_ON_FORK 10");
  }
  pretended.realtime_limit = 0;
  fd_thread_apply(&realtime, &report);
  expect(report.state.priority == FD_NORMAL, "normal", report.state.policy);
  expect_text(report.leash, "");
  pretended.pretending = 0;
}

/* Requests of all kinds from several threads at once. */
static void *apply_many(void *argument) {
  unsigned seed = (unsigned)(size_t)argument;
  fd_report report;
  fd_state state;
  fd_usage usage;
  for (int i = 0; i < 300; i++) {
    fd_request request = request_of((fd_priority)(rand_r(&seed) % 3));
    snprintf(request.name, sizeof request.name, "thread %u", seed);
    request.any_cpu = rand_r(&seed) % 2 == 0;
    for (int n = 0; n < 4; n++) fd_cpu_add(&request.cpus, (uint32_t)rand_r(&seed) % (n == 0 ? 4 : FD_MAX_CPUS + 9));
    request.budget_us = (uint32_t)rand_r(&seed) % 20000;
    request.timer_slack_ns = (uint32_t)rand_r(&seed) % 1000;
    fd_thread_apply(&request, &report);
    fd_thread_read(rand_r(&seed) % 2 == 0 ? 0 : rand_r(&seed) % 100000, &state);
    fd_thread_usage(&usage);
    if (report.state.priority == FD_REALTIME) expect(report.leash[0] != 0, "a leash", report.state.policy);
  }
  fd_thread_end();
  return NULL;
}

int main(void) {
  check_limits();
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, apply_many, (void *)(i + 1));
  for (size_t i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  expect(claims == 0, "no claim left", "some");
  fd_how how = {"", ""};
  char *memory = malloc(8192);
  expect(fd_memory_lock(memory, 8192, &how) || how.reason[0] != 0, "a reason", "none");
  free(memory);
  char text[FD_TEXT_BYTES] = "";
  for (int i = 0; i < 100; i++) fd_add(text, "%d words that do not all fit", i);
  expect(strlen(text) == FD_TEXT_BYTES - 1, "a text that is cut", text);
  printf("%d failed\n", failures);
  return failures != 0;
}
