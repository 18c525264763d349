import type { Clock, StampUs } from '../../base/time.js';

/** The epoch of a scheduler: whole microseconds of the system's monotonic clock, which is one for all threads. */
export type EpochUs = number;

const US_PER_S = 1_000_000;
const hrtime = process.hrtime;

/**
 * The system's monotonic clock since the epoch. The one place on Node that reads it.
 *
 * `process.hrtime` and not `performance.now`: that one returns a double made in C++, which is 16 bytes of garbage a read
 * on Node 20 and 22, and has another origin in each thread. The array that hrtime returns never exists in optimised code
 * as long as only whole numbers are made of its elements. A read costs about 35 ns (`bench/primitives`).
 */
export class HrtimeClock implements Clock {
  private readonly epochSeconds: number;
  private readonly epochRestUs: number;
  constructor(epochUs: EpochUs) {
    this.epochSeconds = Math.floor(epochUs / US_PER_S);
    this.epochRestUs = epochUs % US_PER_S;
  }
  nowUs(): StampUs {
    const now = hrtime();
    return (Math.imul((now[0] - this.epochSeconds) | 0, US_PER_S) + ((now[1] / 1000) | 0) - this.epochRestUs) | 0;
  }
  nowPreciseUs(): number {
    const now = hrtime();
    return (now[0] - this.epochSeconds) * US_PER_S + now[1] / 1000 - this.epochRestUs;
  }
}

export function newEpochUs(): EpochUs {
  const [seconds, nanoseconds] = hrtime();
  return seconds * US_PER_S + Math.floor(nanoseconds / 1000);
}

export function clockSince(epochUs: EpochUs): Clock {
  return new HrtimeClock(epochUs);
}
