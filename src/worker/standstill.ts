import { CONTROL_BEAT_MS, CONTROL_STOOD_FROM_MS, CONTROL_STOOD_TO_MS } from '../memory/layout.js';

/** How often the supervisor looks at the clock. */
export const BEAT_MS = 500;
/** A standstill is at least so long: shorter gaps are a busy machine's. */
const SHORTEST_MS = 1000;

/** The moment as the words hold it: milliseconds, compared by signed difference, so that sleeps of days are told. */
export const beatAt = (nowUs: number): number => Math.floor(nowUs / 1000) | 0 || 1;

/** Whether two looks of the supervisor lie so far apart that it stood still between them. */
export const isStandstill = (sinceMs: number): boolean => sinceMs - BEAT_MS >= SHORTEST_MS;

/**
 * How long everything stood still between `fromUs` and `nowUs` (microseconds since the epoch), in microseconds, to half a
 * second: a frozen page, a stopped process, a machine that slept. Told from a thread that was held up by the supervisor,
 * which did not look at the clock either. Any thread; allocates nothing.
 */
export function stoodStillUs(control: Int32Array, fromUs: number, nowUs: number): number {
  const now = beatAt(nowUs);
  const gapMs = (nowUs - fromUs) / 1000;
  const beat = Atomics.load(control, CONTROL_BEAT_MS); // acquire
  const sinceMs = (now - beat) | 0;
  // it has not come back yet
  if (beat !== 0 && isStandstill(sinceMs)) return Math.min(sinceMs, gapMs) * 1000;
  const from = Atomics.load(control, CONTROL_STOOD_FROM_MS);
  const to = Atomics.load(control, CONTROL_STOOD_TO_MS);
  if (from === to) return 0;
  return Math.max(0, Math.min((now - from) | 0, gapMs) - Math.max(0, (now - to) | 0)) * 1000;
}

/** Whether everything stood still for most of that time, which is at least a second. */
export function stoodStill(control: Int32Array, fromUs: number, nowUs: number): boolean {
  const gapUs = nowUs - fromUs;
  return gapUs >= SHORTEST_MS * 1000 && stoodStillUs(control, fromUs, nowUs) > gapUs / 2;
}
