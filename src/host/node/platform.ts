import { existsSync } from 'node:fs';
import { url as inspectorUrl } from 'node:inspector';
import { cpus as systemCpus } from 'node:os';
import { basename } from 'node:path';
import { FrameDeadlineError } from '../../base/errors.js';
import type { ControlledThread, Platform, ThreadToStart } from '../platform.js';
import { loadAddon } from './addon.js';
import { clockSince, newEpochUs } from './clock.js';
import { readCpuTopology } from './cpu-topology.js';
import { readCpuSet } from './cpus.js';
import { currentReport } from './current-report.js';
import { hostSignals } from './host-signals.js';
import { lockMemory } from './memory-lock.js';
import { removeSocket } from './socket-path.js';
import { NodeStandstill } from './standstill.js';
import { serveTelemetry } from './telemetry-server.js';
import { NodeThreadControl } from './thread-control.js';
import { spawnThread } from './threads-control-plane.js';
import { NodeTimer } from './timer.js';

/** A timer that never fires in practice; Node caps intervals at 2^31 - 1 ms. */
const FOR_EVER_MS = 2 ** 31 - 1;

/** What keeps the process alive while anything is waited for: one reference for all schedulers of this thread. */
let holds = 0;
let anchor: NodeJS.Timeout | null = null;

/** Sockets that are there: one listener for all. */
const removals = new Set<() => void>();
function removeSockets(): void {
  for (const remove of removals) remove();
}

/**
 * The threads' modules are files of their own: a bundler that takes the package in leaves them behind.
 * @throws FrameDeadlineError WORKER_DIED
 */
function requireThreadModules(supervisorUrl: URL): void {
  if (existsSync(supervisorUrl) && existsSync(new URL('./node-worker.js', supervisorUrl))) return;
  throw new FrameDeadlineError(
    'WORKER_DIED',
    `the modules of the threads are not beside ${supervisorUrl.href}: frame-deadline was bundled into the app; leave it out of the bundle (external: ['frame-deadline']) and install it beside, see docs/bundlers.md`,
  );
}

/** Node.js and Electron's main and utility processes. `supervisorUrl`: the entry of the supervisor thread. */
export function nodePlatform(supervisorUrl: URL): Platform {
  // before the first worker: what is in force now is what threads go back to
  loadAddon();
  const cpus = readCpuSet();
  return {
    name: 'node',
    canBlock: mayBlock(),
    allowedCpus: cpus.allowed,
    cpuTopology: readCpuTopology(cpus.allowed),
    usableCpus: cpus.usable,
    environment: () => ({
      runtime: `Node.js ${process.versions.node}`,
      platform: `${process.platform} ${process.arch}`,
      cpu: systemCpus()[0]?.model ?? null,
      allowedCpus: cpus.allowed,
    }),
    newEpochUs,
    clockSince,
    hostSignals,
    standstill: (clock) => new NodeStandstill(clock),
    timer: (clock) => new NodeTimer(clock),
    soon: (callback) => setImmediate(callback),
    hold() {
      holds++;
      // one reference object, made on the first use: no timer per wait
      anchor ??= setInterval(() => {}, FOR_EVER_MS);
      anchor.ref();
    },
    drop() {
      holds--;
      if (holds === 0) anchor?.unref();
    },
    spawnSupervisor: async <Api>(name: string, timeoutMs: number, workers: readonly ThreadToStart[]) => {
      requireThreadModules(supervisorUrl);
      const workerData = workers.map((worker) => ({ name: worker.name, resourceLimits: worker.resourceLimits }));
      return (await spawnThread(supervisorUrl, { name, workerData }, timeoutMs)) as unknown as ControlledThread<Api>;
    },
    lockMemory,
    applyToThisThread: (request) => new NodeThreadControl().apply(request),
    currentReport,
    isInspected: () => inspectorUrl() !== undefined,
    telemetrySockets: {
      pid: process.pid,
      name: process.argv[1] === undefined ? process.title : basename(process.argv[1]),
      serve: serveTelemetry,
      removeAtExit(path, identity) {
        if (removals.size === 0) process.on('exit', removeSockets);
        const remove = (): void => removeSocket(path, identity);
        removals.add(remove);
        return () => {
          removals.delete(remove);
          if (removals.size === 0) process.off('exit', removeSockets);
        };
      },
    },
  };
}

/** Electron's main process must not be blocked: it draws the windows. */
function mayBlock(): boolean {
  return !('electron' in process.versions) || (process as { type?: string }).type !== 'browser';
}
