import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** What a C program is started with to stand under the same conditions. */
export const ISOLATED_COMMAND = ['chrt', '-f', '5'];

const ran = (command, ...args) => spawnSync(command, args).status === 0;
// read before anything is bound
const CPUS = availableParallelism();

function threadsNamed(prefix) {
  return readdirSync('/proc/self/task').filter((id) =>
    readFileSync(`/proc/self/task/${id}/comm`, 'utf8').startsWith(prefix),
  );
}

/**
 * Binds this process's main thread to CPU 0 and its worker of that name to CPU 1, both SCHED_FIFO, so that what else
 * runs on the machine stays out of the figures (`taskset` and `chrt` of util-linux; needs the right to do so). Several
 * workers are not bound. Call it when the code is warm: V8's compiler threads get less of the CPUs then.
 * Returns whether it worked.
 */
export function isolate(workerName) {
  if (process.platform !== 'linux' || CPUS < 2) return false;
  const workers = threadsNamed(`fd-${workerName}`);
  if (workers.length === 0) return false;
  const main = String(process.pid);
  for (const id of [main, ...workers]) if (!ran('chrt', '-f', '-p', '5', id)) return false;
  if (workers.length > 1) return true;
  return ran('taskset', '-p', '-c', '0', main) && ran('taskset', '-p', '-c', '1', workers[0]);
}

/**
 * Binds the main thread to CPU 0 and the worker of that name to CPU 1, at their usual policy: V8's compiler threads and
 * other processes get their share, so take medians of short batches. Returns whether it worked.
 */
export function bind(workerName) {
  if (process.platform !== 'linux' || CPUS < 2) return false;
  const [worker] = threadsNamed(`fd-${workerName}`);
  if (worker === undefined) return false;
  return ran('taskset', '-p', '-c', '0', String(process.pid)) && ran('taskset', '-p', '-c', '1', worker);
}

/** Takes the main thread's part back. */
export function release() {
  if (process.platform !== 'linux') return;
  const main = String(process.pid);
  ran('chrt', '-o', '-p', '0', main);
  ran('taskset', '-p', '-c', `0-${CPUS - 1}`, main);
}

export const ISOLATED =
  'main thread on CPU 0, one worker on CPU 1, SCHED_FIFO: other processes stay out of the figures';
export const NOT_ISOLATED =
  'threads not bound, policy as usual (taskset and chrt missing or refused): other processes disturb the figures';
