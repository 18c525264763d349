import { FrameDeadlineError } from './base/errors.js';
import { clockSince } from './host/web/clock.js';
import { clearedUp, spawnThread } from './host/web/control-plane.js';
import { serveCalls } from './host/web/serve-calls.js';
import type { SupervisorApi, WorkerApi } from './scheduler/protocol.js';
import { Supervisor } from './scheduler/supervisor.js';
import type { SupervisorThreadSetup } from './web-engine.js';

// Entry of the supervisor thread in a browser: a Web Worker that starts the others.

// No code but the package's own runs here, so the addresses of workers are trusted. A policy that does not allow this
// one is told of when the first worker is started.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
try {
  trustedTypes?.createPolicy('default', { createScriptURL: (url) => url });
} catch {}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

serveCalls((setup): SupervisorApi => {
  const { workerUrl } = setup as SupervisorThreadSetup;
  let closing: Promise<number> | null = null;
  const supervisor = new Supervisor(
    ({ name }, timeoutMs) => {
      const start = (): Worker =>
        workerUrl === null
          ? new Worker(new URL('./web-worker.js', import.meta.url), { type: 'module', name })
          : new Worker(workerUrl, { type: 'module', name });
      return spawnThread<WorkerApi>(start, name, null, timeoutMs);
    },
    clockSince,
    () => performance.now(),
    () => Promise.reject(new FrameDeadlineError('OPTION_INVALID', 'there are no local sockets in a browser')),
  );
  return {
    start: (workers, readyTimeoutMs, epochUs) => supervisor.start(workers, readyTimeoutMs, epochUs),
    attach: (attached) => supervisor.attach(attached),
    workers: () => supervisor.workers(),
    nextHandover: () => supervisor.nextHandover(),
    handOver: (worker, given) => supervisor.handOver(worker, given),
    reload: (request) => supervisor.reload(request),
    serveTelemetry: (request) => supervisor.serveTelemetry(request),
    stopServing: (id) => supervisor.stopServing(id),
    // asked again before the thread is terminated
    close: (graceMs) => {
      closing ??= supervisor.close(graceMs).then(async (left) => {
        await clearedUp();
        return left;
      });
      return closing;
    },
  };
});
