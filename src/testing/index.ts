/**
 * `frame-deadline/testing`: the scheduler on a virtual clock, for tests of apps that use it.
 * @module
 */
export { createTestScheduler } from './create.js';
export type { ExecutionTime, ExecutionTimeOptions, TestSchedulerOptions } from './options.js';
export type { InjectedRefusal } from './refusing-host-core.js';
export type { Injections, TestScheduler } from './test-scheduler.js';
