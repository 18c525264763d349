/*
 * Declarations of macOS that native/thread_darwin*.c uses, so that they can be checked where there is no macOS. Names,
 * values and layouts are those of Apple's public headers (xnu: osfmk/mach, bsd/sys; libpthread; libdispatch).
 */
#ifndef STUB_MACH_H
#define STUB_MACH_H
#include <stdint.h>

typedef int kern_return_t;
typedef int integer_t;
typedef int boolean_t;
typedef int policy_t;
typedef unsigned int natural_t;
typedef natural_t mach_msg_type_number_t;
typedef unsigned int mach_port_t;
typedef mach_port_t thread_t;
typedef mach_port_t thread_act_t;
typedef mach_port_t thread_inspect_t;
#define TRUE 1
#define FALSE 0

/* mach/kern_return.h */
#define KERN_SUCCESS 0
#define KERN_INVALID_ARGUMENT 4
#define KERN_FAILURE 5
#define KERN_NO_ACCESS 8
#define KERN_POLICY_LIMIT 27
#define KERN_INVALID_POLICY 28
#define KERN_TERMINATED 37
#define KERN_NOT_SUPPORTED 46
#define KERN_POLICY_STATIC 51
char *mach_error_string(int error_value);

/* mach/policy.h */
#define POLICY_TIMESHARE 1
#define POLICY_RR 2
#define POLICY_FIFO 4

/* mach/thread_info.h */
typedef integer_t *thread_info_t;
typedef natural_t thread_flavor_t;
typedef struct time_value {
  integer_t seconds;
  integer_t microseconds;
} time_value_t;
struct thread_basic_info {
  time_value_t user_time;
  time_value_t system_time;
  integer_t cpu_usage;
  policy_t policy;
  integer_t run_state;
  integer_t flags;
  integer_t suspend_count;
  integer_t sleep_time;
};
typedef struct thread_basic_info thread_basic_info_data_t;
#define THREAD_BASIC_INFO 3
#define THREAD_BASIC_INFO_COUNT ((mach_msg_type_number_t)(sizeof(thread_basic_info_data_t) / sizeof(natural_t)))
#define THREAD_EXTENDED_INFO 5
#define MAXTHREADNAMESIZE 64
struct thread_extended_info {
  uint64_t pth_user_time;
  uint64_t pth_system_time;
  int32_t pth_cpu_usage;
  int32_t pth_policy;
  int32_t pth_run_state;
  int32_t pth_flags;
  int32_t pth_sleep_time;
  int32_t pth_curpri;
  int32_t pth_priority;
  int32_t pth_maxpriority;
  char pth_name[MAXTHREADNAMESIZE];
};
typedef struct thread_extended_info thread_extended_info_data_t;
#define THREAD_EXTENDED_INFO_COUNT ((mach_msg_type_number_t)(sizeof(thread_extended_info_data_t) / sizeof(natural_t)))
kern_return_t thread_info(thread_inspect_t target_act, thread_flavor_t flavor, thread_info_t thread_info_out,
                          mach_msg_type_number_t *thread_info_outCnt);
#endif
