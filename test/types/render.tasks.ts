import { bytes, f32, i32, task, u8, u32 } from 'frame-deadline';

const palette = new Uint8Array(256).map((_, i) => i * i);

export const tile = task({
  input: { x: u32, y: u32, zoom: f32 },
  output: { pixels: u8.array(4096) },
  budgetUs: 1500,
  run(input, output, context) {
    for (let i = 0; i < 4096 && !context.cancelled(); i++)
      output.pixels[i] = palette[(input.x + (i & 63) * input.zoom) & 255]!;
  },
});
export const text = task({
  input: { glyphs: bytes(64), at: i32.array(2) },
  run(input) {
    input.glyphs.copy();
  },
});
/** Not a task: no handle is made of it. */
export const tileSize = 64;
