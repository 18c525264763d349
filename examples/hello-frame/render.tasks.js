import { f32, task, u8, u32 } from 'frame-deadline';

// Module scope is worker-local state: every worker has its own palette.
const palette = new Uint8Array(256).map((_, i) => (i * i) >> 8);

/** Fills one tile of 64 x 64 pixels. */
export const tile = task({
  input: { x: u32, y: u32, zoom: f32 },
  output: { pixels: u8.array(64 * 64) },
  budgetUs: 1500,
  run(input, output) {
    for (let i = 0; i < 64 * 64; i++) {
      const column = input.x + (i & 63) * input.zoom;
      const row = input.y + (i >> 6) * input.zoom;
      output.pixels[i] = palette[(column ^ row) & 255];
    }
  },
});
