/** Loops timed at once: about a tenth of a millisecond. */
const CALIBRATION_LOOPS = 50_000;

let sink = 1;

/** Uses the CPU for a number of loops that depend on each other: no time is looked at, so what interrupts it makes it longer. */
export function work(loops: number): void {
  let x = sink;
  for (let i = 0; i < loops; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  sink = x === 0 ? 1 : x;
}

/** Picoseconds that one loop takes, measured once. */
export function timeLoop(): number {
  const startMs = performance.now();
  work(CALIBRATION_LOOPS);
  return ((performance.now() - startMs) * 1e9) / CALIBRATION_LOOPS;
}
