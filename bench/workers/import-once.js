import { parentPort, workerData } from 'node:worker_threads';

await import(workerData.url);
parentPort.postMessage('ready');
