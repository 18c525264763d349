import { checkKeys, checkSignal } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { DEFAULT_DEADLINE_MS, LONGEST_STALL_US, type StampUs } from '../base/time.js';
import type { HostSignals } from '../host/platform.js';
import { LOOP_INTERVAL, LOOP_TICK_ERROR } from '../telemetry/loop-row.js';
import { MISS_NO_SIGNAL } from '../telemetry/miss-record.js';
import { checkDeadlineMs } from '../worker/task.js';
import { DisplayPace } from './display-pace.js';
import type { Frame } from './frame.js';
import type { LoopLog } from './frame-log.js';
import type { FramePool } from './frame-pool.js';
import type { HostCore } from './host-core.js';
import { type Pace, TimerPace } from './pace.js';

export interface LoopOptions {
  /**
   * Frames per second, 0.1 to 1000. Default 60. In a page the display's frames drive the loop: every n-th of them, with
   * the n that comes nearest to `hz`; by default all of them.
   */
  hz?: number;
  /** Relative deadline of each frame in milliseconds, from its intended tick. Default 16, but at most the period. */
  deadlineMs?: number;
  /** Ends the loop when aborted: the promise then resolves. */
  signal?: AbortSignal;
}

/** Gives a loop its frames and its telemetry, once its options are known to be right. */
export type LoopFrames = (hz: number, deadlineUs: number, byDisplay: boolean) => { log: LoopLog; pool: FramePool };

/**
 * A frame loop at intended times, which its `Pace` knows. Ticks that could not be served in their period are dropped and
 * counted, not replayed in a burst.
 */
export class FrameLoop {
  private readonly core: HostCore;
  private readonly frames: LoopFrames;
  private readonly pace: Pace;
  private readonly byDisplay: boolean;
  private readonly deadlineMs: number | null;
  private readonly signal: AbortSignal | null;
  private readonly callback: (frame: Frame) => void | Promise<void>;
  private ended: boolean;
  /** Null until the rate is known. */
  private pool: FramePool | null;
  /** What held up this thread, from the first frame on. */
  private signals: HostSignals | null;
  private log: LoopLog | null;
  private hz: number;
  private deadlineUs: number;
  /** Stamps of the last call of the callback and of the end of what it returned; 0 before the first. */
  private calledUs: StampUs;
  private returnedUs: StampUs;
  /** The latter as a moment that does not wrap. */
  private returnedAtUs: number;

  constructor(
    core: HostCore,
    frames: LoopFrames,
    options: LoopOptions,
    callback: (frame: Frame) => void | Promise<void>,
  ) {
    checkKeys('the options of a loop', options, ['hz', 'deadlineMs', 'signal']);
    checkSignal('signal of a loop', options.signal);
    const { hz } = options;
    if (hz !== undefined && !(typeof hz === 'number' && hz >= 0.1 && hz <= 1000)) {
      throw new FrameDeadlineError('OPTION_INVALID', `hz of a loop is ${describeValue(hz)}, expected 0.1 to 1000`);
    }
    if (options.deadlineMs !== undefined) checkDeadlineMs(options.deadlineMs, 'deadlineMs of a loop');
    if (typeof callback !== 'function') {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `the loop's callback is ${describeValue(callback)}, expected a function`,
      );
    }
    const { backend } = core;
    const display = backend.display?.() ?? null;
    this.core = core;
    this.frames = frames;
    this.byDisplay = display !== null;
    this.pace =
      display === null
        ? new TimerPace(hz ?? 60, backend.timer(), backend.clock, backend.standstill?.() ?? null)
        : new DisplayPace(display, backend.clock, hz ?? null);
    this.deadlineMs = options.deadlineMs ?? null;
    this.signal = options.signal ?? null;
    this.callback = callback;
    this.ended = false;
    this.signals = null;
    this.pool = null;
    this.log = null;
    this.hz = 0;
    this.deadlineUs = 0;
    this.calledUs = 0;
    this.returnedUs = 0;
    this.returnedAtUs = 0;
  }

  /** Runs until the signal or `end()`; rejects with what the callback throws, or where no further loop can begin. */
  async run(): Promise<void> {
    const { clock } = this.core.backend;
    const { pace } = this;
    if (this.signal?.aborted === true) this.ended = true;
    const onAbort = (): void => this.end();
    this.signal?.addEventListener('abort', onAbort, { once: true });
    this.core.backend.hold();
    try {
      const begun = pace.begin();
      if (begun !== null) await begun;
      if (this.ended && pace.hz === 0) return;
      this.begin();
      const log = this.log!;
      pace.watch(() => log.row!.showsNothing(pace.paused));
      while (!this.ended) {
        await pace.wait();
        if (this.ended) break;
        const nowUs = clock.nowPreciseUs();
        pace.arrive(nowUs, this.returnedAtUs);
        if (pace.hz !== this.hz) this.follow();
        if (pace.pausedUs > 0) log.row!.paused(pace.pausedUs);
        if (pace.droppedTicks > 0) this.dropped(pace.droppedFromUs, nowUs, pace.droppedTicks);
        log.row!.record(LOOP_TICK_ERROR, nowUs - pace.tickUs);
        await this.tick(pace.tickUs, nowUs | 0);
      }
    } finally {
      pace.end();
      this.signal?.removeEventListener('abort', onAbort);
      this.core.backend.drop();
      this.signals?.end();
      this.pool?.retire();
      this.log?.row?.ended();
    }
  }

  end(): void {
    this.ended = true;
    this.pace.end();
  }

  /** The rate is known: takes frames and telemetry. */
  private begin(): void {
    this.hz = this.pace.hz;
    this.deadlineUs = this.deadlineOf(this.hz);
    const { log, pool } = this.frames(this.hz, this.deadlineUs, this.byDisplay);
    this.log = log;
    this.pool = pool;
    this.signals = this.core.backend.hostSignals?.() ?? null;
  }

  /** The display has another rate. */
  private follow(): void {
    this.hz = this.pace.hz;
    this.deadlineUs = this.deadlineOf(this.hz);
    this.log!.setRate(this.hz, this.deadlineUs);
  }

  private deadlineOf(hz: number): number {
    return Math.round((this.deadlineMs ?? Math.min(DEFAULT_DEADLINE_MS, 1000 / hz)) * 1000);
  }

  private async tick(tickUs: number, nowUs: StampUs): Promise<void> {
    const frame = this.pool!.begin(tickUs | 0, (tickUs + this.deadlineUs) | 0);
    if (frame.refused !== false) {
      // the work of earlier frames still runs: this tick has no frame to give
      this.log!.refused(frame.number, tickUs | 0, nowUs, this.pool!.unfinished);
      return;
    }
    if (this.calledUs !== 0 && this.pace.pausedUs === 0) {
      this.log!.row!.record(LOOP_INTERVAL, (nowUs - this.calledUs) | 0);
    }
    this.calledUs = nowUs;
    this.signals?.mark();
    try {
      await this.callback(frame);
    } finally {
      frame.close();
      this.returnedAtUs = this.core.backend.clock.nowPreciseUs();
      this.returnedUs = this.returnedAtUs | 0;
    }
  }

  /** Ticks that came too late to be served: held up by the last callback, or by something else on this thread. */
  private dropped(tickAtUs: number, nowAtUs: number, ticks: number): void {
    const tickUs = tickAtUs | 0;
    const nowUs = Math.min(nowAtUs, tickAtUs + LONGEST_STALL_US) | 0;
    const { signals } = this;
    const gcUs = signals === null ? MISS_NO_SIGNAL : Math.round(signals.collectedUs(tickAtUs, nowAtUs));
    const preemptedUs = signals === null ? MISS_NO_SIGNAL : Math.round(Math.max(MISS_NO_SIGNAL, signals.preemptedUs()));
    const number = this.pool!.skip(ticks);
    const callbackHeldUs = this.calledUs === 0 ? 0 : (this.returnedUs - tickUs) | 0;
    const elsewhereUs = (nowUs - (callbackHeldUs > 0 ? this.returnedUs : tickUs)) | 0;
    if (callbackHeldUs > elsewhereUs) {
      this.log!.dropped(
        number,
        tickUs,
        nowUs,
        ticks,
        'frameCallback',
        (this.returnedUs - this.calledUs) | 0,
        gcUs,
        preemptedUs,
      );
    } else this.log!.dropped(number, tickUs, nowUs, ticks, 'eventLoop', elsewhereUs, gcUs, preemptedUs);
  }
}
