import { spawnSync } from 'node:child_process';
import { setPriority } from 'node:os';

const ran = (command, ...args) => spawnSync(command, args).status === 0;
const main = String(process.pid);

/** Binds the main thread to CPUs: a list such as `0,1`. Returns whether it worked (`taskset` of util-linux). */
export const bindHost = (cpus) => ran('taskset', '-p', '-c', cpus, main);

/**
 * Sets the main thread's policy: `rr` with a priority, or `nice` with a niceness. The thread's own only: on Linux what
 * is done to the process is done to its first thread. Returns whether it worked (`chrt` of util-linux).
 */
export function setHostPolicy(policy, number) {
  if (policy === 'rr') return ran('chrt', '--reset-on-fork', '-r', '-p', String(number), main);
  if (!ran('chrt', '--reset-on-fork', '-o', '-p', '0', main)) return false;
  try {
    setPriority(process.pid, number);
    return true;
  } catch {
    return false;
  }
}
