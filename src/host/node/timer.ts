import type { Clock } from '../../base/time.js';

/** Node's timers count whole milliseconds and come up to one late: what is left after them is spent in event loop turns. */
const MARGIN_MS = 0.5;
const SHORTEST_TIMER_MS = 1;

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
    const leftMs = (this.atUs - this.clock.nowPreciseUs()) / 1000;
    if (leftMs > 0) {
      this.sleep(leftMs);
      return;
    }
    const { callback } = this;
    this.callback = null;
    callback?.();
  }

  private sleep(leftMs: number): void {
    const wholeMs = Math.floor(leftMs - MARGIN_MS);
    if (wholeMs >= SHORTEST_TIMER_MS) this.timeout = setTimeout(this.arm, wholeMs);
    else this.immediate = setImmediate(this.arm);
  }
}
