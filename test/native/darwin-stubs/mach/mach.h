/* Declarations of macOS that native/thread_darwin.c uses, so that it can be checked where there is no macOS. */
#ifndef STUB_MACH_H
#define STUB_MACH_H
#include <pthread.h>
#include <stdint.h>

typedef int kern_return_t;
typedef int integer_t;
typedef int boolean_t;
typedef unsigned natural_t;
typedef natural_t mach_msg_type_number_t;
typedef unsigned mach_port_t;
typedef mach_port_t thread_port_t;
typedef mach_port_t thread_t;
typedef mach_port_t thread_inspect_t;
#define TRUE 1
#define FALSE 0
#define KERN_SUCCESS 0
#define KERN_INVALID_ARGUMENT 4
#define KERN_NO_ACCESS 8
#define KERN_NOT_SUPPORTED 46
#define KERN_POLICY_LIMIT 49
char *mach_error_string(kern_return_t);

typedef integer_t *thread_info_t;
typedef natural_t thread_flavor_t;
typedef struct {
  integer_t seconds, microseconds;
} time_value_t;
typedef struct thread_basic_info {
  time_value_t user_time, system_time;
  integer_t cpu_usage, policy, run_state, flags, suspend_count, sleep_time;
} thread_basic_info_data_t;
#define THREAD_BASIC_INFO 3
#define THREAD_BASIC_INFO_COUNT ((mach_msg_type_number_t)(sizeof(thread_basic_info_data_t) / sizeof(natural_t)))
kern_return_t thread_info(thread_inspect_t, thread_flavor_t, thread_info_t, mach_msg_type_number_t *);

mach_port_t pthread_mach_thread_np(pthread_t);
int pthread_setname_np(const char *);
int pthread_threadid_np(pthread_t, uint64_t *);
#endif
