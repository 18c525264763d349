import type { SchedulerOptions } from './scheduler/options.js';
import type { Scheduler } from './scheduler/scheduler.js';

/** As `SchedulerOptions`, with what only browsers need. */
export interface WebSchedulerOptions<Lanes extends { [K in keyof Lanes]: unknown }> extends SchedulerOptions<Lanes> {
  /**
   * Module of the workers, for bundlers that do not see `new Worker(new URL(...))` in packages: what
   * `frame-deadline/web-worker` was bundled to. Default: `web-worker.js` beside this module.
   */
  workerUrl?: URL | string;
  /** The same for the supervisor: what `frame-deadline/web-supervisor` was bundled to. */
  supervisorUrl?: URL | string;
}

/**
 * Starts the workers, lets them import their task modules, and resolves when all are ready. The same as on Node, for a
 * cross-origin isolated page (headers `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy:
 * require-corp`), an Electron renderer, or a Web Worker of one. Loads the scheduler itself on the first call, so that
 * importing this module for `task` costs little.
 *
 * Rejects with a FrameDeadlineError: SHARED_MEMORY_UNAVAILABLE if the page is not isolated (`mode: 'inline'` works
 * without); OPTION_INVALID, DEADLINE_INVALID, LANE_UNKNOWN, LANE_UNSERVED, WORKER_WITHOUT_LANE, CPU_NOT_ALLOWED for wrong
 * options; TASK_MODULE_NOT_FOUND, TASK_MODULE_FAILED, TASK_MODULE_EMPTY, TASK_MODULE_MISMATCH, PAYLOAD_TOO_LARGE for task
 * modules; READY_TIMEOUT, WORKER_DIED for workers that do not come up; SCHEDULER_CLOSED if the signal was aborted. No
 * worker is left then.
 */
export async function createScheduler<Lanes extends { [K in keyof Lanes]: unknown }>(
  options: WebSchedulerOptions<Lanes>,
): Promise<Scheduler<Lanes>> {
  const { createWebScheduler } = await import('./web-engine.js');
  return createWebScheduler(options);
}

export * from './shared-api.js';
