import type { Clock, StampUs } from '../../base/time.js';

/**
 * Microseconds since 1970 on the clock of `performance`, which does not jump: the time origin of this thread plus the
 * time since. Doubles near 1.8e15 resolve 0.25 µs; the clock itself steps by 5 µs in an isolated page.
 */
export type EpochUs = number;

/** What is added to this thread's clock so that it reads as that of the page: established by `alignTo`, most often 0. */
let skewUs = 0;

/** Now on this thread's own clock, the skew left out. */
export function ownNowUs(): EpochUs {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Now on the clock that the threads of a scheduler share. */
export function sharedNowUs(): EpochUs {
  return ownNowUs() + skewUs;
}

/** Sets what `measureSkewUs` found for this thread. Before its first clock is made. */
export function alignClock(us: number): void {
  skewUs = us;
}

/**
 * The page's clock in a thread of it: `performance.now()`, whose origin differs from thread to thread. The one place in
 * a browser that reads it.
 */
export class PerformanceClock implements Clock {
  /** What `performance.now()` reads at the epoch, in microseconds, negated. */
  private readonly offsetUs: number;
  constructor(epochUs: EpochUs) {
    this.offsetUs = performance.timeOrigin * 1000 + skewUs - epochUs;
  }
  nowUs(): StampUs {
    return (performance.now() * 1000 + this.offsetUs) | 0;
  }
  nowPreciseUs(): number {
    return performance.now() * 1000 + this.offsetUs;
  }
  /** A moment that the browser tells in milliseconds since the time origin, in microseconds since the epoch. */
  momentUs(originMs: number): number {
    return originMs * 1000 + this.offsetUs;
  }
}

export function newEpochUs(): EpochUs {
  return Math.floor(sharedNowUs());
}

export function clockSince(epochUs: EpochUs): PerformanceClock {
  return new PerformanceClock(epochUs);
}

/** One question to another thread about its clock, all in microseconds. */
export interface ClockReading {
  readonly askedUs: EpochUs;
  readonly answeredUs: EpochUs;
  /** The other thread's own clock at some moment between the two. */
  readonly otherUs: EpochUs;
}

/** Clocks that agree may differ by their steps: 5 µs of an isolated page, at most 100 µs elsewhere. */
const STEP_US = 5;

/**
 * What has to be added to another thread's own clock: 0 if its readings lie between question and answer, as they do where
 * time origins are exact. Else the least correction that puts all of them there.
 */
export function measureSkewUs(readings: readonly ClockReading[]): number {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  for (const { askedUs, answeredUs, otherUs } of readings) {
    least = Math.max(least, askedUs - otherUs);
    most = Math.min(most, answeredUs - otherUs);
  }
  if (least <= STEP_US && most >= -STEP_US) return 0;
  // the middle: the error is at most half the fastest round trip
  return (least + most) / 2;
}
