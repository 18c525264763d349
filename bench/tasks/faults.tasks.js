import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { task, u32 } from 'frame-deadline';
import { BURST_REQUESTS, BURST_US } from '../workers/burst.js';

// A task for each way to miss a deadline.

let number = 1;

/** Computes for so long. Reads the clock seldom: each reading is garbage, and this is not to cause collections. */
function compute(us) {
  const until = performance.now() + us / 1000;
  do {
    for (let i = 0; i < 10_000; i++) number = (Math.imul(number, 1664525) + 1013904223) | 0;
  } while (performance.now() < until);
}

/** Past its deadline when it is given long enough. */
export const busy = task({
  input: { us: u32 },
  run(input) {
    compute(input.us);
  },
});

/** Holds the worker, and may. */
export const greedy = task({
  input: { us: u32 },
  deadlineMs: 1000,
  run(input) {
    compute(input.us);
  },
});

/** What waits behind it. */
export const small = task({
  input: {},
  run() {
    compute(300);
  },
});

/** Asks for a thread above this one, on the same CPU, to run in the middle of the job. */
export const disturbed = task({
  input: { us: u32, burstUs: u32 },
  run(input, _output, context) {
    const { burst } = context.shared;
    compute(input.us / 2);
    if (input.burstUs > 0) {
      Atomics.store(burst, BURST_US, input.burstUs);
      Atomics.add(burst, BURST_REQUESTS, 1);
      Atomics.notify(burst, BURST_REQUESTS);
    }
    compute(input.us / 2);
  },
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
let kept = [];
/** Copied by a built-in: V8 learns where a literal survives, and would make it in the old space at once. */
const TEMPLATE = Array.from({ length: 12 }, (_, i) => i);

/**
 * Makes the same objects in the same loop whether they are kept or not: kept ones must be moved by each collection, which
 * is then what takes the time.
 */
export const storm = task({
  input: { objects: u32, rounds: u32, keep: u32 },
  run(input) {
    for (let round = 0; round < input.rounds; round++) {
      const made = new Array(input.objects);
      for (let i = 0; i < input.objects; i++) made[i] = TEMPLATE.slice();
      if (input.keep === 1) kept.push(made);
    }
  },
});

/** Between trials, with time enough: no trial finds another's garbage. */
export const tidy = task({
  input: {},
  deadlineMs: 1000,
  run() {
    kept = [];
    collect();
  },
});
