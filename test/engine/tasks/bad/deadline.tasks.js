import { task } from 'frame-deadline';
export const wrong = task({ input: {}, deadlineMs: Number.NaN, run() {} });
