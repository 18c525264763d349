import { MovingSum } from './moving-sum.js';
import { dbToGain, type ParameterRamps } from './parameter-ramps.js';
import { BLOCK_SAMPLE_FRAMES, ParameterId } from './parameters.js';
import { SlidingMinimum } from './sliding-minimum.js';
import { DETECTOR_DELAY_SAMPLE_FRAMES, TruePeakDetector } from './true-peak-detector.js';

const LOOK_AHEAD_SECONDS = 0.0015;
/** Half the look-ahead at low rates: a gain that moves faster would add peaks between the samples. */
const LEAST_BOX_SAMPLE_FRAMES = 24;
/** Sample frames on either side of a peak for which the gain stays down, so that it is level where it is interpolated. */
const HOLD_SAMPLE_FRAMES = 8;
/** What the detector may read low, and the gain's own movement adds. */
const MARGIN_DB = 0.5;
const ONE = 2 ** 30;
const FULLY_RELEASED = 1e-6;

/**
 * Look-ahead true-peak limiter, linked over the channels. The gain that each peak needs is held by a sliding minimum,
 * released exponentially and smoothed by two moving averages, which together are as long as the look-ahead: the gain is
 * down when the peak arrives. While nothing exceeds the ceiling the output is the delayed input, bit for bit.
 */
export class Limiter {
  /** Delay from input to output. */
  readonly latencySampleFrames: number;
  private readonly sampleRateHz: number;
  private readonly detector: TruePeakDetector;
  private readonly peaks: Float64Array;
  private readonly minimum: SlidingMinimum;
  private readonly smootherA: MovingSum;
  private readonly smootherB: MovingSum;
  private readonly box: number;
  private readonly scale: number;
  private readonly delays: readonly Float64Array[];
  private delayAt: number;
  private envelope: number;
  private release: number;
  private lowestGain: number;

  constructor(sampleRateHz: number, channels: number) {
    this.sampleRateHz = sampleRateHz;
    const box = Math.max(LEAST_BOX_SAMPLE_FRAMES, Math.round((LOOK_AHEAD_SECONDS * sampleRateHz) / 2));
    const kernel = 2 * box - 1;
    const lookAhead = kernel - 1 + HOLD_SAMPLE_FRAMES;
    this.latencySampleFrames = DETECTOR_DELAY_SAMPLE_FRAMES + lookAhead;
    this.detector = new TruePeakDetector(channels);
    this.peaks = new Float64Array(BLOCK_SAMPLE_FRAMES);
    // long enough that every average which reaches the neighbourhood of a peak holds nothing but its gain
    this.minimum = new SlidingMinimum(lookAhead + HOLD_SAMPLE_FRAMES + 2);
    this.smootherA = new MovingSum(box);
    this.smootherB = new MovingSum(box);
    this.box = box;
    this.scale = ONE * box * box;
    const delays: Float64Array[] = [];
    for (let c = 0; c < channels; c++) delays.push(new Float64Array(this.latencySampleFrames));
    this.delays = delays;
    this.delayAt = 0;
    this.envelope = 1;
    this.release = 0;
    this.lowestGain = 1;
  }

  /** The strongest gain reduction of the last block in dB, 0 or more. */
  get reductionDb(): number {
    return (-20 / Math.LN10) * Math.log(this.lowestGain);
  }

  reset(ramps: ParameterRamps): void {
    this.detector.reset();
    this.minimum.reset();
    this.smootherA.reset(ONE);
    this.smootherB.reset(ONE * this.box);
    for (const delay of this.delays) delay.fill(0);
    this.delayAt = 0;
    this.envelope = 1;
    this.lowestGain = 1;
    this.tune(ramps);
  }

  /**
   * Limits the first `sampleFrames` of each plane in place. A lower ceiling holds from `latencySampleFrames` after it was
   * set. Allocates nothing.
   */
  process(planes: readonly Float64Array[], sampleFrames: number, ramps: ParameterRamps): void {
    if (ramps.moving[ParameterId.limiterReleaseMs] !== 0) this.tune(ramps);
    const { peaks, minimum, smootherA, smootherB, scale, delays, release } = this;
    this.detector.process(planes, sampleFrames, peaks);
    const ceiling0 = dbToGain(ramps.previous[ParameterId.limiterCeilingDb]! - MARGIN_DB);
    const ceiling1 = dbToGain(ramps.current[ParameterId.limiterCeilingDb]! - MARGIN_DB);
    const length = this.latencySampleFrames;
    let { envelope, delayAt } = this;
    let lowest = 1;
    for (let i = 0; i < sampleFrames; i++) {
      const ceiling = ceiling0 + ((ceiling1 - ceiling0) * (i + 1)) / sampleFrames;
      const peak = peaks[i]!;
      const held = minimum.next(peak > ceiling ? ceiling / peak : 1);
      const released = envelope + (1 - envelope) * release;
      envelope = held < released || 1 - released < FULLY_RELEASED ? held : released;
      // whole numbers keep the moving sums exact
      const gain = smootherB.next(smootherA.next(Math.floor(envelope * ONE))) / scale;
      if (gain < lowest) lowest = gain;
      for (let c = 0; c < planes.length; c++) {
        const plane = planes[c]!;
        const delay = delays[c]!;
        const delayed = delay[delayAt]!;
        delay[delayAt] = plane[i]!;
        plane[i] = delayed * gain;
      }
      delayAt = delayAt + 1 === length ? 0 : delayAt + 1;
    }
    this.envelope = envelope;
    this.delayAt = delayAt;
    this.lowestGain = lowest;
  }

  private tune(ramps: ParameterRamps): void {
    this.release = 1 - Math.exp(-1000 / (ramps.current[ParameterId.limiterReleaseMs]! * this.sampleRateHz));
  }
}
