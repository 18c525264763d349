/*
 * What a thread asks of the operating system for itself, and what it got: one contract, one file per platform
 * (thread_linux.c, thread_darwin.c, thread_win32.c, thread_none.c). Nothing here knows of JavaScript.
 *
 * Every answer is read back after setting, and says by which call it came about and why it is less than was asked, with
 * the system's own error name. No function fails, none allocates. All may be called from any thread; fd_process_begin
 * comes first, from the process's main thread where possible: what is in force then is what `normal` means later.
 */
#ifndef FD_THREAD_CONTROL_H
#define FD_THREAD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest CPU number that any of the platforms can have, plus one (Linux: NR_CPUS). */
#define FD_MAX_CPUS 8192
/* Bytes of a text, the final zero included. Longer texts are cut. */
#define FD_TEXT_BYTES 192
#define FD_NAME_BYTES 64
#define FD_UNKNOWN_NICENESS INT32_MIN

typedef struct {
  uint64_t words[FD_MAX_CPUS / 64];
} fd_cpu_set;

/* In ascending order of urgency. */
typedef enum { FD_NORMAL = 0, FD_HIGH = 1, FD_REALTIME = 2 } fd_priority;

typedef struct {
  /* UTF-8, shown by debuggers. Empty: left alone. */
  char name[FD_NAME_BYTES];
  fd_priority priority;
  /* FD_REALTIME: at most budget_us of CPU time in every period_us. 0: not declared, then it is refused. */
  uint32_t period_us;
  uint32_t budget_us;
  /* FD_REALTIME: 1 to 99, on the scale of POSIX's SCHED_RR. */
  uint32_t realtime_priority;
  /*
   * FD_REALTIME: whether a broker (RealtimeKit) will be asked where the system refuses. Then the thread is prepared all
   * the same: on its CPUs and on a leash as short as brokers want it, which an ordinary user cannot lengthen again.
   * `leash` is given then though real-time is not in force yet; fd_thread_abandon takes the preparation back.
   */
  bool brokered;
  /* CPUs to run on, or all that the process may use. */
  bool any_cpu;
  fd_cpu_set cpus;
  /* How late a sleep may end so that wake-ups coincide, in nanoseconds; 0: as the process began. */
  uint32_t timer_slack_ns;
} fd_request;

/* How an answer came about. `mechanism` is empty if no call changed anything, `reason` if nothing is less than asked. */
typedef struct {
  char mechanism[FD_TEXT_BYTES];
  char reason[FD_TEXT_BYTES];
} fd_how;

/* What is in force for a thread. */
typedef struct {
  /* The system's name of the first error met while reading, or empty. A thread that has ended: "ESRCH". */
  char error[FD_TEXT_BYTES];
  /* The number that the system's own tools show, -1 where there is none. */
  int64_t thread_id;
  fd_priority priority;
  /* The system's name for it, such as "SCHED_RR 10"; empty where it cannot be read. */
  char policy[FD_TEXT_BYTES];
  int32_t niceness; /* or FD_UNKNOWN_NICENESS */
  bool cpus_known;
  fd_cpu_set cpus;
  int64_t timer_slack_ns; /* -1: cannot be read, or the platform has none */
  /* Why the leash took real-time back from it since it applied; empty if it did not. */
  char demoted[FD_TEXT_BYTES];
} fd_state;

typedef struct {
  fd_state state;
  fd_how priority;
  fd_how cpus;
  fd_how timer_slack;
  /* What stops a real-time thread that never sleeps, in words; empty unless real-time is in force or prepared. */
  char leash[FD_TEXT_BYTES];
} fd_report;

/* Totals of the calling thread since it began. NaN where the platform does not tell. */
typedef struct {
  double user_us;
  double system_us;
  double voluntary_switches;
  double involuntary_switches;
  double minor_faults;
  double major_faults;
} fd_usage;

/* "linux", "darwin", "win32", or "none". */
extern const char fd_platform[];

/* Records what `normal` means for this process. The first call counts, later ones do nothing. */
void fd_process_begin(void);

/*
 * Undoes what the calling thread inherited or was given before, applies the request, and reports.
 * Blocks for some system calls, tens of microseconds; locking memory, as long as that takes.
 */
void fd_thread_apply(const fd_request *request, fd_report *report);

/* What is in force for a thread of this process; 0 is the calling thread. */
void fd_thread_read(int64_t thread_id, fd_state *state);

/* The calling thread's totals: one or two system calls. */
void fd_thread_usage(fd_usage *usage);

/* Gives back what the system keeps for the calling thread. To be called by a thread that applied, before it ends. */
void fd_thread_end(void);

/* Takes back what was prepared for a thread of this process whose broker refused. Other threads are left alone. */
void fd_thread_abandon(int64_t thread_id);

/*
 * Brings a range of memory in and keeps it from being paged out, until the process gives it
 * back to the system: the allocator may keep pages that were freed, and those stay locked. Blocks for as long as that
 * takes.
 * Only what holds no heap of V8: it gives pages back with madvise(MADV_DONTNEED), which fails on locked ones, and then
 * aborts the process. So nothing here locks all memory (mlockall).
 */
bool fd_memory_lock(void *address, size_t bytes, fd_how *how);

/* How often real-time threads of this process were demoted because they did not sleep within their leash. */
uint32_t fd_leash_pulls(void);

#endif
