import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SpectrumAnalyser } from '../../../src/cli/demo/picture/spectrum.js';

const sampleRateHz = 48_000;

function sine(frequencyHz: number, amplitude: number, length = 4096): Float32Array {
  return Float32Array.from({ length }, (_, i) => amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz));
}

function highest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

describe('spectrum', () => {
  test('a tone raises the bar that holds its frequency', () => {
    fc.assert(
      fc.property(fc.double({ min: 300, max: 15_000, noNaN: true }), (frequencyHz) => {
        const analyser = new SpectrumAnalyser({ sampleRateHz, tiltDbPerOctave: 0 });
        analyser.analyse(sine(frequencyHz, 0.1), undefined, 1);
        const bar = highest(analyser.bars);
        // where bars are narrower than a bin (23 Hz) a neighbour may win
        const slackHz = 24;
        expect(frequencyHz).toBeGreaterThan(analyser.edgesHz[bar]! - slackHz);
        expect(frequencyHz).toBeLessThan(analyser.edgesHz[bar + 1]! + slackHz);
      }),
    );
  });

  test('heights are decibels between floor and ceiling', () => {
    const options = { sampleRateHz, tiltDbPerOctave: 0, floorDb: -80, ceilingDb: 0, barCount: 40 };
    const heights = [1, 0.1, 0.01, 0.001].map((amplitude) => {
      const analyser = new SpectrumAnalyser(options);
      // exactly on a bin
      analyser.analyse(sine((sampleRateHz / 2048) * 64, amplitude), undefined, 1);
      return analyser.bars[highest(analyser.bars)]!;
    });
    for (const [i, expected] of [1, 0.75, 0.5, 0.25].entries()) expect(heights[i]).toBeCloseTo(expected, 2);
  });

  test('silence, NaN and infinity leave the bars down', () => {
    const analyser = new SpectrumAnalyser({ sampleRateHz });
    for (const value of [0, Number.NaN, Number.POSITIVE_INFINITY]) analyser.analyse(new Float32Array(2048).fill(value));
    expect(Math.max(...analyser.bars, ...analyser.peaks)).toBe(0);
  });

  test('a history read as a ring gives what the same samples in a row give', () => {
    const row = sine(1000, 0.5, 3000).map((value, i) => value * (i / 3000));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), (end) => {
        const ring = new Float32Array(3000);
        for (let i = 0; i < 3000; i++) ring[(end + i) % 3000] = row[i]!;
        const straight = new SpectrumAnalyser({ sampleRateHz });
        const wrapped = new SpectrumAnalyser({ sampleRateHz });
        straight.analyse(row);
        wrapped.analyse(ring, end);
        expect(wrapped.bars).toEqual(straight.bars);
      }),
      { numRuns: 25 },
    );
  });

  test('a short history counts as silence before it', () => {
    const short = sine(2000, 0.5, 500);
    const long = new Float32Array(2048);
    long.set(short, 1548);
    const a = new SpectrumAnalyser({ sampleRateHz });
    const b = new SpectrumAnalyser({ sampleRateHz });
    a.analyse(short);
    b.analyse(long);
    expect(a.bars).toEqual(b.bars);
    expect(Math.max(...a.bars)).toBeGreaterThan(0.3);
  });

  test('bars rise at once, fall steadily, and peaks hang above them before they drop', () => {
    const analyser = new SpectrumAnalyser({ sampleRateHz, fallS: 1 });
    const loud = sine(1000, 0.5);
    for (let i = 0; i < 5; i++) analyser.analyse(loud);
    const bar = highest(analyser.bars);
    const top = analyser.bars[bar]!;
    expect(top).toBeGreaterThan(0.9);
    const quiet = new Float32Array(2048);
    let previous = top;
    for (let frame = 0; frame < 90; frame++) {
      analyser.analyse(quiet);
      const height = analyser.bars[bar]!;
      expect(height).toBeCloseTo(Math.max(0, previous - 1 / 60), 5);
      expect(analyser.peaks[bar]).toBeGreaterThanOrEqual(height);
      if (frame < 18) expect(analyser.peaks[bar]).toBe(top);
      previous = height;
    }
    for (let frame = 0; frame < 60; frame++) analyser.analyse(quiet);
    expect(analyser.peaks[bar]).toBe(0);
  });

  test.each([
    { sampleRateHz: 0 },
    { sampleRateHz: Number.NaN },
    { sampleRateHz, fftSize: 1000 },
    { sampleRateHz, barCount: 0 },
    { sampleRateHz, barCount: 1.5 },
    { sampleRateHz, minHz: 20_000 },
    { sampleRateHz, floorDb: -6, ceilingDb: -6 },
    { sampleRateHz, fallS: 0 },
  ])('refuses %j', (options) => {
    expect(() => new SpectrumAnalyser(options)).toThrow(/OPTION_INVALID/);
  });

  test('works at the lowest and the highest sample rate', () => {
    for (const rate of [8000, 192_000, 384_000]) {
      const analyser = new SpectrumAnalyser({ sampleRateHz: rate });
      analyser.analyse(sine(1000, 1));
      for (const height of analyser.bars) expect(height >= 0 && height <= 1).toBe(true);
      expect(analyser.edgesHz[96]).toBeLessThanOrEqual(rate / 2);
    }
  });
});
