import { FrameDeadlineError } from '../../../base/errors.js';
import type { DecodedAudio } from './decoded-audio.js';
import { BLOCK_SAMPLE_FRAMES } from './parameters.js';

export interface BlockSourceOptions {
  /** What comes after the end: silence (default), or the sound again from its start without a gap. */
  readonly pastEnd?: 'silence' | 'loop';
}

/** The decoded sound in blocks of 128 sample frames. Each thread makes its own; the samples are shared. */
export class BlockSource {
  /** Blocks that hold sound; the last may be partly silence. */
  readonly blocks: number;
  private readonly data: readonly Float32Array[];
  private readonly sampleFrames: number;
  private readonly loop: boolean;
  private readonly planes: Float32Array[];

  constructor(audio: DecodedAudio, options: BlockSourceOptions = {}) {
    const pastEnd = options.pastEnd ?? 'silence';
    if (pastEnd !== 'silence' && pastEnd !== 'loop')
      throw new FrameDeadlineError('OPTION_INVALID', `pastEnd ${String(pastEnd)}: expected "silence" or "loop"`);
    this.data = audio.data;
    this.sampleFrames = audio.sampleFrames;
    this.blocks = Math.ceil(audio.sampleFrames / BLOCK_SAMPLE_FRAMES);
    this.loop = pastEnd === 'loop' && audio.sampleFrames > 0;
    this.planes = [];
    for (let c = 0; c < audio.channels; c++) this.planes.push(new Float32Array(BLOCK_SAMPLE_FRAMES));
  }

  /**
   * Block `index` (0 or more), one array of 128 samples per channel. Allocates nothing: the arrays are the source's own,
   * valid until the next call.
   */
  block(index: number): readonly Float32Array[] {
    this.copyBlock(index, this.planes);
    return this.planes;
  }

  /** Copies block `index` to the first 128 samples of each of `planes`. Allocates nothing. */
  copyBlock(index: number, planes: readonly Float32Array[]): void {
    const { sampleFrames, loop } = this;
    let start = index * BLOCK_SAMPLE_FRAMES;
    if (loop) start %= sampleFrames;
    for (let c = 0; c < this.data.length; c++) {
      const from = this.data[c]!;
      const to = planes[c]!;
      let at = start;
      for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++) {
        if (at === sampleFrames && loop) at = 0;
        to[i] = at < sampleFrames ? from[at]! : 0;
        at++;
      }
    }
  }
}
