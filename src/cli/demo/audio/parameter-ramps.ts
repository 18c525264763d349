import { describeValue, FrameDeadlineError } from '../../../base/errors.js';
import { BLOCK_SAMPLE_FRAMES, PARAMETERS } from './parameters.js';

/**
 * Glides each parameter from its value to a new one in equal steps, one a block, over about 20 ms. Processors move
 * from `previous` to `current` within the block, so that nothing jumps. Log-scaled parameters glide in log2.
 */
export class ParameterRamps {
  /** Values at the end of the block before. */
  readonly previous: Float64Array;
  /** Values at the end of this block. */
  readonly current: Float64Array;
  /** 1 where `current` differs from `previous`, or was just reset. */
  readonly moving: Uint8Array;
  private readonly target: Float64Array;
  private readonly step: Float64Array;
  private readonly position: Float64Array;
  private readonly blocksLeft: Int32Array;
  private readonly rampBlocks: number;

  constructor(sampleRateHz: number) {
    const count = PARAMETERS.length;
    this.previous = new Float64Array(count);
    this.current = new Float64Array(count);
    this.moving = new Uint8Array(count);
    this.target = new Float64Array(count);
    this.step = new Float64Array(count);
    this.position = new Float64Array(count);
    this.blocksLeft = new Int32Array(count);
    this.rampBlocks = Math.max(1, Math.ceil((0.02 * sampleRateHz) / BLOCK_SAMPLE_FRAMES));
    this.reset();
  }

  /** Back to the defaults, without a glide. */
  reset(): void {
    for (let id = 0; id < PARAMETERS.length; id++) {
      const value = PARAMETERS[id]!.default;
      this.previous[id] = value;
      this.current[id] = value;
      this.target[id] = value;
      this.position[id] = toScale(id, value);
      this.step[id] = 0;
      this.blocksLeft[id] = 0;
      this.moving[id] = 1;
    }
  }

  /** Starts a glide at the next `advance`. Values beyond the range count as its end. */
  set(id: number, value: number): void {
    const parameter = PARAMETERS[id];
    if (!parameter || !Number.isFinite(value))
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `parameter ${describeValue(id)} = ${describeValue(value)}: expected an id from 0 to ${PARAMETERS.length - 1} and a finite number`,
      );
    const clamped = Math.min(parameter.max, Math.max(parameter.min, value));
    if (clamped === this.target[id]) return;
    this.target[id] = clamped;
    this.blocksLeft[id] = this.rampBlocks;
    this.step[id] = (toScale(id, clamped) - this.position[id]!) / this.rampBlocks;
  }

  /** The value that parameter `id` glides to, or has. */
  targetOf(id: number): number {
    return this.target[id]!;
  }

  /** One block further. */
  advance(): void {
    const { previous, current, moving, blocksLeft, position } = this;
    for (let id = 0; id < current.length; id++) {
      const before = current[id]!;
      previous[id] = before;
      const left = blocksLeft[id]!;
      if (left === 0) continue;
      blocksLeft[id] = left - 1;
      position[id] = position[id]! + this.step[id]!;
      if (left === 1) {
        // exactly the target, without the rounding of the steps
        current[id] = this.target[id]!;
        position[id] = toScale(id, this.target[id]!);
      } else current[id] = fromScale(id, position[id]!);
      moving[id] = 1;
    }
  }

  /** To be called when the block is done. */
  settle(): void {
    this.moving.fill(0);
  }
}

function toScale(id: number, value: number): number {
  return PARAMETERS[id]!.scale === 'log' ? Math.log(value) : value;
}

function fromScale(id: number, value: number): number {
  return PARAMETERS[id]!.scale === 'log' ? Math.exp(value) : value;
}

const NEPER_PER_DB = Math.LN10 / 20;

/** 10^(db / 20). */
export function dbToGain(db: number): number {
  return Math.exp(db * NEPER_PER_DB);
}
