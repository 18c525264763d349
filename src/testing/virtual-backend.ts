import { FrameDeadlineError } from '../base/errors.js';
import type { VirtualClock } from '../base/time.js';
import type { PreciseTimer, Standstill } from '../host/platform.js';
import { CONTROL_STOOD_FROM_MS, CONTROL_STOOD_TO_MS } from '../memory/layout.js';
import type { Backend } from '../scheduler/backend.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { beatAt } from '../worker/standstill.js';
import { VirtualTimers } from './virtual-timers.js';
import { PHASE_HOST, PHASE_LOOK, PHASE_SUPERVISOR, type VirtualWorker } from './virtual-worker.js';

/** Steps at one instant beyond which something goes round in circles. */
const MAX_STEPS_AT_ONCE = 100_000;
/** A blocked host waits no longer than this: something is wrong. */
const MAX_BLOCK_US = 3600e6;

/** What the virtual supervisor does at times of its own. */
export interface SupervisorEvents {
  /** When it acts next, in whole microseconds; Infinity: not at all. */
  nextUs(): number;
  fire(): void;
}

interface WordWaiter {
  readonly word: number;
  readonly value: number;
  readonly resolve: () => void;
}

/**
 * Discrete-event simulation of host, workers and supervisor on one virtual clock, which moves from event to event. The
 * order is fixed: by time; at one instant jobs finish, then the supervisor acts, then the host's timers fire, then
 * workers look for jobs; among workers by index. Times are whole microseconds; an event between two falls on the later.
 */
export class VirtualBackend implements Backend {
  readonly clock: VirtualClock;
  readonly memory: AttachedMemory;
  readonly canBlock: boolean;
  readonly workers: VirtualWorker[];
  /** Set once; the supervisor's own events. */
  supervisor: SupervisorEvents | null;
  /** Set when an event may have resolved promises of the host. */
  hostActed: boolean;
  /** Whether a handler runs in the calling thread at this moment. */
  inHandler: boolean;
  private readonly timers: VirtualTimers;
  private waiters: WordWaiter[];
  private stepsAtOnce: number;
  private stoodUs: number;
  // the next event, as `findNext` found it
  private atUs: number;
  private phase: number;
  private worker: VirtualWorker | null;

  constructor(memory: AttachedMemory, clock: VirtualClock) {
    this.memory = memory;
    this.clock = clock;
    this.canBlock = true;
    this.workers = [];
    this.supervisor = null;
    this.hostActed = false;
    this.inHandler = false;
    this.timers = new VirtualTimers(clock);
    this.waiters = [];
    this.stepsAtOnce = 0;
    this.stoodUs = 0;
    this.atUs = Number.POSITIVE_INFINITY;
    this.phase = PHASE_LOOK;
    this.worker = null;
  }

  published(): void {}
  hold(): void {}
  drop(): void {}
  timer(): PreciseTimer {
    return this.timers.create();
  }

  waitAsync(word: number, value: number): Promise<void> | null {
    if (Atomics.load(this.memory.control, word) !== value) return null;
    return new Promise((resolve) => this.waiters.push({ word, value, resolve }));
  }

  blockOn(word: number, value: number, timeoutMs: number): void {
    if (this.inHandler) {
      throw new FrameDeadlineError(
        'BLOCKING_NOT_ALLOWED',
        'joinSync was called in a handler, which would wait for itself; submit and return instead',
      );
    }
    const { control } = this.memory;
    const untilUs = Math.ceil(this.clock.nowPreciseUs() + Math.min(timeoutMs * 1000, MAX_BLOCK_US));
    while (Atomics.load(control, word) === value) {
      if (this.step(untilUs, false)) continue;
      if (timeoutMs * 1000 >= MAX_BLOCK_US) {
        throw new FrameDeadlineError(
          'BLOCKING_NOT_ALLOWED',
          'joinSync would wait for ever: no worker will end a job of this frame',
        );
      }
      this.moveTo(untilUs);
      return;
    }
  }

  /** Everything stands still: the clock goes on, nothing else does. */
  standStill(us: number): void {
    this.stoodUs += us;
    const { control } = this.memory;
    Atomics.store(control, CONTROL_STOOD_FROM_MS, beatAt(this.clock.nowPreciseUs()));
    this.clock.advanceUs(us);
    Atomics.store(control, CONTROL_STOOD_TO_MS, beatAt(this.clock.nowPreciseUs()));
    this.stepsAtOnce = 0;
    for (const worker of this.workers) worker.stoodStill(us);
  }

  standstill(): Standstill {
    let taken = this.stoodUs;
    return {
      watch: () => {
        taken = this.stoodUs;
      },
      unwatch() {},
      takeUs: () => {
        const us = this.stoodUs - taken;
        taken = this.stoodUs;
        return us;
      },
    };
  }

  /** Lets `us` microseconds go by for everybody but the host. */
  block(us: number): void {
    const untilUs = Math.ceil(this.clock.nowPreciseUs() + us);
    while (this.step(untilUs, false));
    this.moveTo(untilUs);
  }

  /** Resolves the waits whose word has changed; false if there was none. */
  wake(): boolean {
    const { control } = this.memory;
    const due = this.waiters.filter(({ word, value }) => Atomics.load(control, word) !== value);
    if (due.length === 0) return false;
    this.waiters = this.waiters.filter((waiter) => !due.includes(waiter));
    for (const { resolve } of due) resolve();
    return true;
  }

  /** When the next event is, in whole microseconds; Infinity if nothing more can happen. */
  nextUs(): number {
    this.findNext(true);
    return this.atUs;
  }

  /** Moves to the next event that is not after `untilUs` and lets it happen. False if there is none. */
  step(untilUs: number, withTimers: boolean): boolean {
    this.findNext(withTimers);
    const { atUs, phase, worker } = this;
    if (atUs > untilUs || atUs === Number.POSITIVE_INFINITY) return false;
    this.moveTo(atUs);
    this.countStep();
    if (phase === PHASE_SUPERVISOR || phase === PHASE_HOST) this.hostActed = true;
    if (phase === PHASE_SUPERVISOR) this.supervisor!.fire();
    else if (phase === PHASE_HOST) this.timers.fireNext();
    else worker!.step();
    return true;
  }

  private findNext(withTimers: boolean): void {
    const nowUs = this.clock.nowPreciseUs();
    this.atUs = Number.POSITIVE_INFINITY;
    this.phase = PHASE_LOOK;
    for (const worker of this.workers) {
      worker.hear();
      this.consider(Math.max(nowUs, worker.nextUs()), worker.nextPhase(), worker);
    }
    this.consider(this.supervisor!.nextUs(), PHASE_SUPERVISOR, null);
    if (withTimers) this.consider(this.timers.nextUs(), PHASE_HOST, null);
  }

  /** Keeps the earliest; of equals the first. */
  private consider(atUs: number, phase: number, worker: VirtualWorker | null): void {
    if (atUs > this.atUs || (atUs === this.atUs && phase >= this.phase && this.atUs !== Number.POSITIVE_INFINITY))
      return;
    this.atUs = atUs;
    this.phase = phase;
    this.worker = worker;
  }

  /** Moves the clock, if it is not there yet. */
  moveTo(atUs: number): void {
    const leftUs = atUs - this.clock.nowPreciseUs();
    if (leftUs <= 0) return;
    this.clock.advanceUs(leftUs);
    this.stepsAtOnce = 0;
  }

  private countStep(): void {
    this.stepsAtOnce++;
    if (this.stepsAtOnce <= MAX_STEPS_AT_ONCE) return;
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `${MAX_STEPS_AT_ONCE} events at one virtual time and no end of them; give tasks that lead to new submits an executionUs above 0`,
    );
  }
}
