import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { Plan } from '../scheduler/plan.js';
import { type CloseOptions, Scheduler, type SchedulerParts } from '../scheduler/scheduler.js';
import { checkMs, checkUs, type ExecutionTimes } from './execution-times.js';
import { laterTurn } from './later-turn.js';
import type { InjectedRefusal, RefusingHostCore } from './refusing-host-core.js';
import type { VirtualBackend } from './virtual-backend.js';
import type { VirtualSupervisor } from './virtual-supervisor.js';

/** Virtual time after which `runUntilIdle` gives up. */
const MAX_BUSY_US = 3600e6;

/** Lets all promise callbacks run that can. */
const flush = (): Promise<void> => new Promise((resolve) => laterTurn(resolve));

/** Things that go wrong on request. */
export interface Injections<Lanes> {
  /** The next `count` jobs of the task (of any task if none is given) end 1 ms after their deadlines, or later. */
  miss(task?: { readonly laneName: string; readonly name: string } | string, count?: number): void;
  /** The next `count` submits to the lane are refused with this reason. */
  refuse(lane: keyof Lanes & string, reason: InjectedRefusal, count?: number): void;
  /**
   * The worker (its index or its name in `describe().workers`) dies at this moment, also in the middle of a job; a
   * successor serves after `restartUs`, unless it died more than 3 times in 10 s. False if it is dead already.
   */
  killWorker(worker: number | string): boolean;
  /** Blocks the host: `us` microseconds of virtual time go by in which neither its timers nor its callbacks run. */
  stallHost(us: number): void;
  /**
   * Everything stands still for `us` microseconds, as at SIGSTOP or while the machine sleeps: the clock goes on, timers and
   * periodic releases come late, and jobs that run go on afterwards where they stopped.
   */
  standStill(us: number): void;
}

/** What a test scheduler is made of. */
export interface TestParts {
  readonly scheduler: SchedulerParts;
  readonly backend: VirtualBackend;
  readonly core: RefusingHostCore;
  readonly supervisor: VirtualSupervisor;
  readonly times: ExecutionTimes;
  readonly plan: Plan;
}

/**
 * The real scheduler on virtual workers and a virtual clock. Time stands still but for `advanceMs`, `advanceUs`,
 * `runUntilIdle`, `joinSync`, `inject.stallHost` and `close`, which move it from event to event. A handler runs at its
 * job's virtual start; its job ends when the execution time has gone by. Everything happens in the calling thread, in
 * the same order in each run: by time; at one instant jobs finish, dead workers come back, the host's timers and
 * callbacks run, then workers look for jobs, by their index. The first period of a periodic lane is at the start.
 *
 * Promises of joins, jobs and loops resolve only while time is moved: begin them, advance, then await them.
 */
export class TestScheduler<Lanes = Record<string, unknown>> extends Scheduler<Lanes> {
  /** Things that go wrong on request. */
  readonly inject: Injections<Lanes>;
  private readonly test: TestParts;
  private turn: Promise<void>;
  private closed: Promise<void> | null;

  /** @internal */
  constructor(test: TestParts) {
    super(test.scheduler);
    this.test = test;
    this.turn = Promise.resolve();
    this.closed = null;
    this.inject = injectionsOf(test, (what) => this.requireHost(what));
  }

  /** Microseconds on the virtual clock; does not wrap. */
  nowUs(): number {
    return this.test.backend.clock.nowPreciseUs();
  }

  /**
   * Moves virtual time on by `ms` milliseconds, rounded to whole microseconds. Between events the host's promise
   * callbacks run, so loops and awaited joins act at their virtual times. With 0 it lets happen what is due now.
   */
  advanceMs(ms: number): Promise<void> {
    return this.advance(checkMs(ms, 'advanceMs'));
  }

  /** As `advanceMs`, in microseconds. */
  advanceUs(us: number): Promise<void> {
    return this.advance(checkUs(us, 'advanceUs'));
  }

  /** Resolves when `ms` milliseconds of virtual time have gone by, as a timer of the host: before workers look for jobs. */
  sleepMs(ms: number): Promise<void> {
    return this.sleep(checkMs(ms, 'sleepMs'));
  }

  /** As `sleepMs`, in microseconds. */
  sleepUs(us: number): Promise<void> {
    return this.sleep(checkUs(us, 'sleepUs'));
  }

  /**
   * Moves virtual time until no submitted job is waiting or running and no worker is about to look, or until nothing
   * more can happen. Periodic jobs do not count.
   * @throws FrameDeadlineError CONTROL_TIMEOUT after an hour of virtual time
   */
  runUntilIdle(): Promise<void> {
    return this.drive(
      () => MAX_BUSY_US,
      () => this.isIdle(),
      'runUntilIdle',
    );
  }

  /** As `close` of every scheduler; moves virtual time until all has ended. */
  override close(options?: CloseOptions): Promise<void> {
    const closing = super.close(options);
    if (this.closed === null) {
      let over = false;
      const ended = closing.finally(() => {
        over = true;
      });
      const driven = this.drive(
        () => MAX_BUSY_US,
        () => over,
        'close',
      );
      this.closed = driven.then(() => ended);
    }
    return this.closed;
  }

  private sleep(us: number): Promise<void> {
    const { backend } = this.test;
    const atUs = backend.clock.nowPreciseUs() + Math.round(us);
    return new Promise((resolve) => backend.timer().set(atUs, resolve));
  }

  private advance(us: number): Promise<void> {
    const leftUs = Math.round(us);
    return this.drive(() => leftUs, null, 'advance');
  }

  /** Takes steps until `over`, or for that long. One drive after another. */
  private drive(forUs: () => number, over: (() => boolean) | null, what: string): Promise<void> {
    this.requireHost(what);
    const driven = this.turn.then(() => this.run(forUs(), over, what));
    this.turn = driven.catch(() => {});
    return driven;
  }

  private async run(forUs: number, over: (() => boolean) | null, what: string): Promise<void> {
    const { backend } = this.test;
    const untilUs = backend.clock.nowPreciseUs() + forUs;
    await flush();
    for (;;) {
      if (backend.wake() || backend.hostActed) {
        backend.hostActed = false;
        await flush();
        continue;
      }
      if (over?.() === true) return;
      if (!backend.step(untilUs, true)) break;
    }
    if (over === null) {
      backend.moveTo(untilUs);
      return;
    }
    if (!Number.isFinite(backend.nextUs())) return;
    throw new FrameDeadlineError(
      'CONTROL_TIMEOUT',
      `${what} was not over after ${forUs / 1e6} s of virtual time; look for jobs that are submitted without end`,
    );
  }

  private isIdle(): boolean {
    const { backend, core } = this.test;
    return !core.hasLiveJobs() && backend.workers.every((worker) => !worker.isLooking);
  }

  private requireHost(what: string): void {
    if (!this.test.backend.inHandler) return;
    throw new FrameDeadlineError(
      'BLOCKING_NOT_ALLOWED',
      `${what} was called in a handler, expected the host: a handler takes the time that executionUs gives it`,
    );
  }
}

function injectionsOf<Lanes>(test: TestParts, requireHost: (what: string) => void): Injections<Lanes> {
  const { plan, times, core, supervisor, backend } = test;
  const tasks = plan.tasks.map((task) => `${plan.lanes[task.lane]!.name}.${task.name}`);
  const { placed } = test.scheduler;
  const checkCount = (count: number): number => {
    if (Number.isInteger(count) && count >= 1) return count;
    throw new FrameDeadlineError('OPTION_INVALID', `count is ${describeValue(count)}, expected a whole number above 0`);
  };
  return {
    miss(task, count = 1) {
      const name = typeof task === 'object' && task !== null ? `${task.laneName}.${task.name}` : task;
      times.injectMiss(name, checkCount(count), tasks);
    },
    refuse(lane, reason, count = 1) {
      const info = plan.lanes.find((candidate) => candidate.name === lane);
      if (info === undefined) {
        const known = plan.lanes.map((candidate) => candidate.name).join(', ');
        throw new FrameDeadlineError(
          'LANE_UNKNOWN',
          `there is no lane ${describeValue(lane)}, expected one of ${known}`,
        );
      }
      if (reason !== 'full' && reason !== 'noWorker') {
        throw new FrameDeadlineError(
          'OPTION_INVALID',
          `the reason is ${describeValue(reason)}, expected 'full' or 'noWorker'`,
        );
      }
      core.refuseNext(info.index, reason, checkCount(count));
    },
    killWorker(worker) {
      requireHost('inject.killWorker');
      const index = typeof worker === 'number' ? worker : placed.findIndex(({ name }) => name === worker);
      if (placed[index] === undefined) {
        const known = placed.map(({ name }) => name).join(', ');
        throw new FrameDeadlineError(
          'OPTION_INVALID',
          `there is no worker ${describeValue(worker)}, expected an index below ${placed.length} or one of ${known}`,
        );
      }
      return supervisor.kill(index);
    },
    stallHost(us) {
      requireHost('inject.stallHost');
      backend.block(checkUs(us, 'stallHost'));
    },
    standStill(us) {
      requireHost('inject.standStill');
      backend.standStill(Math.round(checkUs(us, 'standStill')));
    },
  };
}
