import { task } from '../../../dist/web.js';
import { nothing } from './nowhere-nested.js';

export const nested = task({ input: {}, run: nothing });
