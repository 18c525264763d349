/*
 * Windows. Real-time is the Multimedia Class Scheduler Service (MMCSS), which keeps a share of each CPU for others;
 * `high` is a thread priority. A new thread inherits neither, nor its creator's CPUs. The addon loads from Windows 8.1
 * on: what came later is looked up when it is loaded.
 * Sources: Microsoft's reference of avrt.h and processthreadsapi.h, "Multimedia Class Scheduler Service".
 */
#include "thread_win32.h"

#include <math.h>

const char fd_platform[] = "win32";

enum { THREAD_POWER_THROTTLING = 3, EXECUTION_SPEED = 1 };
enum { MMCSS_PRIORITY_HIGH = 1 }; /* AVRT_PRIORITY_HIGH */

fd_win32_functions fd_win32;
static INIT_ONCE began_once = INIT_ONCE_STATIC_INIT;
/* AvSetMmThreadCharacteristics is not safe to call for the first time from two threads at once. */
static SRWLOCK mmcss_guard = SRWLOCK_INIT;
/* Of each thread: the handle of MMCSS, and what it holds besides. */
static DWORD mmcss_slot = TLS_OUT_OF_INDEXES;
static DWORD holds_slot = TLS_OUT_OF_INDEXES;

/* Puts the function's address, or NULL, into the pointer. */
static void look_up(HMODULE module, const char *name, void *pointer) {
  FARPROC address = module == NULL ? NULL : GetProcAddress(module, name);
  memcpy(pointer, &address, sizeof address);
}

static void look_up_all(void) {
  HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
  /* only from the system's own folder; they stay until the process ends */
  HMODULE winmm = LoadLibraryExW(L"winmm.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  HMODULE avrt = LoadLibraryExW(L"avrt.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
  look_up(kernel, "SetThreadDescription", &fd_win32.set_thread_description);
  look_up(kernel, "SetThreadInformation", &fd_win32.set_thread_information);
  look_up(kernel, "SetProcessInformation", &fd_win32.set_process_information);
  look_up(kernel, "GetProcessInformation", &fd_win32.get_process_information);
  look_up(kernel, "GetSystemCpuSetInformation", &fd_win32.get_system_cpu_sets);
  look_up(kernel, "SetThreadSelectedCpuSets", &fd_win32.set_thread_cpu_sets);
  look_up(kernel, "GetThreadSelectedCpuSets", &fd_win32.get_thread_cpu_sets);
  look_up(winmm, "timeBeginPeriod", &fd_win32.begin_period);
  look_up(winmm, "timeEndPeriod", &fd_win32.end_period);
  look_up(GetModuleHandleW(L"ntdll.dll"), "NtQueryTimerResolution", &fd_win32.query_timer_resolution);
  look_up(avrt, "AvSetMmThreadCharacteristicsW", &fd_win32.enter_mmcss);
  look_up(avrt, "AvSetMmThreadPriority", &fd_win32.set_mmcss_priority);
  look_up(avrt, "AvQuerySystemResponsiveness", &fd_win32.query_responsiveness);
  look_up(avrt, "AvRevertMmThreadCharacteristics", &fd_win32.leave_mmcss);
}

static BOOL CALLBACK record_beginning(PINIT_ONCE once, PVOID parameter, PVOID *context) {
  (void)once;
  (void)parameter;
  (void)context;
  look_up_all();
  mmcss_slot = TlsAlloc();
  holds_slot = TlsAlloc();
  fd_win32_cpus_begin();
  return TRUE;
}

void fd_process_begin(void) { InitOnceExecuteOnce(&began_once, record_beginning, NULL, NULL); }

static void *slot_value(DWORD slot) { return slot == TLS_OUT_OF_INDEXES ? NULL : TlsGetValue(slot); }

bool fd_win32_holds(unsigned what) { return ((uintptr_t)slot_value(holds_slot) & what) != 0; }

void fd_win32_hold(unsigned what, bool held) {
  uintptr_t now = (uintptr_t)slot_value(holds_slot);
  now = held ? now | what : now & ~(uintptr_t)what;
  if (holds_slot != TLS_OUT_OF_INDEXES) TlsSetValue(holds_slot, (void *)now);
}

#define NAMED(name) case name: return #name
static const char *error_name(DWORD error) {
  switch (error) {
    NAMED(ERROR_ACCESS_DENIED);
    NAMED(ERROR_INVALID_HANDLE);
    NAMED(ERROR_NOT_ENOUGH_MEMORY);
    NAMED(ERROR_GEN_FAILURE);
    NAMED(ERROR_NOT_SUPPORTED);
    NAMED(ERROR_INVALID_PARAMETER);
    NAMED(ERROR_CALL_NOT_IMPLEMENTED);
    NAMED(ERROR_INSUFFICIENT_BUFFER);
    NAMED(ERROR_PROC_NOT_FOUND);
    NAMED(ERROR_INVALID_ADDRESS);
    NAMED(ERROR_SERVICE_DISABLED);
    NAMED(ERROR_SERVICE_NOT_ACTIVE);
    NAMED(ERROR_PRIVILEGE_NOT_HELD);
    NAMED(ERROR_NO_SYSTEM_RESOURCES);
    NAMED(ERROR_WORKING_SET_QUOTA);
    NAMED(ERROR_TIMEOUT);
    default: break;
  }
  /* winerror.h; not in all headers */
  if (error == 1550) return "ERROR_INVALID_TASK_NAME";
  if (error == 1551) return "ERROR_INVALID_TASK_INDEX";
  if (error == 1552) return "ERROR_THREAD_ALREADY_IN_TASK";
  return NULL;
}

void fd_win32_add_error(char reason[FD_TEXT_BYTES], const char *call, DWORD error) {
  const char *name = error_name(error);
  if (name != NULL) fd_add(reason, "%s: %s", call, name);
  else fd_add(reason, "%s: error %lu", call, (unsigned long)error);
}

static void leave_mmcss(void) {
  HANDLE task = slot_value(mmcss_slot);
  if (task == NULL) return;
  fd_win32.leave_mmcss(task);
  TlsSetValue(mmcss_slot, NULL);
  fd_win32_release();
}

static void describe_leash(HANDLE task, char leash[FD_TEXT_BYTES]) {
  ULONG percent = 0;
  if (fd_win32.query_responsiveness != NULL && fd_win32.query_responsiveness(task, &percent) && percent > 0 &&
      percent <= 100) {
    fd_say(leash, "MMCSS keeps %lu %% of the CPU for others", (unsigned long)percent);
  } else {
    fd_say(leash, "MMCSS keeps SystemResponsiveness (20 %% unless changed) of the CPU for others");
  }
}

/* `cpus`: what the thread may use then. */
static bool enter_mmcss(const fd_request *request, fd_cpu_set *cpus, fd_report *report) {
  fd_how *how = &report->priority;
  if (!fd_budget_declared(request, how->reason)) return false;
  if (fd_win32.enter_mmcss == NULL || fd_win32.set_mmcss_priority == NULL || fd_win32.leave_mmcss == NULL) {
    fd_add(how->reason, "avrt.dll is missing");
    return false;
  }
  if (mmcss_slot == TLS_OUT_OF_INDEXES) {
    fd_add(how->reason, "TlsAlloc failed");
    return false;
  }
  if (!fd_win32_claim(request, cpus, how->reason)) return false;
  /* the tasks differ in how much of a CPU they may take; short periods are audio's */
  bool audio = request->period_us < 10000;
  DWORD index = 0;
  AcquireSRWLockExclusive(&mmcss_guard);
  HANDLE task = fd_win32.enter_mmcss(audio ? L"Pro Audio" : L"Games", &index);
  DWORD error = GetLastError();
  ReleaseSRWLockExclusive(&mmcss_guard);
  if (task == NULL) {
    fd_win32_release();
    fd_win32_add_error(how->reason, "AvSetMmThreadCharacteristicsW", error);
    return false;
  }
  TlsSetValue(mmcss_slot, task);
  fd_say(how->mechanism, "AvSetMmThreadCharacteristicsW %s", audio ? "Pro Audio" : "Games");
  if (!fd_win32.set_mmcss_priority(task, MMCSS_PRIORITY_HIGH)) {
    fd_win32_add_error(how->reason, "AvSetMmThreadPriority", GetLastError());
  }
  describe_leash(task, report->leash);
  return true;
}

static void set_priority(int value, const char *name, fd_how *how) {
  if (!SetThreadPriority(GetCurrentThread(), value)) {
    fd_win32_add_error(how->reason, "SetThreadPriority", GetLastError());
    return;
  }
  fd_say(how->mechanism, "SetThreadPriority %s", name);
}

/*
 * Whether the system may run the thread at low speed or on efficiency cores to save power. Told only if refused: it
 * cannot be read back. Windows before 10 1709 knows no such saving.
 */
static void set_throttling(bool opt_out, char reason[FD_TEXT_BYTES]) {
  fd_power_throttling state = {FD_THROTTLING_VERSION, opt_out ? EXECUTION_SPEED : 0, 0};
  if (fd_win32.set_thread_information == NULL) return;
  if (fd_win32.set_thread_information(GetCurrentThread(), THREAD_POWER_THROTTLING, &state, sizeof state)) return;
  if (opt_out) fd_win32_add_error(reason, "SetThreadInformation ThreadPowerThrottling", GetLastError());
}

static void apply_priority(const fd_request *request, fd_cpu_set *cpus, fd_report *report) {
  fd_how high = {"", ""};
  if (request->priority == FD_NORMAL) {
    set_throttling(false, high.reason);
    set_priority(THREAD_PRIORITY_NORMAL, "THREAD_PRIORITY_NORMAL", &high);
    return;
  }
  /* also under MMCSS: it is what is left when that is reverted */
  set_priority(THREAD_PRIORITY_HIGHEST, "THREAD_PRIORITY_HIGHEST", &high);
  bool realtime = request->priority == FD_REALTIME && enter_mmcss(request, cpus, report);
  if (!realtime) {
    memcpy(report->priority.mechanism, high.mechanism, FD_TEXT_BYTES);
    if (high.reason[0] != 0) fd_add(report->priority.reason, "%s", high.reason);
  }
  set_throttling(true, report->priority.reason);
}

static void name_thread(const char *name) {
  wchar_t wide[FD_NAME_BYTES];
  if (name[0] == 0 || fd_win32.set_thread_description == NULL) return;
  if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, FD_NAME_BYTES) > 0) {
    fd_win32.set_thread_description(GetCurrentThread(), wide);
  }
}

void fd_thread_apply(const fd_request *request, fd_report *report) {
  fd_process_begin();
  fd_report_clear(report);
  name_thread(request->name);
  leave_mmcss();
  fd_win32_reset_cpus();
  fd_win32_drop_timer();
  fd_cpu_set cpus;
  apply_priority(request, &cpus, report);
  if (!request->any_cpu) {
    fd_win32_apply_cpus(&request->cpus, &report->cpus);
  } else if (report->leash[0] != 0) {
    fd_win32_apply_cpus(&cpus, &report->cpus);
    fd_add(report->cpus.reason, "one allowed CPU stays with the host");
  }
  if (request->timer_slack_ns != 0) fd_win32_raise_timer(request->timer_slack_ns, &report->timer_slack);
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
    fd_win32_add_error(state->error, "OpenThread", GetLastError());
    return;
  }
  if (wanted != self && GetProcessIdOfThread(thread) != GetCurrentProcessId()) {
    fd_say(state->error, "ERROR_INVALID_PARAMETER");
    CloseHandle(thread);
    return;
  }
  int priority = GetThreadPriority(thread);
  /* MMCSS tells only the thread itself */
  bool mmcss = wanted == self && slot_value(mmcss_slot) != NULL;
  if (mmcss) state->priority = FD_REALTIME;
  else if (priority != THREAD_PRIORITY_ERROR_RETURN && priority > THREAD_PRIORITY_NORMAL) state->priority = FD_HIGH;
  fd_say(state->policy, "%spriority %d", mmcss ? "MMCSS, " : "", priority);
  state->cpus_known = fd_win32_read_cpus(thread, &state->cpus);
  state->timer_slack_ns = fd_win32_timer_ns();
  if (wanted != self) CloseHandle(thread);
}

static double us_of(FILETIME time) {
  return ((double)time.dwHighDateTime * 4294967296.0 + (double)time.dwLowDateTime) / 10.0;
}

/* Counted in ticks of the clock: 15.6 ms, or less while the timer is raised. Context switches are not told. */
void fd_thread_usage(fd_usage *usage) {
  usage->user_us = usage->system_us = NAN;
  usage->voluntary_switches = usage->involuntary_switches = NAN;
  usage->minor_faults = usage->major_faults = NAN;
  FILETIME created, ended, system, user;
  if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &system, &user)) return;
  usage->user_us = us_of(user);
  usage->system_us = us_of(system);
}

void fd_thread_end(void) {
  leave_mmcss();
  fd_win32_reset_cpus();
  fd_win32_drop_timer();
}

/* Within the least working set of the process: a few hundred KiB unless it was raised. */
bool fd_memory_lock(void *address, size_t bytes, fd_how *how) {
  if (VirtualLock(address, bytes)) {
    fd_say(how->mechanism, "VirtualLock");
    return true;
  }
  fd_win32_add_error(how->reason, "VirtualLock", GetLastError());
  return false;
}

void fd_thread_abandon(int64_t thread_id) { (void)thread_id; }

uint32_t fd_leash_pulls(void) { return 0; }
