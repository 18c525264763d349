#ifndef STUB_THREAD_POLICY_H
#define STUB_THREAD_POLICY_H
#include <mach/mach.h>
typedef natural_t thread_policy_flavor_t;
typedef integer_t *thread_policy_t;
#define STUB_POLICY_COUNT(type) ((mach_msg_type_number_t)(sizeof(type) / sizeof(integer_t)))

#define THREAD_STANDARD_POLICY 1
struct thread_standard_policy {
  natural_t no_data;
};
typedef struct thread_standard_policy thread_standard_policy_data_t;
#define THREAD_STANDARD_POLICY_COUNT 0

#define THREAD_TIME_CONSTRAINT_POLICY 2
struct thread_time_constraint_policy {
  uint32_t period;
  uint32_t computation;
  uint32_t constraint;
  boolean_t preemptible;
};
typedef struct thread_time_constraint_policy thread_time_constraint_policy_data_t;
#define THREAD_TIME_CONSTRAINT_POLICY_COUNT STUB_POLICY_COUNT(thread_time_constraint_policy_data_t)

#define THREAD_PRECEDENCE_POLICY 3
struct thread_precedence_policy {
  integer_t importance;
};
typedef struct thread_precedence_policy thread_precedence_policy_data_t;
#define THREAD_PRECEDENCE_POLICY_COUNT STUB_POLICY_COUNT(thread_precedence_policy_data_t)

#define THREAD_AFFINITY_POLICY 4
struct thread_affinity_policy {
  integer_t affinity_tag;
};
typedef struct thread_affinity_policy thread_affinity_policy_data_t;
#define THREAD_AFFINITY_TAG_NULL 0
#define THREAD_AFFINITY_POLICY_COUNT STUB_POLICY_COUNT(thread_affinity_policy_data_t)

#define THREAD_LATENCY_QOS_POLICY 7
typedef integer_t thread_latency_qos_t;
struct thread_latency_qos_policy {
  thread_latency_qos_t thread_latency_qos_tier;
};
typedef struct thread_latency_qos_policy thread_latency_qos_policy_data_t;
#define THREAD_LATENCY_QOS_POLICY_COUNT STUB_POLICY_COUNT(thread_latency_qos_policy_data_t)
/* mach/task_policy.h */
enum { LATENCY_QOS_TIER_UNSPECIFIED = 0x0, LATENCY_QOS_TIER_0 = ((0xFF << 16) | 1) };

kern_return_t thread_policy_set(thread_act_t thread, thread_policy_flavor_t flavor, thread_policy_t policy_info,
                                mach_msg_type_number_t policy_infoCnt);
kern_return_t thread_policy_get(thread_inspect_t thread, thread_policy_flavor_t flavor, thread_policy_t policy_info,
                                mach_msg_type_number_t *policy_infoCnt, boolean_t *get_default);
#endif
