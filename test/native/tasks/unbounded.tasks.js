import { task } from 'frame-deadline';

export { bounded } from './budgeted.tasks.js';
export const unbounded = task({ input: {}, run() {} });
