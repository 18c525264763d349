import { bucketRangeNs, type HistogramData } from '../telemetry/telemetry-data.js';
import type { ExponentialHistogramValue } from './opentelemetry-types.js';

/** The SDK's own limit, and what collectors are made for. */
const MAX_BUCKETS = 160;
/** Buckets of scale 6 are 1.09 % wide; finer ones than ours (0.78 %) would only show gaps. */
const MAX_SCALE = 6;

/**
 * Our counts as a base-2 exponential histogram in seconds, of the largest scale up to 6 that needs at most 160 buckets
 * (6 for values within a factor of 5.6, 3 within one of 900 000).
 *
 * A bucket of ours goes whole where its middle belongs: a value may stand in the neighbouring bucket if it is within
 * 1/256 of the boundary between them. Values below 1.024 µs are counted as zero. `min` and `max` are the ends of the
 * outermost buckets, at most 1/128 too low or too high; values above 10 s stand as 10 s.
 */
export function exponentialHistogram({ count, sumUs, buckets }: HistogramData): ExponentialHistogramValue {
  const negative = { offset: 0, bucketCounts: [] };
  const base = { count, sum: sumUs / 1e6, negative };
  const first = buckets[0];
  const last = buckets.at(-1);
  if (first === undefined || last === undefined) {
    return { ...base, scale: MAX_SCALE, zeroCount: 0, positive: { offset: 0, bucketCounts: [] } };
  }
  const range = { min: bucketRangeNs(first[0]).lowest / 1e9, max: bucketRangeNs(last[0]).highest / 1e9 };
  const zeroCount = first[0] === 0 ? first[1] : 0;
  const positive = zeroCount === 0 ? buckets : buckets.slice(1);
  if (positive.length === 0) {
    return { ...base, ...range, scale: MAX_SCALE, zeroCount, positive: { offset: 0, bucketCounts: [] } };
  }
  const lowest = middleSeconds(positive[0]![0]);
  const highest = middleSeconds(last[0]);
  let scale = MAX_SCALE;
  while (exponentialIndex(highest, scale) - exponentialIndex(lowest, scale) >= MAX_BUCKETS) scale--;
  const offset = exponentialIndex(lowest, scale);
  const bucketCounts = new Array<number>(exponentialIndex(highest, scale) - offset + 1).fill(0);
  for (const [index, of] of positive) bucketCounts[exponentialIndex(middleSeconds(index), scale) - offset]! += of;
  return { ...base, ...range, scale, zeroCount, positive: { offset, bucketCounts } };
}

function middleSeconds(index: number): number {
  const { lowest, highest } = bucketRangeNs(index);
  return (lowest + highest) / 2e9;
}

/** Bucket of a value at a scale: the index i with 2^(i / 2^scale) < value <= 2^((i + 1) / 2^scale). */
export function exponentialIndex(value: number, scale: number): number {
  return Math.ceil(Math.log2(value) * 2 ** scale) - 1;
}
