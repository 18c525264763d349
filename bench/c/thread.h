// What the programs of this folder share: the clock, and two threads that are bound to a CPU each.
#ifndef BENCH_THREAD_H
#define BENCH_THREAD_H
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static inline double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static inline cpu_set_t only(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return set;
}

// Binds the calling thread, and starts another one that is bound before it begins: under SCHED_FIFO it would never get a
// turn on this thread's CPU.
static inline int start_bound(pthread_t *thread, void *(*body)(void *), int own_cpu, int other_cpu) {
  pthread_attr_t attr;
  cpu_set_t own = only(own_cpu), other = only(other_cpu);
  pthread_setaffinity_np(pthread_self(), sizeof own, &own);
  pthread_attr_init(&attr);
  pthread_attr_setaffinity_np(&attr, sizeof other, &other);
  return pthread_create(thread, &attr, body, NULL);
}

static inline int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
#endif
