import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockSource } from '../../../src/cli/demo/audio/block-source.js';
import { AudioChain } from '../../../src/cli/demo/audio/chain.js';
import type { DecodedAudio } from '../../../src/cli/demo/audio/decoded-audio.js';
import { generateMusic } from '../../../src/cli/demo/audio/music.js';

function counting(channels: number, sampleFrames: number): DecodedAudio {
  const data = Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: sampleFrames }, (__, i) => i + 1 + 10_000 * c),
  );
  return { sampleRateHz: 48_000, channels, sampleFrames, data, format: 'float32', warnings: [] };
}

describe('block source', () => {
  it('gives each sample at its place, then silence or the sound again', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(700),
        fc.nat(30),
        fc.boolean(),
        (channels, sampleFrames, block, loop) => {
          const source = new BlockSource(counting(channels, sampleFrames), { pastEnd: loop ? 'loop' : 'silence' });
          expect(source.blocks).toBe(Math.ceil(sampleFrames / 128));
          const planes = source.block(block);
          expect(planes.length).toBe(channels);
          planes.forEach((plane, c) => {
            expect(plane.length).toBe(128);
            plane.forEach((value, i) => {
              const at = block * 128 + i;
              const inside = sampleFrames > 0 && (loop || at < sampleFrames);
              expect(value).toBe(inside ? (at % sampleFrames) + 1 + 10_000 * c : 0);
            });
          });
        },
      ),
    );
  });

  it('refuses another end', () => {
    expect(() => new BlockSource(counting(1, 1), { pastEnd: 'bounce' as 'loop' })).toThrow(/OPTION_INVALID/);
  });
});

describe('generated music', () => {
  it('is as long as asked, the same each time, within full scale', () => {
    for (const seconds of [0.00001, 0.1, 1, 10.123]) {
      const a = generateMusic(seconds);
      expect(a).toMatchObject({ sampleRateHz: 48_000, channels: 2, format: 'float32', warnings: [] });
      expect(a.sampleFrames).toBe(Math.max(1, Math.round(seconds * 48_000)));
      expect(a.data[0]!.buffer).toBeInstanceOf(SharedArrayBuffer);
      const b = generateMusic(seconds);
      for (let c = 0; c < 2; c++) {
        expect(Buffer.compare(Buffer.from(a.data[c]!.slice().buffer), Buffer.from(b.data[c]!.slice().buffer))).toBe(0);
        expect(a.data[c]!.every((value) => Math.abs(value) <= 0.81)).toBe(true);
      }
    }
  });

  it('starts softly, grows, fades out, and differs left and right', () => {
    const { data, sampleFrames } = generateMusic(12);
    const level = (from: number, to: number): number => {
      let sum = 0;
      for (let i = from * 48_000; i < to * 48_000; i++) sum += data[0]![i]! ** 2;
      return 10 * Math.log10(sum / ((to - from) * 48_000));
    };
    expect(level(0, 2)).toBeGreaterThan(-40);
    expect(level(5, 9)).toBeGreaterThan(level(0, 2) + 4);
    expect(Math.abs(data[0]![sampleFrames - 1]!)).toBeLessThan(1e-4);
    expect(data[0]!.some((value, i) => Math.abs(value - data[1]![i]!) > 0.05)).toBe(true);
  });

  it('gives the compressor and the limiter something to do', () => {
    const source = new BlockSource(generateMusic(10));
    const chain = new AudioChain({ sampleRateHz: 48_000, channels: 2 });
    const output = [new Float32Array(128), new Float32Array(128)];
    let compressed = 0;
    let limited = 0;
    for (let block = 0; block < source.blocks; block++) {
      chain.process(source.block(block), output);
      compressed = Math.max(compressed, chain.compressorReductionDb);
      limited = Math.max(limited, chain.limiterReductionDb);
    }
    expect(compressed).toBeGreaterThan(4);
    expect(limited).toBeGreaterThan(0.5);
    expect(limited).toBeLessThan(6);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 3601])('refuses %s seconds', (seconds) => {
    expect(() => generateMusic(seconds)).toThrow(/OPTION_INVALID/);
  });
});
