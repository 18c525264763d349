import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Binds this process's main thread to CPU 0 and its threads of that name to CPU 1, with `taskset` of util-linux: what
 * the C programs do to theirs. Returns whether it worked.
 */
export function pinMainAndWorker(workerName) {
  if (process.platform !== 'linux' || availableParallelism() < 2) return false;
  const bind = (cpu, threadId) => spawnSync('taskset', ['-p', '-c', String(cpu), String(threadId)]).status === 0;
  const workers = readdirSync('/proc/self/task').filter(
    (id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim() === workerName.slice(0, 15),
  );
  return workers.length > 0 && bind(0, process.pid) && workers.every((id) => bind(1, id));
}
