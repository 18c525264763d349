/**
 * From our counts to hdr-histogram-js, for merging, encoding, `.hlog` and any percentile. Loading that library takes
 * about 40 ms: import this file only where its Histogram is wanted, and never in a worker.
 */
import { build, type Histogram } from 'hdr-histogram-js';
import {
  BUCKET_COUNT,
  highestValueNs,
  lowestValueNs,
  MAX_TRACKABLE_NS,
  SIGNIFICANT_DIGITS,
  TICK_NS,
} from './buckets.js';
import type { HistogramCounts } from './histogram-reader.js';

/**
 * The counts as a Histogram in nanoseconds: bucket by bucket the same, 64-bit counts, plain JavaScript (no `destroy()`
 * needed), of fixed range. Values above 10 s stand in the last bucket, NaN nowhere. `maxValue` is the end of the
 * highest bucket, as the percentile 100 is, but 0 if all values are below one tick (the library's rule). Allocates about
 * 20 KiB.
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
