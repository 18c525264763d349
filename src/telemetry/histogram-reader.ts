/**
 * Reading shared histograms. Readers only: this file loads hdr-histogram-js, which recording threads do not need.
 */
import { build, type Histogram } from 'hdr-histogram-js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import {
  BUCKET_COUNT,
  highestValueNs,
  lowestValueNs,
  MAX_TRACKABLE_NS,
  SIGNIFICANT_DIGITS,
  TICK_NS,
} from './buckets.js';
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
  /** The sources' words, summed modulo 2^32, when last looked at: differences of sums are sums of differences. */
  private readonly lastSums: Uint32Array;
  /** All that was ever seen, by word. */
  private readonly seen: Float64Array;
  /** `seen` at the end of the last window. */
  private readonly windowStart: Float64Array;

  /** Allocates about 44 KiB. The histograms' counts so far belong to the first window. */
  constructor(sources: readonly HistogramSource[] = []) {
    this.sources = [];
    this.lastSums = new Uint32Array(HISTOGRAM_USED_WORDS);
    this.seen = new Float64Array(HISTOGRAM_USED_WORDS);
    this.windowStart = new Float64Array(HISTOGRAM_USED_WORDS);
    for (const source of sources) this.addSource(source);
  }

  /** One more histogram to sum (a worker that came later). What it already counts belongs to the next window. */
  addSource(source: HistogramSource): void {
    const { words, base } = source;
    if (!Number.isInteger(base) || base < 0 || base + HISTOGRAM_USED_WORDS > words.length) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `base is ${describeValue(base)} in ${words.length} words, expected a whole number that leaves ${HISTOGRAM_USED_WORDS} words for the histogram`,
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
    return toCounts(this.seen, null);
  }

  private look(): void {
    const { sources, lastSums, seen } = this;
    for (let i = 0; i < HISTOGRAM_USED_WORDS; i++) {
      let sum = 0;
      for (let s = 0; s < sources.length; s++) {
        const source = sources[s]!;
        sum = (sum + source.words[source.base + i]!) | 0;
      }
      const grown = (sum - lastSums[i]!) >>> 0;
      if (grown !== 0) {
        lastSums[i] = sum;
        seen[i]! += grown;
      }
    }
  }
}

function toCounts(seen: Float64Array, before: Float64Array | null): HistogramCounts {
  const counts = new HistogramCounts();
  const grown = (word: number) => seen[word]! - (before === null ? 0 : before[word]!);
  for (let i = 0; i < BUCKET_COUNT; i++) {
    const inBucket = grown(i);
    counts.buckets[i] = inBucket;
    counts.count += inBucket;
  }
  counts.overflow = grown(HISTOGRAM_OVERFLOW_OFFSET);
  counts.invalid = grown(HISTOGRAM_INVALID_OFFSET);
  return counts;
}

/**
 * The counts as an hdr-histogram-js Histogram in nanoseconds (64-bit counts, plain JavaScript: no `destroy()` needed),
 * for percentiles, merging, encoding and `.hlog`. Bucket by bucket the same counts. Allocates about 20 KiB.
 */
export function toHdrHistogram(counts: HistogramCounts): Histogram {
  const histogram = build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: TICK_NS,
    highestTrackableValue: MAX_TRACKABLE_NS,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    useWebAssembly: false,
  });
  let highest = -1;
  for (let i = 0; i < BUCKET_COUNT; i++) {
    const count = counts.buckets[i]!;
    if (count === 0) continue;
    histogram.recordValueWithCount(lowestValueNs(i), count);
    highest = i;
  }
  // Its maximum comes from the recorded value, not from the bucket. Counting the last tick of the highest bucket 0
  // times raises it to that bucket's end, where its percentiles are too; the counts stay as they are.
  if (highest >= 0) histogram.recordValueWithCount(highestValueNs(highest) + 1 - TICK_NS, 0);
  return histogram;
}

/** Count and quantiles, as HdrHistogram defines them (the least value that the share of all values does not exceed). */
export function summarize(counts: HistogramCounts): LatencySummary {
  if (counts.count === 0) return { count: 0, p50: null, p90: null, p99: null, p999: null, max: null };
  const histogram = toHdrHistogram(counts);
  return {
    count: counts.count,
    p50: histogram.getValueAtPercentile(50) / 1000,
    p90: histogram.getValueAtPercentile(90) / 1000,
    p99: histogram.getValueAtPercentile(99) / 1000,
    p999: histogram.getValueAtPercentile(99.9) / 1000,
    max: histogram.maxValue / 1000,
  };
}
