import { FrameDeadlineError } from '../../../base/errors.js';

/** How the samples were stored in the file. */
export type SampleFormat = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32';

/** Sampled sound, whole in memory. Plain data: posting it to a worker shares the samples and copies nothing. */
export interface DecodedAudio {
  readonly sampleRateHz: number;
  /** 1 or more. */
  readonly channels: number;
  /** Samples per channel; may be 0. */
  readonly sampleFrames: number;
  /** One view per channel on one SharedArrayBuffer. Full scale is -1 to 1; float files may go beyond, never to NaN. */
  readonly data: readonly Float32Array[];
  readonly format: SampleFormat;
  /** What was odd about the file but did no harm, in words. */
  readonly warnings: readonly string[];
}

export const MIN_SAMPLE_RATE_HZ = 8000;
export const MAX_SAMPLE_RATE_HZ = 192_000;

/**
 * One SharedArrayBuffer with a view per channel; a plain ArrayBuffer in a page that has none.
 * @throws RangeError where the memory cannot be had.
 */
export function allocatePlanes(channels: number, sampleFrames: number): Float32Array[] {
  const bytes = channels * sampleFrames * 4;
  const shared = typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
  const planes: Float32Array[] = [];
  for (let c = 0; c < channels; c++) planes.push(new Float32Array(shared, c * sampleFrames * 4, sampleFrames));
  return planes;
}

/** @throws FrameDeadlineError OPTION_INVALID for a rate or channel count that no part of the chain takes. */
export function checkAudioShape(sampleRateHz: number, channels: number): void {
  if (!(sampleRateHz >= MIN_SAMPLE_RATE_HZ && sampleRateHz <= MAX_SAMPLE_RATE_HZ))
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `sampleRateHz ${sampleRateHz}: expected ${MIN_SAMPLE_RATE_HZ} to ${MAX_SAMPLE_RATE_HZ}`,
    );
  if (!Number.isInteger(channels) || channels < 1 || channels > 65_535)
    throw new FrameDeadlineError('OPTION_INVALID', `channels ${channels}: expected an integer from 1 to 65535`);
}
