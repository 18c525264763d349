import type { Clock } from '../base/time.js';
import type { Platform } from '../host/platform.js';
import { HOST_COLUMN } from '../memory/layout.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { HostCore } from './host-core.js';
import { loadModule, workerCoreOf } from './host-handlers.js';
import { InlineBackend } from './inline-backend.js';
import { describeTasks, initializeLane } from './load-tasks.js';
import type { NormalOptions, NormalWorker } from './options.js';
import { buffersOf, telemetryHost } from './parts.js';
import { makePlan, type Plan } from './plan.js';
import { Scheduler } from './scheduler.js';
import type { TelemetryHost } from './serve-telemetry.js';
import { TelemetryServing } from './telemetry-serving.js';
import { lanesWithOwnThings } from './transfer.js';

/** A scheduler whose handlers run in this thread. */
export async function createInline(platform: Platform, options: NormalOptions): Promise<Scheduler> {
  const modules = await Promise.all(options.lanes.map(loadModule));
  const placed: NormalWorker[] = [
    {
      name: 'main',
      lanes: options.lanes.map((lane) => lane.index),
      priority: 'normal',
      cpus: null,
      spinUs: 0,
      resourceLimits: null,
    },
  ];
  const clock = platform.clockSince(platform.newEpochUs());
  const descriptions = modules.map((module, i) => describeTasks(module, options.lanes[i]!.name, 'what load() gives'));
  const plan = makePlan(
    await lanesWithOwnThings(options.lanes),
    placed,
    descriptions,
    clock.nowPreciseUs(),
    typeof SharedArrayBuffer !== 'undefined',
    options.traceJobs,
  );
  for (const lane of plan.lanes) await initializeLane(modules[lane.index], lane, 0, options.readyTimeoutMs);
  const memory = new AttachedMemory(plan.memory);
  const backend = new InlineBackend(memory, clock, platform);
  const core = new HostCore(backend, plan);
  const worker = workerCoreOf(memory, backend.clock, plan, modules, 0, 0);
  core.helper = worker;
  core.nestedHelper = workerCoreOf(memory, backend.clock, plan, modules, HOST_COLUMN, -1);
  backend.serve(worker);
  return new Scheduler({
    options,
    placed,
    derived: true,
    plan,
    backend,
    core,
    states: [],
    allowedCpus: platform.allowedCpus,
    environment: platform.environment(),
    memoryLock: options.lockMemory ? platform.lockMemory(buffersOf(plan)) : null,
    stop: async () => backend.close(),
    ...telemetryHost(platform, inlineServing(platform, memory, clock, plan)),
    refreshStates: async () => [],
  });
}

/** In inline mode this thread serves: while it is blocked, nobody is answered. */
function inlineServing(
  { telemetrySockets }: Platform,
  memory: AttachedMemory,
  clock: Clock,
  { lanes, tasks }: Plan,
): Omit<TelemetryHost, 'sockets'> | null {
  if (telemetrySockets === undefined) return null;
  const serving = new TelemetryServing(telemetrySockets.serve);
  return {
    serve: (request) => serving.serve(request, { memory, clock, lanes, tasks, states: () => [] }),
    stop: (id) => serving.stop(id),
  };
}
