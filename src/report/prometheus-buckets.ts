import { highestValueNs, MAX_TRACKABLE_US } from '../telemetry/buckets.js';
import type { HistogramData } from '../telemetry/telemetry-data.js';

/** Of the deadline. A bound at the deadline itself makes "met in time" a plain ratio of two series. */
const DEADLINE_FRACTIONS = [1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 3 / 2, 2, 4];
/** 10 µs to 10 s: the same for every task, so that series of different tasks can be added. */
const SERIES_US: readonly number[] = [1, 2, 5].flatMap((digit) =>
  [1e1, 1e2, 1e3, 1e4, 1e5, 1e6].map((us) => us * digit),
);

/** By deadline: there are as many as tasks and loops. */
const boundsOf = new Map<number, readonly number[]>();
const MAX_KNOWN = 1000;

/**
 * Upper bounds of the classic buckets in whole nanoseconds, ascending, without +Inf: the 1-2-5 series from 10 µs to 10 s
 * and 1/8, 1/4, 1/2, 3/4, 1, 3/2, 2 and 4 times the deadline. A task's deadline never changes, so neither do they.
 */
export function bucketBoundsNs(deadlineUs: number): readonly number[] {
  const known = boundsOf.get(deadlineUs);
  if (known !== undefined) return known;
  const all = [...SERIES_US, MAX_TRACKABLE_US, ...DEADLINE_FRACTIONS.map((fraction) => fraction * deadlineUs)];
  const inRange = all.filter((us) => us > 0 && us <= MAX_TRACKABLE_US).map((us) => Math.round(us * 1000));
  const boundsNs = [...new Set(inRange)].sort((a, b) => a - b);
  if (boundsOf.size < MAX_KNOWN) boundsOf.set(deadlineUs, boundsNs);
  return boundsNs;
}

/**
 * How many values are at most each bound (cumulative). One of our own buckets is finer than these and is counted whole,
 * by its upper end: a value is counted under a bound at most 1/128 too late (1.024 µs below 131 µs), and never too
 * early. So nothing late is counted as in time. Values above 10 s are under no bound.
 */
export function cumulativeCounts(data: HistogramData, boundsNs: readonly number[]): number[] {
  const counts: number[] = [];
  let next = 0;
  let reached = 0;
  for (const boundNs of boundsNs) {
    while (next < data.buckets.length) {
      const [index, count] = data.buckets[next]!;
      if (highestValueNs(index) > boundNs) break;
      reached += count;
      next++;
    }
    counts.push(reached);
  }
  return counts;
}
