import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseCpuList } from '../../src/host/node/cpus.js';

/** Path of the addon as it was built or shipped for this machine, or null. */
export const addonPath: string | null = findAddon();

/** Why the tests of the addon cannot run here, or null. Printed once by each file that skips. */
export const whyNot: string | null = addonPath === null ? 'the native addon is not built (npm run build:native)' : null;

function findAddon(): string | null {
  if (!existsSync(new URL('../../native/binding.gyp', import.meta.url))) return null;
  try {
    const find = createRequire(import.meta.url)('node-gyp-build') as { resolve(folder: string): string };
    return find.resolve(fileURLToPath(new URL('../../native', import.meta.url)));
  } catch {
    return null;
  }
}

/**
 * Prints the reason in a line of its own, so that a skip is seen, and returns whether to skip. With SKIP_NOTHING set it
 * throws instead: where everything is installed, a skip is a fault.
 */
export function skipsBecause(what: string, reason: string | null): boolean {
  if (reason !== null && process.env['SKIP_NOTHING']) throw new Error(`skipped: ${what}: ${reason}`);
  if (reason !== null) process.stderr.write(`\nSKIPPED: ${what}: ${reason}\n`);
  return reason !== null;
}

export interface Seen {
  threadId: number;
  name: string;
  niceness: number;
  realtimePriority: number;
  /** sched(7): 0 SCHED_OTHER, 1 SCHED_FIFO, 2 SCHED_RR. */
  policy: number;
  cpus: string;
  softUs: string;
  hardUs: string;
  lockedKiB: number;
}

export interface Run {
  status: number | null;
  signal: string | null;
  stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: plain results of the probe, one per step
  results: any[];
}

const probe = fileURLToPath(new URL('./probe.js', import.meta.url));

/** Runs the probe. `prelude`: shell commands that change limits first; `launcher`: what starts Node. */
export function runProbe(steps: readonly (readonly [string, unknown?])[], prelude = '', launcher = ''): Run {
  const script = `${prelude === '' ? '' : `${prelude} && `}exec ${launcher} "$@"`;
  const args = [process.execPath, probe, addonPath!, JSON.stringify(steps)];
  const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...args], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, signal, stderr, results: stdout === '' ? [] : JSON.parse(stdout) };
}

export const isRoot = process.getuid?.() === 0;
/** Starts a program as a user without any privilege. */
export const AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all';

export function canRun(command: string): boolean {
  try {
    execFileSync('bash', ['-c', command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** CPUs that this process may use. */
export const allowedCpus: readonly number[] =
  process.platform === 'linux'
    ? parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]!)
    : [];

/** A request for nothing. */
export const DEFAULTS = {
  name: 'probe',
  priority: 0,
  cpus: null,
  periodUs: 0,
  budgetUs: 0,
  realtimePriority: 10,
  timerSlackNs: 0,
  brokered: false,
};

export const REALTIME = { priority: 2, periodUs: 16_667, budgetUs: 8000 };
