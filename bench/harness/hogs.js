import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

// burns until its standard input closes: then nothing is left of a bench that was killed
const HOG = fileURLToPath(new URL('../../dist/cli/demo/load/hog.js', import.meta.url));
const HOG_START_MS = 500;
/** proc(5): CPU times of `stat` are in clock ticks, 100 a second on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** As many as CPUs are allowed, at least two. */
const hogCount = () => Math.max(2, availableParallelism());

/**
 * Starts CPU hogs, processes of their own at default priority, and waits until they burn. `ownSessions`: each in a
 * session of its own, as started from another terminal, else all in this one. `end()` ends them and tells their CPU
 * time in milliseconds, 0 where `/proc` does not tell.
 */
export async function startHogs({ ownSessions = false } = {}) {
  const count = hogCount();
  const hogs = Array.from({ length: count }, () =>
    spawn(process.execPath, [HOG], { stdio: ['pipe', 'ignore', 'inherit'], detached: ownSessions }),
  );
  await sleep(HOG_START_MS);
  const end = async () => {
    const cpuMs = hogs.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0);
    for (const hog of hogs) hog.kill('SIGKILL');
    await Promise.all(hogs.map((hog) => isRunning(hog) && new Promise((resolve) => hog.once('exit', resolve))));
    return cpuMs;
  };
  if (hogs.every(isRunning)) return { count, end };
  await end();
  throw new Error('not all CPU hogs came up');
}

const isRunning = (hog) => hog.pid !== undefined && hog.exitCode === null && hog.signalCode === null;

function cpuMsOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return 0;
  }
}
