import { FrameDeadlineError } from '../base/errors.js';
import type { Clock } from '../base/time.js';
import { COMMAND_RUN } from '../memory/layout.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { type EventLoop, EventLoopRunner } from '../worker/event-loop.js';
import { IdleLoop } from '../worker/idle-loop.js';
import type { ExplainerSetup } from '../worker/miss-explainer.js';
import {
  type Collector,
  type MeasuredCollections,
  measureCollections,
  SlackCollector,
} from '../worker/slack-collector.js';
import type { Task } from '../worker/task.js';
import type { LaneInfo } from '../worker/task-runtime.js';
import { awaitTurn, endLife } from '../worker/turn.js';
import { WorkerCore } from '../worker/worker-core.js';
import { describeTasks, initializeLane, plainErrorOf, stripCode, tasksOf } from './load-tasks.js';
import { printPeriodicFailure } from './periodic-failure.js';
import type { AttachRequest, LaneModule, LoadResult, TaskDescription } from './protocol.js';
import { sharedWith } from './transfer.js';

/**
 * Asked when an import failed, with what it failed by. Throws TASK_MODULE_NOT_FOUND where it can tell that there is no such
 * module, or TASK_MODULE_FAILED where it can say more than `error`.
 */
export type RequireModule = (module: LaneModule, error: unknown) => void | Promise<void>;

/** What a worker thread does between its entry point and its loop, alike on all platforms. */
export class WorkerService {
  private readonly requireModule: RequireModule;
  private readonly tasksByLane: Map<number, Map<string, Task>>;
  private readonly modulesByLane: Map<number, unknown>;

  constructor(requireModule: RequireModule) {
    this.requireModule = requireModule;
    this.tasksByLane = new Map();
    this.modulesByLane = new Map();
  }

  /** Imports the task modules and describes them. Never rejects. */
  async load(modules: readonly LaneModule[]): Promise<LoadResult> {
    const lanes: { lane: number; tasks: TaskDescription[] }[] = [];
    for (const module of modules) {
      try {
        lanes.push({ lane: module.lane, tasks: await this.loadModule(module) });
      } catch (error) {
        const prefix = `lane ${module.laneName}: importing ${module.url} failed: `;
        return { ok: false, error: plainErrorOf(error, 'TASK_MODULE_FAILED', prefix) };
      }
    }
    return { ok: true, lanes };
  }

  /**
   * Initialises the task modules and makes what serves the request's lanes until it is told to stop, from when it is
   * called: a spare blocks then until its turn has come. `load` has described their tasks. `onStop`: nothing runs any
   * more.
   */
  async serverOf(
    request: AttachRequest,
    clock: Clock,
    explainer: ExplainerSetup,
    eventLoop: EventLoop,
    onStop: () => void,
    collector: Collector | null = null,
  ): Promise<() => void> {
    const lanes = request.lanes.map((lane) => {
      const handover = request.handovers?.find((of) => of.lane === lane.index);
      return handover === undefined ? lane : { ...lane, shared: sharedWith(lane.shared, handover) };
    });
    const initialize = async (workerIndex: number): Promise<void> => {
      for (const lane of lanes) {
        await initializeLane(this.modulesByLane.get(lane.index), lane, workerIndex, request.readyTimeoutMs);
      }
    };
    const memory = new AttachedMemory(request.memory);
    const collections = collector === null ? null : measureCollections(collector, clock);
    const { life, column = request.workerIndex, initializeAtTurn = false } = request;
    if (!initializeAtTurn) await initialize(request.workerIndex);
    const begin = () => this.loopOf(request, column, memory, lanes, clock, explainer, eventLoop, onStop, collections);
    if (life === undefined) return begin();
    return () => {
      awaitTurn(memory, column, life);
      if (initializeAtTurn && lanes.some(({ index }) => this.hasInitialize(index))) {
        void initialize(memory.placeOf(column)).then(() => begin()());
      } else begin()();
    };
  }

  private hasInitialize(lane: number): boolean {
    return typeof (this.modulesByLane.get(lane) as { initialize?: unknown } | undefined)?.initialize === 'function';
  }

  private loopOf(
    request: AttachRequest,
    column: number,
    memory: AttachedMemory,
    lanes: readonly LaneInfo[],
    clock: Clock,
    setup: ExplainerSetup,
    eventLoop: EventLoop,
    onStop: () => void,
    collections: MeasuredCollections | null,
  ): () => void {
    const explainer = explainerAtTurn(request, setup, clock);
    const core = new WorkerCore(memory, clock, {
      column,
      workerIndex: memory.placeOf(column),
      lanes,
      tasks: request.tasks.map((info) => ({ info, task: this.tasksByLane.get(info.lane)!.get(info.name)! })),
      explainer,
      onPeriodicFailure: printPeriodicFailure,
    });
    const slack = collections === null ? null : new SlackCollector(core, clock, collections);
    const idle = new IdleLoop(core, clock, request.spinUs, slack);
    const onCommand = (command: number): void => {
      if (command === COMMAND_RUN) {
        eventLoop.soon(serve);
        return;
      }
      endLife(memory, column);
      onStop();
    };
    const runner = request.eventLoop ? new EventLoopRunner(idle, core, clock, eventLoop, onCommand) : null;
    const serve = runner === null ? () => onCommand(idle.run()) : () => runner.run();
    return serve;
  }

  private async loadModule(lane: LaneModule): Promise<TaskDescription[]> {
    const { laneName, url } = lane;
    let module: unknown;
    try {
      module = await import(/* @vite-ignore */ /* webpackIgnore: true */ url);
    } catch (error) {
      await this.requireModule(lane, error);
      if (!(error instanceof FrameDeadlineError)) throw error;
      // `task()` does not know in which module it was called
      throw new FrameDeadlineError(error.code, `lane ${laneName}: ${url}: ${stripCode(error.message)}`, {
        cause: error,
      });
    }
    this.tasksByLane.set(lane.lane, tasksOf(module));
    this.modulesByLane.set(lane.lane, module);
    return describeTasks(module, laneName, url);
  }
}

/** A thread that waited for its turn takes over from one that ended in order (a reload), or that hung or died. */
function explainerAtTurn(request: AttachRequest, setup: ExplainerSetup, clock: Clock): ExplainerSetup {
  if (request.life === undefined) return setup;
  if (request.initializeAtTurn === undefined) return { ...setup, handedOver: true };
  return { ...setup, replacesSinceUs: clock.nowUs() };
}
