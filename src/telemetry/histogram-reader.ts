/**
 * Reading shared histograms: any number of readers, each with windows of its own. Conversion to hdr-histogram-js is in
 * `hdr-histogram.ts`.
 */
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { BUCKET_COUNT, highestValueNs } from './buckets.js';
import { HISTOGRAM_INVALID_OFFSET, HISTOGRAM_OVERFLOW_OFFSET, HISTOGRAM_USED_WORDS } from './shared-histogram.js';

/** Where one shared histogram lies: its first word is `words[base]`. */
export interface HistogramSource {
  readonly words: Int32Array;
  readonly base: number;
}

/** Quantiles in microseconds, each the upper end of its bucket (at most 1/128 too high); null where `count` is 0. */
export interface LatencySummary {
  count: number;
  p50: number | null;
  p90: number | null;
  p99: number | null;
  p999: number | null;
  max: number | null;
}

/** Counts by bucket in private memory: what was read of one or more shared histograms. Exact to 2^53. */
export class HistogramCounts {
  /** Length BUCKET_COUNT. */
  readonly buckets: Float64Array;
  /** Values in `buckets`, those above 10 s included. */
  count: number;
  /** Values above 10 s; they are in the last bucket too. */
  overflow: number;
  /** NaN values; they are in no bucket and not in `count`. */
  invalid: number;
  constructor() {
    this.buckets = new Float64Array(BUCKET_COUNT);
    this.count = 0;
    this.overflow = 0;
    this.invalid = 0;
  }

  /** Adds `other` to this one. */
  add(other: HistogramCounts): this {
    for (let i = 0; i < BUCKET_COUNT; i++) this.buckets[i]! += other.buckets[i]!;
    this.count += other.count;
    this.overflow += other.overflow;
    this.invalid += other.invalid;
    return this;
  }

  /**
   * The value in microseconds that `share` (0 to 1) of all values do not exceed, as HdrHistogram defines it: the upper
   * end of the bucket of the value of rank `ceil(share * count)`, at least 1. Null where nothing was counted.
   */
  quantileUs(share: number): number | null {
    if (this.count === 0) return null;
    // 0.07 * 100 and its like come out above the whole number, and must not round up to the next rank
    const rank = Math.min(Math.max(Math.ceil(share * this.count * (1 - 2 * Number.EPSILON)), 1), this.count);
    const { buckets } = this;
    let reached = 0;
    for (let i = 0; i < BUCKET_COUNT; i++) {
      reached += buckets[i]!;
      if (reached >= rank) return highestValueNs(i) / 1000;
    }
    return null;
  }
}

/** Count and quantiles. */
export function summarize(counts: HistogramCounts): LatencySummary {
  return {
    count: counts.count,
    p50: counts.quantileUs(0.5),
    p90: counts.quantileUs(0.9),
    p99: counts.quantileUs(0.99),
    p999: counts.quantileUs(0.999),
    max: counts.quantileUs(1),
  };
}

/**
 * Reads the sum of any number of shared histograms (a task on several workers, the tasks of a lane). It keeps what it
 * saw last and writes nothing shared, so readers do not disturb the writer or each other.
 *
 * Counts are exact while a reader looks at least once in 2^32 values of one bucket, summed over its sources (71 minutes
 * at a million a second); one that starts later than that has missed a multiple of 2^32.
 */
export class HistogramReader {
  private readonly sources: HistogramSource[];
  /** The sources' words summed modulo 2^32: differences of sums are sums of differences. */
  private sums: Int32Array;
  /** `sums` when last looked at. */
  private lastSums: Int32Array;
  /** All that was ever seen, by word. */
  private readonly seen: Float64Array;
  /** `seen` at the end of the last window. */
  private readonly windowStart: Float64Array;

  /**
   * Allocates about 52 KiB. The histograms' counts so far belong to the first window.
   * @throws OPTION_INVALID if a histogram does not fit at its base
   */
  constructor(sources: readonly HistogramSource[] = []) {
    this.sources = [];
    this.sums = new Int32Array(HISTOGRAM_USED_WORDS);
    this.lastSums = new Int32Array(HISTOGRAM_USED_WORDS);
    this.seen = new Float64Array(HISTOGRAM_USED_WORDS);
    this.windowStart = new Float64Array(HISTOGRAM_USED_WORDS);
    for (const source of sources) this.addSource(source);
  }

  /**
   * One more histogram to sum (a worker that came later). What it already counts belongs to the next window.
   * @throws OPTION_INVALID if the histogram does not fit at its base
   */
  addSource(source: HistogramSource): void {
    const { words, base } = source;
    if (!Number.isInteger(base) || base < 0 || base + HISTOGRAM_USED_WORDS > words.length) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `the histogram's base is ${describeValue(base)} in ${words.length} words, expected a whole number that leaves ${HISTOGRAM_USED_WORDS} words`,
      );
    }
    this.sources.push(source);
  }

  /** What was counted since the last call of `window()` on this reader (the first: since the histograms began). */
  window(): HistogramCounts {
    this.look();
    const counts = toCounts(this.seen, this.windowStart);
    this.windowStart.set(this.seen);
    return counts;
  }

  /** What was counted since the histograms began. Leaves windows alone. */
  total(): HistogramCounts {
    this.look();
    return toCounts(this.seen, NOTHING);
  }

  private look(): void {
    const { sums, lastSums, seen } = this;
    sums.fill(0);
    for (const source of this.sources) addWords(sums, source.words, source.base);
    for (let i = 0; i < HISTOGRAM_USED_WORDS; i++) {
      const grown = (sums[i]! - lastSums[i]!) >>> 0;
      if (grown !== 0) seen[i]! += grown;
    }
    this.sums = lastSums;
    this.lastSums = sums;
  }
}

const NOTHING = new Float64Array(HISTOGRAM_USED_WORDS);

function addWords(sums: Int32Array, words: Int32Array, base: number): void {
  for (let i = 0; i < HISTOGRAM_USED_WORDS; i++) {
    const word = words[base + i]!;
    sums[i] = (sums[i]! + word) | 0;
  }
}

function toCounts(seen: Float64Array, before: Float64Array): HistogramCounts {
  const counts = new HistogramCounts();
  const { buckets } = counts;
  let count = 0;
  for (let i = 0; i < BUCKET_COUNT; i++) {
    const grown = seen[i]! - before[i]!;
    buckets[i] = grown;
    count += grown;
  }
  counts.count = count;
  counts.overflow = seen[HISTOGRAM_OVERFLOW_OFFSET]! - before[HISTOGRAM_OVERFLOW_OFFSET]!;
  counts.invalid = seen[HISTOGRAM_INVALID_OFFSET]! - before[HISTOGRAM_INVALID_OFFSET]!;
  return counts;
}
