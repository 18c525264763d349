import { task } from 'frame-deadline';

const BLOCK_SAMPLE_FRAMES = 128;
const PARTIALS = 24;
const STEP = (2 * Math.PI * 110) / 48_000;

let position = 0;

/** @type {{ samples: Float32Array, level: Int32Array } | null} */
let views = null;

/** Views on what the lane shares, made once. @param {Readonly<Record<string, any>>} shared */
function attached(shared) {
  views ??= { samples: new Float32Array(shared.samples), level: new Int32Array(shared.level) };
  return views;
}

/** Stands for an app's sound: one block of a chord, and its loudness for the picture. */
export const block = task({
  input: {},
  output: {},
  budgetUs: 1000,
  run(_input, _output, context) {
    const { samples, level } = attached(context.shared);
    let peak = 0;
    for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++, position++) {
      let sum = 0;
      for (let n = 1; n <= PARTIALS; n++) sum += Math.sin(position * STEP * n) / n;
      const sample = sum * (0.5 + 0.5 * Math.sin(position / 24_000));
      samples[i] = sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    Atomics.store(level, 0, Math.round(peak * 1000));
  },
});
