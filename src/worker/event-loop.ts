import type { Clock } from '../base/time.js';
import { BELL_PARKED, COMMAND_RUN, WORKER_BELL } from '../memory/layout.js';
import type { IdleLoop } from './idle-loop.js';
import type { WorkerCore } from './worker-core.js';

/** Jobs follow each other without a turn of the event loop for at most so long. */
const TURN_EVERY_US = 4000;

/** The event loop of the worker's thread, as its platform has it. */
export interface EventLoop {
  /** Calls back in the next turn. */
  soon(callback: () => void): void;
  /** Resolves when the word differs from `value`; null if it does already. */
  waitAsync(words: Int32Array, at: number, value: number): Promise<unknown> | null;
  /** Calls back at `atUs` (microseconds since the epoch), replacing what was set before. */
  readonly timer: { set(atUs: number, callback: () => void): void; cancel(): void };
}

/**
 * `IdleLoop` for a worker whose event loop has to turn, so that a canvas is shown, messages come and promises go on: it
 * parks by `Atomics.waitAsync`, and takes a turn between jobs that follow each other. A park makes some garbage, a wake-up
 * takes longer than that of a blocked thread; a job costs one clock read more.
 */
export class EventLoopRunner {
  private readonly idle: IdleLoop;
  private readonly core: WorkerCore;
  private readonly clock: Clock;
  private readonly eventLoop: EventLoop;
  private readonly onCommand: (command: number) => void;
  private readonly bellAt: number;
  private turnedUs: number;
  private isWaiting: boolean;
  /**
   * The bell's waiter outlives a park that ended for a release: one at a time. The next park goes on with it; if it was told
   * of a ring meanwhile, its promise wakes that park, which looks and parks anew.
   */
  private hasWaiter: boolean;
  private readonly turn: () => void;
  private readonly rung: () => void;
  private readonly due: () => void;

  /** `onCommand`: the supervisor asks for something else (COMMAND_*), and this loop has ended. */
  constructor(
    idle: IdleLoop,
    core: WorkerCore,
    clock: Clock,
    eventLoop: EventLoop,
    onCommand: (command: number) => void,
  ) {
    this.idle = idle;
    this.core = core;
    this.clock = clock;
    this.eventLoop = eventLoop;
    this.onCommand = onCommand;
    this.bellAt = core.memory.layout.worker(core.column) + WORKER_BELL;
    this.turnedUs = clock.nowUs();
    this.isWaiting = false;
    this.hasWaiter = false;
    this.turn = () => this.run();
    this.rung = () => {
      this.hasWaiter = false;
      this.wake();
    };
    this.due = () => this.wake();
  }

  /** Runs what is ready, then returns to the event loop, which calls back. */
  run(): void {
    const { idle, core, clock } = this;
    this.turnedUs = clock.nowUs();
    for (;;) {
      const command = idle.command();
      if (command !== COMMAND_RUN) {
        this.onCommand(command);
        return;
      }
      if (idle.seek()) {
        core.ringOn();
        core.execute();
        core.settle();
        if (((clock.nowUs() - this.turnedUs) | 0) >= TURN_EVERY_US) {
          this.eventLoop.soon(this.turn);
          return;
        }
      } else if (idle.isParking && this.park()) return;
    }
  }

  /** The park is announced. False if the bell was rung meanwhile. */
  private park(): boolean {
    const { core, eventLoop } = this;
    const { bells, control } = core.memory;
    if (!this.hasWaiter) {
      const rung = eventLoop.waitAsync(control, this.bellAt, BELL_PARKED);
      if (rung !== null) {
        this.hasWaiter = true;
        void rung.then(this.rung);
      }
    }
    if (!this.hasWaiter) {
      bells.cancelPark(core.column);
      return false;
    }
    this.isWaiting = true;
    if (core.nextReleaseUs !== Number.POSITIVE_INFINITY) eventLoop.timer.set(core.nextReleaseUs, this.due);
    return true;
  }

  private wake(): void {
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.eventLoop.timer.cancel();
    this.core.memory.bells.cancelPark(this.core.column);
    this.run();
  }
}
