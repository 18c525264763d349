/*
 * Runs the Windows part against a Windows that answers as a test wants: CPU sets in two processor groups, an app's own
 * power throttling, missing functions, refusals. It proves the logic of the part, not how Windows behaves. Ends with
 * status 0 if all holds. Compiled for Windows, run there or under Wine; what it says goes into the file named.
 *   x86_64-w64-mingw32-gcc -std=c11 test/native/windows-fake.c -o fake.exe && wine64 fake.exe found.txt
 */
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0A00
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

static struct {
  /* what is missing or refused */
  const char *missing;
  int selection_is_ignored;
  DWORD mmcss_error;
  int priority_refused;
  /* what is in force */
  ULONG selected[64];
  ULONG selected_count;
  GROUP_AFFINITY affinity;
  int affinity_calls;
  int priority;
  int in_mmcss;
  int mmcss_priority;
  int periods;
  int thread_control, thread_state;
  ULONG process_control, process_state;
  DWORD thread_id;
} fake;

/* --- the fake --- */

/* 4 CPUs in each of the groups 0 and 1; CPU 3 of group 1 belongs to another process. */
static BOOL WINAPI fake_get_system_cpu_sets(void *buffer, ULONG size, ULONG *bytes, HANDLE process, ULONG flags) {
  (void)process;
  (void)flags;
  *bytes = 8 * 32;
  if (size < *bytes) return FALSE;
  memset(buffer, 0, *bytes);
  for (int i = 0; i < 8; i++) {
    unsigned char *at = (unsigned char *)buffer + 32 * i;
    *(DWORD *)at = 32;
    *(DWORD *)(at + 8) = 256 + (DWORD)i;
    *(WORD *)(at + 12) = (WORD)(i / 4);
    at[14] = (unsigned char)(i % 4);
    at[19] = i == 7 ? 2 : 0;
  }
  return TRUE;
}

static BOOL WINAPI fake_set_thread_cpu_sets(HANDLE thread, const ULONG *ids, ULONG count) {
  (void)thread;
  if (fake.selection_is_ignored && count > 0) return TRUE;
  fake.selected_count = count;
  if (count > 0) memcpy(fake.selected, ids, count * sizeof *ids);
  return TRUE;
}

static BOOL WINAPI fake_get_thread_cpu_sets(HANDLE thread, ULONG *ids, ULONG size, ULONG *count) {
  (void)thread;
  *count = fake.selected_count;
  if (size < fake.selected_count) return FALSE;
  memcpy(ids, fake.selected, fake.selected_count * sizeof *ids);
  return TRUE;
}

static BOOL WINAPI fake_set_thread_information(HANDLE thread, int what, void *data, DWORD size) {
  (void)thread;
  if (what != 3 || size != 12 || ((ULONG *)data)[0] != 1) return FALSE;
  fake.thread_control = (int)((ULONG *)data)[1];
  fake.thread_state = (int)((ULONG *)data)[2];
  return TRUE;
}

static BOOL WINAPI fake_set_process_information(HANDLE process, int what, void *data, DWORD size) {
  (void)process;
  if (what != 4 || size != 12 || ((ULONG *)data)[0] != 1) return FALSE;
  fake.process_control = ((ULONG *)data)[1];
  fake.process_state = ((ULONG *)data)[2];
  return TRUE;
}

static BOOL WINAPI fake_get_process_information(HANDLE process, int what, void *data, DWORD size) {
  (void)process;
  if (what != 4 || size != 12) return FALSE;
  ((ULONG *)data)[1] = fake.process_control;
  ((ULONG *)data)[2] = fake.process_state;
  return TRUE;
}

static UINT WINAPI fake_begin_period(UINT ms) {
  fake.periods += ms == 1 ? 1 : 100;
  return 0;
}

static UINT WINAPI fake_end_period(UINT ms) {
  fake.periods -= ms == 1 ? 1 : 100;
  return 0;
}

static LONG WINAPI fake_query_timer_resolution(ULONG *coarsest, ULONG *finest, ULONG *now) {
  *coarsest = 156250;
  *finest = 5000;
  *now = fake.periods > 0 ? 10000 : 156250;
  return 0;
}

static HANDLE WINAPI fake_enter_mmcss(LPCWSTR task, DWORD *index) {
  (void)task;
  (void)index;
  SetLastError(fake.mmcss_error);
  if (fake.mmcss_error != 0) return NULL;
  fake.in_mmcss++;
  return (HANDLE)(uintptr_t)0x77;
}

static BOOL WINAPI fake_set_mmcss_priority(HANDLE task, int priority) {
  fake.mmcss_priority = priority;
  return task == (HANDLE)(uintptr_t)0x77;
}

static BOOL WINAPI fake_query_responsiveness(HANDLE task, ULONG *percent) {
  (void)task;
  *percent = 10;
  return TRUE;
}

static BOOL WINAPI fake_leave_mmcss(HANDLE task) {
  if (task == (HANDLE)(uintptr_t)0x77) fake.in_mmcss--;
  return TRUE;
}

static FARPROC fake_address(HMODULE module, const char *name) {
  static const struct {
    const char *name;
    void *function;
  } functions[] = {
      {"GetSystemCpuSetInformation", (void *)fake_get_system_cpu_sets},
      {"SetThreadSelectedCpuSets", (void *)fake_set_thread_cpu_sets},
      {"GetThreadSelectedCpuSets", (void *)fake_get_thread_cpu_sets},
      {"SetThreadInformation", (void *)fake_set_thread_information},
      {"SetProcessInformation", (void *)fake_set_process_information},
      {"GetProcessInformation", (void *)fake_get_process_information},
      {"timeBeginPeriod", (void *)fake_begin_period},
      {"timeEndPeriod", (void *)fake_end_period},
      {"NtQueryTimerResolution", (void *)fake_query_timer_resolution},
      {"AvSetMmThreadCharacteristicsW", (void *)fake_enter_mmcss},
      {"AvSetMmThreadPriority", (void *)fake_set_mmcss_priority},
      {"AvQuerySystemResponsiveness", (void *)fake_query_responsiveness},
      {"AvRevertMmThreadCharacteristics", (void *)fake_leave_mmcss},
  };
  FARPROC address = NULL;
  (void)module;
  if (fake.missing != NULL && strstr(fake.missing, name) != NULL) return NULL;
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    if (strcmp(functions[i].name, name) == 0) memcpy(&address, &functions[i].function, sizeof address);
  }
  return address;
}

static BOOL fake_set_priority(HANDLE thread, int priority) {
  (void)thread;
  SetLastError(ERROR_ACCESS_DENIED);
  if (fake.priority_refused && priority > 0) return FALSE;
  fake.priority = priority;
  return TRUE;
}

static BOOL fake_set_affinity(HANDLE thread, const GROUP_AFFINITY *wanted, GROUP_AFFINITY *before) {
  (void)thread;
  (void)before;
  fake.affinity = *wanted;
  fake.affinity_calls++;
  return TRUE;
}

static BOOL fake_get_affinity(HANDLE thread, GROUP_AFFINITY *now) {
  (void)thread;
  *now = fake.affinity;
  return TRUE;
}

/* Windows 11: a process in all groups has no mask */
static BOOL fake_process_mask(HANDLE process, DWORD_PTR *mask, DWORD_PTR *system) {
  (void)process;
  *mask = *system = 0;
  return TRUE;
}

static BOOL fake_process_groups(HANDLE process, USHORT *count, USHORT *groups) {
  (void)process;
  *count = 2;
  groups[0] = 0;
  groups[1] = 1;
  return TRUE;
}

#define GetProcAddress fake_address
#define SetThreadPriority fake_set_priority
#define GetThreadPriority(thread) ((void)(thread), fake.priority)
#define SetThreadGroupAffinity fake_set_affinity
#define GetThreadGroupAffinity fake_get_affinity
#define GetProcessAffinityMask fake_process_mask
#define GetProcessGroupAffinity fake_process_groups
#define GetActiveProcessorGroupCount() 2
#define GetActiveProcessorCount(group) ((void)(group), 4)
#include "../../native/thread_win32.c"
#define GetCurrentThreadId() (fake.thread_id)
#include "../../native/thread_win32_claims.c"
#undef GetCurrentThreadId
#include "../../native/thread_win32_cpus.c"
#include "../../native/thread_win32_timer.c"

/* --- what must hold --- */

static FILE *found;
static int failures;

static void expect(int holds, const char *what, const char *seen) {
  if (holds) return;
  fprintf(found, "FAILED: %s, found: %s\n", what, seen);
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

/* Looks everything up again. */
static void begin_again(void) {
  INIT_ONCE fresh = INIT_ONCE_STATIC_INIT;
  began_once = fresh;
  cpu_set_count = 0;
  memset(&allowed, 0, sizeof allowed);
  fd_process_begin();
}

static void check_levels(void) {
  fd_report report;
  fd_request high = request_of(FD_HIGH), realtime = request_of(FD_REALTIME), normal = request_of(FD_NORMAL);
  /* the app's own: its threads run at full speed */
  fake.process_control = 1;
  fd_thread_apply(&high, &report);
  expect_text(report.priority.mechanism, "SetThreadPriority THREAD_PRIORITY_HIGHEST");
  expect_text(report.priority.reason, "");
  expect_number(fake.thread_control, 1, "power throttling taken over");
  expect_number(fake.thread_state, 0, "power throttling off");
  expect_text(report.timer_slack.mechanism,
              "timeBeginPeriod 1; PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION off");
  expect_number(report.state.timer_slack_ns, 1000000, "the timer's resolution");
  expect_number((int64_t)fake.process_control, 5, "the app's half stays");
  fd_thread_apply(&realtime, &report);
  expect_number(report.state.priority, FD_REALTIME, "real-time");
  expect_text(report.priority.mechanism, "AvSetMmThreadCharacteristicsW Games");
  expect_number(fake.mmcss_priority, 1, "AVRT_PRIORITY_HIGH");
  expect_text(report.leash, "MMCSS keeps 10 % of the CPU for others");
  expect_text(report.cpus.mechanism, "SetThreadSelectedCpuSets");
  expect_text(report.cpus.reason, "one allowed CPU stays with the host");
  expect_number((int64_t)report.state.cpus.words[0], 0xe, "CPU 0 stays with the host");
  expect_number((int64_t)report.state.cpus.words[1], 0x7, "the other group, less the other process's CPU");
  expect_number(fake.periods, 1, "one claim on the timer");
  fd_thread_apply(&normal, &report);
  expect_number(report.state.priority, FD_NORMAL, "normal");
  expect_number(fake.in_mmcss, 0, "MMCSS was left");
  expect_number(fake.periods, 0, "no claim on the timer");
  expect_number((int64_t)fake.process_control, 1, "the app's half as it was");
  expect_number(fake.thread_control, 0, "power throttling left to the system");
  expect_number(fake.selected_count, 0, "no CPU set");
  expect_number(report.state.timer_slack_ns, -1, "no claim, no answer");
}

static void check_refusals(void) {
  fd_report report;
  fd_request high = request_of(FD_HIGH), realtime = request_of(FD_REALTIME);
  fake.mmcss_error = 1062;
  fd_thread_apply(&realtime, &report);
  expect_number(report.state.priority, FD_HIGH, "high instead");
  expect_text(report.priority.mechanism, "SetThreadPriority THREAD_PRIORITY_HIGHEST");
  expect_text(report.priority.reason, "AvSetMmThreadCharacteristicsW: ERROR_SERVICE_NOT_ACTIVE");
  expect_text(report.leash, "");
  fake.mmcss_error = 1552;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.reason, "AvSetMmThreadCharacteristicsW: ERROR_THREAD_ALREADY_IN_TASK");
  fake.mmcss_error = 0;
  realtime.any_cpu = false;
  for (uint32_t cpu = 0; cpu < 128; cpu++) fd_cpu_add(&realtime.cpus, cpu);
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.reason, "no allowed CPU would be left to the host");
  fd_thread_end();
  fake.priority = 0;
  fake.priority_refused = 1;
  fd_thread_apply(&high, &report);
  expect_number(report.state.priority, FD_NORMAL, "normal is in force");
  expect_text(report.priority.reason, "SetThreadPriority: ERROR_ACCESS_DENIED");
  fake.priority_refused = 0;
  fd_thread_end();
}

/* CPUs 1 of group 0, and 0 and 3 of group 1, of which 3 is another process's. */
static void check_cpus(void) {
  fd_report report;
  fd_request request = request_of(FD_NORMAL);
  request.any_cpu = false;
  fd_cpu_add(&request.cpus, 1);
  fd_cpu_add(&request.cpus, 64);
  fd_cpu_add(&request.cpus, 67);
  fd_thread_apply(&request, &report);
  expect_text(report.cpus.mechanism, "SetThreadSelectedCpuSets");
  expect_text(report.cpus.reason, "the other CPUs are not allowed to this process");
  expect_number(fake.selected_count, 2, "two CPU sets");
  expect(fake.selected[0] == 257 && fake.selected[1] == 260, "the ids of CPUs 1 and 64", "others");
  expect_number(fake.affinity_calls, 0, "no hard affinity");
  fake.selection_is_ignored = 1;
  fd_thread_apply(&request, &report);
  expect_text(report.cpus.mechanism, "SetThreadGroupAffinity");
  expect_text(report.cpus.reason,
              "a thread has CPUs of one processor group; the other CPUs are not allowed to this process");
  expect_number((int64_t)report.state.cpus.words[0], 2, "CPU 1");
  expect_number((int64_t)report.state.cpus.words[1], 0, "nothing in group 1");
  fake.selection_is_ignored = 0;
  fd_thread_end();
  expect_number((int64_t)fake.affinity.Mask, 0xf, "all of the group again");
}

/* Two threads that leave a CPU each, and together none. */
static void check_host(void) {
  fd_cpu_set cpus;
  char reason[FD_TEXT_BYTES] = "";
  fd_request first = request_of(FD_REALTIME), second = request_of(FD_REALTIME);
  fake.thread_id = 1;
  first.any_cpu = false;
  for (uint32_t cpu = 0; cpu < 4; cpu++) fd_cpu_add(&first.cpus, cpu);
  expect(fd_win32_claim(&first, &cpus, reason), "group 0", reason);
  fake.thread_id = 2;
  second.any_cpu = false;
  for (uint32_t cpu = 64; cpu < 68; cpu++) fd_cpu_add(&second.cpus, cpu);
  expect(!fd_win32_claim(&second, &cpus, reason), "a refusal", "none");
  expect_text(reason, "no allowed CPU would be left to the host");
  /* any: all but the lowest that is still the host's */
  second.any_cpu = true;
  expect(fd_win32_claim(&second, &cpus, reason), "a CPU for the host", reason);
  expect_number((int64_t)cpus.words[0], 0xf, "group 0 is shared");
  expect_number((int64_t)cpus.words[1], 0x6, "the host keeps CPU 64");
  fake.thread_id = 3;
  expect(fd_win32_claim(&second, &cpus, reason), "another", reason);
  expect_number((int64_t)cpus.words[1], 0x6, "the same CPU stays with the host");
  for (fake.thread_id = 3; fake.thread_id > 0; fake.thread_id--) fd_win32_release();
}

static void check_older_windows(void) {
  fd_report report;
  fd_request realtime = request_of(FD_REALTIME);
  fake.missing = "SetThreadInformation SetProcessInformation GetProcessInformation GetSystemCpuSetInformation "
                 "SetThreadSelectedCpuSets GetThreadSelectedCpuSets NtQueryTimerResolution "
                 "AvSetMmThreadCharacteristicsW timeBeginPeriod";
  begin_again();
  fake.thread_control = 0;
  fd_thread_apply(&realtime, &report);
  expect_text(report.priority.mechanism, "SetThreadPriority THREAD_PRIORITY_HIGHEST");
  expect_text(report.priority.reason, "avrt.dll is missing");
  expect_text(report.timer_slack.reason, "winmm.dll is missing: timed waits end on the system clock's ticks");
  expect_number(fake.thread_control, 0, "no power throttling");
  expect_number(report.state.timer_slack_ns, -1, "unknown");
  realtime.any_cpu = false;
  fd_cpu_add(&realtime.cpus, 2);
  fd_thread_apply(&realtime, &report);
  expect_text(report.cpus.mechanism, "SetThreadGroupAffinity");
  fd_thread_end();
}

int main(int count, char **arguments) {
  found = count > 1 ? fopen(arguments[1], "w") : stdout;
  if (found == NULL) return 2;
  fake.thread_id = 1;
  begin_again();
  check_levels();
  check_refusals();
  check_cpus();
  check_host();
  fake.thread_id = 1;
  check_older_windows();
  expect_number(fake.in_mmcss, 0, "MMCSS was left");
  expect_number(fake.periods, 0, "no claim on the timer is left");
  fprintf(found, "%d failed\n", failures);
  fclose(found);
  return failures != 0;
}
