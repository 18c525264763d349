import { checkKeys, checkSignal } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { DEFAULT_DEADLINE_MS, type StampUs } from '../base/time.js';
import type { PreciseTimer } from '../host/platform.js';
import { LOOP_INTERVAL, LOOP_TICK_ERROR } from '../telemetry/loop-row.js';
import { checkDeadlineMs } from '../worker/task.js';
import type { Frame } from './frame.js';
import type { LoopLog } from './frame-log.js';
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

/** Gives a loop its frames and its telemetry, once its options are known to be right. */
export type LoopFrames = (hz: number, deadlineUs: number) => { log: LoopLog; pool: FramePool };

/**
 * A frame loop at intended times: tick n is at start + n / hz, however long earlier ticks took. Ticks that could not be
 * served in their period are dropped and counted, not replayed in a burst.
 */
export class FrameLoop {
  private readonly pool: FramePool;
  private readonly log: LoopLog;
  private readonly core: HostCore;
  private readonly timer: PreciseTimer;
  private readonly periodUs: number;
  private readonly deadlineUs: number;
  private readonly signal: AbortSignal | null;
  private readonly callback: (frame: Frame) => void | Promise<void>;
  private ended: boolean;
  /** Stamps of the last call of the callback and of the end of what it returned; 0 before the first. */
  private calledUs: StampUs;
  private returnedUs: StampUs;

  constructor(
    core: HostCore,
    frames: LoopFrames,
    options: LoopOptions,
    callback: (frame: Frame) => void | Promise<void>,
  ) {
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
    this.periodUs = 1e6 / hz;
    this.deadlineUs = Math.round((options.deadlineMs ?? Math.min(DEFAULT_DEADLINE_MS, 1000 / hz)) * 1000);
    this.signal = options.signal ?? null;
    this.core = core;
    this.timer = core.backend.timer();
    this.callback = callback;
    this.ended = false;
    this.calledUs = 0;
    this.returnedUs = 0;
    const { log, pool } = frames(hz, this.deadlineUs);
    this.log = log;
    this.pool = pool;
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
          this.dropped(tickUs | 0, nowUs | 0, late);
          tickUs += late * this.periodUs;
        }
        this.log.row!.record(LOOP_TICK_ERROR, nowUs - tickUs);
        if (this.calledUs !== 0) this.log.row!.record(LOOP_INTERVAL, ((nowUs | 0) - this.calledUs) | 0);
        await this.tick(tickUs, nowUs | 0);
        tickUs += this.periodUs;
      }
    } finally {
      this.timer.cancel();
      this.signal?.removeEventListener('abort', onAbort);
      this.core.backend.drop();
      this.pool.retire();
      this.log.row!.ended();
    }
  }

  end(): void {
    this.ended = true;
    this.wake?.();
  }

  private wake: (() => void) | null = null;

  private async tick(tickUs: number, nowUs: StampUs): Promise<void> {
    const frame = this.pool.begin(tickUs | 0, (tickUs + this.deadlineUs) | 0);
    if (frame.refused !== false) {
      // the work of earlier frames still runs: this tick has no frame to give
      this.log.refused(frame.number, tickUs | 0, nowUs, this.pool.unfinished);
      return;
    }
    this.calledUs = nowUs;
    try {
      await this.callback(frame);
    } finally {
      frame.close();
      this.returnedUs = this.core.backend.clock.nowUs();
    }
  }

  /** Ticks that came too late to be served: held up by the last callback, or by something else on this thread. */
  private dropped(tickUs: StampUs, nowUs: StampUs, ticks: number): void {
    const number = this.pool.skip(ticks);
    const callbackHeldUs = this.calledUs === 0 ? 0 : (this.returnedUs - tickUs) | 0;
    const elsewhereUs = (nowUs - (callbackHeldUs > 0 ? this.returnedUs : tickUs)) | 0;
    if (callbackHeldUs > elsewhereUs) {
      this.log.dropped(number, tickUs, nowUs, ticks, 'frameCallback', (this.returnedUs - this.calledUs) | 0);
    } else this.log.dropped(number, tickUs, nowUs, ticks, 'eventLoop', elsewhereUs);
  }

  private until(atUs: number): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      this.timer.set(atUs, resolve);
    });
  }
}
