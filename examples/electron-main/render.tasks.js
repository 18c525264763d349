import { task, u32 } from 'frame-deadline';

/** Stands for whatever a main process computes for each frame. */
export const work = task({
  input: { rounds: u32 },
  output: { sum: u32 },
  budgetUs: 2000,
  run(input, output) {
    let sum = 0;
    for (let i = 0; i < input.rounds; i++) sum = (sum * 31 + i) >>> 0;
    output.sum = sum;
  },
});
