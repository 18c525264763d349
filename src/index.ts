import type { SchedulerOptions } from './scheduler/options.js';
import type { Scheduler } from './scheduler/scheduler.js';

/**
 * Starts the workers, lets them import their task modules, and resolves when all are ready. Loads the scheduler itself on
 * the first call, so that importing this module for `task`, which each worker does, costs little.
 *
 * Rejects with a FrameDeadlineError: OPTION_INVALID, DEADLINE_INVALID, LANE_UNKNOWN, LANE_UNSERVED, WORKER_WITHOUT_LANE,
 * CPU_NOT_ALLOWED for wrong options; TASK_MODULE_NOT_FOUND, TASK_MODULE_FAILED, TASK_MODULE_EMPTY,
 * TASK_MODULE_MISMATCH, PAYLOAD_TOO_LARGE for task modules; READY_TIMEOUT, WORKER_DIED for threads that do not come up;
 * SCHEDULER_CLOSED if the signal was aborted. No thread is left then.
 */
export async function createScheduler<Lanes extends { [K in keyof Lanes]: unknown }>(
  options: SchedulerOptions<Lanes>,
): Promise<Scheduler<Lanes>> {
  const { createNodeScheduler } = await import('./node-engine.js');
  return createNodeScheduler(options);
}

export * from './shared-api.js';
