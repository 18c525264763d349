import { spread } from './stats.js';

let sink = 0;

/** Runs `body(n)` a few times to warm up and then `rounds` times; returns nanoseconds per iteration of each round. */
export function nsPerIteration(body, n, rounds, warmUps = 3) {
  for (let i = 0; i < warmUps; i++) sink += body(n);
  return Array.from({ length: rounds }, () => {
    const start = performance.now();
    sink += body(n);
    return ((performance.now() - start) * 1e6) / n;
  });
}

/** The harness's own cost: an iteration of an empty loop and one read of the clock, in nanoseconds. */
export function overhead(rounds = 5) {
  const emptyLoop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + i) | 0;
    return sum;
  };
  const clockRead = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += performance.now();
    return sum;
  };
  return {
    emptyLoopNs: spread(nsPerIteration(emptyLoop, 2_000_000, rounds)),
    clockReadNs: spread(nsPerIteration(clockRead, 200_000, rounds)),
  };
}

/** Keeps results alive. */
export const consumed = () => sink;
