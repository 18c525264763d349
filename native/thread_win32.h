/* What the Windows files share. Sources: Microsoft's reference of the functions named. */
#ifndef FD_THREAD_WIN32_H
#define FD_THREAD_WIN32_H

#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#include <windows.h>

#include "text.h"

/* Of THREAD_POWER_THROTTLING_STATE and PROCESS_POWER_THROTTLING_STATE, which older headers lack. */
typedef struct {
  ULONG version;
  ULONG control_mask;
  ULONG state_mask;
} fd_power_throttling;
enum { FD_THROTTLING_VERSION = 1 };

/* Functions that some Windows in use lacks, looked up once; NULL where missing. In brackets: the first that has them. */
typedef struct {
  /* kernel32 */
  HRESULT(WINAPI *set_thread_description)(HANDLE, PCWSTR);         /* 10, 1607 */
  BOOL(WINAPI *set_thread_information)(HANDLE, int, void *, DWORD); /* 8 */
  BOOL(WINAPI *set_process_information)(HANDLE, int, void *, DWORD);
  BOOL(WINAPI *get_process_information)(HANDLE, int, void *, DWORD);
  BOOL(WINAPI *get_system_cpu_sets)(void *, ULONG, ULONG *, HANDLE, ULONG); /* 10 */
  BOOL(WINAPI *set_thread_cpu_sets)(HANDLE, const ULONG *, ULONG);
  BOOL(WINAPI *get_thread_cpu_sets)(HANDLE, ULONG *, ULONG, ULONG *);
  /* winmm and ntdll; small systems have no winmm */
  UINT(WINAPI *begin_period)(UINT);
  UINT(WINAPI *end_period)(UINT);
  LONG(WINAPI *query_timer_resolution)(ULONG *, ULONG *, ULONG *);
  /* avrt; Server Core has none */
  HANDLE(WINAPI *enter_mmcss)(LPCWSTR, DWORD *);
  BOOL(WINAPI *set_mmcss_priority)(HANDLE, int);
  BOOL(WINAPI *query_responsiveness)(HANDLE, ULONG *);
  BOOL(WINAPI *leave_mmcss)(HANDLE);
} fd_win32_functions;
extern fd_win32_functions fd_win32;

/* What the calling thread holds and gives back when it ends or asks for something else. */
enum { FD_HOLDS_TIMER = 1, FD_HOLDS_CPU_SETS = 2, FD_HOLDS_AFFINITY = 4 };
bool fd_win32_holds(unsigned what);
void fd_win32_hold(unsigned what, bool held);

/* Adds "call: ERROR_NAME". */
void fd_win32_add_error(char reason[FD_TEXT_BYTES], const char *call, DWORD error);

/* Records the CPU sets and the CPUs that the process may use. Called once. */
void fd_win32_cpus_begin(void);
/* CPU number: 64 * processor group + number in the group. */
const fd_cpu_set *fd_win32_allowed_cpus(void);
void fd_win32_apply_cpus(const fd_cpu_set *cpus, fd_how *how);
void fd_win32_reset_cpus(void);
/* The handle wants THREAD_QUERY_INFORMATION. */
bool fd_win32_read_cpus(HANDLE thread, fd_cpu_set *cpus);

/* CPUs for a real-time thread, such that the host keeps one; or the reason. To be released by the same thread. */
bool fd_win32_claim(const fd_request *request, fd_cpu_set *cpus, char reason[FD_TEXT_BYTES]);
void fd_win32_release(void);

/* Waits that end within a millisecond: for the whole process, as long as one of its threads holds it. */
void fd_win32_raise_timer(uint32_t asked_ns, fd_how *how);
void fd_win32_drop_timer(void);
/* Nanoseconds between ticks, or -1 while no thread of the process asked: then others decide. */
int64_t fd_win32_timer_ns(void);

#endif
