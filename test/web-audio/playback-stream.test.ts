import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { PlaybackStream } from '../../src/web-audio/playback-stream.js';
import { BLOCK, dirtyPorts, ramp, ringWithClock } from './support.js';

describe('PlaybackStream', () => {
  const make = (options: Parameters<typeof ringWithClock>[0] & { maxDepth?: number } = {}) => {
    const { ring, clock } = ringWithClock(options);
    const producer = ring.producer();
    const stream = new PlaybackStream({
      ring: ring.buffer,
      clock: clock.buffer,
      maxDepthSampleFrames: options.maxDepth ?? 0,
    });
    const channels = options.channels ?? 1;
    let now = 1000;
    const render = () => {
      const ports = dirtyPorts(channels);
      const goesOn = stream.render(ports, now);
      now += BLOCK;
      return { goesOn, planes: ports.flat() };
    };
    return { ring, clock, producer, render, now: () => now };
  };

  it('is silent, and counts nothing, until the ring is as deep as it shall be', () => {
    const { ring, clock, producer, render } = make();
    producer.write(ramp(0, 255, 1), 0, 255);
    expect(render().planes[0]).toEqual(new Float32Array(BLOCK));
    expect(clock.state()).toBe('waiting');
    producer.write(ramp(255, 1, 1), 0, 1);
    expect(render().planes[0]).toEqual(ramp(0, BLOCK, 1));
    expect(clock.state()).toBe('flowing');
    expect(ring.counts()).toMatchObject({ underruns: 0, missingItems: 0 });
  });

  it.each([1, 2, 6, 32, 33, 70])(
    'gives each of %i channels its own samples, over as many outputs as are needed',
    (channels) => {
      const { producer, render } = make({ channels, startIndex: 2 ** 32 - 100 });
      producer.write(ramp(0, 256, channels), 0, 256);
      for (const first of [0, BLOCK]) {
        const { planes } = render();
        expect(planes).toHaveLength(channels);
        const frames = ramp(first, BLOCK, channels);
        planes.forEach((plane, channel) => {
          expect(plane).toEqual(frames.filter((_, i) => i % channels === channel));
        });
      }
    },
  );

  it('plays what a planar producer wrote', () => {
    const { producer, render } = make({ channels: 2 });
    const left = ramp(0, 256, 1);
    const right = left.map((value) => -value);
    producer.pushPlanar([left, right], 0, 256);
    expect(render().planes).toEqual([left.subarray(0, BLOCK), right.subarray(0, BLOCK)]);
  });

  it('counts a gap once, with all that was missing, and goes on with the next sample at the target depth', () => {
    const { ring, clock, producer, render } = make();
    producer.write(ramp(0, 300, 1), 0, 300);
    render();
    render();
    const torn = render().planes[0]!;
    expect(torn.subarray(0, 44)).toEqual(ramp(256, 44, 1));
    expect(torn.subarray(44)).toEqual(new Float32Array(84));
    expect(clock.state()).toBe('starved');
    for (let i = 0; i < 5; i++) expect(render().planes[0]).toEqual(new Float32Array(BLOCK));
    producer.write(ramp(300, 255, 1), 0, 255);
    expect(render().planes[0]).toEqual(new Float32Array(BLOCK));
    expect(ring.counts()).toMatchObject({ underruns: 1, missingItems: 84 + 6 * BLOCK });
    producer.write(ramp(555, 1, 1), 0, 1);
    expect(render().planes[0]).toEqual(ramp(300, BLOCK, 1));
    expect(ring.counts()).toMatchObject({ underruns: 1, missingItems: 84 + 6 * BLOCK });
  });

  it('tells where in the device`s time a sample frame is played, before and after a gap', () => {
    const { clock, producer, render, now } = make({ startIndex: 0 });
    producer.write(ramp(0, 256, 1), 0, 256);
    render();
    expect(clock.deviceSampleFrameOf(200, now())).toBe(1200);
    expect(clock.streamSampleFrameAt(1200, 0)).toBe(200);
    render();
    render(); // all of it silence
    producer.write(ramp(256, 256, 1), 0, 256);
    render();
    expect(clock.deviceSampleFrameOf(256, now())).toBe(1000 + 3 * BLOCK);
  });

  it('plays a stream that ends below the target depth, to its last sample, and counts nothing', () => {
    const { ring, clock, producer, render } = make();
    producer.write(ramp(0, 130, 1), 0, 130);
    producer.close();
    expect(render()).toEqual({ goesOn: true, planes: [ramp(0, BLOCK, 1)] });
    const last = render();
    expect(last.goesOn).toBe(false);
    expect(last.planes[0]!.subarray(0, 3)).toEqual(Float32Array.of(129, 130, 0));
    expect(clock.state()).toBe('ended');
    expect(ring.counts()).toMatchObject({ underruns: 0, missingItems: 0 });
  });

  it('loses nothing of a stream that closes just after it was found dry', () => {
    const { ring, producer, render } = make();
    producer.write(ramp(0, 256, 1), 0, 256);
    render();
    render();
    // the producer writes and closes between the look into the ring and the look whether it has closed
    const load = Atomics.load;
    const words = new Int32Array(ring.buffer);
    let looks = 0;
    vi.spyOn(Atomics, 'load').mockImplementation(((array: Int32Array, index: number) => {
      const value = load(array, index);
      if (array.buffer === words.buffer && index === 33 && ++looks === 1) {
        producer.write(ramp(256, 10, 1), 0, 10);
        producer.close();
      }
      return value;
    }) as typeof Atomics.load);
    expect(render().goesOn).toBe(true);
    vi.restoreAllMocks();
    expect(render().planes[0]!.subarray(0, 11)).toEqual(Float32Array.of(...ramp(256, 10, 1), 0));
  });

  it('stops when it is asked to, in silence', () => {
    const { clock, producer, render } = make();
    producer.write(ramp(0, 256, 1), 0, 256);
    render();
    clock.requestClose();
    expect(render()).toEqual({ goesOn: false, planes: [new Float32Array(BLOCK)] });
    expect(clock.state()).toBe('ended');
  });

  it('skips the oldest above the greatest depth, down to the target depth', () => {
    const { ring, clock, producer, render } = make({ maxDepth: 600, startIndex: 2 ** 32 - 700 });
    producer.write(ramp(0, 600, 1), 0, 600);
    expect(render().planes[0]).toEqual(ramp(0, BLOCK, 1));
    producer.write(ramp(600, 300, 1), 0, 300);
    expect(render().planes[0]).toEqual(ramp(900 - 256, BLOCK, 1));
    expect(clock.skippedSampleFrames()).toBe(772 - 256);
    expect(ring.counts().underruns).toBe(0);
  });

  it('gives the whole stream in order with silence only between, whatever the producer does', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 400 }) },
      { weight: 2, arbitrary: fc.constant(-1) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 512 }), (steps, target) => {
        const { ring, producer, render } = make({ target, startIndex: 2 ** 32 - 5000 });
        const heard: number[] = [];
        let written = 0;
        let blocks = 0;
        let leading = 0;
        const listen = () => {
          const { goesOn, planes } = render();
          blocks++;
          for (const sample of planes[0]!) {
            if (sample !== 0) heard.push(sample);
            else if (heard.length === 0) leading++;
          }
          return goesOn;
        };
        for (const size of steps) {
          if (size < 0) listen();
          else written += producer.write(ramp(written, size, 1), 0, Math.min(size, producer.writableSampleFrames()));
        }
        const { missingItems } = ring.counts();
        const before = heard.length;
        expect(missingItems).toBe(before === 0 ? 0 : blocks * BLOCK - leading - before);
        producer.close();
        for (let n = 0; n < 1000 && listen(); n++);
        expect(heard).toEqual(Array.from({ length: written }, (_, i) => i + 1));
      }),
    );
  });

  it('is as deep as before after a stall of 200 ms, where the lane fills to the depth', () => {
    const { ring, clock, producer, render } = make({ capacity: 2048, target: 512 });
    let written = 0;
    const lane = () => {
      for (let due = clock.blocksDue(producer, BLOCK); due > 0; due--) {
        written += producer.write(ramp(written, BLOCK, 1), 0, BLOCK);
      }
    };
    const depths = new Set<number>();
    for (let block = 0; block < 400; block++) {
      const stalled = block >= 100 && block < 175;
      if (!stalled) lane();
      render();
      if (block > 180) depths.add(ring.writtenItems() - ring.readItems());
    }
    expect(ring.counts()).toMatchObject({ underruns: 1, missingItems: (75 - 3) * BLOCK });
    expect([...depths]).toEqual([512 - BLOCK]);
  });
});
