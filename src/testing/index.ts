/**
 * `frame-deadline/testing`: the scheduler on a virtual clock, for tests of apps that use it. Nothing sleeps, nothing is
 * left to chance: the same test gives the same outcomes, times and misses each time.
 *
 * ```ts
 * import { createTestScheduler } from 'frame-deadline/testing';
 *
 * const scheduler = await createTestScheduler({
 *   lanes: { render: { load: () => import('./render.tasks.js') } },
 *   executionUs: { tile: 4000 },                       // each tile takes 4 ms of virtual time
 * });
 * const frame = scheduler.beginFrame({ deadlineMs: 16 });
 * scheduler.inject.miss(scheduler.lanes.render.tile);  // the next tile takes until 1 ms after its deadline
 * const job = frame.submit(scheduler.lanes.render.tile, { x: 0, y: 0, zoom: 1 });
 * const joined = frame.join({ until: 'deadline' });    // do not await yet: time stands still
 * await scheduler.advanceMs(16);
 * console.assert((await joined) === false);
 * await scheduler.runUntilIdle();
 * console.assert(job.outcome === 'late');
 * await scheduler.close();
 * ```
 *
 * @module
 */
export { createTestScheduler } from './create.js';
export type { ExecutionTime, ExecutionTimeOptions, TestSchedulerOptions } from './options.js';
export type { InjectedRefusal } from './refusing-host-core.js';
export type { Injections, TestScheduler } from './test-scheduler.js';
