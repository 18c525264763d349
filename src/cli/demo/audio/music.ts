import { describeValue, FrameDeadlineError } from '../../../base/errors.js';
import { allocatePlanes, type DecodedAudio } from './decoded-audio.js';
import { BARS, BEATS_PER_BAR, BEATS_PER_MINUTE, layersOf } from './score.js';
import { addStroke, addTone, hat, kick, type Mix, type Partial, pitchToHz, snare } from './voices.js';

const SAMPLE_RATE_HZ = 48_000;
const MAX_SECONDS = 3600;
const PEAK = 0.8;

const PAD: readonly Partial[] = [
  [1, 1, 30],
  [2, 0.35, 20],
  [3, 0.16, 12],
];
const BASS: readonly Partial[] = [
  [1, 1, 2.5],
  [2, 0.5, 1.2],
  [3, 0.25, 0.7],
  [4, 0.1, 0.4],
];
const BELL: readonly Partial[] = [
  [1, 1, 1.8],
  [2, 0.3, 1],
  [3, 0.18, 0.6],
  [4, 0.12, 0.5],
  [7, 0.05, 0.15],
];

/**
 * A piece of music for when no file is given: chords, bass, melody with an echo, drums; it grows, so that the compressor
 * and the limiter have something to do. Stereo, 48 kHz, peak -2 dBFS, the same samples for the same length. Takes about
 * 10 ms per second of music.
 * @param seconds above 0, at most 3600
 * @throws FrameDeadlineError OPTION_INVALID
 */
export function generateMusic(seconds: number): DecodedAudio {
  if (!(seconds > 0 && seconds <= MAX_SECONDS))
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `seconds ${describeValue(seconds)}: expected more than 0, at most ${MAX_SECONDS}`,
    );
  const sampleFrames = Math.max(1, Math.round(seconds * SAMPLE_RATE_HZ));
  const data = allocatePlanes(2, sampleFrames);
  const mix: Mix = {
    sampleRateHz: SAMPLE_RATE_HZ,
    left: data[0]!,
    right: data[1]!,
    echo: new Float32Array(sampleFrames),
  };
  const beat = (60 / BEATS_PER_MINUTE) * SAMPLE_RATE_HZ;
  const bars = Math.ceil(sampleFrames / (beat * BEATS_PER_BAR));
  const drums = { kick: kick(SAMPLE_RATE_HZ), snare: snare(SAMPLE_RATE_HZ), ...hats() };
  for (let bar = 0; bar < bars; bar++) playBar(mix, bar, beat, drums);
  addEcho(mix, Math.round(0.75 * beat));
  finish(mix, Math.min(1.2 * SAMPLE_RATE_HZ, sampleFrames / 4));
  return { sampleRateHz: SAMPLE_RATE_HZ, channels: 2, sampleFrames, data, format: 'float32', warnings: [] };
}

interface Drums {
  readonly kick: Float32Array;
  readonly snare: Float32Array;
  readonly closedHat: Float32Array;
  readonly openHat: Float32Array;
}

function hats(): Pick<Drums, 'closedHat' | 'openHat'> {
  return { closedHat: hat(SAMPLE_RATE_HZ, 0.018), openHat: hat(SAMPLE_RATE_HZ, 0.07) };
}

function playBar(mix: Mix, bar: number, beat: number, drums: Drums): void {
  const layers = layersOf(bar);
  const { chord, bass, melody, answer } = BARS[bar % BARS.length]!;
  const end = mix.left.length;
  const at = (beats: number) => Math.round((bar * BEATS_PER_BAR + beats) * beat);
  const tones = Math.floor(bar / BARS.length) % 2 === 1 ? answer : melody;

  for (let n = 0; n < chord.length; n++) {
    if (at(0) >= end) break;
    // each note twice, a few cents apart, left and right
    for (const side of [-1, 1])
      addTone(mix, {
        start: at(0),
        lengthSampleFrames: BEATS_PER_BAR * beat - 0.1 * SAMPLE_RATE_HZ,
        frequencyHz: pitchToHz(chord[n]! + side * 0.04),
        level: 0.045,
        pan: side * (0.3 + 0.12 * n),
        attackSeconds: 0.25,
        releaseSeconds: 0.35,
        echo: 0,
        partials: PAD,
      });
  }
  if (layers.bass > 0)
    for (const [beats, pitch, length] of bass) {
      if (at(beats) >= end) break;
      addTone(mix, {
        start: at(beats),
        lengthSampleFrames: length * beat,
        frequencyHz: pitchToHz(pitch),
        level: 0.3 * layers.bass,
        pan: 0,
        attackSeconds: 0.006,
        releaseSeconds: 0.05,
        echo: 0,
        partials: BASS,
      });
    }
  for (const [beats, pitch, length] of tones) {
    if (at(beats) >= end) break;
    addTone(mix, {
      start: at(beats),
      lengthSampleFrames: length * beat,
      frequencyHz: pitchToHz(pitch),
      level: 0.2 * layers.melody,
      pan: (pitch - 78) / 24,
      attackSeconds: 0.004,
      releaseSeconds: 0.25,
      echo: 0.4,
      partials: BELL,
    });
  }
  const stroke = (beats: number, sound: Float32Array, level: number, pan: number) => {
    if (level > 0 && at(beats) < end) addStroke(mix, sound, at(beats), level, pan);
  };
  const fill = bar % BARS.length === BARS.length - 1;
  for (const beats of [0, 2, 2.75]) stroke(beats, drums.kick, 0.75 * layers.kick, 0);
  for (const beats of fill ? [1, 3, 3.5, 3.75] : [1, 3]) stroke(beats, drums.snare, 0.6 * layers.snare, 0.05);
  for (let eighth = 0; eighth < 8; eighth++) {
    const open = eighth === 7;
    const level = (eighth % 2 === 0 ? 0.16 : 0.24) * layers.hat;
    stroke(eighth / 2, open ? drums.openHat : drums.closedHat, level, 0.3);
  }
}

/** Echoes that cross from side to side, each 7 dB softer. */
function addEcho(mix: Mix, delaySampleFrames: number): void {
  const { left, right, echo } = mix;
  const a = new Float32Array(delaySampleFrames);
  const b = new Float32Array(delaySampleFrames);
  let at = 0;
  for (let i = 0; i < echo.length; i++) {
    const fromA = a[at]!;
    const fromB = b[at]!;
    left[i] = left[i]! + fromA;
    right[i] = right[i]! + fromB;
    const back = 0.45 * fromB;
    a[at] = echo[i]! + (Math.abs(back) > 1e-9 ? back : 0);
    b[at] = 0.45 * fromA;
    at = at + 1 === delaySampleFrames ? 0 : at + 1;
  }
}

/** Brings the peak to its level and fades the end out. */
function finish(mix: Mix, fadeSampleFrames: number): void {
  const { left, right } = mix;
  let peak = 0;
  for (const plane of [left, right]) for (const sample of plane) peak = Math.max(peak, Math.abs(sample));
  const gain = peak > 0 ? PEAK / peak : 0;
  const frames = left.length;
  for (const plane of [left, right])
    for (let i = 0; i < frames; i++) {
      const remaining = (frames - i) / fadeSampleFrames;
      const fade = remaining < 1 ? remaining * remaining * (3 - 2 * remaining) : 1;
      plane[i] = plane[i]! * gain * fade;
    }
}
