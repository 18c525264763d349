import type { Task } from 'frame-deadline';

export { bounded } from './budgeted.tasks.js';
export declare const unbounded: Task<Record<never, never>, Record<never, never>>;
