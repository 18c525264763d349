// Round trips of one word between two threads, each bound to a CPU of its own: what the machine can do at all.
// Usage: ping_pong futex|spin ROUND_TRIPS WARM_UP [FIRST SECOND]. Prints one JSON object, times in nanoseconds.
// FIRST and SECOND are CPU:POLICY:NUMBER, such as 0:rr:10, 1:nice:-11; without them CPUs 0 and 1, policy as inherited.
#define _GNU_SOURCE
#include "thread.h"
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Alignas(128) _Atomic int ping;
static _Alignas(128) _Atomic int pong;
static int parking;
static int total;

struct place {
  int cpu;
  char policy[8];
  int number;
};
static struct place places[2] = {{0, "", 0}, {1, "", 0}};

// Of the calling thread. The flag is that of the native addon.
static void apply_policy(const struct place *place) {
  struct sched_param parameter = {0};
  int policy = SCHED_OTHER, failed = 0;
  if (place->policy[0] == 0) return;
  if (strcmp(place->policy, "rr") == 0) {
    policy = SCHED_RR | SCHED_RESET_ON_FORK;
    parameter.sched_priority = place->number;
  }
  failed = sched_setscheduler(0, policy, &parameter) != 0;
  if (policy == SCHED_OTHER) failed |= setpriority(PRIO_PROCESS, syscall(SYS_gettid), place->number) != 0;
  if (failed) {
    perror("ping_pong: priority");
    exit(1);
  }
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
  apply_policy(&places[1]);
  for (int i = 1; i <= total; i++) {
    await_value(&ping, i);
    post(&pong, i);
  }
  return unused;
}

int main(int argc, char **argv) {
  int wrong = argc != 4 && argc != 6;
  for (int i = 4; i < argc && !wrong; i++) {
    struct place *place = &places[i - 4];
    wrong = sscanf(argv[i], "%d:%7[a-z]:%d", &place->cpu, place->policy, &place->number) != 3;
  }
  if (wrong) {
    fprintf(stderr, "usage: ping_pong futex|spin ROUND_TRIPS WARM_UP [CPU:rr|nice:NUMBER CPU:rr|nice:NUMBER]\n");
    return 2;
  }
  parking = strcmp(argv[1], "futex") == 0;
  int count = atoi(argv[2]), warm = atoi(argv[3]);
  total = count + warm;
  double *took = malloc(sizeof(double) * count);
  if (took == NULL || count < 1) return 2;
  pthread_t thread;
  if (start_bound(&thread, answer, places[0].cpu, places[1].cpu) != 0) return 1;
  apply_policy(&places[0]);
  for (int i = 1; i <= total; i++) {
    double start = now_ns();
    post(&ping, i);
    await_value(&pong, i);
    if (i > warm) took[i - warm - 1] = now_ns() - start;
  }
  pthread_join(thread, NULL);
  qsort(took, count, sizeof(double), compare_doubles);
#define AT(q) took[(int)((count - 1) * (q))]
  printf("{\"p50\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"max\":%.0f}\n", AT(0.5), AT(0.99), AT(0.999), took[count - 1]);
  return 0;
}
