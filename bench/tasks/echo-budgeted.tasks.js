import { task, u8, u32 } from 'frame-deadline';

/** The job of 64 bytes of `echo.tasks.js`, with a budget: every task of a real-time worker has to declare one. */
export const echo = task({
  input: { number: u32, payload: u8.array(60) },
  output: { number: u32 },
  budgetUs: 1000,
  run(input, output) {
    output.number = input.number;
  },
});
