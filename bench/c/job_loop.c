// Frames of empty jobs from one thread to another, each bound to a CPU, both spinning; a frame is joined before the next
// begins. The least that a job system does: a slot with a function and its argument, a claim, a result, a count.
// Usage: job_loop FRAMES JOBS_PER_FRAME [clock]. Prints one JSON object, time in nanoseconds a job.
// clock: reads the clock once per job on both sides, as a scheduler has to that knows when each job ran.
#define _GNU_SOURCE
#include "thread.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 256, READY = 1, CLAIMED = 2, DONE = 3 };

struct slot {
  _Alignas(64) _Atomic int state;
  int input;
  int output;
  int (*run)(int);
  double stamp_ns;
};

static struct slot slots[SLOTS];
static _Alignas(128) _Atomic long submitted;
static _Alignas(128) _Atomic long ended;
static _Atomic int stopping;
static int reads_clock;

static int identity(int x) { return x; }

static void *work(void *unused) {
  for (long at = 0; !atomic_load(&stopping);) {
    if (atomic_load_explicit(&submitted, memory_order_acquire) == at) continue;
    struct slot *slot = &slots[at % SLOTS];
    int expected = READY;
    if (!atomic_compare_exchange_strong(&slot->state, &expected, CLAIMED)) continue;
    slot->output = slot->run(slot->input);
    if (reads_clock) slot->stamp_ns = now_ns();
    atomic_store_explicit(&slot->state, DONE, memory_order_release);
    atomic_store_explicit(&ended, ++at, memory_order_release);
  }
  return unused;
}

int main(int argc, char **argv) {
  long frames = argc > 2 ? atol(argv[1]) : 0, jobs = argc > 2 ? atol(argv[2]) : 0;
  reads_clock = argc == 4 && strcmp(argv[3], "clock") == 0;
  if (frames < 1 || jobs < 1 || jobs > SLOTS) {
    fprintf(stderr, "usage: job_loop FRAMES JOBS_PER_FRAME(1..%d) [clock]\n", SLOTS);
    return 2;
  }
  pthread_t thread;
  if (start_bound(&thread, work, 0, 1) != 0) return 1;
  double start = now_ns(), stamp = 0;
  long at = 0;
  for (long f = 0; f < frames; f++) {
    for (long i = 0; i < jobs; i++) {
      struct slot *slot = &slots[at % SLOTS];
      slot->run = identity;
      slot->input = (int)i;
      if (reads_clock) slot->stamp_ns = stamp = now_ns();
      atomic_store_explicit(&slot->state, READY, memory_order_release);
      atomic_store_explicit(&submitted, ++at, memory_order_release);
    }
    while (atomic_load_explicit(&ended, memory_order_acquire) != at);
    if (slots[(at - 1) % SLOTS].output != jobs - 1) return 1;
  }
  double took = now_ns() - start;
  atomic_store(&stopping, 1);
  pthread_join(thread, NULL);
  printf("{\"nsPerJob\":%.2f,\"last\":%.0f}\n", took / (frames * jobs), stamp);
  return 0;
}
