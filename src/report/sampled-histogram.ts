import { bucketIndex, MAX_TRACKABLE_US, ticksOf } from '../telemetry/buckets.js';
import { HistogramCounts } from '../telemetry/histogram-reader.js';
import { type HistogramData, histogramData } from '../telemetry/telemetry-data.js';

/** A distribution of single values in microseconds, as recording them would have made it. */
export function sampledHistogram(valuesUs: Iterable<number>): HistogramData {
  const counts = new HistogramCounts();
  for (const us of valuesUs) {
    counts.buckets[bucketIndex(ticksOf(us))]! += 1;
    counts.count++;
    if (us > MAX_TRACKABLE_US) counts.overflow++;
  }
  return histogramData(counts);
}
