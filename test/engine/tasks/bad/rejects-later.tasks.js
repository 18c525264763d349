import { task } from 'frame-deadline';

// outside any handler: the worker ends with it while it imports
Promise.reject(new Error('nobody caught this'));
await new Promise((resolve) => setTimeout(resolve, 50));
export const nothing = task({ input: {}, run() {} });
