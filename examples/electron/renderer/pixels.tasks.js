import { task, u8, u32 } from 'frame-deadline';

/** One tile of 64 times 64 grey pixels. */
export const tile = task({
  input: { number: u32, frame: u32 },
  output: { pixels: u8.array(4096) },
  run({ number, frame }, output) {
    for (let i = 0; i < 4096; i++) {
      const x = (i & 63) + number * 64;
      const y = i >> 6;
      output.pixels[i] = 128 + 60 * Math.sin((x + frame) / 17) + 60 * Math.sin((y * x) / 900);
    }
  },
});
