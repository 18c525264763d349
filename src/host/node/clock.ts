import type { Clock, StampUs } from '../../base/time.js';

/** The epoch of a scheduler: whole microseconds of the system's monotonic clock, which is one for all threads. */
export type EpochUs = number;

const US_PER_S = 1_000_000;
const hrtime = process.hrtime;

/** The clock in whole microseconds, modulo 2^32. */
function stampOfHrtime(): StampUs {
  const now = hrtime();
  const seconds = now[0] | 0;
  const nanoseconds = now[1] | 0;
  return (Math.imul(seconds, US_PER_S) + ((nanoseconds / 1000) | 0)) | 0;
}

/**
 * The system's monotonic clock since the epoch. The one place on Node that reads it.
 *
 * `process.hrtime` and not `performance.now`: that one returns a double made in C++, which is 16 bytes of garbage a read
 * on Node 20 and 22, and has another origin in each thread. The array that hrtime returns never exists in optimised code
 * as long as whole numbers are made of its elements before anything else is read (`bench/collections` shows it).
 */
export class HrtimeClock implements Clock {
  private readonly epochUs: EpochUs;
  private readonly epochStampUs: StampUs;
  constructor(epochUs: EpochUs) {
    this.epochUs = epochUs;
    this.epochStampUs = epochUs | 0;
  }
  nowUs(): StampUs {
    return (stampOfHrtime() - this.epochStampUs) | 0;
  }
  nowPreciseUs(): number {
    const now = hrtime();
    return now[0] * US_PER_S + now[1] / 1000 - this.epochUs;
  }
}

export function newEpochUs(): EpochUs {
  const [seconds, nanoseconds] = hrtime();
  return seconds * US_PER_S + Math.floor(nanoseconds / 1000);
}

export function clockSince(epochUs: EpochUs): Clock {
  return new HrtimeClock(epochUs);
}
