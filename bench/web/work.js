// What the workers of all contestants run.

let sink = 1;

/** A job of 64 bytes: a number and 60 of payload; the number comes back. */
export const echo = (bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);

/** The smallest job. */
export const empty = (x) => x;

/** CPU work of so many steps, whatever else runs meanwhile. */
export function work(steps) {
  let x = sink;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  sink = x === 0 ? 1 : x;
  return steps;
}
