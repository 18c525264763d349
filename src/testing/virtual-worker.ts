import type { Clock } from '../base/time.js';
import { COMMAND_RUN } from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { IdleLoop } from '../worker/idle-loop.js';
import type { WorkerCore } from '../worker/worker-core.js';

/** What happens at one instant happens in this order. */
export const PHASE_FINISH = 0;
export const PHASE_SUPERVISOR = 1;
export const PHASE_HOST = 2;
export const PHASE_LOOK = 3;

type State = 'looking' | 'running' | 'parked' | 'ended';

/**
 * A worker without a thread: the real core, the real idle loop and the real bell word, stepped from outside. It is woken
 * by nothing but its bell and its own timed park, so a ring that is lost leaves it parked here as on a thread.
 */
export class VirtualWorker {
  readonly index: number;
  /** How long the job that it starts takes; set by the handler's wrapper while `look` runs, 0 if no handler ran. */
  executionUs: number;
  private readonly clock: Clock;
  private readonly memory: AttachedMemory;
  private readonly wakeupUs: () => number;
  private core: WorkerCore | null;
  private loop: IdleLoop | null;
  private state: State;
  /** When it does its next step, unless parked and not rung. */
  private atUs: number;
  private rung: boolean;

  constructor(index: number, memory: AttachedMemory, clock: Clock, wakeupUs: () => number) {
    this.index = index;
    this.memory = memory;
    this.clock = clock;
    this.wakeupUs = wakeupUs;
    this.executionUs = 0;
    this.core = null;
    this.loop = null;
    this.state = 'ended';
    this.atUs = Number.POSITIVE_INFINITY;
    this.rung = false;
  }

  get isAlive(): boolean {
    return this.state !== 'ended';
  }
  /** Whether it is awake or waking, and runs nothing. */
  get isLooking(): boolean {
    return this.state === 'looking' || this.rung;
  }

  /** Begins to serve. */
  start(core: WorkerCore): void {
    this.core = core;
    this.loop = new IdleLoop(core, this.clock, 0);
    this.look();
  }

  /** Dies at once, whatever it does. */
  end(): void {
    this.core = null;
    this.loop = null;
    this.state = 'ended';
    this.atUs = Number.POSITIVE_INFINITY;
    this.rung = false;
  }

  /** What it runs goes on where it stopped. */
  stoodStill(us: number): void {
    if (this.state === 'running') this.atUs += us;
  }

  /** Reads the bell: rung while parked, it wakes after the wake-up latency. */
  hear(): void {
    if (this.state !== 'parked' || this.rung || !this.memory.bells.isRung(this.index)) return;
    this.rung = true;
    this.atUs = Math.min(this.atUs, this.clock.nowPreciseUs() + this.wakeupUs());
  }

  /** Time of its next step in whole microseconds, or Infinity. */
  nextUs(): number {
    return this.atUs;
  }
  nextPhase(): number {
    return this.state === 'running' ? PHASE_FINISH : PHASE_LOOK;
  }

  /** Does the step whose time has come. */
  step(): void {
    if (this.state === 'running') {
      this.core!.settle();
      this.look();
      return;
    }
    if (this.state === 'parked') {
      this.memory.bells.cancelPark(this.index);
      this.rung = false;
    }
    const loop = this.loop!;
    if (loop.command() !== COMMAND_RUN) this.end();
    else if (loop.seek()) this.run();
    else if (loop.isParking) this.park();
    else this.look();
  }

  private look(): void {
    this.state = 'looking';
    this.atUs = this.clock.nowPreciseUs();
  }

  private run(): void {
    const core = this.core!;
    this.executionUs = 0;
    core.ringOn();
    core.execute();
    this.state = 'running';
    // after the handler: it may itself have let time go by
    this.atUs = this.clock.nowPreciseUs() + this.executionUs;
  }

  private park(): void {
    this.state = 'parked';
    this.rung = false;
    const { nextReleaseUs } = this.core!;
    this.atUs = nextReleaseUs;
    if (nextReleaseUs !== Number.POSITIVE_INFINITY) this.atUs = Math.ceil(nextReleaseUs) + this.wakeupUs();
  }
}
