// Own reader: wavefile, wav-decoder, @echogarden/wave-codec, wav-file-decoder and @audio/decode-wav were tried on lying headers; each took a wrong byte rate and a sample rate of 0.
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FrameDeadlineError } from '../../../base/errors.js';
import { allocatePlanes, type DecodedAudio, type SampleFormat } from './decoded-audio.js';
import { type ByteSource, parseWavHeader } from './wav-header.js';

export interface ReadWavOptions {
  /** Refuse files whose samples take more than this as 32-bit floats. Default 2 GiB. */
  readonly maxDecodedBytes?: number;
}

const READ_BYTES = 256 * 1024;

/**
 * Reads a whole WAV file: 8, 16, 24 or 32-bit integer or 32-bit float, plain or extensible, 8 to 192 kHz, any number of
 * channels. Blocks while it reads. Memory is taken only for samples that are in the file, whatever its header says.
 * @throws FrameDeadlineError FILE_UNREADABLE (missing, no permission, not a regular file, read error), WAV_INVALID
 *   (empty, truncated, lying, no WAV at all), WAV_UNSUPPORTED (RF64, compressed, 64-bit float, too large)
 */
export function readWav(path: string, options: ReadWavOptions = {}): DecodedAudio {
  const fd = openFile(path);
  try {
    return decodeWav(fileSource(path, fd), options);
  } finally {
    closeSync(fd);
  }
}

/** As `readWav`, from any source of bytes. Throws no FILE_UNREADABLE of its own. */
export function decodeWav(source: ByteSource, options: ReadWavOptions = {}): DecodedAudio {
  const layout = parseWavHeader(source);
  const { channels, sampleFrames, format, bytesPerSample, sampleRateHz, warnings } = layout;
  const maxDecodedBytes = options.maxDecodedBytes ?? 2 ** 31;
  const decodedBytes = channels * sampleFrames * 4;
  if (decodedBytes > maxDecodedBytes) throw tooLarge(source, decodedBytes, `the limit is ${maxDecodedBytes}`);
  let data: Float32Array[];
  try {
    data = allocatePlanes(channels, sampleFrames);
  } catch (cause) {
    throw tooLarge(source, decodedBytes, 'this much memory cannot be had', cause);
  }
  const frameBytes = channels * bytesPerSample;
  const framesPerRead = Math.max(1, Math.floor(READ_BYTES / frameBytes));
  const bytes = new Uint8Array(Math.min(framesPerRead, sampleFrames) * frameBytes);
  let notFinite = 0;
  for (let frame = 0; frame < sampleFrames; frame += framesPerRead) {
    const frames = Math.min(framesPerRead, sampleFrames - frame);
    const part = bytes.subarray(0, frames * frameBytes);
    const offset = layout.dataOffset + frame * frameBytes;
    const got = source.read(offset, part);
    if (got < part.length)
      throw new FrameDeadlineError(
        'WAV_INVALID',
        `${source.name}: the file shrank while it was read: it ends at ${offset + got}`,
      );
    notFinite += decodeFrames(format, part, data, frame, frames);
  }
  if (notFinite > 0) warnings.push(`${notFinite} samples are not finite numbers: taken as 0`);
  return { sampleRateHz, channels, sampleFrames, data, format, warnings };
}

/** Bytes that are in memory already. */
export function memorySource(bytes: Uint8Array, name = 'WAV'): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    read(offset, target) {
      const part = bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + target.length, bytes.length));
      target.set(part);
      return part.length;
    },
  };
}

function tooLarge(source: ByteSource, decodedBytes: number, why: string, cause?: unknown): FrameDeadlineError {
  return new FrameDeadlineError(
    'WAV_UNSUPPORTED',
    `${source.name}: its samples take ${decodedBytes} bytes as floats: ${why}; cut the file into shorter ones`,
    cause === undefined ? undefined : { cause },
  );
}

function unreadable(path: string, cause: unknown): FrameDeadlineError {
  const code = (cause as { code?: unknown } | null)?.code;
  const why =
    code === 'ENOENT'
      ? 'no such file'
      : code === 'EACCES' || code === 'EPERM'
        ? 'no permission to read it'
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new FrameDeadlineError('FILE_UNREADABLE', `cannot read ${path}: ${why}; give a WAV file`, { cause });
}

function openFile(path: string): number {
  let fd: number | undefined;
  try {
    // looked at before opening: opening a named pipe would wait for a writer
    if (!statSync(path).isFile()) throw new Error('not a regular file');
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!fstatSync(fd).isFile()) throw new Error('not a regular file');
    return fd;
  } catch (cause) {
    if (fd !== undefined) closeSync(fd);
    throw unreadable(path, cause);
  }
}

/** Bytes of an open file. */
export function fileSource(path: string, fd: number): ByteSource {
  return {
    name: path,
    sizeBytes: fstatSync(fd).size,
    read(offset, target) {
      let done = 0;
      try {
        while (done < target.length) {
          const got = readSync(fd, target, done, target.length - done, offset + done);
          if (got === 0) break;
          done += got;
        }
      } catch (cause) {
        throw unreadable(path, cause);
      }
      return done;
    },
  };
}

/** Spreads interleaved little-endian samples over the planes. Returns how many were not finite. */
function decodeFrames(
  format: SampleFormat,
  bytes: Uint8Array,
  data: readonly Float32Array[],
  first: number,
  frames: number,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = data.length;
  let notFinite = 0;
  for (let c = 0; c < channels; c++) {
    const plane = data[c]!;
    switch (format) {
      case 'pcm8':
        for (let i = 0, p = c; i < frames; i++, p += channels) plane[first + i] = (bytes[p]! - 128) / 128;
        break;
      case 'pcm16':
        for (let i = 0, p = c * 2; i < frames; i++, p += channels * 2)
          plane[first + i] = view.getInt16(p, true) / 32_768;
        break;
      case 'pcm24':
        for (let i = 0, p = c * 3; i < frames; i++, p += channels * 3)
          plane[first + i] = (view.getInt8(p + 2) * 65_536 + view.getUint16(p, true)) / 8_388_608;
        break;
      case 'pcm32':
        for (let i = 0, p = c * 4; i < frames; i++, p += channels * 4)
          plane[first + i] = view.getInt32(p, true) / 2_147_483_648;
        break;
      case 'float32':
        for (let i = 0, p = c * 4; i < frames; i++, p += channels * 4) {
          const value = view.getFloat32(p, true);
          if (Number.isFinite(value)) plane[first + i] = value;
          else notFinite++;
        }
        break;
    }
  }
  return notFinite;
}
