// A ring of 64-byte slots from one thread to another, each bound to a CPU, both spinning: what the machine can do at all.
// Usage: spsc_ring ITEMS. Prints one JSON object, time in nanoseconds an item.
#define _GNU_SOURCE
#include "thread.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS = 256, SLOT_WORDS = 16 };

static _Alignas(128) _Atomic long head;
static _Alignas(128) _Atomic long tail;
static _Alignas(128) int slots[SLOTS][SLOT_WORDS];
static _Alignas(128) long long sum;
static long total;

// Each side keeps the other's index as it last saw it, and looks again when that is used up.
static void *consume(void *unused) {
  long seen_head = 0;
  for (long at = 0; at < total; at++) {
    while (seen_head == at) seen_head = atomic_load_explicit(&head, memory_order_acquire);
    int item[SLOT_WORDS];
    memcpy(item, slots[at % SLOTS], sizeof item);
    sum += item[0];
    atomic_store_explicit(&tail, at + 1, memory_order_release);
  }
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 2 || (total = atol(argv[1])) < 1) {
    fprintf(stderr, "usage: spsc_ring ITEMS\n");
    return 2;
  }
  pthread_t thread;
  if (start_bound(&thread, consume, 0, 1) != 0) return 1;
  double start = now_ns();
  long seen_tail = 0;
  int item[SLOT_WORDS] = {0};
  for (long at = 0; at < total; at++) {
    while (at - seen_tail == SLOTS) seen_tail = atomic_load_explicit(&tail, memory_order_acquire);
    item[0] = (int)(at & 1);
    memcpy(slots[at % SLOTS], item, sizeof item);
    atomic_store_explicit(&head, at + 1, memory_order_release);
  }
  pthread_join(thread, NULL);
  double took = now_ns() - start;
  if (sum != total / 2) return 1;
  printf("{\"nsPerItem\":%.2f}\n", took / total);
  return 0;
}
