import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Equaliser } from '../../../src/cli/demo/audio/equaliser.js';
import { ParameterRamps } from '../../../src/cli/demo/audio/parameter-ramps.js';
import { EQ_BANDS, type EqShape, PARAMETERS } from '../../../src/cli/demo/audio/parameters.js';

/** |H| of a cookbook biquad in dB, from its own formulas: nothing shared with the state variable filter. */
function cookbookDb(shape: EqShape, f0: number, gainDb: number, q: number, f: number, rate: number): number {
  const a = 10 ** (gainDb / 40);
  const w0 = (2 * Math.PI * f0) / rate;
  const cos = Math.cos(w0);
  const alpha = Math.sin(w0) / (2 * q);
  const root = 2 * Math.sqrt(a) * alpha;
  const s = shape === 'lowShelf' ? 1 : -1;
  const [b, d] =
    shape === 'peak'
      ? [
          [1 + alpha * a, -2 * cos, 1 - alpha * a],
          [1 + alpha / a, -2 * cos, 1 - alpha / a],
        ]
      : [
          [
            a * (a + 1 - s * (a - 1) * cos + root),
            s * 2 * a * (a - 1 - s * (a + 1) * cos),
            a * (a + 1 - s * (a - 1) * cos - root),
          ],
          [a + 1 + s * (a - 1) * cos + root, s * -2 * (a - 1 + s * (a + 1) * cos), a + 1 + s * (a - 1) * cos - root],
        ];
  const w = (2 * Math.PI * f) / rate;
  const power = (c: number[]): number => {
    const re = c[0]! + c[1]! * Math.cos(w) + c[2]! * Math.cos(2 * w);
    const im = c[1]! * Math.sin(w) + c[2]! * Math.sin(2 * w);
    return re * re + im * im;
  };
  return 10 * Math.log10(power(b!) / power(d!));
}

function setUp(rate: number, channels: number, set: (ramps: ParameterRamps) => void) {
  const ramps = new ParameterRamps(rate);
  const equaliser = new Equaliser(rate, channels);
  equaliser.reset(ramps);
  set(ramps);
  const planes = Array.from({ length: channels }, () => new Float64Array(128));
  const block = (): void => {
    ramps.advance();
    equaliser.process(planes, 128, ramps);
    ramps.settle();
  };
  // silence until the glide is over
  for (let i = 0; i < 60; i++) block();
  return { ramps, planes, block };
}

function impulseResponse(rate: number, set: (ramps: ParameterRamps) => void, blocks: number): Float64Array {
  const { planes, block } = setUp(rate, 1, set);
  const response = new Float64Array(blocks * 128);
  for (let b = 0; b < blocks; b++) {
    planes[0]!.fill(0);
    if (b === 0) planes[0]![0] = 1;
    block();
    response.set(planes[0]!, b * 128);
  }
  return response;
}

function magnitudeDb(response: Float64Array, f: number, rate: number): number {
  const w = (2 * Math.PI * f) / rate;
  let re = 0;
  let im = 0;
  for (let i = 0; i < response.length; i++) {
    re += response[i]! * Math.cos(w * i);
    im -= response[i]! * Math.sin(w * i);
  }
  return 10 * Math.log10(re * re + im * im);
}

const RATE = 48_000;

describe('equaliser', () => {
  it('has the response of the cookbook filters in series, whatever the settings', () => {
    const bands = fc.tuple(
      ...EQ_BANDS.map(() =>
        fc.record({
          frequencyHz: fc.double({ min: 60, max: 20_000, noNaN: true }),
          gainDb: fc.double({ min: -24, max: 24, noNaN: true }),
          q: fc.double({ min: 0.2, max: 4, noNaN: true }),
        }),
      ),
    );
    fc.assert(
      fc.property(bands, (settings) => {
        const response = impulseResponse(
          RATE,
          (ramps) => {
            settings.forEach(({ frequencyHz, gainDb, q }, band) => {
              ramps.set(band * 3, frequencyHz);
              ramps.set(band * 3 + 1, gainDb);
              ramps.set(band * 3 + 2, q);
            });
          },
          200,
        );
        for (const f of [30, 100, 333, 1000, 3000, 9000, 15_000, 22_000]) {
          const expected = settings.reduce(
            (sum, { frequencyHz, gainDb, q }, band) =>
              sum + cookbookDb(EQ_BANDS[band]!.shape, frequencyHz, gainDb, q, f, RATE),
            0,
          );
          expect(Math.abs(magnitudeDb(response, f, RATE) - expected)).toBeLessThan(0.02);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('passes the signal unchanged at 0 dB', () => {
    const response = impulseResponse(RATE, () => {}, 4);
    expect(response[0]).toBe(1);
    expect(response.subarray(1).every((value) => value === 0)).toBe(true);
  });

  it('keeps a band above half the rate below it', () => {
    const response = impulseResponse(8000, (ramps) => ramps.set(13, 12), 8);
    expect(magnitudeDb(response, 200, 8000)).toBeCloseTo(0, 1);
    expect(magnitudeDb(response, 3999, 8000)).toBeCloseTo(12, 0);
  });

  it('stays bounded while every parameter jumps from end to end at every block', () => {
    const { ramps, planes, block } = setUp(RATE, 2, () => {});
    let worst = 0;
    for (let b = 0; b < 600; b++) {
      for (let id = 0; id < EQ_BANDS.length * 3; id++)
        ramps.set(id, (b * 7 + id * 3) % 5 < 2 ? PARAMETERS[id]!.min : PARAMETERS[id]!.max);
      for (const plane of planes) for (let i = 0; i < 128; i++) plane[i] = Math.sin(i * (b + 1) * 0.37);
      block();
      for (const plane of planes) for (const value of plane) worst = Math.max(worst, Math.abs(value));
    }
    // five bands of 24 dB on top of each other are a factor of 10^6
    expect(worst).toBeLessThan(1e7);
  });

  it('makes no click when a gain changes: the steps between samples stay those of the sine', () => {
    const { ramps, planes, block } = setUp(RATE, 1, () => {});
    const w = (2 * Math.PI * 200) / RATE;
    let last = Number.NaN;
    let curvature = 0;
    let slope = Number.NaN;
    for (let b = 0; b < 100; b++) {
      if (b === 40) ramps.set(4, 12);
      if (b === 60) ramps.set(4, -12);
      for (let i = 0; i < 128; i++) planes[0]![i] = Math.sin(w * (b * 128 + i));
      block();
      for (const value of planes[0]!) {
        const step = value - last;
        if (b > 0) curvature = Math.max(curvature, Math.abs(step - slope));
        slope = step;
        last = value;
      }
    }
    // a sine of amplitude A bends by A w^2 a sample; a jump of 1 % would bend 15 times as much
    const amplitude = 10 ** (cookbookDb('peak', 350, 12, 1, 200, RATE) / 20);
    expect(curvature).toBeLessThan(4 * amplitude * w * w);
  });

  it('falls silent without denormal numbers', () => {
    const { planes, block } = setUp(RATE, 1, (ramps) => ramps.set(1, 12));
    planes[0]![0] = 1;
    block();
    let loud = 0;
    for (let b = 0; b < 2000; b++) {
      planes[0]!.fill(0);
      block();
      if (planes[0]!.some((value) => value !== 0)) loud = b;
      expect(planes[0]!.every((value) => value === 0 || Math.abs(value) > 1e-300)).toBe(true);
    }
    expect(loud).toBeLessThan(1000);
  });
});
