import { closeSync, openSync, readSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { DecodedAudio } from '../audio/decoded-audio.js';
import { type ParameterChange, renderOfflineBlocks } from '../audio/offline.js';
import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import { parseWavHeader } from '../audio/wav-header.js';
import { fileSource } from '../audio/wav-reader.js';
import { WavWriter } from '../audio/wav-writer.js';
import { runThread } from './thread-body.js';

export interface OfflineData {
  readonly audio: DecodedAudio;
  readonly pastEnd: 'silence' | 'loop';
  readonly changes: readonly ParameterChange[];
  readonly blocks: number;
  /** Where to write the result, or null. */
  readonly writeTo: string | null;
  /** A 32-bit float WAV to compare with bit by bit, or null. */
  readonly compareWith: string | null;
}
export interface OfflineResult {
  /** Whether length and every bit are the same; null where nothing was compared. */
  readonly identical: boolean | null;
  /** First block with a difference, or null. */
  readonly firstDifferentBlock: number | null;
}

/** Renders the chain in one go, without real time, and writes or compares what comes out. */
function render(data: OfflineData): OfflineResult {
  const { audio, pastEnd, changes, blocks } = data;
  const writer = data.writeTo === null ? null : new WavWriter(data.writeTo, audio.sampleRateHz, audio.channels);
  const comparison = data.compareWith === null ? null : new Comparison(data.compareWith, audio, blocks);
  try {
    const consume = (samples: Float32Array, block: number): void => {
      writer?.appendInterleaved(samples);
      comparison?.block(samples, block);
    };
    renderOfflineBlocks(audio, changes, blocks, consume, { pastEnd });
  } finally {
    writer?.finish();
    comparison?.close();
  }
  return {
    identical: comparison?.identical ?? null,
    firstDifferentBlock: comparison?.firstDifferentBlock ?? null,
  };
}

/** Compares blocks with those of a file, as bytes: also the sign of zero must agree. */
class Comparison {
  identical: boolean;
  firstDifferentBlock: number | null;
  private readonly fd: number;
  private readonly dataOffset: number;

  constructor(path: string, audio: DecodedAudio, blocks: number) {
    this.fd = openSync(path, 'r');
    try {
      const layout = parseWavHeader(fileSource(path, this.fd));
      this.dataOffset = layout.dataOffset;
      this.identical =
        layout.format === 'float32' &&
        layout.channels === audio.channels &&
        layout.sampleRateHz === audio.sampleRateHz &&
        layout.sampleFrames === blocks * BLOCK_SAMPLE_FRAMES;
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
    this.firstDifferentBlock = null;
  }

  block(samples: Float32Array, block: number): void {
    if (!this.identical) return;
    const rendered = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    const stored = Buffer.alloc(rendered.length);
    const got = readSync(this.fd, stored, 0, stored.length, this.dataOffset + block * stored.length);
    if (got === stored.length && stored.equals(rendered)) return;
    this.identical = false;
    this.firstDifferentBlock = block;
  }

  close(): void {
    closeSync(this.fd);
  }
}

runThread(() => render(workerData as OfflineData));
