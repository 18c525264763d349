import { FrameDeadlineError } from '../../../base/errors.js';
import { MAX_SAMPLE_RATE_HZ, MIN_SAMPLE_RATE_HZ, type SampleFormat } from './decoded-audio.js';

/** Random access to the bytes of a file. Only what is asked for is read, so no header can make it allocate. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Fills `target` from `offset` on and returns how many bytes there were. */
  read(offset: number, target: Uint8Array): number;
}

/** Where the samples lie and how they are stored; checked against the size of the file. */
export interface WavLayout {
  readonly format: SampleFormat;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly bytesPerSample: number;
  readonly dataOffset: number;
  readonly sampleFrames: number;
  readonly warnings: string[];
}

interface Format {
  format: SampleFormat;
  channels: number;
  sampleRateHz: number;
  bytesPerSample: number;
}

const PCM = 1;
const IEEE_FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const STREAMED = 0xffff_ffff;
// SoX writes this, down to whole sample frames, to a pipe: there it cannot go back and fill in the size.
const STREAMED_SOX = 0x7fff_f000;
const MAX_CHUNKS = 10_000;
// bytes 2-15 of KSDATAFORMAT_SUBTYPE_*: the first two are the plain format tag
const SUBTYPE_TAIL = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

const FORMAT_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0002, 'Microsoft ADPCM'],
  [0x0006, 'A-law'],
  [0x0007, 'mu-law'],
  [0x0011, 'IMA ADPCM'],
  [0x0031, 'GSM 6.10'],
  [0x0040, 'G.721 ADPCM'],
  [0x0050, 'MPEG layer 1 or 2'],
  [0x0055, 'MP3'],
  [0x0092, 'AC-3'],
  [0x00ff, 'AAC'],
  [0x0161, 'Windows Media Audio'],
  [0x674f, 'Ogg Vorbis'],
  [0xf1ac, 'FLAC'],
]);

function invalid(source: ByteSource, what: string): never {
  throw new FrameDeadlineError('WAV_INVALID', `${source.name}: ${what}`);
}

function unsupported(source: ByteSource, what: string): never {
  throw new FrameDeadlineError(
    'WAV_UNSUPPORTED',
    `${source.name}: ${what} is not supported; convert it to 8, 16, 24 or 32-bit PCM or 32-bit float WAV`,
  );
}

function text(bytes: Uint8Array, from: number, to: number): string {
  let s = '';
  for (let i = from; i < to; i++) {
    const code = bytes[i] ?? 0;
    s += code >= 32 && code < 127 ? String.fromCharCode(code) : '?';
  }
  return s;
}

function bytesAt(source: ByteSource, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const got = source.read(offset, bytes);
  return got === length ? bytes : bytes.subarray(0, got);
}

/** Names what the first bytes are instead of a WAV; undefined when nothing known. */
function otherFileType(b: Uint8Array): string | undefined {
  const four = text(b, 0, 4);
  if (four.startsWith('ID3')) return 'an MP3 file (it starts with an ID3 tag)';
  if (b.length >= 4 && b[0] === 0xff && (b[1]! & 0xe0) === 0xe0) {
    const version = (b[1]! >> 3) & 3;
    const layer = (b[1]! >> 1) & 3;
    if (layer === 0 && (b[1]! & 0xf6) === 0xf0) return 'an AAC (ADTS) file';
    if (version !== 1 && layer !== 0 && b[2]! >> 4 !== 15 && ((b[2]! >> 2) & 3) !== 3)
      return layer === 1 ? 'an MP3 file' : 'an MPEG layer 1 or 2 file';
  }
  if (four === 'OggS') return 'an Ogg file';
  if (four === 'fLaC') return 'a FLAC file';
  if (four === 'FORM') return 'an AIFF file';
  if (four === 'caff') return 'a Core Audio file';
  if (text(b, 4, 8) === 'ftyp') return 'an MP4 or M4A file';
  return undefined;
}

function checkContainer(source: ByteSource): number {
  if (source.sizeBytes === 0) invalid(source, 'the file is empty; expected a WAV file');
  const head = bytesAt(source, 0, 12);
  const id = text(head, 0, 4);
  if (id === 'RF64' || id === 'BW64') unsupported(source, `${id} (the 64-bit WAV container)`);
  if (id === 'RIFX') unsupported(source, 'RIFX (big-endian WAV)');
  if (id === 'riff' && head[4] === 0x2e) unsupported(source, 'Wave64');
  if (id !== 'RIFF') {
    const other = otherFileType(head);
    invalid(source, other ? `this is ${other}, not a WAV; convert it first` : 'not a WAV file: no RIFF at its start');
  }
  if (head.length < 12) invalid(source, `truncated: it ends after ${head.length} bytes, inside the RIFF header`);
  if (text(head, 8, 12) !== 'WAVE') invalid(source, `a RIFF file of type "${text(head, 8, 12)}", expected "WAVE"`);
  return new DataView(head.buffer).getUint32(4, true);
}

function parseFormat(source: ByteSource, chunk: Uint8Array): Format {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  let tag = view.getUint16(0, true);
  const channels = view.getUint16(2, true);
  const sampleRateHz = view.getUint32(4, true);
  const byteRate = view.getUint32(8, true);
  const blockAlign = view.getUint16(12, true);
  const bits = view.getUint16(14, true);
  if (tag === EXTENSIBLE) {
    if (chunk.length < 40)
      invalid(source, `the fmt chunk of an extensible WAV has ${chunk.length} bytes, expected at least 40`);
    const validBits = view.getUint16(18, true);
    if (validBits > bits) invalid(source, `the header claims ${validBits} valid bits in ${bits}-bit samples`);
    if (SUBTYPE_TAIL.some((byte, i) => chunk[26 + i] !== byte)) {
      const guid = [...chunk.subarray(24, 40)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      unsupported(source, `the extensible format with the GUID bytes ${guid}`);
    }
    tag = view.getUint16(24, true);
  }
  if (tag !== PCM && tag !== IEEE_FLOAT) {
    const name = FORMAT_NAMES.get(tag);
    unsupported(source, name ? `${name} in a WAV` : `the format tag 0x${tag.toString(16).padStart(4, '0')}`);
  }
  const kind = tag === PCM ? 'PCM' : 'float';
  if (bits === 0 || bits > 64) invalid(source, `the header claims ${bits} bits per sample`);
  if (tag === PCM ? bits % 8 !== 0 || bits > 32 : bits !== 32) unsupported(source, `${bits}-bit ${kind}`);
  if (channels === 0) invalid(source, 'the header claims 0 channels, expected at least 1');
  if (sampleRateHz < MIN_SAMPLE_RATE_HZ || sampleRateHz > MAX_SAMPLE_RATE_HZ)
    invalid(source, `sample rate ${sampleRateHz} Hz, expected ${MIN_SAMPLE_RATE_HZ} to ${MAX_SAMPLE_RATE_HZ} Hz`);
  const bytesPerSample = bits / 8;
  if (blockAlign !== channels * bytesPerSample)
    invalid(
      source,
      `the header lies: a block align of ${blockAlign} bytes, but ${channels} channels of ${bits} bits need ${channels * bytesPerSample}`,
    );
  const wanted = (sampleRateHz * blockAlign) % 0x1_0000_0000;
  if (byteRate !== wanted)
    invalid(source, `the header lies: a byte rate of ${byteRate}, but sample rate times block align is ${wanted}`);
  return {
    format: tag === PCM ? (`pcm${bits}` as SampleFormat) : 'float32',
    channels,
    sampleRateHz,
    bytesPerSample,
  };
}

/** Bytes of samples that are really there. */
function measureData(
  source: ByteSource,
  claimed: number,
  dataOffset: number,
  riffSize: number,
  found: Format,
  warnings: string[],
): number {
  const available = source.sizeBytes - dataOffset;
  const frameBytes = found.channels * found.bytesPerSample;
  const riffEnd = riffSize + 8;
  const neverPatched = riffSize === 0 || riffSize === STREAMED || riffEnd <= dataOffset;
  const streamed =
    claimed === STREAMED ||
    (claimed === STREAMED_SOX - (STREAMED_SOX % frameBytes) && available < claimed) ||
    (claimed === 0 && available > 0 && neverPatched);
  if (streamed) {
    warnings.push(`streamed WAV without a size: took the ${available} bytes up to the end of the file`);
    return available;
  }
  if (claimed > available)
    invalid(
      source,
      `truncated, or its header lies: the data chunk claims ${claimed} bytes (${Math.floor(claimed / frameBytes)} sample frames), ` +
        `but only ${available} bytes (${Math.floor(available / frameBytes)} sample frames) are there`,
    );
  if (riffEnd > source.sizeBytes + 1 || riffEnd < dataOffset + claimed)
    warnings.push(`the RIFF header claims ${riffEnd} bytes, the file has ${source.sizeBytes}; the data chunk is whole`);
  return claimed;
}

/** An odd chunk is followed by a pad byte; some writers forget it. */
function nextChunk(source: ByteSource, end: number, size: number, warnings: string[]): number {
  if (size % 2 === 0) return end;
  const next = bytesAt(source, end, 4);
  if (next.length === 4 && next[0] !== 0 && /^(fmt |data|LIST|fact|bext|cue |smpl|JUNK)$/.test(text(next, 0, 4))) {
    warnings.push(`no pad byte after the odd chunk that ends at ${end}`);
    return end;
  }
  return end + 1;
}

/**
 * Finds and checks the fmt and data chunks. RIFF WAVE after Microsoft's "Multiple Channel Audio Data and WAVE Files".
 * @throws FrameDeadlineError WAV_INVALID, WAV_UNSUPPORTED
 */
export function parseWavHeader(source: ByteSource): WavLayout {
  const riffSize = checkContainer(source);
  const warnings: string[] = [];
  let found: Format | undefined;
  let offset = 12;
  for (let count = 0; count < MAX_CHUNKS; count++) {
    const head = bytesAt(source, offset, 8);
    if (head.length < 8)
      invalid(source, `truncated: it ends after ${source.sizeBytes} bytes, before a ${found ? 'data' : 'fmt'} chunk`);
    const id = text(head, 0, 4);
    const size = new DataView(head.buffer).getUint32(4, true);
    const body = offset + 8;
    const available = source.sizeBytes - body;
    if (id === 'data') {
      if (!found) invalid(source, 'the data chunk comes before any fmt chunk');
      const dataBytes = measureData(source, size, body, riffSize, found, warnings);
      const frameBytes = found.channels * found.bytesPerSample;
      const sampleFrames = Math.floor(dataBytes / frameBytes);
      const rest = dataBytes - sampleFrames * frameBytes;
      if (rest > 0) warnings.push(`ignored the last ${rest} bytes: not a whole sample frame`);
      if (sampleFrames === 0) warnings.push('no sample frames');
      return { ...found, dataOffset: body, sampleFrames, warnings };
    }
    if (size > available)
      invalid(
        source,
        `truncated, or its header lies: the "${id}" chunk at ${offset} claims ${size} bytes, ${available} are there`,
      );
    if (id === 'fmt ') {
      if (size < 16) invalid(source, `the fmt chunk has ${size} bytes, expected at least 16`);
      if (found) warnings.push(`ignored a second fmt chunk at ${offset}`);
      else found = parseFormat(source, bytesAt(source, body, Math.min(size, 40)));
    }
    offset = nextChunk(source, body + size, size, warnings);
  }
  return invalid(source, `no data chunk among the first ${MAX_CHUNKS} chunks`);
}
