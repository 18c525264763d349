import fc from 'fast-check';
import { build, type JsHistogram } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import {
  BUCKET_COUNT,
  bucketIndex,
  highestValueNs,
  lowestValueNs,
  MAX_TRACKABLE_NS,
  MAX_TRACKABLE_US,
  SIGNIFICANT_DIGITS,
  TICK_NS,
  ticksOf,
} from '../../src/telemetry/buckets.js';

const reference = build({
  bitBucketSize: 64,
  autoResize: false,
  lowestDiscernibleValue: TICK_NS,
  highestTrackableValue: MAX_TRACKABLE_NS,
  numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
}) as JsHistogram;

describe('bucket arithmetic', () => {
  test('the range is 10 s and fits the reference', () => {
    expect(bucketIndex(ticksOf(MAX_TRACKABLE_US))).toBe(BUCKET_COUNT - 1);
    expect(BUCKET_COUNT).toBeLessThanOrEqual(reference.countsArrayLength);
    expect(lowestValueNs(BUCKET_COUNT - 1)).toBeLessThanOrEqual(MAX_TRACKABLE_NS);
    expect(highestValueNs(BUCKET_COUNT - 1)).toBeGreaterThanOrEqual(MAX_TRACKABLE_NS);
  });

  test('every index round-trips, buckets touch, and each is as wide as 2 digits allow', () => {
    for (let index = 0; index < BUCKET_COUNT; index++) {
      const lowest = lowestValueNs(index);
      const highest = highestValueNs(index);
      expect(bucketIndex(lowest / TICK_NS)).toBe(index);
      expect(bucketIndex(Math.floor(highest / TICK_NS))).toBe(index);
      if (index > 0) expect(lowest).toBe(highestValueNs(index - 1) + 1);
      if (index >= 256) expect((highest + 1 - lowest) / lowest).toBeLessThanOrEqual(1 / 128);
    }
  });

  test('indices and ends are those of hdr-histogram-js, bucket by bucket', () => {
    for (let index = 0; index < BUCKET_COUNT; index++) {
      expect(reference.valueFromIndex(index)).toBe(lowestValueNs(index));
      expect(reference.highestEquivalentValue(lowestValueNs(index))).toBe(highestValueNs(index));
      expect(reference.countsArrayIndex(lowestValueNs(index))).toBe(index);
      expect(reference.countsArrayIndex(highestValueNs(index))).toBe(index);
    }
  });

  test('any value has the index that hdr-histogram-js gives it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: MAX_TRACKABLE_US, noNaN: true }), (us) => {
        expect(bucketIndex(ticksOf(us))).toBe(reference.countsArrayIndex(Math.floor(us * 1000)));
      }),
      { numRuns: 3000 },
    );
  });

  test('what is out of range is clamped', () => {
    expect(ticksOf(-1)).toBe(0);
    expect(ticksOf(-0)).toBe(0);
    expect(ticksOf(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(ticksOf(Number.NaN)).toBe(0);
    expect(bucketIndex(ticksOf(MAX_TRACKABLE_US * 1.5))).toBe(BUCKET_COUNT - 1);
    expect(bucketIndex(ticksOf(Number.POSITIVE_INFINITY))).toBe(BUCKET_COUNT - 1);
    expect(bucketIndex(ticksOf(2 ** 31))).toBe(BUCKET_COUNT - 1);
  });
});
