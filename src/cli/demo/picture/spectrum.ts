/// <reference path="./fourier-transform.d.ts" />
import rfft from 'fourier-transform';
import { describeValue, FrameDeadlineError } from '../../../base/errors.js';

export interface SpectrumOptions {
  /** 8 000 to 384 000 */
  readonly sampleRateHz: number;
  /** Bars, log-spaced in frequency. Default 96, 1 to 512. */
  readonly barCount?: number;
  /** Samples looked at: a power of two from 64 to 65 536. Default 2048. */
  readonly fftSize?: number;
  /** Lower edge of the first bar. Default 40. */
  readonly minHz?: number;
  /** Upper edge of the last bar; never above 0.48 of the sample rate. Default 16 000. */
  readonly maxHz?: number;
  /** Level, in dB of full scale after tilting, of an empty and of a full bar. Defaults -66 and -6. */
  readonly floorDb?: number;
  readonly ceilingDb?: number;
  /** Lift per octave above 1 kHz: music falls by about this much. Default 3. */
  readonly tiltDbPerOctave?: number;
  /** Time in which a bar falls from full to empty. Default 0.9. */
  readonly fallS?: number;
  /** Where all that lasts between calls is kept, 4 * barCount floats: shared, it lets threads take turns. Default: own. */
  readonly state?: Float32Array;
}

const RISE_S = 0.012;
const PEAK_HOLD_S = 0.35;
const PEAK_GRAVITY = 2.5; // bar heights per second squared

/**
 * Turns the newest samples of a signal into bars: Hann window (Harris, "On the use of windows for harmonic
 * analysis with the DFT", Proc. IEEE 66(1), 1978), FFT, log-spaced bars in dB, quick
 * rise, steady fall, and peaks that hang for a moment before they drop. One thread's; `analyse` allocates nothing.
 */
export class SpectrumAnalyser {
  /** Heights, 0 to 1. */
  readonly bars: Float32Array;
  /** Peak marks, 0 to 1, never below their bar. */
  readonly peaks: Float32Array;
  readonly barCount: number;
  readonly fftSize: number;
  /** The bars' edges in Hz: `barCount + 1`. */
  readonly edgesHz: Float64Array;
  private readonly window: Float64Array;
  private readonly windowed: Float64Array;
  private readonly magnitudes: Float64Array;
  private readonly edgeBins: Float64Array;
  private readonly tiltDb: Float64Array;
  private readonly peakHoldS: Float32Array;
  private readonly peakSpeed: Float32Array;
  private readonly floorDb: number;
  private readonly spanDb: number;
  private readonly fallS: number;

  /** @throws FrameDeadlineError `OPTION_INVALID` */
  constructor(options: SpectrumOptions) {
    const sampleRateHz = options.sampleRateHz;
    requireRange('sampleRateHz', sampleRateHz, 8000, 384_000);
    const barCount = options.barCount ?? 96;
    requireRange('barCount', barCount, 1, 512, true);
    const fftSize = options.fftSize ?? 2048;
    requireRange('fftSize', fftSize, 64, 65_536, true);
    if ((fftSize & (fftSize - 1)) !== 0) requireRange('fftSize (a power of two)', Number.NaN, 64, 65_536);
    const maxHz = Math.min(options.maxHz ?? 16_000, 0.48 * sampleRateHz);
    requireRange('maxHz', maxHz, 1, sampleRateHz / 2);
    const minHz = options.minHz ?? 40;
    requireRange('minHz', minHz, 1, maxHz / 2);
    const tilt = options.tiltDbPerOctave ?? 3;
    requireRange('tiltDbPerOctave', tilt, 0, 12);
    this.floorDb = options.floorDb ?? -66;
    requireRange('floorDb', this.floorDb, -200, 0);
    const ceilingDb = options.ceilingDb ?? -6;
    requireRange('ceilingDb', ceilingDb, this.floorDb + 1, 40);
    this.spanDb = ceilingDb - this.floorDb;
    this.fallS = options.fallS ?? 0.9;
    requireRange('fallS', this.fallS, 0.01, 60);

    this.barCount = barCount;
    this.fftSize = fftSize;
    const state = options.state ?? new Float32Array(4 * barCount);
    if (state.length !== 4 * barCount) requireRange('length of state', state.length, 4 * barCount, 4 * barCount);
    this.bars = state.subarray(0, barCount);
    this.peaks = state.subarray(barCount, 2 * barCount);
    this.peakHoldS = state.subarray(2 * barCount, 3 * barCount);
    this.peakSpeed = state.subarray(3 * barCount);
    this.window = hann(fftSize);
    this.windowed = new Float64Array(fftSize);
    this.magnitudes = new Float64Array(fftSize / 2);
    this.edgesHz = new Float64Array(barCount + 1);
    this.edgeBins = new Float64Array(barCount + 1);
    this.tiltDb = new Float64Array(barCount);
    for (let i = 0; i <= barCount; i++) {
      this.edgesHz[i] = minHz * (maxHz / minHz) ** (i / barCount);
      this.edgeBins[i] = (this.edgesHz[i]! * fftSize) / sampleRateHz;
    }
    for (let i = 0; i < barCount; i++) {
      this.tiltDb[i] = tilt * Math.log2(Math.sqrt(this.edgesHz[i]! * this.edgesHz[i + 1]!) / 1000);
    }
    rfft(this.windowed, this.magnitudes); // its tables are made here, not at the first frame
  }

  /**
   * Looks at the `fftSize` samples before `end` and moves the bars on by `elapsedS`.
   *
   * @param history mono samples, full scale 1; where `end` is below `fftSize` it is taken as a ring and wraps. Where it
   *   is shorter than `fftSize`, what is missing counts as silence, as does what is not finite.
   * @param end index after the newest sample, 0 to `history.length` (default)
   * @param elapsedS since the call before. Default 1/60.
   */
  analyse(history: Float32Array, end: number = history.length, elapsedS = 1 / 60): void {
    const { window, windowed, magnitudes, fftSize } = this;
    const size = history.length;
    let index = end - fftSize;
    let i = 0;
    if (size < fftSize) {
      for (const missing = fftSize - size; i < missing; i++) windowed[i] = 0;
      index = end - size;
    }
    if (index < 0) index += size;
    for (; i < fftSize; i++) {
      const sample = history[index]!;
      windowed[i] = Number.isFinite(sample) ? sample * window[i]! : 0;
      if (++index >= size) index = 0;
    }
    rfft(windowed, magnitudes);
    this.moveBars(elapsedS);
  }

  private moveBars(elapsedS: number): void {
    const { bars, peaks, peakHoldS, peakSpeed, tiltDb, floorDb, spanDb } = this;
    const rise = 1 - Math.exp(-elapsedS / RISE_S);
    const fall = elapsedS / this.fallS;
    for (let bar = 0; bar < this.barCount; bar++) {
      const level = 20 * Math.log10(this.barMagnitude(bar) + 1e-12) + tiltDb[bar]!;
      const target = Math.min(1, Math.max(0, (level - floorDb) / spanDb));
      const height = bars[bar]!;
      const moved = target > height ? height + (target - height) * rise : Math.max(target, height - fall);
      bars[bar] = moved;
      if (moved >= peaks[bar]!) {
        peaks[bar] = moved;
        peakHoldS[bar] = PEAK_HOLD_S;
        peakSpeed[bar] = 0;
      } else if (peakHoldS[bar]! > 0) {
        peakHoldS[bar] = peakHoldS[bar]! - elapsedS;
      } else {
        peakSpeed[bar] = peakSpeed[bar]! + PEAK_GRAVITY * elapsedS;
        peaks[bar] = Math.max(bars[bar]!, peaks[bar]! - peakSpeed[bar]! * elapsedS);
      }
    }
  }

  /** The largest magnitude within the bar; a bar narrower than a bin is read between its two neighbours. */
  private barMagnitude(bar: number): number {
    const { magnitudes, edgeBins } = this;
    const low = edgeBins[bar]!;
    const high = edgeBins[bar + 1]!;
    const centre = (low + high) / 2;
    const below = Math.floor(centre);
    const share = centre - below;
    let largest = magnitudes[below]! * (1 - share) + magnitudes[below + 1]! * share;
    for (let bin = Math.ceil(low); bin < high; bin++) if (magnitudes[bin]! > largest) largest = magnitudes[bin]!;
    return largest;
  }
}

/** Scaled to a mean of 1, so that a sine keeps its level. */
function hann(size: number): Float64Array {
  const window = new Float64Array(size);
  for (let i = 0; i < size; i++) window[i] = 1 - Math.cos((2 * Math.PI * i) / size);
  return window;
}

function requireRange(name: string, value: number, min: number, max: number, integer = false): void {
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return;
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `spectrum: ${name} is ${describeValue(value)}; expected ${integer ? 'an integer' : 'a number'} from ${min} to ${max}`,
  );
}
