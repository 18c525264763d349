/** Builds WAV files by hand for the reader's tests; every field can be made to lie. */
import type { SampleFormat } from '../../../src/cli/demo/audio/decoded-audio.js';

export interface WavSpec {
  format?: SampleFormat;
  channels?: number;
  sampleRateHz?: number;
  /** Interleaved bytes of the samples. */
  data?: Uint8Array;
  extensible?: boolean;
  validBits?: number;
  guidTail?: number[];
  tag?: number;
  bits?: number;
  blockAlign?: number;
  byteRate?: number;
  claimedDataBytes?: number;
  claimedRiffBytes?: number;
  container?: string;
  before?: [id: string, body: Uint8Array][];
  after?: [id: string, body: Uint8Array][];
  padOddChunks?: boolean;
  withoutFormat?: boolean;
  formatBytes?: number;
}

export const BITS: Record<SampleFormat, number> = { pcm8: 8, pcm16: 16, pcm24: 24, pcm32: 32, float32: 32 };
const TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

function chunk(id: string, body: Uint8Array, claimed = body.length, pad = true): Buffer {
  const head = Buffer.alloc(8);
  head.write(id, 0, 'latin1');
  head.writeUInt32LE(claimed, 4);
  return Buffer.concat([head, body, Buffer.alloc(pad && body.length % 2 ? 1 : 0)]);
}

export function buildWav(spec: WavSpec = {}): Buffer {
  const format = spec.format ?? 'pcm16';
  const channels = spec.channels ?? 2;
  const rate = spec.sampleRateHz ?? 48_000;
  const bits = spec.bits ?? BITS[format];
  const blockAlign = spec.blockAlign ?? channels * Math.ceil(bits / 8);
  const data = spec.data ?? new Uint8Array(100 * blockAlign);
  const tag = spec.tag ?? (format === 'float32' ? 3 : 1);
  const fmt = Buffer.alloc(spec.formatBytes ?? (spec.extensible ? 40 : 16));
  if (fmt.length >= 16) {
    fmt.writeUInt16LE(spec.extensible ? 0xfffe : tag, 0);
    fmt.writeUInt16LE(channels, 2);
    fmt.writeUInt32LE(rate, 4);
    fmt.writeUInt32LE(spec.byteRate ?? (rate * blockAlign) % 2 ** 32, 8);
    fmt.writeUInt16LE(blockAlign, 12);
    fmt.writeUInt16LE(bits, 14);
  }
  if (spec.extensible && fmt.length >= 40) {
    fmt.writeUInt16LE(22, 16);
    fmt.writeUInt16LE(spec.validBits ?? bits, 18);
    fmt.writeUInt16LE(tag, 24);
    fmt.set(spec.guidTail ?? TAIL, 26);
  }
  const pad = spec.padOddChunks ?? true;
  const body = Buffer.concat([
    Buffer.from('WAVE', 'latin1'),
    ...(spec.before ?? []).map(([id, bytes]) => chunk(id, bytes, bytes.length, pad)),
    ...(spec.withoutFormat ? [] : [chunk('fmt ', fmt)]),
    chunk('data', data, spec.claimedDataBytes ?? data.length, pad),
    ...(spec.after ?? []).map(([id, bytes]) => chunk(id, bytes, bytes.length, pad)),
  ]);
  const head = Buffer.alloc(8);
  head.write(spec.container ?? 'RIFF', 0, 'latin1');
  head.writeUInt32LE(spec.claimedRiffBytes ?? body.length, 4);
  return Buffer.concat([head, body]);
}

/** Interleaved bytes of integer samples (or float32 ones). */
export function encode(format: SampleFormat, samples: ArrayLike<number>): Buffer {
  const bytes = BITS[format] / 8;
  const out = Buffer.alloc(samples.length * bytes);
  for (let i = 0; i < samples.length; i++) {
    const v = samples[i]!;
    if (format === 'pcm8') out.writeUInt8(v + 128, i);
    else if (format === 'float32') out.writeFloatLE(v, i * 4);
    else out.writeIntLE(v, i * bytes, bytes);
  }
  return out;
}
