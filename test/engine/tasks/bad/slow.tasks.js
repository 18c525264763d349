import { task } from 'frame-deadline';

await new Promise((resolve) => setTimeout(resolve, 500));
export const nothing = task({ input: {}, run() {} });
