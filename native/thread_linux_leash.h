/* What keeps real-time threads of this process from taking the machine: a CPU for the host, and a limit on CPU time. */
#ifndef FD_THREAD_LINUX_LEASH_H
#define FD_THREAD_LINUX_LEASH_H

#include "thread_control.h"

/*
 * Claims a place for the calling thread among the real-time threads of this process, and lays the leash. Refused where
 * no CPU would be left to the host, and where all claims on some CPUs together declare more work than these can do in
 * the share that the kernel leaves to real-time.
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

/* Why the leash demoted a thread since it last applied, or empty. */
void fd_leash_say_demoted(int thread, char reason[FD_TEXT_BYTES]);

/* What was told of a thread before it applied anew, or ended. */
void fd_leash_forget(int thread);

const char *fd_errno_name(int error);

#endif
