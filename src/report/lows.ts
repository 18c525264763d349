/**
 * Frame-time lows: one number for how bad the worst frames are, in frames per second. Two formulas are in use under the
 * name "1 % low" and give different figures for the same frames, so each carries its formula in its name.
 */
import { bucketRangeNs, type HistogramData, histogramCounts } from '../telemetry/telemetry-data.js';

const LOW_SHARE = 0.01;
const NS_PER_S = 1e9;
const US_PER_S = 1e6;

/**
 * `low1Percentile`: frames per second at the 99th percentile of the frame intervals: 1 000 000 / quantile 0.99 in µs.
 * 99 of 100 intervals are at most that long; how long the hundredth is does not count.
 * @param intervalUs from one frame to the next
 * @returns frames per second, or null where nothing was counted
 */
export function low1Percentile(intervalUs: HistogramData): number | null {
  const us = histogramCounts(intervalUs).quantileUs(1 - LOW_SHARE);
  return us === null ? null : US_PER_S / us;
}

/**
 * `low1Integral`: frames per second at the interval at which the intervals, summed from the longest down, reach 1 % of
 * the total time. It asks for the worst hundredth of the *time* that a viewer sat there, so one long freeze weighs as
 * much as it lasted. Never above `low1Percentile`: the longest intervals that fill 1 % of the time are at most 1 % of them.
 * @param intervalUs from one frame to the next; each counts as its bucket's middle in the sums (at most 1/256 off), and
 * the answer is taken from the bucket's upper end, as quantiles are
 * @returns frames per second, or null where nothing was counted
 */
export function low1Integral(intervalUs: HistogramData): number | null {
  const { buckets } = intervalUs;
  let totalNs = 0;
  for (const [index, count] of buckets) totalNs += count * middleNs(index);
  let reachedNs = 0;
  for (let i = buckets.length - 1; i >= 0; i--) {
    const [index, count] = buckets[i]!;
    reachedNs += count * middleNs(index);
    if (reachedNs >= totalNs * LOW_SHARE) return NS_PER_S / bucketRangeNs(index).highest;
  }
  return null;
}

function middleNs(index: number): number {
  const { lowest, highest } = bucketRangeNs(index);
  return (lowest + highest) / 2;
}
