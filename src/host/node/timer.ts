import type { Clock } from '../../base/time.js';

/** Node's timers count whole milliseconds and come up to one late: what is left after them is spent in event loop turns. */
const MARGIN_MS = 0.5;
const SHORTEST_TIMER_MS = 1;
/** A turn takes so long: one that does nothing would be over in a microsecond and leave its garbage five hundred times a frame. */
const TURN_US = 50;

/**
 * A one-shot timer with an error far below a millisecond that leaves the event loop free: it sleeps on Node's timer
 * until shortly before the time and then takes event loop turns, which costs a few per cent of a core at 60 Hz.
 */
export class NodeTimer {
  private readonly clock: Clock;
  private atUs: number;
  private callback: (() => void) | null;
  private timeout: NodeJS.Timeout | null;
  private immediate: NodeJS.Immediate | null;
  private readonly arm: () => void;

  constructor(clock: Clock) {
    this.clock = clock;
    this.atUs = 0;
    this.callback = null;
    this.timeout = null;
    this.immediate = null;
    this.arm = () => this.rearm();
  }

  set(atUs: number, callback: () => void): void {
    this.cancel();
    this.atUs = atUs;
    this.callback = callback;
    this.sleep((atUs - this.clock.nowPreciseUs()) / 1000);
  }

  cancel(): void {
    if (this.timeout !== null) clearTimeout(this.timeout);
    if (this.immediate !== null) clearImmediate(this.immediate);
    this.timeout = null;
    this.immediate = null;
    this.callback = null;
  }

  private rearm(): void {
    this.timeout = null;
    this.immediate = null;
    const leftUs = this.atUs - this.clock.nowPreciseUs();
    if (leftUs > 0 && !this.spin(leftUs)) {
      this.sleep((this.atUs - this.clock.nowPreciseUs()) / 1000);
      return;
    }
    const { callback } = this;
    this.callback = null;
    callback?.();
  }

  /** Spends a turn; true if the time has come. Allocates nothing. */
  private spin(leftUs: number): boolean {
    if (leftUs > (MARGIN_MS + SHORTEST_TIMER_MS) * 1000) return false;
    const atUs = Math.ceil(this.atUs) | 0;
    const fromUs = this.clock.nowUs();
    for (;;) {
      const nowUs = this.clock.nowUs();
      if (((nowUs - atUs) | 0) >= 0) return true;
      if (((nowUs - fromUs) | 0) >= TURN_US) return false;
    }
  }

  private sleep(leftMs: number): void {
    const wholeMs = Math.floor(leftMs - MARGIN_MS);
    if (wholeMs >= SHORTEST_TIMER_MS) this.timeout = setTimeout(this.arm, wholeMs);
    else this.immediate = setImmediate(this.arm);
  }
}
