/**
 * The one place that reads the clock.
 *
 * Shared words hold *stamps*: microseconds since the scheduler's epoch, as a signed 32-bit integer that wraps. Two
 * stamps are compared by signed difference, which holds while they lie less than 35.8 minutes apart; relative
 * deadlines are at most 10 minutes, so a live job's stamps always do.
 */

/** A stamp: microseconds since the epoch, modulo 2^32, signed. */
export type StampUs = number;

export const DEFAULT_DEADLINE_MS = 16;
export const MAX_DEADLINE_MS = 600_000;

/** A monotonic clock of one thread. Both reads are allocation-free once optimised; a read costs about 50 ns. */
export interface Clock {
  /** Now as a stamp (wraps). */
  nowUs(): StampUs;
  /** Now in microseconds since the epoch, as a double that does not wrap. */
  nowPreciseUs(): number;
}

/** `later - earlier` in microseconds, right across the wrap. */
export function elapsedUs(later: StampUs, earlier: StampUs): number {
  return (later - earlier) | 0;
}

/** The system's clock. `originUs` is what `performance.now() * 1000` read at the epoch *in this thread's own origin*. */
export class SystemClock implements Clock {
  private readonly originUs: number;
  constructor(originUs: number) {
    this.originUs = originUs;
  }
  nowUs(): StampUs {
    return (performance.now() * 1000 - this.originUs) | 0;
  }
  nowPreciseUs(): number {
    return performance.now() * 1000 - this.originUs;
  }
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
