import { PULSE_COUNT, type SceneView, TRAIL_LENGTH } from './scene.js';
import type { SpectrumAnalyser } from './spectrum.js';

/** The trail keeps this share of its strength after a second. */
const TRAIL_KEEP_PER_S = 0.08;
const PULSE_LIFE_S = 0.9;
const LEVEL_FALL_S = 0.35;
/** Keys from left to right, as they lie on a keyboard. */
const KEY_ROWS = ['1234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

/**
 * Brings a scene up to date, frame by frame; the only writer of its `SceneView`. Order in a frame: `pointer` and `key`
 * as events come, `sound`, then `advance`. Keeps nothing outside the scene. Nothing here allocates.
 */
export class SceneWriter {
  readonly scene: SceneView;
  constructor(scene: SceneView) {
    this.scene = scene;
  }

  /** The pointer is at x, y (0 to 1) with these buttons held. */
  pointer(x: number, y: number, buttons: number): void {
    const scene = this.scene;
    scene.pointerX = x;
    scene.pointerY = y;
    scene.buttons = buttons;
    if (buttons !== 0) scene.drawing = true; // a stroke shorter than a frame still shows
  }

  /** A key went down: a ring spreads from where the key lies. */
  key(key: string): void {
    const { pulses, pulseNext } = this.scene;
    const base = pulseNext * 3;
    pulses[base] = keyX(key);
    pulses[base + 1] = 0;
    pulses[base + 2] = 1;
    this.scene.pulseNext = (pulseNext + 1) % PULSE_COUNT;
  }

  /**
   * Takes the spectrum's bars and draws the newest samples as the waveform, starting at a rising zero crossing where
   * there is one, so that a tone stands still.
   *
   * @param history mono samples; `end` is the index after the newest, below which it wraps as a ring
   * @param sampleFramesPerPoint samples that one wave point stands for (their mean), 1 or more. Default 2.
   */
  sound(
    analyser: SpectrumAnalyser,
    history: Float32Array,
    end: number = history.length,
    sampleFramesPerPoint = 2,
  ): void {
    const { scene } = this;
    const { wave } = scene;
    const bars = Math.min(scene.barCount, analyser.barCount);
    for (let i = 0; i < bars; i++) {
      scene.bars[i] = analyser.bars[i]!;
      scene.peaks[i] = analyser.peaks[i]!;
    }
    const size = history.length;
    const shown = wave.length * sampleFramesPerPoint;
    let start = -shown;
    for (let back = shown; back < Math.min(shown * 2, size - 1); back++) {
      if (at(history, end - back - 1) < 0 && at(history, end - back) >= 0) {
        start = -back;
        break;
      }
    }
    let squares = 0;
    for (let point = 0; point < wave.length; point++) {
      let sum = 0;
      for (let i = 0; i < sampleFramesPerPoint; i++) sum += at(history, end + start + point * sampleFramesPerPoint + i);
      const value = sum / sampleFramesPerPoint;
      wave[point] = Math.min(1, Math.max(-1, value));
      squares += value * value;
    }
    // 1 at an RMS of about -9 dB of full scale
    const level = Math.min(1, Math.sqrt(squares / wave.length) * 2.8);
    scene.level = Math.max(level, scene.level - 1 / 60 / LEVEL_FALL_S);
  }

  /** Moves the scene on by `elapsedS` to frame `frameNumber`: the trail fades and takes the pointer, pulses grow. */
  advance(elapsedS: number, frameNumber: number): void {
    const { scene } = this;
    const { trail, pulses } = scene;
    const keep = TRAIL_KEEP_PER_S ** elapsedS;
    for (let i = TRAIL_LENGTH - 1; i > 0; i--) {
      trail[i * 3] = trail[i * 3 - 3]!;
      trail[i * 3 + 1] = trail[i * 3 - 2]!;
      trail[i * 3 + 2] = trail[i * 3 - 1]! * keep;
    }
    trail[0] = scene.pointerX;
    trail[1] = scene.pointerY;
    trail[2] = scene.drawing ? 1 : 0.3;
    scene.drawing = scene.buttons !== 0;
    for (let i = 0; i < PULSE_COUNT; i++) {
      const age = pulses[i * 3 + 1]! + elapsedS;
      pulses[i * 3 + 1] = age;
      pulses[i * 3 + 2] = pulses[i * 3 + 2] === 0 ? 0 : Math.max(0, 1 - age / PULSE_LIFE_S);
    }
    scene.timeS += elapsedS;
    scene.frameNumber = frameNumber;
  }
}

/** The sample at `index` of a ring; `index` reaches at most one length below 0. Silence where the ring is too short. */
function at(ring: Float32Array, index: number): number {
  const sample = ring[index < 0 ? index + ring.length : index];
  return sample !== undefined && Number.isFinite(sample) ? sample : 0;
}

function keyX(key: string): number {
  for (const row of KEY_ROWS) {
    const place = row.indexOf(key);
    if (place >= 0 && key.length === 1) return (place + 0.5) / row.length;
  }
  return 0.5;
}
