import type { Clock } from '../base/time.js';
import type { Standstill } from '../host/platform.js';
import { CONTROL_BEAT_MS, CONTROL_STOOD_FROM_MS, CONTROL_STOOD_TO_MS } from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { BEAT_MS, beatAt, isStandstill, stoodStillUs } from '../worker/standstill.js';

/**
 * Looks at the clock twice a second and leaves in shared memory when it did, and when it last could not: what other
 * threads tell a standstill of everything by (`worker/standstill.ts`). Supervisor, which nothing else holds up.
 */
export class Beat {
  private readonly control: Int32Array;
  private readonly clock: Clock;
  private timer: ReturnType<typeof setInterval> | null;

  constructor(memory: AttachedMemory, clock: Clock) {
    this.control = memory.control;
    this.clock = clock;
    this.timer = null;
  }

  start(): void {
    this.look();
    this.timer = setInterval(() => this.look(), BEAT_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private look(): void {
    const { control } = this;
    const now = beatAt(this.clock.nowPreciseUs());
    const last = Atomics.load(control, CONTROL_BEAT_MS);
    if (last !== 0 && isStandstill((now - last) | 0)) {
      Atomics.store(control, CONTROL_STOOD_FROM_MS, last);
      Atomics.store(control, CONTROL_STOOD_TO_MS, now);
    }
    Atomics.store(control, CONTROL_BEAT_MS, now); // release
  }
}

/** Standstills of everything as the supervisor's looks tell them: for a host whose platform does not. Host. */
export class BeatStandstill implements Standstill {
  private readonly control: Int32Array;
  private readonly clock: Clock;
  private askedUs: number;

  constructor(control: Int32Array, clock: Clock) {
    this.control = control;
    this.clock = clock;
    this.askedUs = clock.nowPreciseUs();
  }

  watch(): void {
    this.askedUs = this.clock.nowPreciseUs();
  }
  unwatch(): void {}

  takeUs(): number {
    const fromUs = this.askedUs;
    this.askedUs = this.clock.nowPreciseUs();
    return stoodStillUs(this.control, fromUs, this.askedUs);
  }
}
