import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readWav } from '../../../src/cli/demo/audio/wav-reader.js';
import { WavWriter } from '../../../src/cli/demo/audio/wav-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'wav-writer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'out.wav');

describe('wav writer', () => {
  it('gives back what was appended, in pieces of any size, interleaved and planar', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 8000, max: 192_000 }),
        fc.array(fc.integer({ min: 0, max: 70 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 600 }),
        (channels, rate, pieces, bufferBytes) => {
          const writer = new WavWriter(path, rate, channels, bufferBytes);
          const expected: number[] = [];
          let next = 0;
          pieces.forEach((frames, n) => {
            const samples = Float32Array.from({ length: frames * channels }, () => Math.fround(next++ / 3));
            expected.push(...samples);
            if (n % 2 === 0) writer.appendInterleaved(samples);
            else
              writer.appendPlanar(
                Array.from({ length: channels }, (_, c) => samples.filter((__, i) => i % channels === c)),
                frames,
              );
            expect(writer.sampleFrames).toBe(expected.length / channels);
          });
          expect(writer.finish()).toBe(expected.length / channels);
          const audio = readWav(path);
          expect(audio).toMatchObject({ format: 'float32', sampleRateHz: rate, channels });
          expect(audio.warnings.filter((w) => w !== 'no sample frames')).toEqual([]);
          const back: number[] = [];
          for (let i = 0; i < audio.sampleFrames; i++) for (const plane of audio.data) back.push(plane[i]!);
          expect(back).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has the header that a float WAV should have', () => {
    const writer = new WavWriter(path, 44_100, 2);
    writer.appendInterleaved(new Float32Array([0.5, -0.5, 0.25, -0.25]));
    writer.finish();
    const b = readFileSync(path);
    expect(b.length).toBe(58 + 16);
    expect(b.toString('latin1', 0, 4)).toBe('RIFF');
    expect(b.readUInt32LE(4)).toBe(b.length - 8);
    expect(b.toString('latin1', 8, 16)).toBe('WAVEfmt ');
    expect([b.readUInt32LE(16), b.readUInt16LE(20), b.readUInt16LE(22)]).toEqual([18, 3, 2]);
    expect([b.readUInt32LE(24), b.readUInt32LE(28)]).toEqual([44_100, 352_800]);
    expect([b.readUInt16LE(32), b.readUInt16LE(34), b.readUInt16LE(36)]).toEqual([8, 32, 0]);
    expect([b.toString('latin1', 38, 42), b.readUInt32LE(42), b.readUInt32LE(46)]).toEqual(['fact', 4, 2]);
    expect([b.toString('latin1', 50, 54), b.readUInt32LE(54)]).toEqual(['data', 16]);
    expect(b.readFloatLE(58)).toBe(0.5);
  });

  it('is a valid file at every moment before it is finished', () => {
    const writer = new WavWriter(path, 8000, 1, 64);
    expect(readWav(path).sampleFrames).toBe(0);
    for (let n = 1; n <= 40; n++) {
      writer.appendInterleaved(new Float32Array(5).fill(n));
      const audio = readWav(path);
      expect(audio.warnings.filter((w) => w !== 'no sample frames')).toEqual([]);
      expect(audio.sampleFrames).toBeGreaterThan(n * 5 - 16);
      expect(audio.data[0]!.every((value, i) => value === Math.floor(i / 5) + 1)).toBe(true);
    }
    expect(writer.finish()).toBe(200);
    expect(writer.finish()).toBe(200);
    expect(() => writer.appendInterleaved(new Float32Array(1))).toThrow(/finished.*OUTPUT_UNWRITABLE/);
  });

  it('says why it cannot write', () => {
    expect(() => new WavWriter(join(folder, 'none', 'a.wav'), 48_000, 2)).toThrow(
      /cannot write .*a\.wav.*OUTPUT_UNWRITABLE/,
    );
    expect(() => new WavWriter(folder, 48_000, 2)).toThrow(/OUTPUT_UNWRITABLE/);
    expect(() => new WavWriter(path, 48_000, 20_000)).toThrow(/OPTION_INVALID/);
    expect(() => new WavWriter(path, 0, 2)).toThrow(/OPTION_INVALID/);
    const writer = new WavWriter(path, 48_000, 2);
    expect(() => writer.appendPlanar([new Float32Array(1)])).toThrow(/1 planes for 2 channels/);
    expect(() => writer.appendPlanar([new Float32Array(0), new Float32Array(0)], 2 ** 29)).toThrow(
      /4 GiB.*OUTPUT_UNWRITABLE/,
    );
    writer.finish();
  });

  it.runIf(process.platform === 'linux')('says that the disk is full', () => {
    expect(() => new WavWriter('/dev/full', 48_000, 2)).toThrow(/ENOSPC.*OUTPUT_UNWRITABLE/);
  });
});
