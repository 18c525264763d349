import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioClock, AudioClockWriter, targetDepthSampleFrames } from '../../src/ring/audio-clock.js';
import { StreamRing } from '../../src/ring/stream-ring.js';
import { ramp, ringWithClock } from './support.js';

const wrong = (message: RegExp, run: () => unknown) => {
  expect(run).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  expect(run).toThrow(message);
};

describe('AudioClock', () => {
  it('asks for whole blocks until the ring holds the target depth', () => {
    const { ring, clock } = ringWithClock({ capacity: 1024, target: 300 });
    const producer = ring.producer();
    expect(clock.blocksDue(producer, 128)).toBe(3);
    producer.write(ramp(0, 299, 1), 0, 299);
    expect(clock.blocksDue(producer, 128)).toBe(1);
    producer.write(ramp(299, 1, 1), 0, 1);
    expect(clock.blocksDue(producer, 128)).toBe(0);
    clock.setTargetDepthSampleFrames(512);
    expect(clock.blocksDue(producer, 128)).toBe(2);
  });

  it('always reaches the target depth and never asks for more than fits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 3000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (capacity, of, b) => {
          const most = capacity >>> 1;
          const target = Math.max(1, Math.floor(of * most));
          const block = 1 + (b % most);
          const { ring, clock } = ringWithClock({ capacity, target });
          const producer = ring.producer();
          for (let due = clock.blocksDue(producer, block); due > 0; due--) {
            expect(producer.write(new Float32Array(block), 0, block)).toBe(block);
          }
          const depth = ring.writtenItems() - ring.readItems();
          expect(depth).toBeGreaterThanOrEqual(target);
          expect(depth).toBeLessThan(target + block);
          expect(clock.blocksDue(producer, block)).toBe(0);
        },
      ),
    );
  });

  it('maps the device`s sample frames and the stream`s onto each other across both wraps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 40 }),
        fc.integer({ min: 0, max: 2 ** 33 }),
        fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
        (device, stream, ahead) => {
          const { clock } = ringWithClock({});
          new AudioClockWriter(clock.buffer).setOffset(device, stream);
          expect(clock.deviceSampleFrameOf((stream + ahead) >>> 0, device)).toBe(device + ahead);
          expect(clock.streamSampleFrameAt(device + ahead, stream)).toBe(stream + ahead);
        },
      ),
    );
  });

  it('refuses wrong use with words', () => {
    const { ring, clock } = ringWithClock({ capacity: 1000 });
    const producer = ring.producer();
    wrong(/targetDepthSampleFrames 501 given, .* 1 to 500/, () => AudioClock.allocate(ring, 501));
    wrong(/0\.5 given/, () => clock.setTargetDepthSampleFrames(0.5));
    wrong(/blocks of 501 sample frames given, 1 to 500/, () => clock.blocksDue(producer, 501));
    wrong(/the buffer of an AudioClock/, () => AudioClock.attach(ring.buffer));
    wrong(/the buffer of an AudioClock/, () => AudioClock.attach(new SharedArrayBuffer(8)));
    wrong(/the buffer of an AudioClock/, () => AudioClock.attach(undefined as unknown as SharedArrayBuffer));
    wrong(/periodMs 0 given/, () => targetDepthSampleFrames({ sampleRate: 48_000, periodMs: 0 }));
    wrong(/lateMs NaN given/, () => targetDepthSampleFrames({ sampleRate: 48_000, periodMs: 1, lateMs: Number.NaN }));
    expect(AudioClock.attach(clock.buffer).targetDepthSampleFrames()).toBe(256);
    expect(StreamRing.attach(ring.buffer, 'f32').capacityItems).toBe(1000);
  });
});
