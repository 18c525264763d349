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

/** What was at a standstill for longer is told as so long: the stamps of both ends would wrap. */
export const LONGEST_STALL_US = 1_800_000_000;

/** No stamp of a live job lies further ahead: the longest relative deadline and a minute. */
const FURTHEST_AHEAD_US = (MAX_DEADLINE_MS + 60_000) * 1000;
const LONGEST_US = 2 ** 31 - 1;

/**
 * Lateness: `atUs` minus the deadline of a job that lives or lived. What seems to be further ahead than a deadline can be
 * is long past: holds up to an hour late, where the signed difference holds for half of it.
 */
export function latenessUs(atUs: StampUs, deadlineUs: StampUs): number {
  const late = (atUs - deadlineUs) | 0;
  return late < -FURTHEST_AHEAD_US ? LONGEST_US : late;
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
