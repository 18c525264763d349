import { f32, task, u32 } from 'frame-deadline';
import { EVENTS, HEIGHT, PIXEL_BYTES, TRAIL_POINTS, WIDTH } from './stage.js';

/** @type {{ words: Int32Array, trail: Float32Array, shaded: Uint32Array[] } | null} */
let views = null;

/** @param {Readonly<Record<string, unknown>>} shared */
function viewsOf(shared) {
  const stage = /** @type {import('./stage.js').Stage} */ (shared.stage);
  views ??= {
    words: new Int32Array(stage.words),
    trail: new Float32Array(stage.trail),
    shaded: [0, 1].map((n) => new Uint32Array(stage.shaded, n * PIXEL_BYTES, PIXEL_BYTES / 4)),
  };
  return views;
}

/** Writes some rows of shared pixels, without a canvas. Many of these run side by side. */
export const shade = task({
  input: { buffer: u32, firstRow: u32, rows: u32, seconds: f32 },
  budgetUs: 4000,
  run(input, _output, context) {
    const { words, trail, shaded } = viewsOf(context.shared);
    const pixels = shaded[input.buffer];
    if (pixels === undefined) throw new RangeError('buffer 0 or 1 expected');
    const last = Atomics.load(words, EVENTS); // acquire
    const at = ((last - 1) & (TRAIL_POINTS - 1)) * 2;
    const x0 = last === 0 ? WIDTH / 2 : (trail[at] ?? 0) * WIDTH;
    const y0 = last === 0 ? HEIGHT / 2 : (trail[at + 1] ?? 0) * HEIGHT;
    for (let y = input.firstRow; y < input.firstRow + input.rows; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const distance = Math.sqrt((x - x0) ** 2 + (y - y0) ** 2);
        const wave = (Math.sin(distance * 0.15 - input.seconds * 6) * 100 + 127) & 255;
        pixels[y * WIDTH + x] = 0xff000000 | (wave << 8) | (255 - Math.min(255, distance));
      }
    }
  },
});
