/*
 * An audio workgroup of the thread's own tells macOS that its work has a deadline, so that it is placed and clocked like
 * audio threads. AudioToolbox alone makes such groups (macOS 11), and loading it costs a process tens of milliseconds and
 * many libraries: so only a process that has it already, as audio apps and Electron do, gets one. Deadlines of single
 * frames are not passed on (os_workgroup_interval_start), and no audio device's group is joined: none is known here.
 * The kernel lets only a thread with a time constraint join (xnu, osfmk/kern/work_interval.c).
 * Sources: os/workgroup_object.h; "Adding Asynchronous Real-Time Threads to Audio Workgroups" (Apple).
 */
#include <dlfcn.h>
#include <errno.h>
#include <os/object.h>
#include <os/workgroup.h>

#include "thread_darwin_workgroup.h"

#define AUDIO_TOOLBOX "/System/Library/Frameworks/AudioToolbox.framework/AudioToolbox"

/* AudioWorkIntervalCreate(name, clock, attributes) */
typedef void *(*create_fn)(const char *, os_clockid_t, void *);

static _Thread_local struct {
  os_workgroup_t group;
  os_workgroup_join_token_s token;
} joined;

static create_fn find_create(void) {
  create_fn create = NULL;
  void *library = dlopen(AUDIO_TOOLBOX, RTLD_LAZY | RTLD_NOLOAD);
  void *address = library == NULL ? NULL : dlsym(library, "AudioWorkIntervalCreate");
  /* ISO C has no cast from an object's to a function's address */
  memcpy(&create, &address, sizeof create);
  return create;
}

void fd_workgroup_join(fd_how *how) {
  create_fn create = find_create();
  if (create == NULL || joined.group != NULL) return;
  os_workgroup_t group = create("frame-deadline", OS_CLOCK_MACH_ABSOLUTE_TIME, NULL);
  if (group == NULL) {
    fd_add(how->reason, "AudioWorkIntervalCreate made no workgroup");
    return;
  }
  int error = os_workgroup_join(group, &joined.token);
  if (error == 0) {
    joined.group = group;
    fd_add(how->mechanism, "os_workgroup_join");
    return;
  }
  os_release(group);
  const char *name = error == EINVAL ? "EINVAL" : error == EALREADY ? "EALREADY" : error == EPERM ? "EPERM" : "refused";
  fd_add(how->reason, "os_workgroup_join: %s", name);
}

void fd_workgroup_leave(void) {
  if (joined.group == NULL) return;
  os_workgroup_leave(joined.group, &joined.token);
  os_release(joined.group);
  joined.group = NULL;
}
