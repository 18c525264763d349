import { GCProfiler, getHeapStatistics } from 'node:v8';
import { f64, i32, task, u8, u32 } from 'frame-deadline';

/** A job of 64 bytes: 60 of payload and a number that comes back. */
export const echo = task({
  input: { number: u32, payload: u8.array(60) },
  output: { number: u32 },
  run(input, output) {
    output.number = input.number;
  },
});

/** The smallest job: no work, one word each way. */
export const empty = task({
  input: { x: i32 },
  output: { y: i32 },
  run(input, output) {
    output.y = input.x;
  },
});

/** Keeps its thread for so long. */
export const busy = task({
  input: { us: u32 },
  run(input) {
    const until = performance.now() + input.us / 1000;
    while (performance.now() < until);
  },
});

/** Keeps its thread for so long and tells when it ended, on the clock that all threads share. */
export const busyUntil = task({
  input: { us: u32 },
  output: { finishUs: f64 },
  run(input, output) {
    const until = performance.now() + input.us / 1000;
    while (performance.now() < until);
    const [seconds, nanoseconds] = process.hrtime();
    output.finishUs = seconds * 1e6 + nanoseconds / 1000;
  },
});

let profiler = new GCProfiler();
let garbage = [];

/** Begins to count this worker's collections. */
export const collectionsStart = task({
  input: {},
  output: { usedBytes: f64 },
  run(_input, output) {
    profiler = new GCProfiler();
    profiler.start();
    output.usedBytes = getHeapStatistics().used_heap_size;
  },
});

/** Tells how many collections there were since. */
export const collectionsStop = task({
  input: {},
  output: { collections: u32, usedBytes: f64 },
  run(_input, output) {
    output.usedBytes = getHeapStatistics().used_heap_size;
    output.collections = profiler.stop().statistics.length;
  },
});

/** Provokes collections: shows that the meter sees them. */
export const litter = task({
  input: {},
  run() {
    for (let i = 0; i < 2_000_000; i++) garbage.push({ i });
    garbage = [];
  },
});
