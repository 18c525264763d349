/* What keeps real-time threads of this process from taking the machine: a CPU for the host, and a limit on CPU time. */
#ifndef FD_THREAD_LINUX_LEASH_H
#define FD_THREAD_LINUX_LEASH_H

#include "thread_control.h"

/*
 * Claims a place for the calling thread among the real-time threads of this process, and lays the leash.
 * @param allowed what the process may use
 * @param cpus what the thread wants to run on; narrowed by one if it wants all and none would be left to the host
 * @param reason gets why not, if false is returned
 * @param leash gets what stops a thread that never sleeps
 */
bool fd_leash_enter(const fd_request *request, const fd_cpu_set *allowed, fd_cpu_set *cpus, char reason[FD_TEXT_BYTES],
                    char leash[FD_TEXT_BYTES]);

/* Shortens the leash of the calling thread, which has entered, to what RealtimeKit takes. False: then it is too short. */
bool fd_leash_for_broker(const fd_request *request, char reason[FD_TEXT_BYTES], char leash[FD_TEXT_BYTES]);

/* Gives a thread's place back. Whether it had one, and one CPU less than it asked for. */
bool fd_leash_leave(int thread);

const char *fd_errno_name(int error);

#endif
