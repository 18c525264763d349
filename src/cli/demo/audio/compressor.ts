import type { ParameterRamps } from './parameter-ramps.js';
import { ParameterId } from './parameters.js';

const DB_PER_NEPER = 20 / Math.LN10;
const NEPER_PER_DB = Math.LN10 / 20;
const SILENCE = 1e-6;
// Below this a gain reduction is none: keeps the smoother out of denormal numbers.
const NO_REDUCTION_DB = 1e-9;

/**
 * Output level of the static curve in dB for an input level in dB: D. Giannoulis, M. Massberg, J. D. Reiss, "Digital
 * Dynamic Range Compressor Design: A Tutorial and Analysis", J. Audio Eng. Soc. 60(6), 2012, equation 4.
 */
export function compressorCurveDb(levelDb: number, thresholdDb: number, ratio: number, kneeDb: number): number {
  return levelDb - reductionDb(levelDb - thresholdDb, 1 - 1 / ratio, kneeDb);
}

function reductionDb(over: number, slope: number, kneeDb: number): number {
  const half = kneeDb / 2;
  if (over <= -half) return 0;
  if (over < half) return (slope * (over + half) * (over + half)) / (2 * kneeDb);
  return slope * over;
}

/**
 * Feed-forward compressor after Giannoulis et al. (2012): peak level of the loudest channel, soft-knee gain computer,
 * then the smooth decoupled peak detector (equation 17) on the gain reduction, all in dB. One gain for all channels, so
 * that the stereo image stays where it is.
 */
export class Compressor {
  private readonly sampleRateHz: number;
  private attack: number;
  private release: number;
  private held: number;
  private reduction: number;

  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz;
    this.attack = 0;
    this.release = 0;
    this.held = 0;
    this.reduction = 0;
  }

  /** Gain reduction at the end of the last block in dB, 0 or more. */
  get reductionDb(): number {
    return this.reduction;
  }

  reset(ramps: ParameterRamps): void {
    this.held = 0;
    this.reduction = 0;
    this.tune(ramps.current);
  }

  /** Compresses the first `sampleFrames` of each plane in place. Allocates nothing. */
  process(planes: readonly Float64Array[], sampleFrames: number, ramps: ParameterRamps): void {
    const { previous, current, moving } = ramps;
    if ((moving[ParameterId.compressorAttackMs]! | moving[ParameterId.compressorReleaseMs]!) !== 0) this.tune(current);
    const threshold0 = previous[ParameterId.compressorThresholdDb]!;
    const threshold1 = current[ParameterId.compressorThresholdDb]!;
    const slope0 = 1 - 1 / previous[ParameterId.compressorRatio]!;
    const slope1 = 1 - 1 / current[ParameterId.compressorRatio]!;
    const knee0 = previous[ParameterId.compressorKneeDb]!;
    const knee1 = current[ParameterId.compressorKneeDb]!;
    const makeup0 = previous[ParameterId.compressorMakeupDb]!;
    const makeup1 = current[ParameterId.compressorMakeupDb]!;
    const { attack, release } = this;
    const channels = planes.length;
    let held = this.held;
    let reduction = this.reduction;
    for (let i = 0; i < sampleFrames; i++) {
      let level = SILENCE;
      for (let c = 0; c < channels; c++) {
        const magnitude = Math.abs(planes[c]![i]!);
        if (magnitude > level) level = magnitude;
      }
      const t = (i + 1) / sampleFrames;
      const over = DB_PER_NEPER * Math.log(level) - (threshold0 + (threshold1 - threshold0) * t);
      const wanted = reductionDb(over, slope0 + (slope1 - slope0) * t, knee0 + (knee1 - knee0) * t);
      const released = release * held + (1 - release) * wanted;
      held = Math.max(wanted, released);
      reduction = attack * reduction + (1 - attack) * held;
      const gain = Math.exp((makeup0 + (makeup1 - makeup0) * t - reduction) * NEPER_PER_DB);
      for (let c = 0; c < channels; c++) {
        const plane = planes[c]!;
        plane[i] = plane[i]! * gain;
      }
    }
    this.held = held > NO_REDUCTION_DB ? held : 0;
    this.reduction = reduction > NO_REDUCTION_DB ? reduction : 0;
  }

  private tune(values: Float64Array): void {
    this.attack = this.coefficient(values[ParameterId.compressorAttackMs]!);
    this.release = this.coefficient(values[ParameterId.compressorReleaseMs]!);
  }

  private coefficient(timeMs: number): number {
    return Math.exp(-1000 / (timeMs * this.sampleRateHz));
  }
}
