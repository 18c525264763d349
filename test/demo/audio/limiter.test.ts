import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Limiter } from '../../../src/cli/demo/audio/limiter.js';
import { MovingSum } from '../../../src/cli/demo/audio/moving-sum.js';
import { ParameterRamps } from '../../../src/cli/demo/audio/parameter-ramps.js';
import { ParameterId } from '../../../src/cli/demo/audio/parameters.js';
import { SlidingMinimum } from '../../../src/cli/demo/audio/sliding-minimum.js';
import { DETECTOR_DELAY_SAMPLE_FRAMES, TruePeakDetector } from '../../../src/cli/demo/audio/true-peak-detector.js';
import { itu1770Peak, truePeak16 } from './true-peak-meter.js';

function limit(
  signals: readonly ((i: number) => number)[],
  sampleFrames: number,
  rate = 48_000,
  ceilingDb = -1,
  releaseMs = 80,
): { output: Float32Array[]; latency: number } {
  const ramps = new ParameterRamps(rate);
  ramps.set(ParameterId.limiterCeilingDb, ceilingDb);
  ramps.set(ParameterId.limiterReleaseMs, releaseMs);
  for (let i = 0; i < 60; i++) ramps.advance();
  const limiter = new Limiter(rate, signals.length);
  limiter.reset(ramps);
  ramps.advance();
  ramps.settle();
  const blocks = Math.ceil(sampleFrames / 128);
  const output = signals.map(() => new Float32Array(blocks * 128));
  const planes = signals.map(() => new Float64Array(128));
  for (let b = 0; b < blocks; b++) {
    planes.forEach((plane, c) => {
      for (let i = 0; i < 128; i++) plane[i] = signals[c]!(b * 128 + i);
    });
    limiter.process(planes, 128, ramps);
    planes.forEach((plane, c) => {
      output[c]!.set(plane, b * 128);
    });
  }
  return { output, latency: limiter.latencySampleFrames };
}

function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const dB = (gain: number): number => 20 * Math.log10(gain);
const white = noise(1);
const signs = noise(2);
const sparse = noise(3);

describe('true-peak limiter', () => {
  it.each<[string, (i: number) => number]>([
    ['a quarter of the rate at 45 degrees', (i) => 4 * Math.sin((Math.PI / 2) * i + Math.PI / 4)],
    ['the same in bursts', (i) => (Math.floor(i / 300) % 2) * 5 * Math.sin((Math.PI / 2) * i + Math.PI / 4)],
    ['a third of the rate', (i) => 3 * Math.sin((2 * Math.PI * i) / 3 + 0.1)],
    ['close to half the rate', (i) => 3 * Math.sin(0.98 * Math.PI * i + 0.3)],
    ['a low tone', (i) => 3 * Math.sin(0.01 * i)],
    ['a sweep', (i) => 3 * Math.sin((Math.PI * i * i) / 16_000)],
    ['white noise', () => 20 * white()],
    ['random signs', () => (signs() < 0 ? -4 : 4)],
    ['single samples', (i) => (i % 97 === 0 ? 8 * sparse() : 0)],
    ['a square wave', (i) => (Math.floor(i / 61) % 2 ? 2 : -2)],
    // signs as the interpolator's own taps: the sum of magnitudes is reached
    ['the worst case of the interpolator', (i) => ((i % 96 >= 48 ? i : i + 1) % 2 ? 1 : -1)],
    ['a step from quiet to loud', (i) => (i < 3000 ? 0.05 : 5) * Math.sin((Math.PI / 2) * i + Math.PI / 4)],
  ])('%s stays under the ceiling, measured 16 times oversampled', (_, signal) => {
    for (const [rate, releaseMs] of [
      [48_000, 5],
      [48_000, 200],
      [8000, 5],
    ] as const) {
      const { output } = limit([signal], 6000, rate, -1, releaseMs);
      const peakDb = dB(truePeak16(output[0]!));
      expect(peakDb).toBeLessThanOrEqual(-1);
      expect(peakDb).toBeGreaterThan(-3.5);
    }
  });

  it('random sums of sines and clicks stay under any ceiling', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: 0.001, max: 0.99, noNaN: true }), fc.double({ min: 0, max: 6, noNaN: true })),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        fc.double({ min: 0.1, max: 30, noNaN: true }),
        fc.integer({ min: 40, max: 900 }),
        fc.constantFrom(8000, 44_100, 48_000, 96_000),
        fc.double({ min: -12, max: 0, noNaN: true }),
        fc.double({ min: 5, max: 300, noNaN: true }),
        (partials, level, clickEvery, rate, ceilingDb, releaseMs) => {
          const signal = (i: number): number => {
            let sum = i % clickEvery === 0 ? 1 : 0;
            for (const [f, phase] of partials) sum += Math.sin(Math.PI * f * i + phase);
            return (level * sum) / partials.length;
          };
          const { output } = limit([signal], 1500, rate, ceilingDb, releaseMs);
          expect(dB(truePeak16(output[0]!))).toBeLessThanOrEqual(ceilingDb);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stays under the ceiling by the meter of the standard', () => {
    const random = noise(9);
    for (const signal of [(i: number) => 4 * Math.sin((Math.PI / 2) * i + Math.PI / 4), () => 4 * random()])
      expect(dB(itu1770Peak(limit([signal], 20_000).output[0]!))).toBeLessThanOrEqual(-1);
  });

  it('gives the input back bit for bit, delayed, while nothing exceeds the ceiling', () => {
    const random = noise(4);
    const input = Float32Array.from({ length: 4096 }, () => 0.2 * random());
    const { output, latency } = limit([(i) => input[i]!], 4096);
    expect(output[0]!.subarray(0, latency).every((value) => value === 0)).toBe(true);
    expect(output[0]!.subarray(latency)).toEqual(input.subarray(0, 4096 - latency));
  });

  it('gives the input back bit for bit again after a peak was released', () => {
    const input = Float32Array.from({ length: 40_000 }, (_, i) => (i === 500 ? 10 : 0.1 * Math.sin(i)));
    const { output, latency } = limit([(i) => input[i]!], 40_000, 48_000, -1, 20);
    expect(output[0]![600 + latency]).not.toBe(input[600]);
    expect(output[0]!.subarray(30_000 + latency, 39_000)).toEqual(input.subarray(30_000, 39_000 - latency));
  });

  it('applies one gain to all channels', () => {
    const loud = (i: number): number => 4 * Math.sin(i / 7);
    const { output } = limit([loud, (i) => 0.25 * loud(i), (i) => -0.5 * loud(i)], 3000);
    for (let i = 0; i < 3000; i++) {
      expect(output[1]![i]).toBeCloseTo(0.25 * output[0]![i]!, 6);
      expect(output[2]![i]).toBeCloseTo(-0.5 * output[0]![i]!, 6);
    }
  });
});

describe('true-peak detector', () => {
  it('reads a sine between its samples, where they are all lower', () => {
    for (const f of [0.05, 0.21, 0.5, 0.7, 0.9])
      for (let phase = 0; phase < 3; phase += 0.2) {
        const detector = new TruePeakDetector(1);
        const peaks = new Float64Array(128);
        const plane = new Float64Array(128);
        let highest = 0;
        for (let b = 0; b < 4; b++) {
          for (let i = 0; i < 128; i++) plane[i] = Math.sin(Math.PI * f * (b * 128 + i) + phase);
          detector.process([plane], 128, peaks);
          if (b > 0) highest = Math.max(highest, ...peaks);
        }
        expect(dB(highest)).toBeGreaterThan(-0.1);
        expect(dB(highest)).toBeLessThan(0.1);
      }
  });

  it('reports a peak at its sample, late by the stated delay', () => {
    const detector = new TruePeakDetector(2);
    const peaks = new Float64Array(128);
    const plane = new Float64Array(128);
    plane[40] = -0.7;
    detector.process([new Float64Array(128), plane], 128, peaks);
    expect(peaks.indexOf(Math.max(...peaks))).toBe(40 + DETECTOR_DELAY_SAMPLE_FRAMES);
    expect(peaks[40 + DETECTOR_DELAY_SAMPLE_FRAMES]).toBeCloseTo(0.7, 3);
  });

  it('gives the same for any division into blocks', () => {
    const random = noise(5);
    const input = Float64Array.from({ length: 640 }, () => random());
    const run = (sizes: () => number): number[] => {
      const detector = new TruePeakDetector(1);
      const peaks = new Float64Array(128);
      const all: number[] = [];
      for (let at = 0; at < input.length; ) {
        const n = Math.min(sizes(), input.length - at);
        detector.process([input.subarray(at, at + n)], n, peaks);
        all.push(...peaks.subarray(0, n));
        at += n;
      }
      return all;
    };
    const whole = run(() => 128);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 128 }), { minLength: 1, maxLength: 9 }), (sizes) => {
        let n = 0;
        expect(run(() => sizes[n++ % sizes.length]!)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the limiter’s parts', () => {
  it('sliding minimum equals the brute-force minimum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 300 }),
        (window, values) => {
          const minimum = new SlidingMinimum(window);
          values.forEach((value, i) => {
            expect(minimum.next(value)).toBe(Math.min(...values.slice(Math.max(0, i - window + 1), i + 1)));
          });
        },
      ),
    );
  });

  it('moving sum of whole numbers never drifts', () => {
    const sum = new MovingSum(50);
    sum.reset(2 ** 30);
    expect(sum.next(2 ** 30)).toBe(50 * 2 ** 30);
    const random = noise(6);
    for (let i = 0; i < 100_000; i++) sum.next(Math.floor((random() + 1) * 2 ** 29));
    for (let i = 0; i < 50; i++) sum.next(3);
    expect(sum.next(3)).toBe(150);
  });
});
