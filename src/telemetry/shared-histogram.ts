/**
 * A latency histogram inside shared memory: one writer, any number of readers, no locks, never reset.
 *
 * Assumptions: (1) one thread writes a histogram; (2) `words` is an Int32Array, so every access is aligned and 32 bits
 * wide, and reads and writes of it do not tear, plain ones included (ECMA-262, memory model, tear-free reads).
 * Guarantees: (1) a reader sees, in each word, some count that was true, and never an older one than it saw before;
 * (2) what the writer recorded before an atomic store is seen by whoever read that store; (3) counts only grow, modulo
 * 2^32, so readers take differences and nobody disturbs anybody.
 *
 * Words, all written by the histogram's writer only:
 *
 *     base + 0 .. BUCKET_COUNT - 1       counts by bucket, unsigned modulo 2^32
 *     base + HISTOGRAM_OVERFLOW_OFFSET   values above 10 s; each is also counted in the last bucket
 *     base + HISTOGRAM_INVALID_OFFSET    NaN; counted here and in no bucket
 */
import { BUCKET_COUNT, bucketIndex, MAX_TRACKABLE_US, TICKS_PER_US } from './buckets.js';

export const HISTOGRAM_OVERFLOW_OFFSET = BUCKET_COUNT;
export const HISTOGRAM_INVALID_OFFSET = BUCKET_COUNT + 1;

/** Words that are in use; a reader looks at these. */
export const HISTOGRAM_USED_WORDS = BUCKET_COUNT + 2;

/**
 * Words to reserve for one histogram (8.6 KiB): a multiple of 128 bytes, so that with an aligned start two workers'
 * histograms lie in no common pair of cache lines. Fresh memory (all 0) is an empty histogram.
 */
export const HISTOGRAM_WORDS = Math.ceil(HISTOGRAM_USED_WORDS / 32) * 32;

/**
 * Counts one duration in microseconds. Negative ones count as 0, ones above 10 s as 10 s and as overflow, NaN as
 * invalid. For the histogram's one writer; never allocates, blocks or throws.
 * @param base index of the histogram's first word in `words`
 */
export function recordUs(words: Int32Array, base: number, us: number): void {
  // written so that NaN fails it
  if (!(us <= MAX_TRACKABLE_US)) {
    recordOutOfRange(words, base, us);
    return;
  }
  const ticks = us > 0 ? (us * TICKS_PER_US) | 0 : 0;
  const index = base + bucketIndex(ticks);
  const count = words[index]!;
  words[index] = (count + 1) | 0;
}

function recordOutOfRange(words: Int32Array, base: number, us: number): void {
  if (us > MAX_TRACKABLE_US) {
    bump(words, base + BUCKET_COUNT - 1);
    bump(words, base + HISTOGRAM_OVERFLOW_OFFSET);
  } else {
    bump(words, base + HISTOGRAM_INVALID_OFFSET);
  }
}

function bump(words: Int32Array, index: number): void {
  const count = words[index]!;
  words[index] = (count + 1) | 0;
}
