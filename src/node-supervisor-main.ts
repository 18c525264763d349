import { expose } from 'threads/worker';
import { clockSince } from './host/node/clock.js';
import { raisedReport } from './host/node/raise-report.js';
import { canAskBrokers } from './host/node/realtime-kit.js';
import { optionsOf } from './host/node/starting-thread.js';
import { serveTelemetry } from './host/node/telemetry-server.js';
import { NodeThreadControl } from './host/node/thread-control.js';
import { type Remote, spawnThread } from './host/node/threads-control-plane.js';
import type { SupervisorApi, WorkerApi } from './scheduler/protocol.js';
import { type SpawnWorker, Supervisor } from './scheduler/supervisor.js';

// The supervisor thread on Node, once its workers have been started: see `node-supervisor.ts`.

// it stands above the workers, so that it can stop one that runs away
void raisedReport(new NodeThreadControl().apply({ name: 'fd-supervisor', priority: 'high', cpus: null }));

const spawn: SpawnWorker = async (spec, timeoutMs) => {
  const { api, ended, terminate } = await spawnThread<WorkerApi>(
    new URL('./node-worker.js', import.meta.url),
    optionsOf(spec),
    timeoutMs,
  );
  const attach: Remote<WorkerApi>['attach'] = async (request) => {
    const brokered = request.thread.priority === 'realtime' && (await canAskBrokers());
    const { thread, probes } = await api.attach({ ...request, thread: { ...request.thread, brokered } });
    return { thread: await raisedReport(thread), probes };
  };
  return { api: { load: (modules) => api.load(modules), attach }, ended, terminate };
};

const supervisor = new Supervisor(spawn, clockSince, () => performance.now(), serveTelemetry);
const api: SupervisorApi = {
  start: (workers, readyTimeoutMs, epochUs) => supervisor.start(workers, readyTimeoutMs, epochUs),
  attach: (setup) => supervisor.attach(setup),
  workers: () => supervisor.workers(),
  nextHandover: () => supervisor.nextHandover(),
  handOver: (worker, given) => supervisor.handOver(worker, given),
  reload: (request) => supervisor.reload(request),
  serveTelemetry: (request) => supervisor.serveTelemetry(request),
  stopServing: (id) => supervisor.stopServing(id),
  close: (graceMs) => supervisor.close(graceMs),
};
expose(api as unknown as Record<string, (...args: never[]) => unknown>);
