import { FrameDeadlineError } from '../base/errors.js';
import type { Clock } from '../base/time.js';
import type { DisplayFrames, PreciseTimer } from '../host/platform.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { WorkerCore } from '../worker/worker-core.js';
import type { Backend } from './backend.js';

interface WordWaiter {
  readonly word: number;
  readonly value: number;
  readonly resolve: () => void;
}

/** What the inline backend needs of the platform. */
export interface InlinePlatform {
  timer(clock: Clock): PreciseTimer;
  readonly display?: (clock: Clock) => DisplayFrames;
  /** Calls back soon, after what runs now; keeps the process alive until then. */
  soon(callback: () => void): void;
  hold(): void;
  drop(): void;
}

/** Runs handlers in the calling thread: on joins at once, otherwise soon after the submit. */
export class InlineBackend implements Backend {
  readonly clock: Clock;
  readonly memory: AttachedMemory;
  readonly canBlock: boolean;
  private readonly platform: InlinePlatform;
  private readonly releaseTimer: PreciseTimer;
  private core: WorkerCore | null;
  private waiters: WordWaiter[];
  private scheduled: boolean;
  private closed: boolean;

  constructor(memory: AttachedMemory, clock: Clock, platform: InlinePlatform) {
    this.memory = memory;
    this.clock = clock;
    this.platform = platform;
    this.canBlock = true;
    this.releaseTimer = platform.timer(clock);
    this.core = null;
    this.waiters = [];
    this.scheduled = false;
    this.closed = false;
  }

  /** Gives it the handlers, and starts the periodic lanes. */
  serve(core: WorkerCore): void {
    this.core = core;
    this.armRelease();
  }

  close(): void {
    this.closed = true;
    this.releaseTimer.cancel();
  }

  published(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    this.platform.soon(() => {
      this.scheduled = false;
      this.drain();
    });
  }

  blockOn(word: number, value: number, timeoutMs: number): void {
    const until = this.clock.nowPreciseUs() + timeoutMs * 1000;
    while (Atomics.load(this.memory.control, word) === value && this.clock.nowPreciseUs() < until) {
      if (this.core?.executing === true) {
        throw new FrameDeadlineError(
          'BLOCKING_NOT_ALLOWED',
          'joinSync in a handler waits for a job that cannot run here before the handler returns; submit and return instead',
        );
      }
      if (!this.runOne()) return;
    }
  }

  waitAsync(word: number, value: number): Promise<void> | null {
    this.drain();
    if (Atomics.load(this.memory.control, word) !== value) return null;
    return new Promise((resolve) => this.waiters.push({ word, value, resolve }));
  }

  settled(): void {
    for (const { resolve } of this.waiters.splice(0)) resolve();
  }

  timer(): PreciseTimer {
    return this.platform.timer(this.clock);
  }
  display(): DisplayFrames | null {
    return this.platform.display?.(this.clock) ?? null;
  }
  hold(): void {
    this.platform.hold();
  }
  drop(): void {
    this.platform.drop();
  }

  /** Runs what is ready and wakes who waits for it. */
  drain(): void {
    // a handler that awaits comes back in here
    if (this.core?.executing === true) return;
    while (!this.closed && this.runOne());
    this.wake();
  }

  /** Wakes those whose word has changed. */
  wake(): void {
    const { control } = this.memory;
    const due = this.waiters.filter(({ word, value }) => Atomics.load(control, word) !== value);
    if (due.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
  }

  private runOne(): boolean {
    const { core } = this;
    if (core === null || core.executing) return false;
    core.releaseDue();
    if (!core.claimNext()) {
      core.parked();
      return false;
    }
    core.execute();
    core.settle();
    return true;
  }

  private armRelease(): void {
    if (this.closed || this.core!.nextReleaseUs === Number.POSITIVE_INFINITY) return;
    this.releaseTimer.set(this.core!.nextReleaseUs, () => {
      this.core!.releaseDue();
      this.drain();
      this.armRelease();
    });
  }
}
