import type { ParameterRamps } from './parameter-ramps.js';
import { BLOCK_SAMPLE_FRAMES, EQ_BANDS, EQ_FIRST_ID, EQ_PARAMETERS_PER_BAND } from './parameters.js';

// Coefficients of one band: the warped frequency g, the damping k, and the mix of input, band and low output.
const G = 0;
const K = 1;
const M0 = 2;
const M1 = 3;
const M2 = 4;
const COEFFICIENTS = 5;
const INAUDIBLE = 1e-20;
// Above this the bilinear transform has no room left; bands set higher work here.
const MAX_FREQUENCY = 0.475;

/**
 * Parametric equaliser: low shelf, peaks, high shelf, in series. Each band is a trapezoidal state variable filter
 * (A. Simper, "Solving the continuous SVF equations using trapezoidal integration and equivalent currents", Cytomic 2013),
 * which has exactly the responses of R. Bristow-Johnson's "Audio EQ Cookbook" (Q form) and, unlike a biquad in direct form,
 * stays stable while its coefficients move with every sample.
 */
export class Equaliser {
  private readonly sampleRateHz: number;
  private readonly channels: number;
  /** Coefficients at the end of the last block, by band. */
  private readonly coefficients: Float64Array;
  private readonly target: Float64Array;
  /** Two integrators for each band and channel. */
  private readonly state: Float64Array;
  private readonly a1: Float64Array;
  private readonly a2: Float64Array;
  private readonly a3: Float64Array;
  private readonly m0: Float64Array;
  private readonly m1: Float64Array;
  private readonly m2: Float64Array;

  constructor(sampleRateHz: number, channels: number) {
    this.sampleRateHz = sampleRateHz;
    this.channels = channels;
    this.coefficients = new Float64Array(EQ_BANDS.length * COEFFICIENTS);
    this.target = new Float64Array(COEFFICIENTS);
    this.state = new Float64Array(EQ_BANDS.length * channels * 2);
    this.a1 = new Float64Array(BLOCK_SAMPLE_FRAMES);
    this.a2 = new Float64Array(BLOCK_SAMPLE_FRAMES);
    this.a3 = new Float64Array(BLOCK_SAMPLE_FRAMES);
    this.m0 = new Float64Array(BLOCK_SAMPLE_FRAMES);
    this.m1 = new Float64Array(BLOCK_SAMPLE_FRAMES);
    this.m2 = new Float64Array(BLOCK_SAMPLE_FRAMES);
  }

  /** Silences the filters and takes the ramps' values at once. */
  reset(ramps: ParameterRamps): void {
    this.state.fill(0);
    for (let band = 0; band < EQ_BANDS.length; band++) {
      this.design(band, ramps.current);
      this.coefficients.set(this.target, band * COEFFICIENTS);
    }
  }

  /** Filters the first `sampleFrames` of each plane in place. Allocates nothing. */
  process(planes: readonly Float64Array[], sampleFrames: number, ramps: ParameterRamps): void {
    const { coefficients, target } = this;
    for (let band = 0; band < EQ_BANDS.length; band++) {
      const id = EQ_FIRST_ID + band * EQ_PARAMETERS_PER_BAND;
      const moving = ramps.moving[id]! | ramps.moving[id + 1]! | ramps.moving[id + 2]!;
      if (moving !== 0) {
        this.design(band, ramps.current);
        this.glide(band * COEFFICIENTS, sampleFrames);
        for (let i = 0; i < COEFFICIENTS; i++) coefficients[band * COEFFICIENTS + i] = target[i]!;
        for (let c = 0; c < this.channels; c++) this.filterMoving(planes[c]!, sampleFrames, band, c);
      } else {
        for (let c = 0; c < this.channels; c++) this.filterSteady(planes[c]!, sampleFrames, band, c);
      }
    }
  }

  private filterSteady(samples: Float64Array, sampleFrames: number, band: number, channel: number): void {
    const { coefficients, state } = this;
    const base = band * COEFFICIENTS;
    const g = coefficients[base + G]!;
    const k = coefficients[base + K]!;
    const m0 = coefficients[base + M0]!;
    const m1 = coefficients[base + M1]!;
    const m2 = coefficients[base + M2]!;
    const a1 = 1 / (1 + g * (g + k));
    const a2 = g * a1;
    const a3 = g * a2;
    const at = (band * this.channels + channel) * 2;
    let s1 = state[at]!;
    let s2 = state[at + 1]!;
    for (let i = 0; i < sampleFrames; i++) {
      const v0 = samples[i]!;
      const v3 = v0 - s2;
      const v1 = a1 * s1 + a2 * v3;
      const v2 = s2 + a2 * s1 + a3 * v3;
      s1 = 2 * v1 - s1;
      s2 = 2 * v2 - s2;
      samples[i] = m0 * v0 + m1 * v1 + m2 * v2;
    }
    this.keep(at, s1, s2);
  }

  private filterMoving(samples: Float64Array, sampleFrames: number, band: number, channel: number): void {
    const { a1, a2, a3, m0, m1, m2, state } = this;
    const at = (band * this.channels + channel) * 2;
    let s1 = state[at]!;
    let s2 = state[at + 1]!;
    for (let i = 0; i < sampleFrames; i++) {
      const v0 = samples[i]!;
      const v3 = v0 - s2;
      const v1 = a1[i]! * s1 + a2[i]! * v3;
      const v2 = s2 + a2[i]! * s1 + a3[i]! * v3;
      s1 = 2 * v1 - s1;
      s2 = 2 * v2 - s2;
      samples[i] = m0[i]! * v0 + m1[i]! * v1 + m2[i]! * v2;
    }
    this.keep(at, s1, s2);
  }

  /** A tail that fades for ever would end in denormal numbers, which cost a hundred times as much. */
  private keep(at: number, s1: number, s2: number): void {
    const audible = Math.abs(s1) > INAUDIBLE || Math.abs(s2) > INAUDIBLE;
    this.state[at] = audible ? s1 : 0;
    this.state[at + 1] = audible ? s2 : 0;
  }

  /** Fills the per-sample coefficients on the way from the last block's to `target`. */
  private glide(base: number, sampleFrames: number): void {
    const { coefficients, target } = this;
    const g0 = coefficients[base + G]!;
    const k0 = coefficients[base + K]!;
    const m00 = coefficients[base + M0]!;
    const m10 = coefficients[base + M1]!;
    const m20 = coefficients[base + M2]!;
    for (let i = 0; i < sampleFrames; i++) {
      const t = (i + 1) / sampleFrames;
      // g and k stay positive between their ends: stable at each sample
      const g = g0 + (target[G]! - g0) * t;
      const k = k0 + (target[K]! - k0) * t;
      const a1 = 1 / (1 + g * (g + k));
      this.a1[i] = a1;
      this.a2[i] = g * a1;
      this.a3[i] = g * g * a1;
      this.m0[i] = m00 + (target[M0]! - m00) * t;
      this.m1[i] = m10 + (target[M1]! - m10) * t;
      this.m2[i] = m20 + (target[M2]! - m20) * t;
    }
  }

  /** Simper's coefficients of a band for the parameters in `values`, to `target`. */
  // No number is handed over as an argument: where V8 does not inline, it would allocate one.
  private design(band: number, values: Float64Array): void {
    const { target: out, sampleRateHz } = this;
    const id = EQ_FIRST_ID + band * EQ_PARAMETERS_PER_BAND;
    const shape = EQ_BANDS[band]!.shape;
    const g = Math.tan(Math.PI * Math.min(values[id]! / sampleRateHz, MAX_FREQUENCY));
    // the square root of the gain, as in the cookbook
    const a = Math.exp((values[id + 1]! * Math.LN10) / 40);
    const q = values[id + 2]!;
    if (shape === 'peak') {
      const k = 1 / (q * a);
      out[G] = g;
      out[K] = k;
      out[M0] = 1;
      out[M1] = k * (a * a - 1);
      out[M2] = 0;
      return;
    }
    const k = 1 / q;
    out[K] = k;
    if (shape === 'lowShelf') {
      out[G] = g / Math.sqrt(a);
      out[M0] = 1;
      out[M1] = k * (a - 1);
      out[M2] = a * a - 1;
    } else {
      out[G] = g * Math.sqrt(a);
      out[M0] = a * a;
      out[M1] = k * (1 - a) * a;
      out[M2] = 1 - a * a;
    }
  }
}
