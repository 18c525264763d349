// Round trips of one word between two threads, each bound to a CPU of its own: what the machine can do at all.
// Usage: ping_pong futex|spin ROUND_TRIPS WARM_UP. Prints one JSON object, times in nanoseconds.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Alignas(128) _Atomic int ping;
static _Alignas(128) _Atomic int pong;
static int parking;
static int total;

static cpu_set_t only(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return set;
}

static void post(_Atomic int *word, int value) {
  atomic_store(word, value);
  if (parking) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void await_value(_Atomic int *word, int value) {
  for (;;) {
    int seen = atomic_load(word);
    if (seen == value) return;
    if (parking) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  }
}

static void *answer(void *unused) {
  for (int i = 1; i <= total; i++) {
    await_value(&ping, i);
    post(&pong, i);
  }
  return unused;
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: ping_pong futex|spin ROUND_TRIPS WARM_UP\n");
    return 2;
  }
  parking = strcmp(argv[1], "futex") == 0;
  int count = atoi(argv[2]), warm = atoi(argv[3]);
  total = count + warm;
  double *took = malloc(sizeof(double) * count);
  if (took == NULL || count < 1) return 2;
  pthread_t thread;
  pthread_attr_t attr;
  cpu_set_t first = only(0), second = only(1);
  pthread_setaffinity_np(pthread_self(), sizeof first, &first);
  // bound before it starts: under SCHED_FIFO it would never get a turn on this thread's CPU
  pthread_attr_init(&attr);
  pthread_attr_setaffinity_np(&attr, sizeof second, &second);
  if (pthread_create(&thread, &attr, answer, NULL) != 0) return 1;
  for (int i = 1; i <= total; i++) {
    double start = now_ns();
    post(&ping, i);
    await_value(&pong, i);
    if (i > warm) took[i - warm - 1] = now_ns() - start;
  }
  pthread_join(thread, NULL);
  qsort(took, count, sizeof(double), compare);
#define AT(q) took[(int)((count - 1) * (q))]
  printf("{\"p50\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"max\":%.0f}\n", AT(0.5), AT(0.99), AT(0.999), took[count - 1]);
  return 0;
}
