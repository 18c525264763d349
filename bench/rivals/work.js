import { GCProfiler } from 'node:v8';

// What the rivals' workers run: the same functions for all.

let sink = 1;
let profiler = null;

/** A job of 64 bytes: a number and 60 of payload; the number comes back. */
export const echo = (bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);

/** The smallest job. */
export const empty = (x) => x;

/** CPU work of so many steps, whatever else runs meanwhile. */
export function work(steps) {
  let x = sink;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  sink = x === 0 ? 1 : x;
  return 0;
}

/** Many such pieces as one job: `[pieces, steps]`. */
export function workAll([pieces, steps]) {
  for (let i = 0; i < pieces; i++) work(steps);
  return 0;
}

/** Begins to count this worker's collections. */
export function collectionsStart() {
  profiler = new GCProfiler();
  profiler.start();
  return 0;
}

/** Milliseconds that they took since. */
export function collectionsStop() {
  const { statistics } = profiler.stop();
  return statistics.reduce((sum, { cost }) => sum + cost, 0) / 1000;
}
