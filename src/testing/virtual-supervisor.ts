import { OUTCOME_CANCELLED } from '../memory/layout.js';
import { Undertaker } from '../scheduler/dead-worker.js';
import { workerCoreOf } from '../scheduler/host-handlers.js';
import { LaneService } from '../scheduler/lane-service.js';
import type { NormalWorker } from '../scheduler/options.js';
import type { Plan } from '../scheduler/plan.js';
import type { WorkerState } from '../scheduler/protocol.js';
import type { SupervisorEvents, VirtualBackend } from './virtual-backend.js';
import { VirtualWorker } from './virtual-worker.js';

/** Modules whose tasks run on one worker, by lane. */
export type ModulesOf = (worker: VirtualWorker) => readonly unknown[];

/**
 * The supervisor's part on the virtual clock: starts the workers, settles what a dead one left, starts it again after a
 * while, gives it up when it dies too often, ends all of them at the close.
 */
export class VirtualSupervisor implements SupervisorEvents {
  private readonly backend: VirtualBackend;
  private readonly plan: Plan;
  private readonly placed: readonly NormalWorker[];
  private readonly modulesOf: ModulesOf;
  private readonly restartUs: number;
  private readonly undertaker: Undertaker;
  private readonly service: LaneService;
  private readonly states: { state: WorkerState['state']; deaths: number; lastDeath: string | null }[];
  /** By worker: when it is started again. */
  private readonly restartAtUs: number[];
  private stopping: { readonly untilUs: number; readonly resolve: () => void } | null;
  private over: boolean;

  constructor(
    backend: VirtualBackend,
    plan: Plan,
    placed: readonly NormalWorker[],
    modulesOf: ModulesOf,
    wakeupUs: () => number,
    restartUs: number,
  ) {
    this.backend = backend;
    this.plan = plan;
    this.placed = placed;
    this.modulesOf = modulesOf;
    this.restartUs = restartUs;
    this.undertaker = new Undertaker(backend.memory, plan.lanes, plan.tasks, backend.clock);
    this.service = new LaneService(
      backend.memory,
      this.undertaker,
      placed.map((worker) => worker.lanes),
    );
    this.states = placed.map(() => ({ state: 'serving', deaths: 0, lastDeath: null }));
    this.restartAtUs = placed.map(() => Number.POSITIVE_INFINITY);
    this.stopping = null;
    this.over = false;
    placed.forEach((_, index) => {
      backend.workers.push(new VirtualWorker(index, backend.memory, backend.clock, wakeupUs));
      this.start(index);
    });
  }

  workers(): WorkerState[] {
    return this.states.map((state) => ({ report: null, probes: null, ...state }));
  }

  /** The worker dies now, and what it left is settled. False if it is not alive. */
  kill(index: number): boolean {
    const worker = this.backend.workers[index]!;
    if (!worker.isAlive) return false;
    worker.end();
    if (this.stopping !== null) {
      this.service.settle(index);
      return true;
    }
    const state = this.states[index]!;
    state.deaths++;
    state.state = 'restarting';
    state.lastDeath = 'killed by inject.killWorker';
    this.service.leave(index);
    const nowUs = this.backend.clock.nowPreciseUs();
    if (this.service.mayRestart(index, nowUs / 1000)) {
      this.restartAtUs[index] = nowUs + this.restartUs;
    } else {
      state.state = 'gone';
      this.service.giveUp(index);
    }
    return true;
  }

  /** Ends the workers after the jobs that they run, after `graceMs` at the latest, and settles what is left. */
  stop(graceMs: number): Promise<void> {
    this.restartAtUs.fill(Number.POSITIVE_INFINITY);
    for (let index = 0; index < this.placed.length; index++) this.service.stop(index);
    const untilUs = Math.ceil(this.backend.clock.nowPreciseUs() + graceMs * 1000);
    return new Promise((resolve) => {
      this.stopping = { untilUs, resolve };
    });
  }

  nextUs(): number {
    if (this.over) return Number.POSITIVE_INFINITY;
    if (this.stopping === null) return Math.min(...this.restartAtUs);
    const isOver = this.backend.workers.every((worker) => !worker.isAlive);
    return isOver ? this.backend.clock.nowPreciseUs() : this.stopping.untilUs;
  }

  fire(): void {
    const nowUs = this.backend.clock.nowPreciseUs();
    if (this.stopping === null) {
      const index = this.restartAtUs.findIndex((atUs) => atUs <= nowUs);
      this.restartAtUs[index] = Number.POSITIVE_INFINITY;
      this.states[index]!.state = 'serving';
      this.start(index);
      this.service.enter(index);
      return;
    }
    this.over = true;
    this.backend.workers.forEach((worker, index) => {
      worker.end();
      this.service.settle(index);
    });
    this.undertaker.settleAll(OUTCOME_CANCELLED);
    this.stopping.resolve();
  }

  private start(index: number): void {
    const { memory, clock, workers } = this.backend;
    const worker = workers[index]!;
    this.service.prepare(index);
    const { lanes } = this.placed[index]!;
    worker.start(workerCoreOf(memory, clock, this.plan, this.modulesOf(worker), index, index, lanes));
  }
}
