import { workerData } from 'node:worker_threads';
import { printDirectly } from './host/node/print.js';
import { startAhead } from './host/node/starting-thread.js';
import type { ThreadToStart } from './host/platform.js';

// Entry of the supervisor thread on Node: starts the workers, and loads what it needs itself while they boot.

printDirectly();
startAhead(new URL('./node-worker.js', import.meta.url), workerData as readonly ThreadToStart[]);
await import('./node-supervisor-main.js');
