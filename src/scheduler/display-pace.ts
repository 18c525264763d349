import type { Clock } from '../base/time.js';
import type { DisplayFrames } from '../host/platform.js';
import type { Pace } from './pace.js';

/** Intervals from which the display's rate is taken at first. */
const FIRST_INTERVALS = 10;
/** No display is slower; a longer interval says that the page stood still. */
const LONGEST_INTERVAL_US = 100_000;
/** Intervals that differ from the period by less than this share follow it; others are late frames or another rate. */
const TOLERANCE = 0.25;
/** Intervals in a row, all alike and each asked for in time, after which the display has another rate. */
const NEW_RATE_INTERVALS = 60;
/** Share of a deviation by which the period follows. */
const FOLLOW = 1 / 64;
/** Without a frame for longer, and not for a callback's sake, the machine slept or the page was stopped. */
const STOPPED_US = 1_000_000;

/**
 * Ticks at the frames of the display, or at every n-th if fewer are wanted. A tick's intended start is the moment at
 * which the display began its frame; its period is the display's, found from the frames and followed. Frames that the
 * main thread was too busy to take are dropped ticks. While the page is hidden no ticks are due: a pause. A gap of more
 * than a second is a pause too, with one dropped tick that tells of it, unless the loop's own callback took that long.
 */
export class DisplayPace implements Pace {
  hz: number;
  tickUs: number;
  droppedTicks: number;
  droppedFromUs: number;
  pausedUs: number;
  private readonly display: DisplayFrames;
  private readonly clock: Clock;
  /** Null: every frame. */
  private readonly wantedHz: number | null;
  private readonly onFrame: (startUs: number) => void;
  private readonly unwatch: (() => void)[];
  /** Of the display's frames. */
  private periodUs: number;
  /** Frames of the display per tick. */
  private every: number;
  private lastTickUs: number;
  /** Start of the last frame that was seen, used or not; when the one after it was asked for. */
  private seenUs: number;
  private askedUs: number;
  private startUs: number;
  /** Another rate that the display may have, and how many intervals speak for it. */
  private otherUs: number;
  private otherIntervals: number;
  private wasHidden: boolean;
  private wake: () => void;
  private ended: boolean;

  constructor(display: DisplayFrames, clock: Clock, wantedHz: number | null) {
    this.display = display;
    this.clock = clock;
    this.wantedHz = wantedHz;
    this.hz = 0;
    this.tickUs = 0;
    this.droppedTicks = 0;
    this.droppedFromUs = 0;
    this.pausedUs = 0;
    this.periodUs = 0;
    this.every = 1;
    this.lastTickUs = Number.NEGATIVE_INFINITY;
    this.seenUs = 0;
    this.askedUs = 0;
    this.startUs = 0;
    this.otherUs = 0;
    this.otherIntervals = 0;
    this.wasHidden = false;
    this.wake = () => {};
    this.ended = false;
    this.onFrame = (startUs) => this.frame(startUs);
    this.unwatch = [];
    this.watch(() => {
      if (display.hidden) this.wasHidden = true;
    });
  }

  get paused(): boolean {
    return this.display.hidden;
  }

  /** Takes some frames: about 0.2 s at 60 Hz. */
  async begin(): Promise<void> {
    const intervalsUs: number[] = [];
    let lastUs = Number.NEGATIVE_INFINITY;
    while (intervalsUs.length < FIRST_INTERVALS && !this.ended) {
      const startUs = await new Promise<number>((resolve) => {
        this.wake = () => resolve(0);
        this.display.next(resolve);
      });
      const intervalUs = startUs - lastUs;
      lastUs = startUs;
      if (intervalUs > 0 && intervalUs < LONGEST_INTERVAL_US) intervalsUs.push(intervalUs);
    }
    if (this.ended) return;
    this.seenUs = lastUs;
    this.setPeriod(typicalOf(intervalsUs));
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      if (this.ended) resolve();
      else this.ask();
    });
  }

  arrive(_nowUs: number, returnedUs: number): void {
    const periodUs = this.periodUs * this.every;
    const elapsedUs = this.startUs - this.lastTickUs;
    const dueUs = this.lastTickUs + periodUs;
    const stopUs = Math.max(STOPPED_US, 4 * periodUs);
    this.tickUs = this.startUs;
    this.droppedFromUs = dueUs;
    this.droppedTicks = 0;
    this.pausedUs = 0;
    if (elapsedUs !== Number.POSITIVE_INFINITY) {
      // one that was due may still come after the page was hidden
      if (this.wasHidden) this.pausedUs = elapsedUs > 1.5 * periodUs ? elapsedUs - periodUs : 0;
      else if (elapsedUs > stopUs && returnedUs - dueUs < elapsedUs / 2) {
        this.droppedTicks = 1;
        this.pausedUs = elapsedUs - 2 * periodUs;
      } else this.droppedTicks = Math.max(0, Math.round(elapsedUs / periodUs) - 1);
    }
    this.wasHidden = this.display.hidden;
    this.lastTickUs = this.startUs;
  }

  watch(onChange: () => void): void {
    this.unwatch.push(this.display.watch(onChange));
  }

  end(): void {
    this.ended = true;
    this.display.cancel();
    for (const unwatch of this.unwatch) unwatch();
    this.unwatch.length = 0;
    this.wake();
  }

  private ask(): void {
    this.askedUs = this.clock.nowPreciseUs();
    this.display.next(this.onFrame);
  }

  private frame(begunUs: number): void {
    // a frame that waited for the main thread tells of a moment long past: it stands for the newest one
    const lateFrames = Math.floor((this.clock.nowPreciseUs() - begunUs) / this.periodUs);
    const startUs = begunUs + Math.max(0, lateFrames) * this.periodUs;
    if (lateFrames > 0) this.seenUs = startUs;
    else this.follow(startUs);
    if (startUs - this.lastTickUs < (this.every - 0.5) * this.periodUs) {
      this.ask();
      return;
    }
    this.startUs = startUs;
    this.wake();
  }

  /** Follows the display's period: it drifts, and changes where the window moves to another display. */
  private follow(startUs: number): void {
    const intervalUs = startUs - this.seenUs;
    const inTime = this.askedUs - this.seenUs < Math.min(this.periodUs, intervalUs) / 2;
    this.seenUs = startUs;
    if (intervalUs <= 0 || intervalUs > LONGEST_INTERVAL_US || !inTime) return;
    if (isAlike(intervalUs, this.periodUs)) {
      this.otherIntervals = 0;
      this.periodUs += (intervalUs - this.periodUs) * FOLLOW;
      return;
    }
    if (this.otherIntervals > 0 && isAlike(intervalUs, this.otherUs)) {
      this.otherIntervals++;
      this.otherUs += (intervalUs - this.otherUs) / this.otherIntervals;
    } else {
      this.otherIntervals = 1;
      this.otherUs = intervalUs;
    }
    if (this.otherIntervals >= NEW_RATE_INTERVALS) this.setPeriod(this.otherUs);
  }

  private setPeriod(periodUs: number): void {
    this.periodUs = periodUs;
    this.otherIntervals = 0;
    const displayHz = 1e6 / periodUs;
    this.every = this.wantedHz === null ? 1 : Math.max(1, Math.round(displayHz / this.wantedHz));
    this.hz = displayHz / this.every;
  }
}

function isAlike(intervalUs: number, periodUs: number): boolean {
  return Math.abs(intervalUs - periodUs) < TOLERANCE * periodUs;
}

/** The mean of the intervals that are like their median: neither late frames nor coarse clocks spoil it. */
function typicalOf(intervalsUs: readonly number[]): number {
  const sorted = [...intervalsUs].sort((a, b) => a - b);
  const medianUs = sorted[sorted.length >> 1]!;
  const alike = sorted.filter((intervalUs) => isAlike(intervalUs, medianUs));
  return alike.reduce((sum, intervalUs) => sum + intervalUs, 0) / alike.length;
}
