import { task } from '../../../dist/web.js';

export const tick = task({ input: {}, run() {} });
