import { task, u32 } from 'frame-deadline';

let number = 1;

/** Where the time of `slow` goes. */
export function hotLoop(steps) {
  for (let i = 0; i < steps; i++) number = (Math.imul(number, 1664525) + 1013904223) | 0;
}

/** Computes for so long, in `hotLoop`. */
export const slow = task({
  input: { ms: u32 },
  budgetUs: 100,
  deadlineMs: 1,
  run(input) {
    const start = performance.now();
    while (performance.now() - start < input.ms) hotLoop(10_000);
  },
});
