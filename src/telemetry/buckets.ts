/**
 * HdrHistogram bucket arithmetic with 2 significant digits, in one tick of 1.024 µs (Gil Tene, HdrHistogram,
 * `AbstractHistogram.java`: `countsArrayIndex`, `valueFromIndex`).
 *
 * A value is a whole number of ticks. Values below 256 ticks have a bucket each; above, each power of two is cut into
 * 128 equal buckets, so a bucket is at most 1/128 of its value wide. The index is the same as in a histogram of
 * hdr-histogram-js with `lowestDiscernibleValue` 1024 (ns), 2 digits: counts move from one to the other index by index.
 */

/** One tick in nanoseconds: the unit of HdrHistogram with a unit magnitude of 10. */
export const TICK_NS = 1024;

/** Ticks in a microsecond: 1000 / 1024, which is 125 / 2^7 and therefore exact as a double. */
export const TICKS_PER_US = 1000 / TICK_NS;

/** The greatest value with a bucket of its own, 10 s. What is above it is clamped into the last bucket. */
export const MAX_TRACKABLE_US = 10_000_000;
export const MAX_TRACKABLE_NS = MAX_TRACKABLE_US * 1000;

export const SIGNIFICANT_DIGITS = 2;

const SUB_BUCKET_HALF_COUNT = 128;
const SUB_BUCKET_MASK = 2 * SUB_BUCKET_HALF_COUNT - 1;
const SUB_BUCKET_HALF_MAGNITUDE = 7;
/** Leading zeros of the greatest value that is counted tick by tick. */
const LEADING_ZEROS_BASE = Math.clz32(SUB_BUCKET_MASK);

/**
 * The bucket of a value.
 * @param ticks whole, 0 to 2^31 - 1; from {@link ticksOf} it is always below {@link BUCKET_COUNT} buckets
 */
export function bucketIndex(ticks: number): number {
  const magnitude = LEADING_ZEROS_BASE - Math.clz32(ticks | SUB_BUCKET_MASK);
  return (magnitude << SUB_BUCKET_HALF_MAGNITUDE) + (ticks >>> magnitude);
}

/** Ticks of a duration in microseconds, rounded down; negative and NaN give 0, above 10 s gives the ticks of 10 s. */
export function ticksOf(us: number): number {
  if (us > MAX_TRACKABLE_US) return (MAX_TRACKABLE_US * TICKS_PER_US) | 0;
  return us > 0 ? (us * TICKS_PER_US) | 0 : 0;
}

/** Number of buckets: the last one (from 9.999 s to 10.066 s) holds 10 s. */
export const BUCKET_COUNT = bucketIndex(ticksOf(MAX_TRACKABLE_US)) + 1;

/** How far ticks are shifted to give the sub-bucket of this index. */
function magnitudeOf(index: number): number {
  return Math.max((index >>> SUB_BUCKET_HALF_MAGNITUDE) - 1, 0);
}

/** The least value, in ns, that is counted at `index` (0 to BUCKET_COUNT - 1). */
export function lowestValueNs(index: number): number {
  const magnitude = magnitudeOf(index);
  return (index - (magnitude << SUB_BUCKET_HALF_MAGNITUDE)) * 2 ** magnitude * TICK_NS;
}

/** The greatest whole number of ns that is counted at `index` (0 to BUCKET_COUNT - 1). */
export function highestValueNs(index: number): number {
  return lowestValueNs(index) + 2 ** magnitudeOf(index) * TICK_NS - 1;
}
