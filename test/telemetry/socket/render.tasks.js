import { task } from 'frame-deadline';

export const tile = task({ input: {}, run() {} });
