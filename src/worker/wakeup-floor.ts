import type { Clock } from '../base/time.js';

const PARKS = 8;
const PARK_MS = 0.2;
/** What an idle machine takes; less is not worth blaming anyone for. */
const LEAST_US = 50;
/** Beyond this the machine was busy when it was measured: then it is no floor. */
const MOST_US = 500;

/** Floor of a thread that cannot measure it. */
export const DEFAULT_WAKEUP_FLOOR_US = 100;

/**
 * How late this thread wakes up from a park when nothing is in its way: the median of a few short timed parks, in
 * microseconds. Blocks for about 2 ms; worker threads only.
 */
export function measureWakeupFloorUs(clock: Clock): number {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const lateUs = new Float64Array(PARKS);
  for (let i = 0; i < PARKS; i++) {
    const before = clock.nowPreciseUs();
    Atomics.wait(never, 0, 0, PARK_MS);
    lateUs[i] = clock.nowPreciseUs() - before - PARK_MS * 1000;
  }
  lateUs.sort();
  const median = Math.round(lateUs[PARKS / 2]!);
  return Math.min(MOST_US, Math.max(LEAST_US, median));
}
