/*
 * Windows. Real-time is the Multimedia Class Scheduler Service (MMCSS), which keeps a share of each CPU for others;
 * `high` a thread priority. Newer calls are looked up at run time: the addon loads from Windows 8.1 on.
 * Sources: Microsoft's reference of avrt.h, processthreadsapi.h, timeapi.h.
 */
#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#include <windows.h>

#include <avrt.h>
#include <math.h>

#include "text.h"

const char fd_platform[] = "win32";

#ifndef THREAD_POWER_THROTTLING_EXECUTION_SPEED
#define THREAD_POWER_THROTTLING_EXECUTION_SPEED 1
#define THREAD_POWER_THROTTLING_CURRENT_VERSION 1
#endif

/* Values of THREAD_POWER_THROTTLING_STATE and PROCESS_POWER_THROTTLING_STATE (same shape). */
typedef struct {
  ULONG version;
  ULONG control_mask;
  ULONG state_mask;
} power_throttling;
enum { THREAD_POWER_THROTTLING = 3, PROCESS_POWER_THROTTLING = 4, IGNORE_TIMER_RESOLUTION = 4 };

typedef HRESULT(WINAPI *set_description_fn)(HANDLE, PCWSTR);
typedef BOOL(WINAPI *set_thread_information_fn)(HANDLE, int, LPVOID, DWORD);
typedef BOOL(WINAPI *set_process_information_fn)(HANDLE, int, LPVOID, DWORD);

static struct {
  set_description_fn set_description;
  set_thread_information_fn set_thread_information;
  set_process_information_fn set_process_information;
} later;
static INIT_ONCE began_once = INIT_ONCE_STATIC_INIT;
/* AvSetMmThreadCharacteristics is not safe to call for the first time from two threads at once. */
static SRWLOCK mmcss_guard = SRWLOCK_INIT;
/* MMCSS keeps a handle for each thread: it goes with a slot of thread-local storage. */
static DWORD mmcss_slot = TLS_OUT_OF_INDEXES;

static void *function_of(HMODULE module, const char *name) {
  union {
    FARPROC given;
    void *wanted;
  } address;
  address.given = module == NULL ? NULL : GetProcAddress(module, name);
  return address.wanted;
}

static BOOL CALLBACK record_beginning(PINIT_ONCE once, PVOID parameter, PVOID *context) {
  (void)once;
  (void)parameter;
  (void)context;
  HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
  *(void **)&later.set_description = function_of(kernel, "SetThreadDescription");
  *(void **)&later.set_thread_information = function_of(kernel, "SetThreadInformation");
  *(void **)&later.set_process_information = function_of(kernel, "SetProcessInformation");
  mmcss_slot = TlsAlloc();
  return TRUE;
}

void fd_process_begin(void) { InitOnceExecuteOnce(&began_once, record_beginning, NULL, NULL); }

static void add_error(fd_how *how, const char *call) {
  DWORD error = GetLastError();
  switch (error) {
    case ERROR_ACCESS_DENIED: fd_add(how->reason, "%s: ERROR_ACCESS_DENIED", call); break;
    case ERROR_INVALID_PARAMETER: fd_add(how->reason, "%s: ERROR_INVALID_PARAMETER", call); break;
    case ERROR_NOT_SUPPORTED: fd_add(how->reason, "%s: ERROR_NOT_SUPPORTED", call); break;
    case 1551: fd_add(how->reason, "%s: ERROR_INVALID_TASK_NAME", call); break;
    case 1552: fd_add(how->reason, "%s: ERROR_INVALID_TASK_INDEX", call); break;
    case ERROR_WORKING_SET_QUOTA: fd_add(how->reason, "%s: ERROR_WORKING_SET_QUOTA", call); break;
    case 1062: fd_add(how->reason, "%s: ERROR_SERVICE_NOT_ACTIVE", call); break;
    default: fd_add(how->reason, "%s: error %lu", call, (unsigned long)error); break;
  }
}

static void leave_mmcss(void) {
  HANDLE task = mmcss_slot == TLS_OUT_OF_INDEXES ? NULL : TlsGetValue(mmcss_slot);
  if (task == NULL) return;
  AvRevertMmThreadCharacteristics(task);
  TlsSetValue(mmcss_slot, NULL);
}

/* CPUs of the first processor group that the process may use. */
static fd_cpu_set allowed_cpus(void) {
  fd_cpu_set allowed;
  DWORD_PTR process_mask = 0;
  DWORD_PTR system_mask = 0;
  memset(&allowed, 0, sizeof allowed);
  if (GetProcessAffinityMask(GetCurrentProcess(), &process_mask, &system_mask)) allowed.words[0] = process_mask;
  return allowed;
}

static bool enter_mmcss(const fd_request *request, fd_report *report) {
  fd_how *how = &report->priority;
  if (!fd_budget_declared(request, how->reason)) return false;
  fd_cpu_set allowed = allowed_cpus();
  if (!fd_leaves_cpu(&allowed, request)) {
    fd_add(how->reason, "no allowed CPU would be left to the host");
    return false;
  }
  if (mmcss_slot == TLS_OUT_OF_INDEXES) {
    fd_add(how->reason, "TlsAlloc failed");
    return false;
  }
  /* the tasks differ in how much of a CPU they may take; short periods are audio's */
  bool audio = request->period_us < 10000;
  DWORD index = 0;
  AcquireSRWLockExclusive(&mmcss_guard);
  HANDLE task = AvSetMmThreadCharacteristicsW(audio ? L"Pro Audio" : L"Games", &index);
  ReleaseSRWLockExclusive(&mmcss_guard);
  if (task == NULL) {
    add_error(how, "AvSetMmThreadCharacteristicsW");
    return false;
  }
  TlsSetValue(mmcss_slot, task);
  if (!AvSetMmThreadPriority(task, AVRT_PRIORITY_HIGH)) add_error(how, "AvSetMmThreadPriority");
  fd_say(how->mechanism, "AvSetMmThreadCharacteristicsW %s", audio ? "Pro Audio" : "Games");
  fd_say(report->leash, "MMCSS keeps SystemResponsiveness (20 %% unless changed) of the CPUs for others");
  return true;
}

static void set_priority(int value, const char *name, fd_how *how) {
  if (SetThreadPriority(GetCurrentThread(), value)) fd_say(how->mechanism, "SetThreadPriority %s", name);
  else add_error(how, "SetThreadPriority");
}

/* Latency-sensitive threads are kept off the efficiency mode, and keep the timer resolution while hidden. */
static void set_throttling(bool opt_out) {
  power_throttling thread = {THREAD_POWER_THROTTLING_CURRENT_VERSION,
                             opt_out ? THREAD_POWER_THROTTLING_EXECUTION_SPEED : 0, 0};
  if (later.set_thread_information != NULL) {
    later.set_thread_information(GetCurrentThread(), THREAD_POWER_THROTTLING, &thread, sizeof thread);
  }
  if (!opt_out || later.set_process_information == NULL) return;
  power_throttling process = {1, IGNORE_TIMER_RESOLUTION, 0};
  later.set_process_information(GetCurrentProcess(), PROCESS_POWER_THROTTLING, &process, sizeof process);
}

static bool group_mask(const fd_cpu_set *cpus, GROUP_AFFINITY *affinity) {
  /* CPU numbers count through the groups, 64 to a group; a thread has one group's */
  for (WORD group = 0; group < FD_MAX_CPUS / 64; group++) {
    if (cpus->words[group] == 0) continue;
    memset(affinity, 0, sizeof *affinity);
    affinity->Group = group;
    affinity->Mask = (KAFFINITY)cpus->words[group];
    return true;
  }
  return false;
}

static void apply_cpus(const fd_cpu_set *cpus, fd_how *how) {
  GROUP_AFFINITY affinity;
  if (!group_mask(cpus, &affinity)) {
    fd_add(how->reason, "no CPU was named");
    return;
  }
  if (SetThreadGroupAffinity(GetCurrentThread(), &affinity, NULL)) fd_say(how->mechanism, "SetThreadGroupAffinity");
  else add_error(how, "SetThreadGroupAffinity");
  for (int group = affinity.Group + 1; group < FD_MAX_CPUS / 64; group++) {
    if (cpus->words[group] != 0) {
      fd_add(how->reason, "a thread runs in one processor group");
      break;
    }
  }
}

static void reset_cpus(void) {
  fd_cpu_set allowed = allowed_cpus();
  if (!fd_cpu_none(&allowed)) SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)allowed.words[0]);
}

static void name_thread(const char *name) {
  wchar_t wide[FD_NAME_BYTES];
  if (name[0] == 0 || later.set_description == NULL) return;
  if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, FD_NAME_BYTES) > 0) {
    later.set_description(GetCurrentThread(), wide);
  }
}

void fd_thread_apply(const fd_request *request, fd_report *report) {
  fd_process_begin();
  fd_report_clear(report);
  name_thread(request->name);
  leave_mmcss();
  reset_cpus();
  set_throttling(request->priority != FD_NORMAL);
  if (request->priority == FD_NORMAL) {
    fd_how ignored = {"", ""};
    set_priority(THREAD_PRIORITY_NORMAL, "THREAD_PRIORITY_NORMAL", &ignored);
  } else {
    /* also under MMCSS: what is left when that is reverted */
    fd_how high = {"", ""};
    set_priority(THREAD_PRIORITY_HIGHEST, "THREAD_PRIORITY_HIGHEST", &high);
    if (request->priority == FD_HIGH || !enter_mmcss(request, report)) {
      memcpy(report->priority.mechanism, high.mechanism, FD_TEXT_BYTES);
      if (high.reason[0] != 0) fd_add(report->priority.reason, "%s", high.reason);
    }
  }
  if (!request->any_cpu) {
    apply_cpus(&request->cpus, &report->cpus);
  } else if (report->leash[0] != 0) {
    fd_cpu_set cpus = allowed_cpus();
    fd_cpu_remove_lowest(&cpus);
    apply_cpus(&cpus, &report->cpus);
    fd_add(report->cpus.reason, "one allowed CPU stays with the host");
  }
  if (request->timer_slack_ns != 0) {
    fd_add(report->timer_slack.reason, "Windows has no timer slack for threads");
  }
  fd_thread_read(0, &report->state);
}

void fd_thread_read(int64_t thread_id, fd_state *state) {
  fd_process_begin();
  fd_state_clear(state);
  if (thread_id < 0 || thread_id > UINT32_MAX) {
    fd_say(state->error, "ERROR_INVALID_PARAMETER");
    return;
  }
  DWORD self = GetCurrentThreadId();
  DWORD wanted = thread_id == 0 ? self : (DWORD)thread_id;
  HANDLE thread = wanted == self ? GetCurrentThread() : OpenThread(THREAD_QUERY_INFORMATION, FALSE, wanted);
  state->thread_id = wanted;
  if (thread == NULL) {
    fd_how how = {"", ""};
    add_error(&how, "OpenThread");
    memcpy(state->error, how.reason, FD_TEXT_BYTES);
    return;
  }
  if (wanted != self && GetProcessIdOfThread(thread) != GetCurrentProcessId()) {
    fd_say(state->error, "ERROR_INVALID_PARAMETER");
    CloseHandle(thread);
    return;
  }
  int priority = GetThreadPriority(thread);
  bool mmcss = wanted == self && mmcss_slot != TLS_OUT_OF_INDEXES && TlsGetValue(mmcss_slot) != NULL;
  if (mmcss) state->priority = FD_REALTIME;
  else if (priority != THREAD_PRIORITY_ERROR_RETURN && priority > THREAD_PRIORITY_NORMAL) state->priority = FD_HIGH;
  fd_say(state->policy, "%spriority %d", mmcss ? "MMCSS, " : "", priority);
  GROUP_AFFINITY affinity;
  if (GetThreadGroupAffinity(thread, &affinity) && affinity.Group < FD_MAX_CPUS / 64) {
    state->cpus_known = true;
    state->cpus.words[affinity.Group] = affinity.Mask;
  }
  if (wanted != self) CloseHandle(thread);
}

static double us_of(FILETIME time) {
  return ((double)time.dwHighDateTime * 4294967296.0 + (double)time.dwLowDateTime) / 10.0;
}

void fd_thread_usage(fd_usage *usage) {
  usage->user_us = usage->system_us = NAN;
  usage->voluntary_switches = usage->involuntary_switches = NAN;
  usage->minor_faults = usage->major_faults = NAN;
  FILETIME created, ended, system, user;
  if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &system, &user)) return;
  usage->user_us = us_of(user);
  usage->system_us = us_of(system);
}

void fd_thread_end(void) { leave_mmcss(); }

/* Within the least working set of the process: a few hundred KiB unless it was raised. */
bool fd_memory_lock(void *address, size_t bytes, fd_how *how) {
  if (VirtualLock(address, bytes)) {
    fd_say(how->mechanism, "VirtualLock");
    return true;
  }
  add_error(how, "VirtualLock");
  return false;
}

void fd_thread_abandon(int64_t thread_id) { (void)thread_id; }

uint32_t fd_leash_pulls(void) { return 0; }
