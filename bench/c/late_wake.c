// A thread works for a while and then wakes another one that has slept on a futex meanwhile: how late that one runs.
// Usage: late_wake WORK_US COUNT. Prints one JSON object, times in nanoseconds.
#define _GNU_SOURCE
#include "thread.h"
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Alignas(128) _Atomic int asked;
static _Alignas(128) _Atomic int answered;
static double finish_ns;
static double work_ns;
static int count;

static void post(_Atomic int *word, int value) {
  atomic_store(word, value);
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void await_value(_Atomic int *word, int value) {
  for (;;) {
    int seen = atomic_load(word);
    if (seen == value) return;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  }
}

static void *work(void *unused) {
  for (int i = 1; i <= count; i++) {
    await_value(&asked, i);
    double end = now_ns() + work_ns;
    while ((finish_ns = now_ns()) < end);
    post(&answered, i);
  }
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 3 || (work_ns = atof(argv[1]) * 1000) < 0 || (count = atoi(argv[2])) < 1) {
    fprintf(stderr, "usage: late_wake WORK_US COUNT\n");
    return 2;
  }
  double *late = malloc(sizeof(double) * count);
  pthread_t thread;
  if (late == NULL || start_bound(&thread, work, 0, 1) != 0) return 1;
  for (int i = 1; i <= count; i++) {
    struct timespec pause = {0, 1000000};
    post(&asked, i);
    await_value(&answered, i);
    late[i - 1] = now_ns() - finish_ns;
    nanosleep(&pause, NULL);
  }
  pthread_join(thread, NULL);
  qsort(late, count, sizeof *late, compare_doubles);
  printf("{\"p50\":%.0f,\"p90\":%.0f}\n", late[(count - 1) / 2], late[(int)((count - 1) * 0.9)]);
  return 0;
}
