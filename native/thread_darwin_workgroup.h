/* Workgroup of the calling thread on macOS. */
#ifndef FD_THREAD_DARWIN_WORKGROUP_H
#define FD_THREAD_DARWIN_WORKGROUP_H

#include "text.h"

/* For a time-constrained thread. Adds to the mechanism if it joined, to the reason if it was refused. */
void fd_workgroup_join(fd_how *how);

/* Before the time constraint is taken back or the thread ends. */
void fd_workgroup_leave(void);

#endif
