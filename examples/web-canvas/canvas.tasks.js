import { f32, task } from 'frame-deadline';
import { EVENTS, HEIGHT, TRAIL_POINTS, WIDTH } from './stage.js';

/** @type {OffscreenCanvasRenderingContext2D | null} */
let brush = null;
/** @type {{ words: Int32Array, trail: Float32Array } | null} */
let views = null;

/**
 * Called before the first job: the canvas of the page is here from now on.
 * @param {import('frame-deadline').InitializeContext} context
 */
export function initialize({ shared }) {
  const stage = /** @type {import('./stage.js').Stage} */ (shared.stage);
  views = { words: new Int32Array(stage.words), trail: new Float32Array(stage.trail) };
  const canvas = /** @type {OffscreenCanvas} */ (shared.canvas);
  brush = canvas.getContext('2d', { alpha: false });
  if (brush === null) throw new Error('this browser has no 2D context in workers');
}

/** Draws straight into the page's canvas: it is shown when the worker returns to its event loop, after the job. */
export const draw = task({
  input: { seconds: f32 },
  budgetUs: 8000,
  run(input) {
    if (brush === null || views === null) throw new Error('initialize was not called');
    const { words, trail } = views;
    brush.fillStyle = `hsl(${(input.seconds * 20) % 360} 40% 20%)`;
    brush.fillRect(0, 0, WIDTH, HEIGHT);
    const last = Atomics.load(words, EVENTS); // acquire
    for (let event = Math.max(0, last - TRAIL_POINTS); event < last; event++) {
      const at = (event & (TRAIL_POINTS - 1)) * 2;
      brush.fillStyle = `hsl(${(event * 7) % 360} 90% 60%)`;
      brush.beginPath();
      brush.arc((trail[at] ?? 0) * WIDTH, (trail[at + 1] ?? 0) * HEIGHT, 6, 0, 7);
      brush.fill();
    }
  },
});
