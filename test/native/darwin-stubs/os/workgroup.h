#ifndef STUB_OS_WORKGROUP_H
#define STUB_OS_WORKGROUP_H
#include <stdint.h>
/* os/clock.h */
typedef enum os_clockid { OS_CLOCK_MACH_ABSOLUTE_TIME = 32 } os_clockid_t;
typedef struct os_workgroup_s *os_workgroup_t;
struct os_workgroup_join_token_opaque_s {
  uint32_t sig;
  char opaque[36];
};
typedef struct os_workgroup_join_token_opaque_s os_workgroup_join_token_s;
typedef struct os_workgroup_join_token_opaque_s *os_workgroup_join_token_t;
int os_workgroup_join(os_workgroup_t wg, os_workgroup_join_token_t token_out) __attribute__((warn_unused_result));
void os_workgroup_leave(os_workgroup_t wg, os_workgroup_join_token_t token);
#endif
