import { parentPort } from 'node:worker_threads';
import * as work from './work.js';

const functions = { ...work };
parentPort.on('message', ([name, argument]) => parentPort.postMessage(functions[name](argument)));
