import type { Clock } from '../base/time.js';
import type { PreciseTimer, Standstill } from '../host/platform.js';

/** When the ticks of a loop are due: by a timer, or by the frames of a display. Host thread only. */
export interface Pace {
  /** Ticks per second; 0 before `begin` has resolved. That of a display may change. */
  readonly hz: number;
  /** Intended start of the tick that came, in microseconds since the epoch. */
  readonly tickUs: number;
  /** Ticks before it that got no frame, and the intended start of the first of them. */
  readonly droppedTicks: number;
  readonly droppedFromUs: number;
  /** Time before it in which no ticks were due, because nothing was shown or everything stood still. */
  readonly pausedUs: number;
  /** Whether nothing is shown at present: no ticks come. */
  readonly paused: boolean;
  /** Comes to know `hz`; null if it is known already. */
  begin(): Promise<void> | null;
  /** Resolves at the next tick, or at `end()`. */
  wait(): Promise<void>;
  /** Fills in what is known of the tick that came. `returnedUs`: when the callback of the tick before it had ended. */
  arrive(nowUs: number, returnedUs: number): void;
  /** Calls back when `paused` has changed. */
  watch(onChange: () => void): void;
  /** Ends the waiting, now and later. */
  end(): void;
}

/** Longer than this and everything stood still: a pause. */
const STOPPED_US = 1_000_000;

/**
 * Tick n is at start + n / hz, however long earlier ticks took. Ticks that could not be served in their period are dropped.
 * Where they could not because the process or the machine stood still, one of them tells of it and the rest is a pause.
 */
export class TimerPace implements Pace {
  readonly hz: number;
  tickUs: number;
  droppedTicks: number;
  droppedFromUs: number;
  pausedUs: number;
  readonly paused: boolean;
  private readonly standstill: Standstill | null;
  private readonly timer: PreciseTimer;
  private readonly periodUs: number;
  private nextUs: number;
  private wake: () => void;

  constructor(hz: number, timer: PreciseTimer, clock: Clock, standstill: Standstill | null = null) {
    this.hz = hz;
    this.periodUs = 1e6 / hz;
    this.timer = timer;
    this.standstill = standstill;
    this.nextUs = clock.nowPreciseUs();
    this.tickUs = this.nextUs;
    this.droppedTicks = 0;
    this.droppedFromUs = 0;
    this.pausedUs = 0;
    this.paused = false;
    this.wake = () => {};
  }

  begin(): null {
    this.standstill?.watch();
    return null;
  }

  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.timer.set(this.nextUs, resolve);
    });
  }

  arrive(nowUs: number): void {
    this.droppedFromUs = this.nextUs;
    const lateUs = nowUs - this.nextUs;
    const ticks = Math.max(0, Math.floor(lateUs / this.periodUs));
    const stoodUs = this.standstill === null ? 0 : this.standstill.takeUs();
    const stopped = ticks > 1 && lateUs >= STOPPED_US && stoodUs > lateUs / 2;
    this.droppedTicks = stopped ? 1 : ticks;
    this.pausedUs = stopped ? (ticks - 1) * this.periodUs : 0;
    this.tickUs = this.nextUs + ticks * this.periodUs;
    this.nextUs = this.tickUs + this.periodUs;
  }

  watch(): void {}

  end(): void {
    this.standstill?.unwatch();
    this.timer.cancel();
    this.wake();
  }
}
