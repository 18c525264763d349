// A witness of the machine: one thread on each CPU, above all others, sleeps 2 ms at a time. What wakes it later than LEAST_MS
// is no other thread of this system: its host, its firmware or its kernel took the CPU. Prints `CPU MS` for each such stop, as
// it happens; ends with its parent. Ends with status 1 where SCHED_FIFO is refused.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "thread.h"

#define PERIOD_NS 2000000
#define PRIORITY 90

static double least_ms;

static void *watch(void *argument) {
  int cpu = (int)(intptr_t)argument;
  struct timespec due;
  clock_gettime(CLOCK_MONOTONIC, &due);
  for (;;) {
    due.tv_nsec += PERIOD_NS;
    if (due.tv_nsec >= 1000000000) due.tv_nsec -= 1000000000, due.tv_sec++;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR);
    double late_ms = (now_ns() - (due.tv_sec * 1e9 + due.tv_nsec)) / 1e6;
    if (late_ms < least_ms) continue;
    printf("%d %.3f\n", cpu, late_ms);
    clock_gettime(CLOCK_MONOTONIC, &due); // one line for one stop
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count != 2 || (least_ms = atof(arguments[1])) <= 0) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setvbuf(stdout, NULL, _IOLBF, 0);
  mlockall(MCL_CURRENT | MCL_FUTURE);
  cpu_set_t usable;
  sched_getaffinity(0, sizeof usable, &usable);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
  struct sched_param param = {.sched_priority = PRIORITY};
  pthread_attr_setschedparam(&attr, &param);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &usable)) continue;
    cpu_set_t set = only(cpu);
    pthread_attr_setaffinity_np(&attr, sizeof set, &set);
    pthread_t thread;
    if (pthread_create(&thread, &attr, watch, (void *)(intptr_t)cpu) != 0) return 1;
  }
  for (;;) pause();
}
