import type { Clock } from '../../base/time.js';
import type { PreciseTimer } from '../platform.js';

/** Browsers' timers come up to one late, and none shorter than 4 ms is kept after five in a row. */
const MARGIN_MS = 1.5;
const SHORTEST_TIMER_MS = 1;

/**
 * Turns of the event loop that no browser throttles or clamps: one message channel for all timers of this thread.
 * Rendering and input still come between two turns.
 */
const channel = new MessageChannel();
let waiting: (() => void)[] = [];
channel.port1.onmessage = () => {
  const due = waiting;
  waiting = [];
  for (const callback of due) callback();
};

/** Calls back in the next turn of the event loop. */
export function soon(callback: () => void): void {
  waiting.push(callback);
  if (waiting.length === 1) channel.port2.postMessage(null);
}

/**
 * A one-shot timer with an error far below a millisecond: it sleeps on the browser's timer until shortly before the
 * time and then takes event loop turns. In a hidden page the browser's timers come up to a second late, and so does it.
 */
export class WebTimer implements PreciseTimer {
  private readonly clock: Clock;
  private atUs: number;
  private callback: (() => void) | null;
  private timeout: number;
  /** Turns that were asked for and not taken: one at a time. */
  private turning: boolean;
  private readonly woken: () => void;
  private readonly turn: () => void;

  constructor(clock: Clock) {
    this.clock = clock;
    this.atUs = 0;
    this.callback = null;
    this.timeout = 0;
    this.turning = false;
    this.woken = () => {
      this.timeout = 0;
      this.takeTurn();
    };
    this.turn = () => {
      this.turning = false;
      this.look();
    };
  }

  set(atUs: number, callback: () => void): void {
    this.cancel();
    this.atUs = atUs;
    this.callback = callback;
    this.sleep();
  }

  cancel(): void {
    if (this.timeout !== 0) clearTimeout(this.timeout);
    this.timeout = 0;
    this.callback = null;
  }

  private look(): void {
    // cancelled meanwhile, or set anew and asleep
    if (this.callback === null || this.timeout !== 0) return;
    if (this.clock.nowPreciseUs() < this.atUs) {
      this.sleep();
      return;
    }
    const { callback } = this;
    this.callback = null;
    callback();
  }

  private sleep(): void {
    const sleepMs = Math.floor((this.atUs - this.clock.nowPreciseUs()) / 1000 - MARGIN_MS);
    if (sleepMs >= SHORTEST_TIMER_MS) this.timeout = setTimeout(this.woken, sleepMs);
    else this.takeTurn();
  }

  private takeTurn(): void {
    if (this.turning) return;
    this.turning = true;
    soon(this.turn);
  }
}
