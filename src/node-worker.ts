import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
import { expose } from 'threads/worker';
import { describeValue, FrameDeadlineError } from './base/errors.js';
import type { Clock } from './base/time.js';
import { clockSince } from './host/node/clock.js';
import { printDirectly } from './host/node/print.js';
import { NodeThreadControl } from './host/node/thread-control.js';
import { NodeThreadProbe } from './host/node/thread-probe.js';
import { COMMAND_STOP } from './memory/layout.js';
import { describeTasks, plainErrorOf, stripCode, tasksOf } from './scheduler/load-tasks.js';
import type { AttachRequest, LaneModule, LoadResult, WorkerApi } from './scheduler/protocol.js';
import { AttachedMemory } from './worker/attached-memory.js';
import { IdleLoop } from './worker/idle-loop.js';
import type { ExplainerSetup } from './worker/miss-explainer.js';
import type { Task } from './worker/task.js';
import { measureWakeupFloorUs } from './worker/wakeup-floor.js';
import { WorkerCore } from './worker/worker-core.js';

// Entry of a worker thread on Node: imports the task modules, then serves its lanes until it is told to stop.

printDirectly();
process.setSourceMapsEnabled(true);
// `threads` swallows what is thrown outside a handler: let it end the worker, as Node does, so that it is noticed
process.removeAllListeners('uncaughtException');
process.removeAllListeners('unhandledRejection');

const tasksByLane = new Map<number, Map<string, Task>>();

async function loadModule({ lane, laneName, url }: LaneModule): Promise<ReturnType<typeof describeTasks>> {
  if (url.startsWith('file:') && !existsSync(fileURLToPath(url))) {
    throw new FrameDeadlineError(
      'TASK_MODULE_NOT_FOUND',
      `lane ${laneName}: there is no task module at ${describeValue(fileURLToPath(url))}`,
    );
  }
  let module: unknown;
  try {
    module = await import(url);
  } catch (error) {
    if (!(error instanceof FrameDeadlineError)) throw error;
    // `task()` does not know in which module it was called
    throw new FrameDeadlineError(error.code, `lane ${laneName}: ${url}: ${stripCode(error.message)}`, { cause: error });
  }
  tasksByLane.set(lane, tasksOf(module));
  return describeTasks(module, laneName, url);
}

const api: WorkerApi = {
  async load(modules): Promise<LoadResult> {
    const lanes: { lane: number; tasks: ReturnType<typeof describeTasks> }[] = [];
    for (const module of modules) {
      try {
        lanes.push({ lane: module.lane, tasks: await loadModule(module) });
      } catch (error) {
        const prefix = `lane ${module.laneName}: importing ${module.url} failed: `;
        return { ok: false, error: plainErrorOf(error, 'TASK_MODULE_FAILED', prefix) };
      }
    }
    return { ok: true, lanes };
  },
  attach(request) {
    const thread = new NodeThreadControl().apply(request.thread);
    const clock = clockSince(request.epochUs);
    // after the priority is in force: it decides how late a park ends
    const wakeupFloorUs = measureWakeupFloorUs(clock);
    const probe = new NodeThreadProbe();
    const replacesSinceUs = request.replaces === true ? clock.nowUs() : null;
    setImmediate(() => serve(request, clock, { probe, wakeupFloorUs, replacesSinceUs }));
    return { thread, probes: probe.reports };
  },
};

function serve(request: AttachRequest, clock: Clock, explainer: ExplainerSetup): void {
  const memory = new AttachedMemory(request.memory);
  const core = new WorkerCore(memory, clock, {
    column: request.workerIndex,
    workerIndex: request.workerIndex,
    lanes: request.lanes,
    tasks: request.tasks.map((info) => ({ info, task: tasksByLane.get(info.lane)!.get(info.name)! })),
    explainer,
  });
  const loop = new IdleLoop(core, clock, request.spinUs);
  const turn = (): void => {
    if (loop.run() === COMMAND_STOP) {
      parentPort!.close();
      process.exit(0);
    }
    setImmediate(turn);
  };
  turn();
}

expose(api as unknown as Record<string, (...args: never[]) => unknown>);
