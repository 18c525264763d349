import { expose } from 'comlink';
import * as functions from './work.js';

expose({ ...functions });
