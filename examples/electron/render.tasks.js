import { task, u8, u32 } from 'frame-deadline';

/** Stands for whatever a process computes for each frame: one tile of a plasma, brighter with the sound. */
export const tile = task({
  input: { number: u32, frame: u32, level: u32 },
  output: { pixels: u8.array(4096) },
  budgetUs: 2000,
  run({ number, frame, level }, output) {
    for (let i = 0; i < 4096; i++) {
      const x = (i & 63) + number * 64;
      const y = i >> 6;
      output.pixels[i] = 128 + 60 * Math.sin((x + frame) / 17) + 40 * Math.sin((y * x) / 900) + level / 60;
    }
  },
});
