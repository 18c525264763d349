import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

// A thread on one CPU, above the scheduler's workers, that burns when it is told to and sleeps else.

export const BURST_REQUESTS = 0;
export const BURST_US = 1;
export const BURST_STARTED = 2;
export const BURST_ENDED = 3;
export const BURST_WORDS = 4;
/** Above what a worker with `priority: 'realtime'` gets. */
const POLICY = ['chrt', '--reset-on-fork', '-f', '-p', '50'];

if (!isMainThread && workerData?.burst !== undefined) {
  const { burst, cpu } = workerData;
  const thread = readlinkSync('/proc/thread-self').split('/').pop();
  const ran = (command, ...args) => spawnSync(command, [...args, thread]).status === 0;
  const isAbove = ran(...POLICY) && ran('taskset', '-p', '-c', String(cpu));
  Atomics.store(burst, BURST_STARTED, isAbove ? 0 : -1);
  Atomics.store(burst, BURST_ENDED, 1);
  Atomics.notify(burst, BURST_ENDED);
  for (let served = 0; isAbove; served++) {
    Atomics.wait(burst, BURST_REQUESTS, served);
    const until = performance.now() + Atomics.load(burst, BURST_US) / 1000;
    Atomics.add(burst, BURST_STARTED, 1);
    while (performance.now() < until);
    Atomics.add(burst, BURST_ENDED, 1);
    Atomics.notify(burst, BURST_ENDED);
  }
}
