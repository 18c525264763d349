import { PerformanceObserver } from 'node:perf_hooks';
import type { Clock } from '../../base/time.js';
import type { HostSignals } from '../platform.js';
import { NodeThreadProbe } from './thread-probe.js';

/** Collections that are remembered: those since a stall began. */
const KEPT = 64;

/** Start and end of the last collections of this thread, on the clock of `performance.now`, in milliseconds. */
const starts = new Float64Array(KEPT);
const ends = new Float64Array(KEPT);
let seen = 0;
let observer: PerformanceObserver | null = null;

/**
 * What can be known of this thread, whose event loop runs: its garbage collections, of which Node tells a turn later
 * (watched from the first call on, once for all schedulers of the thread), and on Linux how long it was not let run.
 */
export function hostSignals(clock: Clock): HostSignals {
  if (observer === null) {
    observer = new PerformanceObserver((list) => remember(list.getEntries()));
    observer.observe({ entryTypes: ['gc'] });
  }
  const probe = NodeThreadProbe.withoutCollections();
  return {
    mark: () => probe.markTimes(),
    end: () => probe.close(),
    preemptedUs() {
      probe.read();
      return probe.preemptedUs;
    },
    collectedUs(fromUs, toUs) {
      remember(observer!.takeRecords());
      // both clocks are monotonic: their distance now holds for the past too
      const offsetUs = clock.nowPreciseUs() - performance.now() * 1000;
      let sum = 0;
      for (let i = 0; i < Math.min(seen, KEPT); i++) {
        const begin = Math.max(fromUs, starts[i]! * 1000 + offsetUs);
        const end = Math.min(toUs, ends[i]! * 1000 + offsetUs);
        if (end > begin) sum += end - begin;
      }
      return sum;
    },
  };
}

function remember(entries: readonly { startTime: number; duration: number }[]): void {
  for (const { startTime, duration } of entries) {
    starts[seen % KEPT] = startTime;
    ends[seen % KEPT] = startTime + duration;
    seen++;
  }
}
