import { checkKeys, checkSignal } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { DEFAULT_DEADLINE_MS } from '../base/time.js';
import type { PreciseTimer } from '../host/platform.js';
import { HISTOGRAM_WORDS, recordUs } from '../telemetry/shared-histogram.js';
import { checkDeadlineMs } from '../worker/task.js';
import type { Frame } from './frame.js';
import type { FramePool } from './frame-pool.js';
import type { HostCore } from './host-core.js';

export interface LoopOptions {
  /** Frames per second, 0.1 to 1000. Default 60. */
  hz?: number;
  /** Relative deadline of each frame in milliseconds, from its intended tick. Default 16, but at most the period. */
  deadlineMs?: number;
  /** Ends the loop when aborted: the promise then resolves. */
  signal?: AbortSignal;
}

/**
 * A frame loop at intended times: tick n is at start + n / hz, however long earlier ticks took. Ticks that could not be
 * served in their period are dropped and counted, not replayed in a burst.
 */
export class FrameLoop {
  readonly hz: number;
  readonly pool: FramePool;
  /** Ticks whose time came; `intendedTicks = ticks + droppedTicks`. */
  intendedTicks: number;
  droppedTicks: number;
  /** From the intended tick to the call. */
  readonly tickErrorHistogram: Int32Array;
  private readonly core: HostCore;
  private readonly timer: PreciseTimer;
  private readonly periodUs: number;
  private readonly deadlineUs: number;
  private readonly signal: AbortSignal | null;
  private readonly callback: (frame: Frame) => void | Promise<void>;
  private ended: boolean;

  constructor(core: HostCore, pool: FramePool, options: LoopOptions, callback: (frame: Frame) => void | Promise<void>) {
    checkKeys('the options of a loop', options, ['hz', 'deadlineMs', 'signal']);
    checkSignal('signal of a loop', options.signal);
    const hz = options.hz ?? 60;
    if (!(typeof hz === 'number' && hz >= 0.1 && hz <= 1000)) {
      throw new FrameDeadlineError('OPTION_INVALID', `hz of a loop is ${describeValue(hz)}, expected 0.1 to 1000`);
    }
    if (options.deadlineMs !== undefined) checkDeadlineMs(options.deadlineMs, 'deadlineMs of a loop');
    if (typeof callback !== 'function') {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `the loop's callback is ${describeValue(callback)}, expected a function`,
      );
    }
    this.hz = hz;
    this.pool = pool;
    this.periodUs = 1e6 / hz;
    this.deadlineUs = Math.round((options.deadlineMs ?? Math.min(DEFAULT_DEADLINE_MS, 1000 / hz)) * 1000);
    this.signal = options.signal ?? null;
    this.core = core;
    this.timer = core.backend.timer();
    this.callback = callback;
    this.intendedTicks = 0;
    this.droppedTicks = 0;
    this.tickErrorHistogram = new Int32Array(HISTOGRAM_WORDS);
    this.ended = false;
  }

  /** Runs until the signal or `end()`; rejects with what the callback throws. */
  async run(): Promise<void> {
    const { clock } = this.core.backend;
    if (this.signal?.aborted === true) this.ended = true;
    const onAbort = (): void => this.end();
    this.signal?.addEventListener('abort', onAbort, { once: true });
    this.core.backend.hold();
    try {
      let tickUs = clock.nowPreciseUs();
      while (!this.ended) {
        await this.until(tickUs);
        if (this.ended) break;
        const nowUs = clock.nowPreciseUs();
        const late = Math.floor((nowUs - tickUs) / this.periodUs);
        if (late > 0) {
          this.intendedTicks += late;
          this.droppedTicks += late;
          tickUs += late * this.periodUs;
        }
        this.intendedTicks++;
        recordUs(this.tickErrorHistogram, 0, nowUs - tickUs);
        await this.tick(tickUs);
        tickUs += this.periodUs;
      }
    } finally {
      this.timer.cancel();
      this.signal?.removeEventListener('abort', onAbort);
      this.core.backend.drop();
      this.pool.retire();
    }
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  private wake: (() => void) | null = null;

  private async tick(tickUs: number): Promise<void> {
    const frame = this.pool.begin(tickUs | 0, (tickUs + this.deadlineUs) | 0);
    if (frame.refused !== false) {
      // the work of earlier frames still runs: this tick has no frame to give
      this.droppedTicks++;
      return;
    }
    try {
      await this.callback(frame);
    } finally {
      frame.close();
    }
  }

  private until(atUs: number): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.timer.set(atUs, resolve);
    });
  }
}
