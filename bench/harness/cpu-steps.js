import { work } from '../rivals/work.js';

const TRIES = 200;
const STEPS = 20_000;

/** Steps of `work` that take so much CPU time on this machine while nothing disturbs it: the fastest of many tries. */
export function stepsFor(us) {
  let bestNs = Infinity;
  for (let i = 0; i < TRIES; i++) {
    const start = performance.now();
    work(STEPS);
    bestNs = Math.min(bestNs, (performance.now() - start) * 1e6);
  }
  return Math.round((us * 1000 * STEPS) / bestNs);
}
