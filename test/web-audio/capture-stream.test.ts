import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaptureStream } from '../../src/web-audio/capture-stream.js';
import { BLOCK, ramp, ringWithClock } from './support.js';

describe('CaptureStream', () => {
  const make = (options: Parameters<typeof ringWithClock>[0] = {}) => {
    const channels = options.channels ?? 1;
    const { ring, clock } = ringWithClock(options);
    const consumer = ring.consumer();
    const stream = new CaptureStream({ ring: ring.buffer, clock: clock.buffer });
    let now = 0;
    /** Records the next block of an endless ramp. */
    const capture = () => {
      const frames = ramp(now, BLOCK, channels);
      const inputs: Float32Array[][] = [];
      for (let channel = 0; channel < channels; channel++) {
        if (channel % 32 === 0) inputs.push([]);
        inputs.at(-1)!.push(frames.filter((_, i) => i % channels === channel));
      }
      const goesOn = stream.capture(inputs, BLOCK, now);
      now += BLOCK;
      return goesOn;
    };
    const read = (sampleFrames: number) => {
      const target = new Float32Array(sampleFrames * channels);
      return target.subarray(0, consumer.read(target, 0, sampleFrames) * channels);
    };
    return { ring, clock, consumer, stream, capture, read, now: () => now };
  };

  it.each([1, 2, 32, 40])('records %i channels', (channels) => {
    const { capture, read } = make({ channels, startIndex: 2 ** 32 - 200 });
    capture();
    capture();
    expect(read(400)).toEqual(ramp(0, 256, channels));
  });

  it('records silence where nothing is connected, and where a channel is missing', () => {
    const { stream, read } = make({ channels: 34 });
    const one = new Float32Array(BLOCK).fill(0.5);
    expect(stream.capture([[], [one]], BLOCK, 0)).toBe(true);
    const frames = read(BLOCK);
    expect(frames.filter((_, i) => i % 34 === 32)).toEqual(one);
    expect(frames.filter((sample) => sample !== 0)).toHaveLength(BLOCK);
    stream.capture([[one], []], BLOCK, BLOCK);
    const next = read(BLOCK);
    expect(next.filter((_, i) => i % 34 === 0)).toEqual(one);
    expect(next.filter((sample) => sample !== 0)).toHaveLength(BLOCK);
  });

  it('drops whole blocks from the first that does not fit until the ring is half empty: one overrun', () => {
    const { ring, clock, capture, read, now } = make({ capacity: 1000 });
    for (let i = 0; i < 9; i++) capture(); // 7 fit
    expect(clock.state()).toBe('starved');
    expect(read(300)).toEqual(ramp(0, 300, 1));
    capture(); // 404 free: not half
    expect(ring.counts()).toMatchObject({ overruns: 1, droppedItems: 3 * BLOCK });
    read(100);
    capture();
    expect(clock.state()).toBe('flowing');
    expect(read(1000)).toEqual(Float32Array.of(...ramp(400, 7 * BLOCK - 400, 1), ...ramp(10 * BLOCK, BLOCK, 1)));
    expect(ring.counts()).toMatchObject({ overruns: 1, droppedItems: 3 * BLOCK });
    expect(clock.deviceSampleFrameOf(7 * BLOCK, now())).toBe(10 * BLOCK);
  });

  it('ends the stream when it is asked to', () => {
    const { clock, consumer, capture, read } = make();
    capture();
    clock.requestClose();
    expect(capture()).toBe(false);
    expect(read(500)).toEqual(ramp(0, BLOCK, 1));
    expect(consumer.ended()).toBe(true);
    expect(clock.state()).toBe('ended');
  });

  it('keeps or counts every block, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -900, max: 1 }), { maxLength: 300 }), (steps) => {
        const { ring, capture, read } = make({ capacity: 700, startIndex: 2 ** 32 - 3000 });
        const got: number[] = [];
        let recorded = 0;
        for (const step of [...steps, -700]) {
          if (step < -450) got.push(...read(-step - 450));
          else {
            capture();
            recorded += BLOCK;
          }
        }
        got.push(...read(700));
        expect(got.length + ring.counts().droppedItems).toBe(recorded);
        // blocks are whole: every run starts at a block's start
        got.forEach((sample, i) => {
          if (i % BLOCK !== 0) expect(sample).toBe(got[i - 1]! + 1);
          else expect((sample - 1) % BLOCK).toBe(0);
        });
      }),
    );
  });
});
