import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { AudioClock, targetDepthSampleFrames } from '../../src/ring/audio-clock.js';
import { StreamRing } from '../../src/ring/stream-ring.js';
import { PlaybackStream } from '../../src/web-audio/playback-stream.js';

const SAMPLE_RATE = 48_000;
const BLOCK = 128;
const HOUR_US = 3600e6;

interface Simulation {
  /** by which the device's clock is faster than the worker's */
  readonly devicePpm: number;
  readonly periodUs: number;
  /** latest that a release is served after it was due */
  readonly lateUs: number;
  /** blocks that the device takes back to back */
  readonly burstBlocks: number;
  readonly target: number;
  readonly seed: number;
  readonly hours?: number;
}

/** An hour of the real ring, lane rule and processor on two clocks that drift apart. Time is the worker's. */
function simulate({ devicePpm, periodUs, lateUs, burstBlocks, target, seed, hours = 1 }: Simulation) {
  const random = xoroshiro128plus(seed);
  const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 4096 });
  const clock = AudioClock.allocate(ring, target);
  const producer = ring.producer();
  const stream = new PlaybackStream({ ring: ring.buffer, clock: clock.buffer, maxDepthSampleFrames: 0 });
  const burstUs = ((BLOCK * burstBlocks) / SAMPLE_RATE) * 1e6 * (1 / (1 + devicePpm / 1e6));
  const block = new Float32Array(BLOCK);
  const outputs = [[new Float32Array(BLOCK)]];
  let period = 0;
  let burst = 1;
  let serveUs = 0;
  let written = 0;
  let expected = 0;
  let wrongSamples = 0;
  let deepest = 0;
  let shallowest = Number.POSITIVE_INFINITY;
  for (;;) {
    const deviceUs = burst * burstUs + 1e6; // the stream has begun before
    if (Math.min(serveUs, deviceUs) > hours * HOUR_US) break;
    if (serveUs <= deviceUs) {
      for (let due = clock.blocksDue(producer, BLOCK); due > 0; due--) {
        for (let i = 0; i < BLOCK; i++) block[i] = (written + i) % 65_521;
        written += producer.write(block, 0, BLOCK);
      }
      deepest = Math.max(deepest, ring.writtenItems() - ring.readItems());
      period++;
      // served late at random, and in order
      serveUs = Math.max(serveUs, period * periodUs + uniformInt(random, 0, lateUs));
    } else {
      for (let n = 0; n < burstBlocks; n++) {
        stream.render(outputs, (burst * burstBlocks + n) * BLOCK);
        const plane = outputs[0]![0]!;
        for (let i = 0; i < BLOCK; i++) if (plane[i] !== (expected + i) % 65_521) wrongSamples++;
        expected += BLOCK;
      }
      shallowest = Math.min(shallowest, ring.writtenItems() - ring.readItems());
      burst++;
    }
  }
  return { ...ring.counts(), wrongSamples, deepest, shallowest, played: expected };
}

describe('a lane that fills to the depth, and a device on another clock', () => {
  const seed = 20_260_101;
  const cases = [-500, 500].flatMap((devicePpm) => [
    { devicePpm, periodUs: 2500, lateUs: 3000, burstBlocks: 1 },
    { devicePpm, periodUs: 1333, lateUs: 500, burstBlocks: 4 },
  ]);

  it.each(cases)('an hour without an xrun and with a bounded depth: %o', (one) => {
    const target = targetDepthSampleFrames({
      sampleRate: SAMPLE_RATE,
      periodMs: one.periodUs / 1000,
      lateMs: one.lateUs / 1000,
      burstSampleFrames: BLOCK * one.burstBlocks,
    });
    const result = simulate({ ...one, target, seed });
    expect(result, `seed ${seed}`).toMatchObject({ underruns: 0, overruns: 0, missingItems: 0, wrongSamples: 0 });
    expect(result.played).toBeGreaterThan(3599 * SAMPLE_RATE * (1 + one.devicePpm / 1e6) - 4 * BLOCK);
    expect(result.deepest).toBeLessThan(target + BLOCK);
    expect(result.shallowest).toBeGreaterThanOrEqual(0);
  });

  it('runs dry at a depth that leaves out how late the lane may be', () => {
    const one = { devicePpm: 0, periodUs: 2500, lateUs: 6000, burstBlocks: 1 };
    const target = targetDepthSampleFrames({ sampleRate: SAMPLE_RATE, periodMs: 2.5, lateMs: 0 });
    expect(simulate({ ...one, target, seed, hours: 0.01 }).underruns).toBeGreaterThan(0);
  });

  it('would run dry without the depth: a lane that renders one block each period of its own clock', () => {
    // the same clocks; depth 1024 is gone after 1024 / (48000 * 500 ppm) = 43 s
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 4096 });
    const producer = ring.producer();
    const consumer = ring.consumer();
    const block = new Float32Array(BLOCK);
    for (let i = 0; i < 8; i++) producer.write(block, 0, BLOCK);
    const periodUs = (BLOCK / SAMPLE_RATE) * 1e6;
    let deviceBlocks = 0;
    for (let period = 1; period * periodUs < 60e6; period++) {
      producer.write(block, 0, BLOCK);
      for (; deviceBlocks * periodUs < period * periodUs * 1.0005; deviceBlocks++) consumer.pull(block, 0, BLOCK);
    }
    expect(ring.counts().underruns).toBeGreaterThan(0);
  });
});
