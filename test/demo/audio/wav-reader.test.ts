import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FrameDeadlineError } from '../../../src/base/errors.js';
import type { DecodedAudio, SampleFormat } from '../../../src/cli/demo/audio/decoded-audio.js';
import { decodeWav, memorySource, readWav } from '../../../src/cli/demo/audio/wav-reader.js';
import { BITS, buildWav, encode, type WavSpec } from './wav-bytes.js';

const FORMATS: SampleFormat[] = ['pcm8', 'pcm16', 'pcm24', 'pcm32', 'float32'];
const folder = mkdtempSync(join(tmpdir(), 'wav-reader-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const decode = (bytes: Uint8Array): DecodedAudio => decodeWav(memorySource(bytes));
const decodeSpec = (spec: WavSpec): DecodedAudio => decode(buildWav(spec));

function errorOf(action: () => unknown): FrameDeadlineError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(FrameDeadlineError);
    return error as FrameDeadlineError;
  }
  throw new Error('expected an error');
}

function expectError(action: () => unknown, code: string, words: RegExp): void {
  const error = errorOf(action);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
}

function samplesOf(format: SampleFormat): fc.Arbitrary<number> {
  const bits = BITS[format];
  if (format === 'float32') return fc.float({ noNaN: true, noDefaultInfinity: true });
  return fc.oneof(
    fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }),
    fc.constantFrom(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1),
  );
}

const anyChunks = fc.array(
  fc.tuple(fc.constantFrom('LIST', 'fact', 'bext', 'JUNK', 'cue ', 'id3 '), fc.uint8Array({ maxLength: 33 })),
  { maxLength: 3 },
);

describe('wav reader: what it takes', () => {
  it.each(FORMATS)('decodes %s exactly, any rate, channel count and chunks', (format) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 8000, max: 192_000 }),
        fc.boolean(),
        anyChunks,
        anyChunks,
        fc.array(samplesOf(format), { maxLength: 300 }),
        (channels, sampleRateHz, extensible, before, after, raw) => {
          const frames = Math.floor(raw.length / channels);
          const samples = raw.slice(0, frames * channels);
          const audio = decodeSpec({
            format,
            channels,
            sampleRateHz,
            extensible,
            before,
            after,
            data: encode(format, samples),
          });
          expect(audio).toMatchObject({ format, channels, sampleRateHz, sampleFrames: frames });
          expect(audio.data.length).toBe(channels);
          expect(audio.warnings).toEqual(frames === 0 ? ['no sample frames'] : []);
          const scale = format === 'float32' ? 1 : 2 ** (BITS[format] - 1);
          const expected = samples.map((value) => Math.fround(value / scale) + 0);
          for (let i = 0; i < samples.length; i++)
            expect(audio.data[i % channels]![Math.floor(i / channels)]! + 0).toBe(expected[i]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps all channels in one shared buffer', () => {
    const { data } = decodeSpec({ channels: 3 });
    expect(data[0]!.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(new Set(data.map((plane) => plane.buffer)).size).toBe(1);
    expect(data[0]!.buffer.byteLength).toBe(3 * 100 * 4);
  });

  it('takes several reads for a long file', () => {
    const samples = Int16Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 32_768);
    const audio = decodeSpec({ channels: 1, data: encode('pcm16', samples) });
    for (const i of [0, 131_071, 131_072, 199_999]) expect(audio.data[0]![i]).toBe(samples[i]! / 32_768);
  });

  it.each([
    ['0xFFFFFFFF', { claimedDataBytes: 0xffff_ffff, claimedRiffBytes: 0xffff_ffff }],
    ['0', { claimedDataBytes: 0, claimedRiffBytes: 0 }],
    ['0, the header alone counted', { claimedDataBytes: 0, claimedRiffBytes: 36 }],
    ['what SoX writes to a pipe', { claimedDataBytes: 0x7fff_f000, claimedRiffBytes: 0x7fff_f024 }],
  ])('takes a streamed file whose data size is %s', (_, spec) => {
    const audio = decodeSpec(spec);
    expect(audio.sampleFrames).toBe(100);
    expect(audio.warnings).toEqual([expect.stringMatching(/streamed.*400 bytes/)]);
  });

  it('a data size of 0 with chunks behind it is an empty sound', () => {
    const audio = decodeSpec({ data: new Uint8Array(0), after: [['LIST', new Uint8Array(8)]] });
    expect(audio.sampleFrames).toBe(0);
    expect(audio.warnings).toEqual(['no sample frames']);
  });

  it('ignores what is not a whole sample frame, and says so', () => {
    const audio = decodeSpec({ data: new Uint8Array(403) });
    expect(audio.sampleFrames).toBe(100);
    expect(audio.warnings).toEqual(['ignored the last 3 bytes: not a whole sample frame']);
  });

  it('takes odd chunks without their pad byte, and says so', () => {
    const audio = decodeSpec({ before: [['LIST', new Uint8Array(7)]], padOddChunks: false });
    expect(audio.sampleFrames).toBe(100);
    expect(audio.warnings[0]).toMatch(/no pad byte/);
  });

  it('takes a wrong RIFF size when the data chunk is whole, and says so', () => {
    expect(decodeSpec({ claimedRiffBytes: 1000 }).warnings[0]).toMatch(/claims 1008 bytes, the file has 444/);
    expect(decodeSpec({ claimedRiffBytes: 100 }).warnings[0]).toMatch(/claims 108 bytes/);
  });

  it('takes samples that are not finite as 0, and counts them', () => {
    const data = encode('float32', [Number.NaN, 1, Number.POSITIVE_INFINITY, -2]);
    const audio = decodeSpec({ format: 'float32', data });
    expect([...audio.data[0]!, ...audio.data[1]!]).toEqual([0, 0, 1, -2]);
    expect(audio.warnings).toEqual(['2 samples are not finite numbers: taken as 0']);
  });

  it('takes 20 valid bits in 24-bit samples', () => {
    expect(decodeSpec({ format: 'pcm24', extensible: true, validBits: 20 }).format).toBe('pcm24');
  });

  it('takes 1000 channels', () => {
    expect(decodeSpec({ channels: 1000, data: new Uint8Array(6000) })).toMatchObject({
      channels: 1000,
      sampleFrames: 3,
    });
  });
});

const MP3 = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(400)]);
const ID3 = Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\0', 'latin1'), Buffer.alloc(400)]);

describe('wav reader: bad files', () => {
  it.each<[string, Uint8Array, string, RegExp]>([
    ['an empty file', Buffer.alloc(0), 'WAV_INVALID', /empty/],
    ['an MP3 with an ID3 tag', ID3, 'WAV_INVALID', /an MP3 file/],
    ['a bare MP3', MP3, 'WAV_INVALID', /an MP3 file/],
    ['an Ogg file', Buffer.from('OggS\0\0\0\0\0\0\0\0\0'), 'WAV_INVALID', /an Ogg file/],
    ['a FLAC file', Buffer.from('fLaC\0\0\0\0\0\0\0\0\0'), 'WAV_INVALID', /a FLAC file/],
    ['a text file', Buffer.from('hello, world'), 'WAV_INVALID', /no RIFF/],
    ['an AVI', Buffer.from('RIFF\x10\0\0\0AVI LIST'), 'WAV_INVALID', /type "AVI "/],
    ['a header cut at 6', buildWav().subarray(0, 6), 'WAV_INVALID', /truncated.*6 bytes/],
    ['a header cut at 30', buildWav().subarray(0, 30), 'WAV_INVALID', /truncated.*"fmt ".*claims 16 bytes, 10 are/],
    ['a header cut before data', buildWav().subarray(0, 36), 'WAV_INVALID', /truncated.*before a data chunk/],
    ['data cut short', buildWav().subarray(0, 200), 'WAV_INVALID', /claims 400 bytes \(100 .*only 156 bytes \(39 /],
    ['data short by one byte', buildWav().subarray(0, 443), 'WAV_INVALID', /claims 400 bytes .*only 399 bytes \(99 /],
    ['a data size past the end', buildWav({ claimedDataBytes: 0x7fff_fff0 }), 'WAV_INVALID', /only 400 bytes/],
    [
      'a chunk past the end',
      Buffer.concat([buildWav().subarray(0, 36), Buffer.from('LIST\xff\xff\xff\x7f', 'latin1'), Buffer.alloc(9)]),
      'WAV_INVALID',
      /"LIST" chunk at 36 claims 2147483647 bytes, 9 are there/,
    ],
    ['a block align that lies', buildWav({ blockAlign: 7 }), 'WAV_INVALID', /block align of 7 .*need 4/],
    ['a block align of 0', buildWav({ blockAlign: 0 }), 'WAV_INVALID', /block align of 0/],
    ['a byte rate that lies', buildWav({ byteRate: 1 }), 'WAV_INVALID', /byte rate of 1,.*192000/],
    ['no channels', buildWav({ channels: 0, data: new Uint8Array(8) }), 'WAV_INVALID', /0 channels/],
    ['a rate of 0', buildWav({ sampleRateHz: 0 }), 'WAV_INVALID', /sample rate 0 Hz/],
    ['a rate of 7999', buildWav({ sampleRateHz: 7999 }), 'WAV_INVALID', /8000 to 192000/],
    ['a rate of 4 GHz', buildWav({ sampleRateHz: 4e9 }), 'WAV_INVALID', /sample rate 4000000000/],
    ['no bits', buildWav({ bits: 0, blockAlign: 4 }), 'WAV_INVALID', /0 bits/],
    ['more valid bits than bits', buildWav({ extensible: true, validBits: 24 }), 'WAV_INVALID', /24 valid bits in 16/],
    ['a short fmt chunk', buildWav({ formatBytes: 14 }), 'WAV_INVALID', /fmt chunk has 14 bytes/],
    [
      'a short extensible fmt chunk',
      buildWav({ formatBytes: 18, extensible: true }),
      'WAV_INVALID',
      /extensible WAV has 18 bytes/,
    ],
    ['data before fmt', buildWav({ withoutFormat: true }), 'WAV_INVALID', /before any fmt/],
    ['RF64', buildWav({ container: 'RF64' }), 'WAV_UNSUPPORTED', /RF64/],
    ['BW64', buildWav({ container: 'BW64' }), 'WAV_UNSUPPORTED', /BW64/],
    ['RIFX', buildWav({ container: 'RIFX' }), 'WAV_UNSUPPORTED', /big-endian/],
    ['64-bit float', buildWav({ tag: 3, bits: 64 }), 'WAV_UNSUPPORTED', /64-bit float/],
    ['12-bit PCM', buildWav({ bits: 12 }), 'WAV_UNSUPPORTED', /12-bit PCM/],
    ['A-law', buildWav({ tag: 6, bits: 8 }), 'WAV_UNSUPPORTED', /A-law/],
    ['MP3 in a WAV', buildWav({ tag: 0x55, bits: 0, blockAlign: 1 }), 'WAV_UNSUPPORTED', /MP3 in a WAV/],
    ['an unknown format', buildWav({ tag: 0x1234 }), 'WAV_UNSUPPORTED', /0x1234/],
    [
      'an unknown extensible format',
      buildWav({ extensible: true, guidTail: new Array(14).fill(7) }),
      'WAV_UNSUPPORTED',
      /GUID bytes 01000707/,
    ],
  ])('%s', (_, bytes, code, words) => {
    expectError(() => decode(bytes), code, words);
  });

  it('a file that would take more memory than allowed', () => {
    expectError(() => decodeWav(memorySource(buildWav()), { maxDecodedBytes: 799 }), 'WAV_UNSUPPORTED', /800 bytes/);
    expect(decodeWav(memorySource(buildWav()), { maxDecodedBytes: 800 }).sampleFrames).toBe(100);
  });

  it('a file that shrinks while it is read', () => {
    const bytes = buildWav();
    const source = memorySource(bytes);
    const shrunk = memorySource(bytes.subarray(0, 300));
    expectError(() => decodeWav({ ...shrunk, sizeBytes: source.sizeBytes }), 'WAV_INVALID', /shrank.*300/);
  });

  it('endless empty chunks', () => {
    const chunks: [string, Uint8Array][] = Array.from({ length: 10_001 }, () => ['JUNK', new Uint8Array(0)]);
    expectError(() => decodeSpec({ before: chunks }), 'WAV_INVALID', /first 10000 chunks/);
  });
});

describe('wav reader: files', () => {
  it('reads a file', () => {
    const path = join(folder, 'ok.wav');
    writeFileSync(path, buildWav({ data: encode('pcm16', [1, -2, 3, -4]) }));
    expect([...readWav(path).data[1]!]).toEqual([-2 / 32_768, -4 / 32_768]);
  });

  it('a missing file, a folder, an impossible name', () => {
    expectError(() => readWav(join(folder, 'none.wav')), 'FILE_UNREADABLE', /none\.wav: no such file/);
    expectError(() => readWav(folder), 'FILE_UNREADABLE', /not a regular file/);
    expectError(() => readWav('a\0b'), 'FILE_UNREADABLE', /null bytes/);
  });

  it.skipIf(spawnSync('mkfifo', ['--version']).error !== undefined)('a named pipe is refused at once', () => {
    const path = join(folder, 'pipe.wav');
    execFileSync('mkfifo', [path]);
    expectError(() => readWav(path), 'FILE_UNREADABLE', /not a regular file/);
  });

  it.skipIf(process.platform === 'win32')('no read permission', () => {
    const path = join(folder, 'closed.wav');
    writeFileSync(path, buildWav());
    chmodSync(path, 0);
    chmodSync(folder, 0o755);
    const root = process.geteuid!() === 0;
    if (root) process.seteuid!(65_534);
    try {
      expectError(() => readWav(path), 'FILE_UNREADABLE', /no permission/);
    } finally {
      if (root) process.seteuid!(0);
    }
  });

  it('names the file in what it says about its content', () => {
    const path = join(folder, 'song.wav');
    writeFileSync(path, ID3);
    expectError(() => readWav(path), 'WAV_INVALID', /song\.wav: this is an MP3 file/);
  });
});

describe('wav reader: mutated files', () => {
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at: fc.nat(120), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('u32' as const), at: fc.nat(120), value: fc.nat(0xffff_ffff) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(700), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat(120), value: fc.nat(255) }),
  );
  function mutate(bytes: Buffer, { kind, at, value }: { kind: string; at: number; value: number }): Buffer {
    if (kind === 'cut') return bytes.subarray(0, at);
    const copy = Buffer.from(bytes);
    if (kind === 'byte' && at < copy.length) copy[at] = value;
    if (kind === 'u32' && at + 4 <= copy.length) copy.writeUInt32LE(value, at);
    if (kind === 'insert')
      return Buffer.concat([copy.subarray(0, at), Buffer.from([value]), copy.subarray(Math.min(at, copy.length))]);
    return copy;
  }

  it('decode or throw a FrameDeadlineError, read nothing outside, allocate no more than the file holds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FORMATS),
        fc.boolean(),
        fc.integer({ min: 1, max: 3 }),
        anyChunks,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (format, extensible, channels, before, mutations) => {
          const data = new Uint8Array(50 * channels * (BITS[format] / 8)).map((_, i) => i * 31);
          let bytes = buildWav({ format, extensible, channels, before, data });
          for (const m of mutations) bytes = mutate(bytes, m);
          let largestRead = 0;
          const inner = memorySource(bytes);
          const source = {
            ...inner,
            read(offset: number, target: Uint8Array) {
              largestRead = Math.max(largestRead, target.length);
              expect(offset).toBeLessThanOrEqual(bytes.length + 8);
              return inner.read(offset, target);
            },
          };
          try {
            const audio = decodeWav(source);
            // 8-bit samples grow fourfold
            expect(audio.data[0]!.buffer.byteLength).toBeLessThanOrEqual(4 * bytes.length);
            for (const plane of audio.data) expect(plane.every(Number.isFinite)).toBe(true);
          } catch (error) {
            if (!(error instanceof FrameDeadlineError)) throw error;
            expect(['WAV_INVALID', 'WAV_UNSUPPORTED']).toContain(error.code);
          }
          expect(largestRead).toBeLessThanOrEqual(Math.max(40, bytes.length));
        },
      ),
      { numRuns: 4000 },
    );
  });
});
