import { nodePlatform } from './host/node/platform.js';
import { createSchedulerOn } from './scheduler/create.js';
import type { SchedulerOptions } from './scheduler/options.js';
import type { Scheduler } from './scheduler/scheduler.js';

/** See `createScheduler` of `index.ts`, which loads this module on its first call. */
export function createNodeScheduler<Lanes extends { [K in keyof Lanes]: unknown }>(
  options: SchedulerOptions<Lanes>,
): Promise<Scheduler<Lanes>> {
  // undefined in a bundle that is CommonJS: the platform tells what is wrong
  const here: string | undefined = import.meta.url;
  return createSchedulerOn(nodePlatform(new URL('./node-supervisor.js', here ?? 'file:///')), options);
}
