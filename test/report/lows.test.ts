import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { low1Integral, low1Percentile } from '../../src/report/lows.js';
import { sampledHistogram } from '../../src/report/sampled-histogram.js';

const intervals = fc.array(fc.integer({ min: 300, max: 2_000_000 }), { minLength: 1, maxLength: 400 });
/** A bucket is at most 1/128 of its value wide. */
const RESOLUTION = 1 / 128;

/** By the definition, on the values themselves; `share` of the total time. */
function integralByDefinition(values: readonly number[], share = 0.01): number {
  const total = values.reduce((sum, us) => sum + us, 0);
  let reached = 0;
  for (const us of [...values].sort((a, b) => b - a)) {
    reached += us;
    if (reached >= total * share) return 1e6 / us;
  }
  throw new Error('no values');
}

describe('frame-time lows', () => {
  it('tell nothing of nothing', () => {
    expect(low1Percentile(sampledHistogram([]))).toBeNull();
    expect(low1Integral(sampledHistogram([]))).toBeNull();
  });

  it('worked example: 990 frames of 10 ms and 10 of 100 ms', () => {
    const data = sampledHistogram([...Array(990).fill(10_000), ...Array(10).fill(100_000)]);
    // the 990th of 1000 is still 10 ms
    expect(low1Percentile(data)).toBeGreaterThan(100 * (1 - RESOLUTION));
    expect(low1Percentile(data)).toBeLessThanOrEqual(100);
    // 10.9 s in all; two of 100 ms are more than 109 ms
    expect(low1Integral(data)).toBeGreaterThan(10 * (1 - RESOLUTION));
    expect(low1Integral(data)).toBeLessThanOrEqual(10);
  });

  it('one freeze weighs as much as it lasted', () => {
    const data = sampledHistogram([...Array(2000).fill(10_000), 500_000]);
    expect(low1Percentile(data)).toBeGreaterThan(95);
    expect(low1Integral(data)).toBeLessThan(2.01);
  });

  it('percentile: the value of rank 0.99 n', () => {
    fc.assert(
      fc.property(intervals, (values) => {
        const exact = 1e6 / [...values].sort((a, b) => a - b)[Math.ceil(0.99 * values.length - 1e-9) - 1]!;
        const fps = low1Percentile(sampledHistogram(values))!;
        // one tick of 1.024 µs for small values
        expect(fps).toBeLessThanOrEqual(exact * 1.004);
        expect(fps).toBeGreaterThanOrEqual(exact * (1 - RESOLUTION - 0.004));
      }),
    );
  });

  it('integral: the definition, unless the hundredth falls between two values by less than the resolution', () => {
    fc.assert(
      fc.property(intervals, (values) => {
        const fps = low1Integral(sampledHistogram(values))!;
        // the sums' own resolution: the answer lies between those of a little less and a little more than 1 %
        const nearby = [0.0099, 0.01, 0.0101].map((share) => integralByDefinition(values, share));
        expect(nearby.some((exact) => Math.abs(fps - exact) <= exact * (RESOLUTION + 0.004))).toBe(true);
      }),
    );
  });

  it('integral is never above percentile', () => {
    fc.assert(
      fc.property(intervals, (values) => {
        const data = sampledHistogram(values);
        expect(low1Integral(data)!).toBeLessThanOrEqual(low1Percentile(data)! + 1e-9);
      }),
    );
  });
});
