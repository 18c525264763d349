import type { VirtualClock } from '../base/time.js';
import type { PreciseTimer } from '../host/platform.js';

interface Armed {
  readonly atUs: number;
  /** Order in which timers were set: decides between equal times. */
  readonly order: number;
  readonly callback: () => void;
}

/** The host's timers on the virtual clock: they fire when `fireNext` is called, in the order of their times. */
export class VirtualTimers {
  private readonly clock: VirtualClock;
  private readonly armed: Map<VirtualTimer, Armed>;
  private order: number;

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.armed = new Map();
    this.order = 0;
  }

  create(): PreciseTimer {
    return new VirtualTimer(this);
  }

  /** When the earliest timer fires: whole microseconds, not before now; Infinity if none is set. */
  nextUs(): number {
    const [, next] = this.earliest();
    return next === null ? Number.POSITIVE_INFINITY : Math.max(this.clock.nowPreciseUs(), Math.ceil(next.atUs));
  }

  /** Calls the earliest timer's callback. */
  fireNext(): void {
    const [timer, next] = this.earliest();
    if (timer === null) return;
    this.armed.delete(timer);
    next!.callback();
  }

  set(timer: VirtualTimer, atUs: number, callback: () => void): void {
    this.armed.set(timer, { atUs, order: this.order++, callback });
  }

  cancel(timer: VirtualTimer): void {
    this.armed.delete(timer);
  }

  private earliest(): [VirtualTimer, Armed] | [null, null] {
    let best: [VirtualTimer, Armed] | [null, null] = [null, null];
    for (const entry of this.armed) {
      const [, armed] = entry;
      const [, least] = best;
      if (least !== null) {
        if (armed.atUs > least.atUs) continue;
        if (armed.atUs === least.atUs && armed.order > least.order) continue;
      }
      best = entry;
    }
    return best;
  }
}

class VirtualTimer implements PreciseTimer {
  private readonly timers: VirtualTimers;
  constructor(timers: VirtualTimers) {
    this.timers = timers;
  }
  set(atUs: number, callback: () => void): void {
    this.timers.set(this, atUs, callback);
  }
  cancel(): void {
    this.timers.cancel(this);
  }
}
