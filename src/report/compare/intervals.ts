/**
 * What two samples let one say: confidence intervals that assume nothing about how latencies are distributed. They do
 * assume that values are independent of each other, which jobs of one run are only roughly (misses come in runs), hence
 * the high confidence that is asked for.
 */
import type { HistogramData } from '../../telemetry/telemetry-data.js';
import { bucketRangeNs } from '../../telemetry/telemetry-data.js';

/** Two-sided. */
export const CONFIDENCE = 0.99;
const TAIL = (1 - CONFIDENCE) / 2;
/** Quantile 0.995 of the normal distribution. */
const Z = 2.5758293035489004;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval for a proportion (E. B. Wilson, JASA 22, 1927). `of` above 0. */
export function wilson(count: number, of: number): Interval {
  const p = count / of;
  const z2 = Z * Z;
  const centre = (p + z2 / (2 * of)) / (1 + z2 / of);
  const half = (Z / (1 + z2 / of)) * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of * of));
  // at the ends rounding must not part it from the proportion
  return { low: count === 0 ? 0 : Math.max(0, centre - half), high: count === of ? 1 : Math.min(1, centre + half) };
}

/**
 * Interval of the difference b - a of two independent proportions: Newcombe's hybrid score method, his number 10
 * (R. G. Newcombe, Statistics in Medicine 17, 1998).
 */
export function newcombe(countA: number, ofA: number, countB: number, ofB: number): Interval {
  const a = countA / ofA;
  const b = countB / ofB;
  const wa = wilson(countA, ofA);
  const wb = wilson(countB, ofB);
  return {
    low: b - a - Math.hypot(b - wb.low, wa.high - a),
    high: b - a + Math.hypot(wb.high - b, a - wa.low),
  };
}

/**
 * Interval of a quantile from order statistics (H. A. David, H. N. Nagaraja, Order Statistics, 7.1): how many of n
 * values lie at or below the true quantile is binomial, whatever the distribution. Ends are the buckets' outer ends, in
 * microseconds, so that the resolution of the histogram is in it; infinite where n is too small to bound it.
 * @param share 0 to 1, both excluded
 */
export function quantileInterval(data: HistogramData, share: number): Interval {
  const ranks = quantileRanks(data.count, share);
  return {
    low: ranks.low < 1 ? Number.NEGATIVE_INFINITY : bucketRangeNs(bucketOfRank(data, ranks.low)).lowest / 1000,
    high:
      ranks.high > data.count ? Number.POSITIVE_INFINITY : bucketRangeNs(bucketOfRank(data, ranks.high)).highest / 1000,
  };
}

/**
 * Ranks (from 1) between which the true quantile lies: the greatest `low` with P(X < low) at most half a tail and the
 * least `high` with P(X >= high) at most that, X binomial of n and share. 0 or n + 1 for none.
 */
export function quantileRanks(n: number, share: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const mean = n * share;
  const deviation = Math.sqrt(mean * (1 - share));
  // beyond this many deviations (and a few for small n) nothing is left that a double would show
  const reach = Math.ceil(8 * deviation + 40);
  const from = Math.max(0, Math.floor(mean) - reach);
  const to = Math.min(n, Math.ceil(mean) + reach);
  const odds = share / (1 - share);
  const mode = Math.min(to, Math.floor((n + 1) * share));
  // relative to the mode, so that no factorial is needed, and then scaled to 1
  const weights = new Float64Array(to - from + 1);
  weights[mode - from] = 1;
  for (let k = mode; k < to; k++) weights[k + 1 - from] = weights[k - from]! * ((n - k) / (k + 1)) * odds;
  for (let k = mode; k > from; k--) weights[k - 1 - from] = weights[k - from]! * (k / (n - k + 1) / odds);
  let total = 0;
  for (const weight of weights) total += weight;
  const allowed = TAIL * total;
  let low = 0;
  for (let k = from, below = weights[0]!; k < to && below <= allowed; k++, below += weights[k - from]!) low = k + 1;
  let high = n + 1;
  for (let k = to, above = weights[to - from]!; k > from && above <= allowed; k--, above += weights[k - from]!)
    high = k;
  return { low, high };
}

function bucketOfRank({ buckets }: HistogramData, rank: number): number {
  let reached = 0;
  for (const [index, count] of buckets) {
    reached += count;
    if (reached >= rank) return index;
  }
  return buckets.at(-1)?.[0] ?? 0;
}
