import { closeSync, openSync, writeSync } from 'node:fs';
import { FrameDeadlineError } from '../../../base/errors.js';
import { checkAudioShape } from './decoded-audio.js';

const HEADER_BYTES = 58;
const MAX_FILE_BYTES = 0xffff_ffff;

/** RIFF, fmt (18 bytes, IEEE float), fact, data: what Microsoft's WAVE description asks of a format that is not PCM. */
function header(sampleRateHz: number, channels: number, sampleFrames: number): Buffer {
  const dataBytes = sampleFrames * channels * 4;
  const b = Buffer.alloc(HEADER_BYTES);
  b.write('RIFF', 0, 'latin1');
  b.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  b.write('WAVEfmt ', 8, 'latin1');
  b.writeUInt32LE(18, 16);
  b.writeUInt16LE(3, 20);
  b.writeUInt16LE(channels, 22);
  b.writeUInt32LE(sampleRateHz, 24);
  b.writeUInt32LE((sampleRateHz * channels * 4) % 0x1_0000_0000, 28);
  b.writeUInt16LE(channels * 4, 32);
  b.writeUInt16LE(32, 34);
  b.write('fact', 38, 'latin1');
  b.writeUInt32LE(4, 42);
  b.writeUInt32LE(sampleFrames, 46);
  b.write('data', 50, 'latin1');
  b.writeUInt32LE(dataBytes, 54);
  return b;
}

/**
 * Writes a 32-bit float WAV block by block. The header on disk never claims more than is there: it is brought up to
 * date after each flush, so a run that is killed leaves a valid file that lacks at most `bufferBytes` of its end.
 * Calls block on the disk when the buffer is full. Not for use by two threads.
 */
export class WavWriter {
  readonly path: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  private fd: number | null;
  private buffer: Buffer;
  private view: DataView;
  private fill: number;
  private flushedFrames: number;

  /**
   * Creates or truncates the file. `sampleRateHz` is an integer; `channels` at most 16383.
   * @throws FrameDeadlineError OUTPUT_UNWRITABLE, OPTION_INVALID
   */
  constructor(path: string, sampleRateHz: number, channels: number, bufferBytes = 64 * 1024) {
    checkAudioShape(sampleRateHz, channels);
    if (!Number.isInteger(sampleRateHz) || channels * 4 > 65_535)
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `a WAV of ${channels} channels at ${sampleRateHz} Hz: expected at most 16383 channels and a whole rate`,
      );
    this.path = path;
    this.sampleRateHz = sampleRateHz;
    this.channels = channels;
    this.fd = null;
    const frameBytes = channels * 4;
    this.buffer = Buffer.alloc(Math.max(1, Math.floor(bufferBytes / frameBytes)) * frameBytes);
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
    this.fill = 0;
    this.flushedFrames = 0;
    try {
      this.fd = openSync(path, 'w');
    } catch (cause) {
      throw this.unwritable(cause);
    }
    try {
      this.writeHeader();
    } catch (error) {
      closeSync(this.fd);
      this.fd = null;
      throw error;
    }
  }

  /** Sample frames appended so far. */
  get sampleFrames(): number {
    return this.flushedFrames + this.fill / (this.channels * 4);
  }

  /**
   * Appends `samples` (frame by frame, all channels of a frame together): the first `sampleFrames` of it.
   * @throws FrameDeadlineError OUTPUT_UNWRITABLE (disk full, over 4 GiB, finished)
   */
  appendInterleaved(samples: Float32Array, sampleFrames = Math.floor(samples.length / this.channels)): void {
    this.checkRoom(sampleFrames);
    const { view, buffer } = this;
    const count = sampleFrames * this.channels;
    for (let i = 0; i < count; i++) {
      view.setFloat32(this.fill, samples[i]!, true);
      this.fill += 4;
      if (this.fill === buffer.length) this.flush();
    }
  }

  /** As `appendInterleaved`, with one array per channel. */
  appendPlanar(planes: readonly Float32Array[], sampleFrames = planes[0]?.length ?? 0): void {
    if (planes.length !== this.channels)
      throw new FrameDeadlineError('OPTION_INVALID', `${planes.length} planes for ${this.channels} channels`);
    this.checkRoom(sampleFrames);
    const { view, buffer, channels } = this;
    for (let i = 0; i < sampleFrames; i++) {
      for (let c = 0; c < channels; c++) {
        view.setFloat32(this.fill, planes[c]![i]!, true);
        this.fill += 4;
      }
      if (this.fill === buffer.length) this.flush();
    }
  }

  /** Puts what is buffered on disk and brings the header up to date; the file is then valid as it stands. */
  flush(): void {
    if (this.fill === 0) return;
    const offset = HEADER_BYTES + this.flushedFrames * this.channels * 4;
    const bytes = this.fill;
    // emptied first: a failed write must not be tried again for ever
    this.fill = 0;
    this.write(this.buffer, bytes, offset);
    this.flushedFrames += bytes / (this.channels * 4);
    this.writeHeader();
  }

  /** Flushes and closes. May be called again. Returns the length of the file's sound in sample frames. */
  finish(): number {
    if (this.fd === null) return this.flushedFrames;
    try {
      this.flush();
    } finally {
      const fd = this.fd;
      this.fd = null;
      closeSync(fd);
    }
    return this.flushedFrames;
  }

  [Symbol.dispose](): void {
    this.finish();
  }

  private checkRoom(sampleFrames: number): void {
    if (this.fd === null)
      throw new FrameDeadlineError('OUTPUT_UNWRITABLE', `${this.path} is finished; open a new writer`);
    if ((this.sampleFrames + sampleFrames) * this.channels * 4 + HEADER_BYTES > MAX_FILE_BYTES)
      throw new FrameDeadlineError('OUTPUT_UNWRITABLE', `${this.path} is full: a WAV holds 4 GiB; record less`);
  }

  private writeHeader(): void {
    this.write(header(this.sampleRateHz, this.channels, this.flushedFrames), HEADER_BYTES, 0);
  }

  private write(bytes: Buffer, length: number, offset: number): void {
    const fd = this.fd;
    if (fd === null) throw new FrameDeadlineError('OUTPUT_UNWRITABLE', `${this.path} is finished`);
    try {
      for (let done = 0; done < length; ) done += writeSync(fd, bytes, done, length - done, offset + done);
    } catch (cause) {
      throw this.unwritable(cause);
    }
  }

  private unwritable(cause: unknown): FrameDeadlineError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new FrameDeadlineError('OUTPUT_UNWRITABLE', `cannot write ${this.path}: ${why}; choose another place`, {
      cause,
    });
  }
}
