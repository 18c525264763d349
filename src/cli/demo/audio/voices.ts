import { NoiseSource } from './noise.js';

/** Where a voice adds its sound: left, right, and what is sent to the echo. */
export interface Mix {
  readonly sampleRateHz: number;
  readonly left: Float32Array;
  readonly right: Float32Array;
  readonly echo: Float32Array;
}

/** One partial of a tone: its multiple of the pitch, its level, and the time in which it falls by 60 dB. */
export type Partial = readonly [multiple: number, level: number, decaySeconds: number];

export interface Tone {
  readonly start: number;
  readonly lengthSampleFrames: number;
  readonly frequencyHz: number;
  readonly level: number;
  /** -1 left to 1 right. */
  readonly pan: number;
  readonly attackSeconds: number;
  readonly releaseSeconds: number;
  readonly echo: number;
  readonly partials: readonly Partial[];
}

export function pitchToHz(pitch: number): number {
  return 440 * Math.exp(((pitch - 69) * Math.LN2) / 12);
}

/** Adds a tone of decaying sines, each a two-term recurrence: no sine per sample. */
export function addTone(mix: Mix, tone: Tone): void {
  const { sampleRateHz, left, right, echo } = mix;
  const { start, lengthSampleFrames } = tone;
  const attack = Math.max(1, tone.attackSeconds * sampleRateHz);
  const release = Math.max(1, tone.releaseSeconds * sampleRateHz);
  const frames = Math.min(Math.ceil(lengthSampleFrames + release), left.length - start);
  const angle = ((tone.pan + 1) * Math.PI) / 4;
  const toLeft = tone.level * Math.cos(angle);
  const toRight = tone.level * Math.sin(angle);
  const toEcho = tone.level * tone.echo;
  for (const [multiple, level, decaySeconds] of tone.partials) {
    const frequencyHz = tone.frequencyHz * multiple;
    if (frequencyHz > 0.42 * sampleRateHz) continue;
    const w = (2 * Math.PI * frequencyHz) / sampleRateHz;
    const r = Math.exp(-6.9078 / (decaySeconds * sampleRateHz));
    const c1 = 2 * r * Math.cos(w);
    const c2 = r * r;
    let y1 = 0;
    let y2 = -(level * Math.sin(w)) / r;
    for (let i = 0; i < frames; i++) {
      const y = c1 * y1 - c2 * y2;
      y2 = y1;
      y1 = y;
      const rise = i < attack ? i / attack : 1;
      const fall = i > lengthSampleFrames ? Math.max(0, 1 - (i - lengthSampleFrames) / release) : 1;
      const value = y2 * rise * fall;
      const at = start + i;
      left[at] = left[at]! + value * toLeft;
      right[at] = right[at]! + value * toRight;
      if (toEcho !== 0) echo[at] = echo[at]! + value * toEcho;
    }
  }
}

/** Adds a recorded stroke. */
export function addStroke(mix: Mix, stroke: Float32Array, start: number, level: number, pan: number): void {
  const angle = ((pan + 1) * Math.PI) / 4;
  const toLeft = level * Math.cos(angle);
  const toRight = level * Math.sin(angle);
  const frames = Math.min(stroke.length, mix.left.length - start);
  for (let i = 0; i < frames; i++) {
    const at = start + i;
    mix.left[at] = mix.left[at]! + stroke[i]! * toLeft;
    mix.right[at] = mix.right[at]! + stroke[i]! * toRight;
  }
}

/** A sine that falls from 150 to 48 Hz, with a click. */
export function kick(sampleRateHz: number): Float32Array {
  const stroke = new Float32Array(Math.round(0.32 * sampleRateHz));
  let phase = 0;
  for (let i = 0; i < stroke.length; i++) {
    const t = i / sampleRateHz;
    phase += (2 * Math.PI * (48 + 102 * Math.exp(-t / 0.035))) / sampleRateHz;
    const fade = Math.min(1, (stroke.length - i) / (0.05 * sampleRateHz));
    stroke[i] = Math.sin(phase) * Math.exp(-t / 0.13) * fade + 0.3 * Math.exp(-t / 0.002) * Math.sin(9 * phase);
  }
  return stroke;
}

/** Noise over two drum-skin tones. */
export function snare(sampleRateHz: number): Float32Array {
  const stroke = new Float32Array(Math.round(0.22 * sampleRateHz));
  const noise = new NoiseSource(12_345);
  let before = 0;
  for (let i = 0; i < stroke.length; i++) {
    const t = i / sampleRateHz;
    const white = noise.next();
    const bright = white - 0.6 * before;
    before = white;
    const skin = Math.sin(2 * Math.PI * 186 * t) + 0.6 * Math.sin(2 * Math.PI * 331 * t);
    const fade = Math.min(1, (stroke.length - i) / (0.02 * sampleRateHz));
    stroke[i] = (0.55 * bright * Math.exp(-t / 0.06) + 0.4 * skin * Math.exp(-t / 0.035)) * fade;
  }
  return stroke;
}

/** High-passed noise; `decaySeconds` tells a closed hat from an open one. */
export function hat(sampleRateHz: number, decaySeconds: number): Float32Array {
  const stroke = new Float32Array(Math.round(6 * decaySeconds * sampleRateHz));
  const noise = new NoiseSource(777);
  let x1 = 0;
  let x2 = 0;
  for (let i = 0; i < stroke.length; i++) {
    const white = noise.next();
    stroke[i] = (white - 2 * x1 + x2) * 0.25 * Math.exp(-i / (decaySeconds * sampleRateHz));
    x2 = x1;
    x1 = white;
  }
  return stroke;
}
