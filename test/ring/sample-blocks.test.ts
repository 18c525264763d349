import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SampleBlocks } from '../../src/ring/sample-blocks.js';
import { StreamRing } from '../../src/ring/stream-ring.js';

test('reads of any lengths give what was written, also after many of one length', () => {
  const runs = fc.array(fc.tuple(fc.constantFrom(1, 7, 16, 32, 64, 100, 128), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3), fc.integer({ min: 0, max: 40 }), runs, (channels, offset, lengths) => {
      const ring = StreamRing.allocate({ kind: 'f32', channels, capacitySampleFrames: 256, startIndex: 2 ** 32 - 300 });
      const producer = ring.producer();
      const consumer = ring.consumer();
      let next = 0;
      let expected = 0;
      for (const [length, times] of lengths) {
        for (let i = 0; i < times; i++) {
          const source = Float32Array.from({ length: length * channels }, () => next++);
          expect(producer.write(source, 0, length)).toBe(length);
          const target = new Float32Array((offset + length) * channels).fill(-1);
          expect(consumer.read(target, offset, length)).toBe(length);
          for (let k = 0; k < offset * channels; k++) if (target[k] !== -1) throw new Error(`sample ${k} was touched`);
          for (let k = offset * channels; k < target.length; k++) {
            if (target[k] !== expected++) throw new Error(`sample ${k} is ${target[k]}, expected ${expected - 1}`);
          }
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('the same place gives the same view: nothing is allocated once the ring has gone round', () => {
  const blocks = new SampleBlocks(new Float32Array(new SharedArrayBuffer(1024 * 4)));
  for (let i = 0; i < 15; i++) expect(blocks.at(0, 256)).toBeNull();
  const view = blocks.at(256, 256);
  expect(view).not.toBeNull();
  expect(view!.byteOffset).toBe(1024);
  expect(blocks.at(256, 256)).toBe(view);
  expect(blocks.at(128, 256)).toBeNull();
  expect(blocks.at(0, 8)).toBeNull();
  expect(blocks.at(256, 256)).toBe(view);
  expect(blocks.at(0, 0)).toBeNull();
});
