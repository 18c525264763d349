import fc from 'fast-check';
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type JsHistogram } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { BUCKET_COUNT, bucketIndex, MAX_TRACKABLE_US, TICK_NS, ticksOf } from '../../src/telemetry/buckets.js';
import { toHdrHistogram } from '../../src/telemetry/hdr-histogram.js';
import { HistogramCounts, HistogramReader, summarize } from '../../src/telemetry/histogram-reader.js';
import { HISTOGRAM_USED_WORDS, HISTOGRAM_WORDS, recordUs } from '../../src/telemetry/shared-histogram.js';

function sharedWords(histograms: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * HISTOGRAM_WORDS * histograms));
}

/** Durations as they come: from below a tick to beyond 10 s, dense at the small end. */
const durationUs = fc.oneof(
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.double({ min: 0, max: 7, noNaN: true }).map((exponent) => 10 ** exponent),
  fc.integer({ min: 0, max: 20_000 }),
);
const durations = fc.array(durationUs, { minLength: 1, maxLength: 400 });

/** The quantile by the book: the value of rank ceil(share * n) in sorted order. */
function oracleQuantile(sorted: readonly number[], permille: number): number {
  return sorted[Math.max(Math.ceil((sorted.length * permille) / 1000), 1) - 1]!;
}

describe('recording', () => {
  test('lands in its own bucket and nowhere else, and leaves the neighbours alone', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const words = sharedWords(3);
        const expected = new Int32Array(words.length);
        for (const us of values) {
          recordUs(words, HISTOGRAM_WORDS, us);
          expected[HISTOGRAM_WORDS + bucketIndex(ticksOf(us))]! += 1;
        }
        expect([...words]).toEqual([...expected]);
      }),
      { numRuns: 30 },
    );
  });

  test('out of range: negative is 0, above 10 s is the last bucket and overflow, NaN is invalid', () => {
    const words = sharedWords(1);
    for (const us of [-1, -0, -5000, -1e7, -(2 ** 31), Number.NEGATIVE_INFINITY, -1e300]) recordUs(words, 0, us);
    for (const us of [MAX_TRACKABLE_US + 0.001, 2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY]) recordUs(words, 0, us);
    recordUs(words, 0, MAX_TRACKABLE_US);
    recordUs(words, 0, Number.NaN);
    const counts = new HistogramReader([{ words, base: 0 }]).total();
    expect(counts.buckets[0]).toBe(7);
    expect(counts.buckets[BUCKET_COUNT - 1]).toBe(5);
    expect([counts.count, counts.overflow, counts.invalid]).toEqual([12, 4, 1]);
    expect(toHdrHistogram(counts).totalCount).toBe(12);
  });
});

describe('quantiles', () => {
  const quantiles = [
    ['p50', 500],
    ['p90', 900],
    ['p99', 990],
    ['p999', 999],
    ['max', 1000],
  ] as const;

  test('are within 1 % of a sorted array, or one tick', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const words = sharedWords(1);
        for (const us of values) recordUs(words, 0, us);
        const summary = summarize(new HistogramReader([{ words, base: 0 }]).total());
        const sorted = [...values].sort((a, b) => a - b);
        expect(summary.count).toBe(values.length);
        for (const [name, permille] of quantiles) {
          const exact = oracleQuantile(sorted, permille);
          const error = summary[name]! - exact;
          // the upper end in whole ns: a fraction of a ns may lie above it
          expect(error).toBeGreaterThan(-0.001);
          expect(error).toBeLessThanOrEqual(Math.max(exact * 0.01, TICK_NS / 1000));
        }
      }),
    );
  });

  test('are those of hdr-histogram-js', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: BUCKET_COUNT - 1 }), fc.integer({ min: 1, max: 100_000 }))),
        (cells) => {
          const counts = new HistogramCounts();
          for (const [index, count] of cells) {
            counts.buckets[index]! += count;
            counts.count += count;
          }
          const histogram = toHdrHistogram(counts);
          const summary = summarize(counts);
          expect(histogram.totalCount).toBe(counts.count);
          if (counts.count === 0) return;
          for (const [name, permille] of quantiles) {
            expect(summary[name]! * 1000).toBeCloseTo(histogram.getValueAtPercentile(permille / 10), 3);
          }
          if (counts.buckets[0] !== counts.count) expect(summary.max! * 1000).toBeCloseTo(histogram.maxValue, 3);
        },
      ),
    );
  });

  test('an empty histogram has count 0 and nulls', () => {
    expect(summarize(new HistogramCounts())).toEqual({
      count: 0,
      p50: null,
      p90: null,
      p99: null,
      p999: null,
      max: null,
    });
  });

  test('a share that is a whole rank is that rank: p99.9 of 1000 values is the 999th', () => {
    for (let count = 1000; count <= 1_000_000; count += 1000) {
      for (const [, permille] of quantiles) {
        const counts = new HistogramCounts();
        counts.count = count;
        counts.buckets[0] = (count * permille) / 1000;
        counts.buckets[1] = count - counts.buckets[0];
        expect(counts.quantileUs(permille / 1000)).toBe(1.023);
      }
    }
    // 0.07 * 100 is a little above 7 in floating point
    const counts = new HistogramCounts();
    counts.count = 100;
    counts.buckets[0] = 7;
    counts.buckets[1] = 93;
    expect(counts.quantileUs(0.07)).toBe(1.023);
  });
});

describe('conversion to hdr-histogram-js', () => {
  test('has our counts index by index, our extremes, and survives encoding', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const words = sharedWords(1);
        for (const us of values) recordUs(words, 0, us);
        const counts = new HistogramReader([{ words, base: 0 }]).total();
        const histogram = toHdrHistogram(counts) as JsHistogram;
        const decoded = decodeFromCompressedBase64(encodeIntoCompressedBase64(histogram), 64) as JsHistogram;
        const indices = Array.from(counts.buckets.keys());
        expect(indices.map((i) => histogram.getCountAtIndex(i))).toEqual([...counts.buckets]);
        expect(indices.map((i) => decoded.getCountAtIndex(i) ?? 0)).toEqual([...counts.buckets]);
        // where all values are below one tick the library's maximum is 0
        const onlyZeros = counts.buckets[0] === counts.count;
        expect(histogram.maxValue).toBe(onlyZeros ? 0 : histogram.getValueAtPercentile(100));
        expect(decoded.getValueAtPercentile(99)).toBe(histogram.getValueAtPercentile(99));
      }),
      { numRuns: 20 },
    );
  });

  test('counts beyond 2^32 in one bucket stay exact', () => {
    const counts = new HistogramCounts();
    counts.buckets[77] = 2 ** 40 + 1;
    counts.count = 2 ** 40 + 1;
    expect(toHdrHistogram(counts).totalCount).toBe(2 ** 40 + 1);
    expect((toHdrHistogram(counts) as JsHistogram).getCountAtIndex(77)).toBe(2 ** 40 + 1);
  });
});

describe('readers', () => {
  test('the sum of several histograms is the histogram of all their values', () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 1, maxLength: 5 }), (parts) => {
        const words = sharedWords(parts.length + 1);
        const bases = parts.map((_, i) => (i + 1) * HISTOGRAM_WORDS);
        for (const [i, values] of parts.entries()) {
          for (const us of values) {
            recordUs(words, bases[i]!, us);
            recordUs(words, 0, us);
          }
        }
        const together = new HistogramReader([{ words, base: 0 }]).total();
        expect(new HistogramReader(bases.map((base) => ({ words, base }))).total()).toEqual(together);
        const merged = new HistogramCounts();
        for (const base of bases) merged.add(new HistogramReader([{ words, base }]).total());
        expect(merged).toEqual(together);
      }),
      { numRuns: 30 },
    );
  });

  test('windows of several readers add up to what was recorded, whoever looks when', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ record: durationUs, into: fc.nat({ max: 1 }) }) },
      {
        weight: 1,
        arbitrary: fc.record({ look: fc.nat({ max: 2 }), how: fc.constantFrom('window' as const, 'total' as const) }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const words = sharedWords(2);
        const sources = [0, HISTOGRAM_WORDS].map((base) => ({ words, base }));
        const readers = [0, 1, 2].map(() => new HistogramReader(sources));
        const model = new Float64Array(BUCKET_COUNT);
        const sinceWindow = readers.map(() => new Float64Array(BUCKET_COUNT));
        for (const s of steps) {
          if ('record' in s) {
            recordUs(words, sources[s.into]!.base, s.record);
            const index = bucketIndex(ticksOf(s.record));
            model[index]! += 1;
            for (const since of sinceWindow) since[index]! += 1;
          } else if (s.how === 'window') {
            expect(readers[s.look]!.window().buckets).toEqual(sinceWindow[s.look]);
            sinceWindow[s.look]!.fill(0);
          } else {
            expect(readers[s.look]!.total().buckets).toEqual(model);
          }
        }
        for (const reader of readers) expect(reader.total().buckets).toEqual(model);
      }),
      { numRuns: 60 },
    );
  });

  test('a source added later belongs to the next window', () => {
    const words = sharedWords(2);
    recordUs(words, 0, 5);
    const reader = new HistogramReader([{ words, base: 0 }]);
    expect(reader.window().count).toBe(1);
    recordUs(words, HISTOGRAM_WORDS, 5);
    recordUs(words, HISTOGRAM_WORDS, 5);
    reader.addSource({ words, base: HISTOGRAM_WORDS });
    expect(reader.window().count).toBe(2);
    expect(reader.window().count).toBe(0);
    expect(reader.total().count).toBe(3);
  });

  test.each([0x7ffffffe, -2])('a counter that starts at %i goes on over the edge of 32 bits', (start) => {
    const words = sharedWords(1);
    const index = bucketIndex(ticksOf(100));
    words[index] = start;
    const reader = new HistogramReader([{ words, base: 0 }]);
    expect(reader.window().count).toBe(start >>> 0);
    for (let i = 0; i < 5; i++) recordUs(words, 0, 100);
    expect(reader.window().count).toBe(5);
    expect(reader.total().count).toBe((start >>> 0) + 5);
    expect(reader.total().buckets[index]).toBe((start >>> 0) + 5);
  });

  test.each([-1, 0.5, Number.NaN, 1, HISTOGRAM_WORDS])(
    'a histogram that does not fit at base %d is refused',
    (base) => {
      const words = new Int32Array(HISTOGRAM_USED_WORDS);
      expect(() => new HistogramReader([{ words, base }])).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    },
  );
});
