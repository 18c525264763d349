/**
 * Shared words hold *stamps*: microseconds since the scheduler's epoch, as a signed 32-bit integer that wraps. Two
 * stamps are compared by signed difference, which holds while they lie less than 35.8 minutes apart; relative
 * deadlines are at most 10 minutes, so a live job's stamps always do.
 */

/** A stamp: microseconds since the epoch, modulo 2^32, signed. */
export type StampUs = number;

export const DEFAULT_DEADLINE_MS = 16;
export const MAX_DEADLINE_MS = 600_000;

/** A monotonic clock, the same on all threads of a scheduler. */
export interface Clock {
  /** Now as a stamp (wraps). Allocates nothing: what is read for each job. */
  nowUs(): StampUs;
  /** Now in microseconds since the epoch, as a double that does not wrap. May allocate. */
  nowPreciseUs(): number;
}

/** The moment nearest to now that has this stamp, in microseconds since the epoch. */
export function momentOf(stampUs: StampUs, clock: Clock): number {
  const now = Math.floor(clock.nowPreciseUs());
  return now - (((now | 0) - stampUs) | 0);
}

/** Milliseconds since 1970, for people: it jumps when the system clock is set. */
export function unixMs(): number {
  return Date.now();
}

/** A clock that moves only when told: for deterministic tests. Starts at `startUs` (use values near 2^31 to test the wrap). */
export class VirtualClock implements Clock {
  private currentUs: number;
  constructor(startUs = 0) {
    this.currentUs = startUs;
  }
  nowUs(): StampUs {
    return this.currentUs | 0;
  }
  nowPreciseUs(): number {
    return this.currentUs;
  }
  advanceUs(us: number): void {
    this.currentUs += us;
  }
}
