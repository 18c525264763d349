import { performance } from 'node:perf_hooks';
import type { Clock } from '../../base/time.js';
import type { Standstill } from '../platform.js';

/** How often it looks. A stop is told apart from ordinary idling by that: nobody idles through a timer that is due. */
const BEAT_MS = 500;
/** Shorter ones are not looked for. */
const SHORTEST_US = 1_000_000;

/**
 * Tells a process that stood still (SIGSTOP, a frozen container, the machine's sleep where the monotonic clock goes on)
 * from a thread that was held up by its own code: while it stood still the event loop waited in the system, far beyond the
 * next timer; held up, it did not wait at all.
 */
export class NodeStandstill implements Standstill {
  private readonly clock: Clock;
  private beat: NodeJS.Timeout | null;
  private lookedUs: number;
  private idleMs: number;
  private stoodUs: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.beat = null;
    this.lookedUs = 0;
    this.idleMs = 0;
    this.stoodUs = 0;
  }

  watch(): void {
    this.look();
    this.stoodUs = 0;
    this.beat ??= setInterval(() => this.look(), BEAT_MS);
    this.beat.unref();
  }

  unwatch(): void {
    if (this.beat !== null) clearInterval(this.beat);
    this.beat = null;
  }

  takeUs(): number {
    if (this.clock.nowPreciseUs() - this.lookedUs >= SHORTEST_US) this.look();
    const { stoodUs } = this;
    this.stoodUs = 0;
    return stoodUs;
  }

  private look(): void {
    const nowUs = this.clock.nowPreciseUs();
    const idleMs = performance.eventLoopUtilization().idle;
    const stoodUs = (idleMs - this.idleMs - BEAT_MS) * 1000;
    if (this.lookedUs !== 0 && nowUs - this.lookedUs >= SHORTEST_US && stoodUs > 0) this.stoodUs += stoodUs;
    this.lookedUs = nowUs;
    this.idleMs = idleMs;
  }
}
