import { FrameDeadlineError } from '../base/errors.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { WorkerCore } from '../worker/worker-core.js';
import { tasksOf } from './load-tasks.js';
import type { NormalLane } from './options.js';
import { printPeriodicFailure } from './periodic-failure.js';
import type { Plan } from './plan.js';

// Handlers in the thread of the host: inline mode, a helping host, virtual time. Loaded only where they are wanted.

/** Imports a lane's task module into this thread. */
export async function loadModule(lane: NormalLane): Promise<unknown> {
  if (lane.load === null) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `lanes.${lane.name}.load is missing, expected () => import(...): hostHelps and inline mode need it`,
    );
  }
  try {
    return await lane.load();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FrameDeadlineError('TASK_MODULE_FAILED', `lane ${lane.name}: load() failed: ${message}`, {
      cause: error,
    });
  }
}

/** A core that runs all lanes' handlers in this thread. */
export function workerCoreOf(
  memory: AttachedMemory,
  clock: ConstructorParameters<typeof WorkerCore>[1],
  plan: Plan,
  modules: readonly unknown[],
  column: number,
  workerIndex: number,
  lanes: readonly number[] = plan.lanes.map((lane) => lane.index),
): WorkerCore {
  const tasks = modules.map(tasksOf);
  return new WorkerCore(memory, clock, {
    column,
    workerIndex,
    onPeriodicFailure: printPeriodicFailure,
    lanes: plan.lanes.filter((lane) => lanes.includes(lane.index)),
    tasks: plan.tasks
      .filter((info) => lanes.includes(info.lane))
      .map((info) => ({ info, task: tasks[info.lane]!.get(info.name)! })),
  });
}
