import { SystemClock } from '../../base/time.js';

const READS = 7;

/** The epoch of a scheduler: what the system's monotonic clock, one for all threads, read at that moment, in microseconds. */
export type EpochUs = number;

function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

export function newEpochUs(): EpochUs {
  return Math.floor(monotonicUs());
}

/**
 * A clock of this thread that counts from the epoch. `performance.now()` has another origin in each thread; both clocks
 * read the same hardware, so the offset is fixed: it is taken from the closest of a few paired reads.
 */
export function clockSince(epochUs: EpochUs): SystemClock {
  let offsetUs = 0;
  let closest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < READS; i++) {
    const before = performance.now() * 1000;
    const monotonic = monotonicUs();
    const after = performance.now() * 1000;
    if (after - before < closest) {
      closest = after - before;
      offsetUs = (before + after) / 2 - (monotonic - epochUs);
    }
  }
  return new SystemClock(offsetUs);
}
