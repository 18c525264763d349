/** Two meters that share no code with the limiter. */

/**
 * Highest magnitude of the band-limited signal on a grid 16 times as fine: sinc under a Blackman window of 96 samples,
 * longer than anything in the limiter. Silence comes before the first sample; the end, where the sound is cut off, counts
 * only as far as the window fits.
 */
export function truePeak16(samples: Float32Array): number {
  const half = 48;
  const padded = new Float64Array(samples.length + half);
  padded.set(samples, half);
  let peak = 0;
  for (let phase = 0; phase < 16; phase++) {
    const taps = new Float64Array(2 * half);
    for (let t = 0; t < taps.length; t++) {
      const d = t - half + 1 - phase / 16;
      const u = Math.PI * (d / half + 1);
      const blackman = 0.42 - 0.5 * Math.cos(u) + 0.08 * Math.cos(2 * u);
      taps[t] = d === 0 ? 1 : (Math.sin(Math.PI * d) / (Math.PI * d)) * blackman;
    }
    for (let i = 0; i + taps.length <= padded.length; i++) {
      let sum = 0;
      for (let t = 0; t < taps.length; t++) sum += padded[i + t]! * taps[t]!;
      peak = Math.max(peak, Math.abs(sum));
    }
  }
  return peak;
}

const PHASE_0 = [
  0.001708984375, 0.010986328125, -0.0196533203125, 0.033203125, -0.0594482421875, 0.1373291015625, 0.97216796875,
  -0.102294921875, 0.047607421875, -0.026611328125, 0.014892578125, -0.00830078125,
];
const PHASE_1 = [
  -0.0291748046875, 0.029296875, -0.0517578125, 0.089111328125, -0.16650390625, 0.465087890625, 0.77978515625,
  -0.2003173828125, 0.1015625, -0.0582275390625, 0.0330810546875, -0.0189208984375,
];

/** The meter of ITU-R BS.1770-4, annex 2, with its table of 48 coefficients. */
export function itu1770Peak(samples: Float32Array): number {
  const phases = [PHASE_0, PHASE_1, [...PHASE_1].reverse(), [...PHASE_0].reverse()];
  let peak = 0;
  for (let i = 11; i < samples.length; i++)
    for (const phase of phases) {
      let sum = 0;
      for (let t = 0; t < 12; t++) sum += phase[t]! * samples[i - t]!;
      peak = Math.max(peak, Math.abs(sum));
    }
  return peak;
}
