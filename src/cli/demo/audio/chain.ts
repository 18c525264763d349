import { FrameDeadlineError } from '../../../base/errors.js';
import { Compressor } from './compressor.js';
import { checkAudioShape } from './decoded-audio.js';
import { Equaliser } from './equaliser.js';
import { Limiter } from './limiter.js';
import { NoiseSource } from './noise.js';
import { dbToGain, ParameterRamps } from './parameter-ramps.js';
import { BLOCK_SAMPLE_FRAMES, PARAMETERS, ParameterId } from './parameters.js';

// Numbers outside count as silence: not-a-number would stay in the filters for ever, denormal numbers are slow.
const LEAST = 1e-20;
const MOST = 1e10;

export interface AudioChainOptions {
  /** 8000 to 192000. */
  readonly sampleRateHz: number;
  /** 1 or more. */
  readonly channels: number;
}

/**
 * Input gain, equaliser, linked compressor, output gain, true-peak limiter. The same input with the same parameter
 * changes before the same blocks gives the same bits, in any thread of the same Node version. One chain belongs to one
 * thread.
 */
export class AudioChain {
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Delay from input to output: 110 at 48 kHz. */
  readonly latencySampleFrames: number;
  private readonly ramps: ParameterRamps;
  private readonly equaliser: Equaliser;
  private readonly compressor: Compressor;
  private readonly limiter: Limiter;
  private readonly work: readonly Float64Array[];

  /** @throws FrameDeadlineError OPTION_INVALID */
  constructor(options: AudioChainOptions) {
    const { sampleRateHz, channels } = options;
    checkAudioShape(sampleRateHz, channels);
    this.sampleRateHz = sampleRateHz;
    this.channels = channels;
    this.ramps = new ParameterRamps(sampleRateHz);
    this.equaliser = new Equaliser(sampleRateHz, channels);
    this.compressor = new Compressor(sampleRateHz);
    this.limiter = new Limiter(sampleRateHz, channels);
    this.latencySampleFrames = this.limiter.latencySampleFrames;
    const work: Float64Array[] = [];
    for (let c = 0; c < channels; c++) work.push(new Float64Array(BLOCK_SAMPLE_FRAMES));
    this.work = work;
    this.reset();
  }

  /** What the compressor took off at the end of the last block, in dB. */
  get compressorReductionDb(): number {
    return this.compressor.reductionDb;
  }

  /** The most that the limiter took off in the last block, in dB. */
  get limiterReductionDb(): number {
    return this.limiter.reductionDb;
  }

  /** As newly made: silent, all parameters at their defaults. */
  reset(): void {
    this.ramps.reset();
    this.equaliser.reset(this.ramps);
    this.compressor.reset(this.ramps);
    this.limiter.reset(this.ramps);
  }

  /**
   * Starts a glide of about 20 ms, from the next block on, to `value`; beyond the parameter's range counts as its end.
   * Ids: see `PARAMETERS`.
   * @throws FrameDeadlineError OPTION_INVALID for an unknown id or a value that is not finite
   */
  setParameter(id: number, value: number): void {
    this.ramps.set(id, value);
  }

  /** The value that a parameter has or glides to. */
  parameter(id: number): number {
    return this.ramps.targetOf(id);
  }

  /**
   * One block: 1 to 128 sample frames from `input` to `output`, one array per channel each; they may be the same arrays.
   * Allocates nothing.
   * @throws FrameDeadlineError OPTION_INVALID when the shapes do not fit
   */
  process(
    input: readonly Float32Array[],
    output: readonly Float32Array[],
    sampleFrames: number = BLOCK_SAMPLE_FRAMES,
  ): void {
    const { work, ramps } = this;
    const channels = work.length;
    if (
      input.length !== channels ||
      output.length !== channels ||
      !(sampleFrames >= 1 && sampleFrames <= BLOCK_SAMPLE_FRAMES)
    )
      throw this.shapeError(input.length, output.length, sampleFrames);
    ramps.advance();
    const inputGain0 = dbToGain(ramps.previous[ParameterId.inputGainDb]!);
    const inputGain1 = dbToGain(ramps.current[ParameterId.inputGainDb]!);
    for (let c = 0; c < channels; c++) take(input[c]!, work[c]!, sampleFrames, inputGain0, inputGain1);
    this.equaliser.process(work, sampleFrames, ramps);
    this.compressor.process(work, sampleFrames, ramps);
    const outputGain0 = dbToGain(ramps.previous[ParameterId.outputGainDb]!);
    const outputGain1 = dbToGain(ramps.current[ParameterId.outputGainDb]!);
    for (let c = 0; c < channels; c++) amplify(work[c]!, sampleFrames, outputGain0, outputGain1);
    this.limiter.process(work, sampleFrames, ramps);
    for (let c = 0; c < channels; c++) give(work[c]!, output[c]!, sampleFrames);
    ramps.settle();
  }

  /**
   * Runs `blocks` blocks of noise, so that the first real block finds compiled code (a cold one takes milliseconds), then
   * resets. Allocates; for use at set-up.
   */
  warmUp(blocks = 1000): void {
    const planes = this.work.map(() => new Float32Array(BLOCK_SAMPLE_FRAMES));
    const noise = new NoiseSource();
    for (let block = 0; block < blocks; block++) {
      // gliding and steady bands are different code
      if (block % 100 === 0) for (const { id, min, max } of PARAMETERS) this.setParameter(id, block % 200 ? min : max);
      if (block % 100 === 1) for (const parameter of PARAMETERS) this.setParameter(parameter.id, parameter.default);
      for (const plane of planes) for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++) plane[i] = noise.next();
      this.process(planes, planes);
    }
    this.reset();
  }

  private shapeError(inputs: number, outputs: number, sampleFrames: number): FrameDeadlineError {
    return new FrameDeadlineError(
      'OPTION_INVALID',
      `process got ${inputs} inputs, ${outputs} outputs, ${sampleFrames} sample frames; expected ${this.channels}, ${this.channels}, 1 to ${BLOCK_SAMPLE_FRAMES}`,
    );
  }
}

function take(from: Float32Array, to: Float64Array, sampleFrames: number, gain0: number, gain1: number): void {
  const step = (gain1 - gain0) / sampleFrames;
  for (let i = 0; i < sampleFrames; i++) {
    const sample = from[i]!;
    const magnitude = Math.abs(sample);
    to[i] = magnitude >= LEAST && magnitude <= MOST ? sample * (gain0 + step * (i + 1)) : 0;
  }
}

function amplify(samples: Float64Array, sampleFrames: number, gain0: number, gain1: number): void {
  const step = (gain1 - gain0) / sampleFrames;
  for (let i = 0; i < sampleFrames; i++) samples[i] = samples[i]! * (gain0 + step * (i + 1));
}

function give(from: Float64Array, to: Float32Array, sampleFrames: number): void {
  for (let i = 0; i < sampleFrames; i++) {
    const sample = from[i]!;
    to[i] = Math.abs(sample) >= LEAST ? sample : 0;
  }
}
