import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Compressor, compressorCurveDb } from '../../../src/cli/demo/audio/compressor.js';
import { ParameterRamps } from '../../../src/cli/demo/audio/parameter-ramps.js';
import { ParameterId } from '../../../src/cli/demo/audio/parameters.js';

const RATE = 48_000;
const gainOf = (db: number): number => 10 ** (db / 20);

interface Settings {
  thresholdDb?: number;
  ratio?: number;
  kneeDb?: number;
  attackMs?: number;
  releaseMs?: number;
  makeupDb?: number;
}

function setUp(channels: number, settings: Settings) {
  const ramps = new ParameterRamps(RATE);
  ramps.set(ParameterId.compressorThresholdDb, settings.thresholdDb ?? -20);
  ramps.set(ParameterId.compressorRatio, settings.ratio ?? 4);
  ramps.set(ParameterId.compressorKneeDb, settings.kneeDb ?? 0);
  ramps.set(ParameterId.compressorAttackMs, settings.attackMs ?? 1);
  ramps.set(ParameterId.compressorReleaseMs, settings.releaseMs ?? 50);
  ramps.set(ParameterId.compressorMakeupDb, settings.makeupDb ?? 0);
  const compressor = new Compressor(RATE);
  compressor.reset(ramps);
  const planes = Array.from({ length: channels }, () => new Float64Array(128));
  const block = (...levels: number[]): void => {
    planes.forEach((plane, c) => {
      plane.fill(levels[c]!);
    });
    ramps.advance();
    compressor.process(planes, 128, ramps);
    ramps.settle();
  };
  for (let i = 0; i < 20; i++) block(...planes.map(() => 0));
  return { compressor, planes, block };
}

describe('compressor', () => {
  it('static curve: below, in and above the knee', () => {
    expect(compressorCurveDb(-40, -20, 4, 10)).toBe(-40);
    expect(compressorCurveDb(-25, -20, 4, 10)).toBe(-25);
    // at the threshold a knee of W takes off (1 - 1/R) W / 8
    expect(compressorCurveDb(-20, -20, 4, 10)).toBeCloseTo(-20 - (0.75 * 10) / 8, 12);
    expect(compressorCurveDb(-15, -20, 4, 10)).toBeCloseTo(-20 + 5 / 4, 12);
    expect(compressorCurveDb(0, -20, 4, 10)).toBeCloseTo(-15, 12);
    expect(compressorCurveDb(0, -20, 4, 0)).toBeCloseTo(-15, 12);
  });

  it('settles on the static curve of the loudest channel, with one gain for all', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 12, noNaN: true }),
        fc.double({ min: -40, max: -5, noNaN: true }),
        fc.double({ min: 1, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 12, noNaN: true }),
        (levelDb, thresholdDb, ratio, kneeDb, makeupDb) => {
          const { planes, block } = setUp(3, { thresholdDb, ratio, kneeDb, makeupDb });
          const levels = [0.1 * gainOf(levelDb), -gainOf(levelDb), 0.5 * gainOf(levelDb)];
          for (let i = 0; i < 150; i++) block(...levels);
          // the curve in its textbook form
          const over = levelDb - thresholdDb;
          const expectedDb =
            2 * over < -kneeDb
              ? levelDb
              : 2 * Math.abs(over) <= kneeDb && kneeDb > 0
                ? levelDb + ((1 / ratio - 1) * (over + kneeDb / 2) ** 2) / (2 * kneeDb)
                : thresholdDb + over / ratio;
          const gain = gainOf(expectedDb - levelDb + makeupDb);
          planes.forEach((plane, c) => {
            expect(plane[127]! / (levels[c]! * gain)).toBeCloseTo(1, 6);
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes the attack and release times to come within 1/e', () => {
    const { compressor, block } = setUp(1, { attackMs: 20, releaseMs: 100 });
    const wanted = 15;
    const attackBlocks = Math.round((0.02 * RATE) / 128);
    for (let i = 0; i < attackBlocks; i++) block(1);
    expect(compressor.reductionDb / wanted).toBeCloseTo(1 - Math.exp(-((attackBlocks * 128) / RATE) / 0.02), 6);
    for (let i = 0; i < 400; i++) block(1);
    expect(compressor.reductionDb).toBeCloseTo(wanted, 6);
    const releaseBlocks = Math.round(0.1 * (RATE / 128));
    for (let i = 0; i < releaseBlocks; i++) block(0);
    // the attack's smoothing lags behind the release by its 20 ms
    expect(compressor.reductionDb / wanted).toBeGreaterThan(Math.exp(-1));
    expect(compressor.reductionDb / wanted).toBeLessThan(Math.exp(-0.7));
  });

  it('comes back to exactly no reduction', () => {
    const { compressor, block, planes } = setUp(1, {});
    for (let i = 0; i < 50; i++) block(1);
    expect(compressor.reductionDb).toBeGreaterThan(10);
    for (let i = 0; i < 1000; i++) block(0);
    expect(compressor.reductionDb).toBe(0);
    block(0.01);
    expect(planes[0]![127]).toBe(0.01);
  });
});
