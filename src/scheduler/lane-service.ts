import {
  COMMAND_HAND_OVER,
  COMMAND_RUN,
  COMMAND_STOP,
  LANE_ABANDONED,
  LANE_RELEASER,
  LANE_SERVERS,
  WORKER_COLUMN,
  WORKER_COMMAND,
  WORKER_CURRENT_START_US,
  WORKER_CURRENT_TASK,
  WORKER_JOB_COUNT,
  WORKER_PLACE,
} from '../memory/layout.js';
import { CAUSE_CRASHED } from '../telemetry/outcomes.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { Undertaker } from './dead-worker.js';
import type { SeenJob } from './hang-watch.js';

/** A worker that dies more often than this in a row, each time within the time below, is given up. */
const MAX_RESTARTS = 3;
const RESTART_WINDOW_MS = 10_000;

/**
 * Which workers serve which lanes, in shared memory: entered, left and given up here only. A worker is named by the
 * column of its thread. Supervisor (the virtual one included); touches no thread.
 */
export class LaneService {
  private readonly memory: AttachedMemory;
  private readonly undertaker: Undertaker;
  /** By column: the lanes that its thread serves. */
  private readonly lanes: readonly (readonly number[])[];
  private readonly gone: boolean[];
  private readonly deathTimesMs: number[][];

  /** `lanes`: by column. The first `workerCount` serve at first, the others are for spares. */
  constructor(
    memory: AttachedMemory,
    undertaker: Undertaker,
    lanes: readonly (readonly number[])[],
    workerCount = lanes.length,
  ) {
    this.memory = memory;
    this.undertaker = undertaker;
    this.lanes = lanes;
    this.gone = lanes.map((_, column) => column >= workerCount);
    this.deathTimesMs = lanes.map(() => []);
  }

  /** Before a worker's thread attaches: it is to run. */
  prepare(worker: number): void {
    Atomics.store(this.memory.control, this.memory.layout.worker(worker) + WORKER_COMMAND, COMMAND_RUN);
  }

  /** The worker serves its lanes from now on. */
  enter(worker: number): void {
    const bit = 1 << worker;
    for (const lane of this.lanes[worker]!) Atomics.or(this.memory.control, this.serversAt(lane), bit);
    // whoever came late to its lanes looks once
    this.memory.bells.ringAlways(worker);
  }

  /** The worker's thread is gone: nobody counts on it, and what it left is settled. `cause`: why (CAUSE_*). */
  leave(worker: number, cause: number = CAUSE_CRASHED): void {
    this.withdraw(worker);
    this.settle(worker, cause);
  }

  private withdraw(worker: number): void {
    const others = ~(1 << worker);
    for (const lane of this.lanes[worker]!) Atomics.and(this.memory.control, this.serversAt(lane), others);
  }

  /** Settles what a worker's ended thread left. */
  settle(worker: number, cause: number = CAUSE_CRASHED): void {
    Atomics.store(this.memory.control, this.memory.layout.worker(worker) + WORKER_CURRENT_TASK, 0);
    this.undertaker.settleDead(worker, cause);
  }

  /**
   * Takes a worker out of service whose thread still runs: it takes no job after the one that it runs. `wentOn`: that has
   * ended meanwhile, and the worker stays in service. `asked`: it has been asked to end or to hand over, and was left alone.
   * `seen`: what was seen of the job.
   */
  condemn(worker: number, seen: SeenJob): 'condemned' | 'wentOn' | 'asked' {
    const { control, layout, bells } = this.memory;
    const base = layout.worker(worker);
    const before = Atomics.compareExchange(control, base + WORKER_COMMAND, COMMAND_RUN, COMMAND_STOP);
    if (before !== COMMAND_RUN) return 'asked';
    // a slot's state is exchanged, and what the worker tells of the job is stored plainly, and may not be seen yet when it
    // has taken the next one. First the slots: one that runs a job by them sees the command before it could take another,
    // or had taken this one before, and then the words tell. (One that is told of again has its slot overwritten by mistake.)
    const runs = seen.isAgain || this.undertaker.runsJob(worker);
    const task = Atomics.load(control, base + WORKER_CURRENT_TASK); // acquire
    const startUs = Atomics.load(control, base + WORKER_CURRENT_START_US);
    const jobs = Atomics.load(control, base + WORKER_JOB_COUNT);
    if (!runs || task === 0 || startUs !== seen.startUs || jobs !== seen.jobs) {
      Atomics.compareExchange(control, base + WORKER_COMMAND, COMMAND_STOP, COMMAND_RUN);
      bells.ringAlways(worker);
      return 'wentOn';
    }
    this.withdraw(worker);
    return 'condemned';
  }

  /** Takes a worker out of service that was asked to end or to hand over and does neither. */
  takeOut(worker: number): void {
    Atomics.store(this.memory.control, this.memory.layout.worker(worker) + WORKER_COMMAND, COMMAND_STOP); // release
    this.withdraw(worker);
  }

  /** A spare in column `to` takes the place of the worker in column `from`, which serves no more. */
  replace(place: number, from: number, to: number): void {
    const { control, layout } = this.memory;
    Atomics.store(control, layout.worker(to) + WORKER_PLACE, place);
    Atomics.store(control, layout.worker(place) + WORKER_COLUMN, to);
    this.gone[to] = false;
    this.gone[from] = true;
    for (const lane of this.lanes[from]!) this.passReleases(lane, from, to);
  }

  /** Asks the worker to let its spare begin after the job that it runs; not one that is to stop. */
  handOver(worker: number): void {
    const { control, layout, bells } = this.memory;
    Atomics.compareExchange(control, layout.worker(worker) + WORKER_COMMAND, COMMAND_RUN, COMMAND_HAND_OVER); // release
    bells.ringAlways(worker);
  }

  /** Asks the worker to end after the job that it runs. */
  stop(worker: number): void {
    Atomics.store(this.memory.control, this.memory.layout.worker(worker) + WORKER_COMMAND, COMMAND_STOP); // release
    this.memory.bells.ringAlways(worker);
  }

  /** Notes a death; false if the worker died too often of late to be started again. `worker`: any number that stays its own. */
  mayRestart(worker: number, nowMs: number): boolean {
    const recent = this.deathTimesMs[worker]!.filter((time) => nowMs - time < RESTART_WINDOW_MS);
    recent.push(nowMs);
    this.deathTimesMs[worker] = recent;
    return recent.length <= MAX_RESTARTS;
  }

  /** No worker comes back here: lanes that nobody serves any more end their jobs and refuse new ones. */
  giveUp(worker: number): void {
    this.gone[worker] = true;
    for (const lane of this.lanes[worker]!) {
      const heir = this.lanes.findIndex((served, other) => !this.gone[other] && served.includes(lane));
      if (heir >= 0) {
        this.passReleases(lane, worker, heir);
        continue;
      }
      Atomics.store(this.memory.control, this.serversAt(lane), LANE_ABANDONED);
      this.undertaker.settleLane(lane);
    }
  }

  /** The periods of a lane that this worker released are released by another one from now on. */
  private passReleases(lane: number, from: number, to: number): void {
    const { control, layout, bells } = this.memory;
    const at = layout.lane(lane) + LANE_RELEASER;
    if (Atomics.load(control, at) !== from + 1) return;
    Atomics.store(control, at, to + 1); // release
    bells.ringAlways(to);
  }

  private serversAt(lane: number): number {
    return this.memory.layout.lane(lane) + LANE_SERVERS;
  }
}
