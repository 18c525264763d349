#ifndef STUB_THREAD_POLICY_H
#define STUB_THREAD_POLICY_H
#include <mach/mach.h>
typedef natural_t thread_policy_flavor_t;
typedef integer_t *thread_policy_t;
#define THREAD_STANDARD_POLICY 1
#define THREAD_TIME_CONSTRAINT_POLICY 2
#define THREAD_AFFINITY_POLICY 4
#define THREAD_LATENCY_QOS_POLICY 7
typedef struct {
  natural_t no_data;
} thread_standard_policy_data_t;
#define THREAD_STANDARD_POLICY_COUNT 0
typedef struct {
  uint32_t period, computation, constraint;
  boolean_t preemptible;
} thread_time_constraint_policy_data_t;
#define THREAD_TIME_CONSTRAINT_POLICY_COUNT 4
typedef struct {
  integer_t affinity_tag;
} thread_affinity_policy_data_t;
#define THREAD_AFFINITY_POLICY_COUNT 1
typedef integer_t thread_latency_qos_t;
typedef struct {
  thread_latency_qos_t thread_latency_qos_tier;
} thread_latency_qos_policy_data_t;
#define THREAD_LATENCY_QOS_POLICY_COUNT 1
#define LATENCY_QOS_TIER_0 ((0xFF << 16) | 1)
kern_return_t thread_policy_set(thread_t, thread_policy_flavor_t, thread_policy_t, mach_msg_type_number_t);
kern_return_t thread_policy_get(thread_t, thread_policy_flavor_t, thread_policy_t, mach_msg_type_number_t *,
                                boolean_t *);
#endif
