import { task } from 'frame-deadline';

// the worker has imported it, and ends before it is asked to serve
setTimeout(() => process.exit(7), 20);
export const nothing = task({ input: {}, run() {} });
