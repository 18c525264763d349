import { expose } from 'threads/worker';
import * as work from './work.js';

expose({ ...work });
