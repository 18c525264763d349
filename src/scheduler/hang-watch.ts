import type { Clock } from '../base/time.js';
import {
  CONTROL_INSPECTED,
  CONTROL_WATCH_ASLEEP,
  WORKER_CURRENT_START_US,
  WORKER_CURRENT_TASK,
  WORKER_JOB_COUNT,
} from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';

/** What was seen of a worker at the last look. */
interface Seen {
  task: number;
  startUs: number;
  jobs: number;
  /** How long the job has run while this thread ran too. */
  ranUs: number;
  /** The job was told of. */
  isTold: boolean;
  /** Nobody serves in this column: what its last thread left says nothing. */
  isIgnored: boolean;
}

/** A job that runs, as its worker tells of it: WORKER_JOB_COUNT and WORKER_CURRENT_START_US. */
export interface SeenJob {
  readonly jobs: number;
  readonly startUs: number;
  /** It was told of before. */
  readonly isAgain: boolean;
}

/** `job`: as it was seen, for `LaneService.condemn`. */
export type OnHung = (worker: number, forMs: number, job: SeenJob) => void;

/** A look that comes later than so many times its interval was held up by what held up the workers too. */
const LATE_LOOK = 2;

/**
 * Finds workers whose job runs longer than `hangMs`, from what they say in shared memory: no messages. Looks four times
 * in `hangMs` while jobs run; when none has for two looks and all workers are parked it sleeps until one that wakes up
 * wakes it, so an idle scheduler uses no CPU. While a debugger could stop threads nobody hangs. Supervisor.
 *
 * Of the time between two looks no more than twice their distance counts for a job: where the process or the machine stood
 * still (SIGSTOP, sleep), so did the job.
 */
export class HangWatch {
  private readonly memory: AttachedMemory;
  private readonly clock: Clock;
  private readonly hangMs: number;
  private readonly onHung: OnHung;
  private readonly seen: Seen[];
  private lookedUs: number;
  private timer: ReturnType<typeof setTimeout> | null;
  private stopped: boolean;

  constructor(memory: AttachedMemory, clock: Clock, hangMs: number, onHung: OnHung) {
    this.memory = memory;
    this.clock = clock;
    this.hangMs = hangMs;
    this.onHung = onHung;
    this.seen = Array.from({ length: memory.workerCount }, () => ({
      task: 0,
      startUs: 0,
      jobs: 0,
      ranUs: 0,
      isTold: false,
      isIgnored: false,
    }));
    this.lookedUs = clock.nowPreciseUs();
    this.timer = null;
    this.stopped = false;
  }

  private get intervalMs(): number {
    return this.hangMs / 4;
  }

  start(): void {
    this.timer = setTimeout(() => this.turn(), this.intervalMs);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.wake();
  }

  /** Whether a column's thread is looked at. */
  watches(worker: number, yes: boolean): void {
    const seen = this.seen[worker]!;
    seen.isIgnored = !yes;
    seen.ranUs = 0;
    // it may find a job at once, and never park and wake up before that
    if (yes) this.wake();
  }

  private turn(): void {
    if (this.stopped) return;
    if (this.look()) {
      this.start();
      return;
    }
    // browsers without it: Firefox before 145, Safari before 16.4
    if (typeof Atomics.waitAsync !== 'function') {
      this.start();
      return;
    }
    const { control } = this.memory;
    Atomics.store(control, CONTROL_WATCH_ASLEEP, 1); // release
    // whoever woke up before that did not know that it had to wake anybody
    if (this.look() || !this.allParked()) {
      this.wake();
      this.start();
      return;
    }
    const wait = Atomics.waitAsync(control, CONTROL_WATCH_ASLEEP, 1);
    if (wait.async) void wait.value.then(() => this.turn());
    else this.start();
  }

  private wake(): void {
    Atomics.store(this.memory.control, CONTROL_WATCH_ASLEEP, 0);
    Atomics.notify(this.memory.control, CONTROL_WATCH_ASLEEP);
  }

  private allParked(): boolean {
    const { memory } = this;
    for (const { lane } of memory.ringHandles) {
      const servers = memory.serversOf(lane);
      if (servers < 0) continue;
      for (let worker = 0; worker < memory.workerCount; worker++) {
        if ((servers & (1 << worker)) !== 0 && !memory.bells.isParked(worker)) return false;
      }
    }
    return true;
  }

  /** Whether anything runs or has run since the last look. */
  private look(): boolean {
    const { control, layout } = this.memory;
    const isInspected = Atomics.load(control, CONTROL_INSPECTED) !== 0;
    const nowUs = this.clock.nowPreciseUs();
    const sinceUs = Math.min(nowUs - this.lookedUs, LATE_LOOK * this.intervalMs * 1000);
    this.lookedUs = nowUs;
    let isActive = false;
    this.seen.forEach((seen, worker) => {
      if (seen.isIgnored) return;
      const base = layout.worker(worker);
      const task = Atomics.load(control, base + WORKER_CURRENT_TASK); // acquire
      const startUs = Atomics.load(control, base + WORKER_CURRENT_START_US);
      const jobs = Atomics.load(control, base + WORKER_JOB_COUNT);
      const isSame = task === seen.task && startUs === seen.startUs && jobs === seen.jobs;
      seen.task = task;
      seen.startUs = startUs;
      seen.jobs = jobs;
      if (task !== 0 || !isSame) isActive = true;
      if (isSame) seen.ranUs += sinceUs;
      else {
        seen.ranUs = Math.min(sinceUs, Math.max(0, ((nowUs | 0) - startUs) | 0));
        seen.isTold = false;
      }
      // nor once the debugger has gone: what it stopped goes on only now
      if (isInspected) seen.ranUs = 0;
      const forMs = seen.ranUs / 1000;
      // seen twice: the words are read one by one, between them another job may have begun
      if (task === 0 || !isSame || forMs <= this.hangMs || isInspected) return;
      const isAgain = seen.isTold;
      seen.isTold = true;
      this.onHung(worker, forMs, { jobs, startUs, isAgain });
    });
    return isActive;
  }
}
