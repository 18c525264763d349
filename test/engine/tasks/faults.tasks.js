import { task, u32 } from 'frame-deadline';

/** Keeps its thread busy for so long. */
export const compute = task({
  input: { us: u32 },
  run(input) {
    const until = performance.now() + input.us / 1000;
    while (performance.now() < until);
  },
});

let kept = [];

/** Makes objects that survive. */
export const litter = task({
  input: { objects: u32 },
  run(input) {
    kept = [];
    for (let i = 0; i < input.objects; i++) kept.push({ i });
  },
});

/** Blocks its thread for so long. */
export const sleep = task({
  input: { us: u32 },
  run(input) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, input.us / 1000);
  },
});

/** Ends its thread. */
export const exit = task({
  input: {},
  run() {
    process.exit(3);
  },
});
