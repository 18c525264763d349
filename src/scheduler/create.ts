import { FrameDeadlineError } from '../base/errors.js';
import type { Clock } from '../base/time.js';
import type { ControlledThread, Platform } from '../host/platform.js';
import { HOST_COLUMN } from '../memory/layout.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { WorkerCore } from '../worker/worker-core.js';
import { chooseCpus } from './cpu-choice.js';
import { HostCore } from './host-core.js';
import { InlineBackend } from './inline-backend.js';
import { describeTasks, errorFromPlain, requireSameTasks, tasksOf } from './load-tasks.js';
import {
  type NormalLane,
  type NormalOptions,
  type NormalWorker,
  normalizeOptions,
  type SchedulerOptions,
} from './options.js';
import { derivePlacement, ringOrder, usableForWorkers } from './placement.js';
import { makePlan, type Plan } from './plan.js';
import type { AttachRequest, Remote, SupervisorApi, TaskDescription, WorkerSpec } from './protocol.js';
import { Scheduler } from './scheduler.js';
import type { TelemetryHost } from './serve-telemetry.js';
import { TelemetryServing } from './telemetry-serving.js';
import { threadBudgetOf } from './thread-budget.js';
import { ThreadsBackend } from './threads-backend.js';

/** Time that the supervisor has to end its workers beyond what they were given. */
const STOP_MARGIN_MS = 2000;

/** Builds a scheduler on a platform. See `createScheduler` of the platform's entry point. */
export async function createSchedulerOn<Lanes extends { [K in keyof Lanes]: unknown }>(
  platform: Platform,
  given: SchedulerOptions<Lanes>,
): Promise<Scheduler<Lanes>> {
  const options = normalizeOptions(given as SchedulerOptions<Record<string, unknown>>, platform.allowedCpus);
  if (isAborted(options)) {
    throw new FrameDeadlineError('SCHEDULER_CLOSED', 'the signal was aborted before the scheduler was created');
  }
  const made =
    options.mode === 'inline' ? await createInline(platform, options) : await createOnThreads(platform, options);
  if (isAborted(options)) {
    await made.close({ drainMs: 0 });
    throw abortedMeanwhile();
  }
  return made as unknown as Scheduler<Lanes>;
}

function isAborted(options: NormalOptions): boolean {
  return options.signal?.aborted === true;
}

function abortedMeanwhile(): FrameDeadlineError {
  return new FrameDeadlineError('SCHEDULER_CLOSED', 'the signal was aborted while the scheduler was being created');
}

async function createInline(platform: Platform, options: NormalOptions): Promise<Scheduler> {
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
    options.lanes,
    placed,
    descriptions,
    clock.nowPreciseUs(),
    typeof SharedArrayBuffer !== 'undefined',
    options.traceJobs,
  );
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

async function createOnThreads(platform: Platform, options: NormalOptions): Promise<Scheduler> {
  const derived = options.workers === null;
  const usable = usableForWorkers(options.lanes, platform.usableCpus, platform.cpuTopology);
  const workers = ringOrder(options.workers ?? derivePlacement(options.lanes, usable));
  const placed = chooseCpus(workers, options.lanes, platform.cpuTopology);
  const supervisor = await platform.spawnSupervisor<Remote<SupervisorApi>>('fd-supervisor', options.readyTimeoutMs);
  // an abort need not wait for a task module that does not finish importing
  const onAbort = (): void => void supervisor.terminate();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (isAborted(options)) throw abortedMeanwhile();
    return await startWorkers(platform, options, placed, derived, supervisor);
  } catch (error) {
    await supervisor.terminate();
    throw isAborted(options) ? abortedMeanwhile() : error;
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}

async function startWorkers(
  platform: Platform,
  options: NormalOptions,
  placed: readonly NormalWorker[],
  derived: boolean,
  supervisor: ControlledThread<Remote<SupervisorApi>>,
): Promise<Scheduler> {
  const epochUs = platform.newEpochUs();
  const specs = placed.map(
    (worker): WorkerSpec => ({
      name: `fd-${worker.name}`,
      modules: worker.lanes.map((lane) => {
        const { name, tasks } = options.lanes[lane]!;
        return { lane, laneName: name, url: tasks! };
      }),
      resourceLimits: worker.resourceLimits,
    }),
  );
  const results = await supervisor.api.start(specs, options.readyTimeoutMs, epochUs);
  const descriptions: TaskDescription[][] = [];
  results.forEach((result, index) => {
    if (!result.ok) throw errorFromPlain(result.error);
    for (const { lane, tasks } of result.lanes) {
      const known = descriptions[lane];
      if (known === undefined) descriptions[lane] = [...tasks];
      else requireSameTasks(options.lanes[lane]!.name, known, tasks, `worker ${placed[index]!.name}`);
    }
  });
  const modules = options.hostHelps ? await Promise.all(options.lanes.map(loadModule)) : null;
  modules?.forEach((module, i) => {
    const { name } = options.lanes[i]!;
    requireSameTasks(name, descriptions[i]!, describeTasks(module, name, 'what load() gives'), '`load`');
  });
  const clock = platform.clockSince(epochUs);
  const plan = makePlan(options.lanes, placed, descriptions, clock.nowPreciseUs(), true, options.traceJobs);
  const memory = new AttachedMemory(plan.memory);
  const backend = new ThreadsBackend(memory, clock, platform);
  const core = new HostCore(backend, plan);
  if (modules !== null) {
    core.helper = workerCoreOf(memory, clock, plan, modules, HOST_COLUMN, -1);
    core.nestedHelper = workerCoreOf(memory, clock, plan, modules, HOST_COLUMN, -1);
  }
  const requests = placed.map((worker, index): AttachRequest => {
    const lanes = plan.lanes.filter((lane) => worker.lanes.includes(lane.index));
    const tasks = plan.tasks.filter((task) => worker.lanes.includes(task.lane));
    return {
      memory: plan.memory,
      epochUs,
      workerIndex: index,
      lanes,
      tasks,
      spinUs: worker.spinUs,
      profile: options.profile,
      thread: {
        name: `fd-${worker.name}`,
        priority: worker.priority,
        cpus: worker.cpus,
        budget: threadBudgetOf(lanes, tasks),
        mayPoll: worker.spinUs > 0,
      },
    };
  });
  const states = await supervisor.api.attach({
    memory: plan.memory,
    lanes: plan.lanes,
    tasks: plan.tasks,
    workers: requests,
    hangMs: options.hangMs,
  });
  // periodic lanes work without anybody waiting for them: they are what the process is for
  supervisor.keepAlive(options.lanes.some((lane) => lane.periodic !== null));
  let stopped = false;
  void supervisor.ended.then(() => {
    if (stopped) return;
    // nobody is left to run or to settle: refuse, and end what there is
    core.refuseAll();
    core.settleAll();
  });
  return new Scheduler({
    options,
    placed,
    derived,
    plan,
    backend,
    core,
    states,
    allowedCpus: platform.allowedCpus,
    environment: platform.environment(),
    memoryLock: options.lockMemory ? platform.lockMemory(buffersOf(plan)) : null,
    async stop(graceMs) {
      stopped = true;
      const timer = setTimeout(() => void supervisor.terminate(), graceMs + STOP_MARGIN_MS);
      await supervisor.api.close(graceMs).catch(() => {});
      clearTimeout(timer);
      await supervisor.terminate();
    },
    refreshStates: () => supervisor.api.workers(),
    ...telemetryHost(platform, {
      serve: (request) => supervisor.api.serveTelemetry(request),
      stop: (id) => supervisor.api.stopServing(id),
    }),
    currentReport: platform.currentReport,
  });
}

/** The buffers that jobs go through, then those that are only read: what is wanted most first. */
function buffersOf({ memory }: Plan): SharedArrayBuffer[] {
  return [memory.control, ...memory.rings.map((ring) => ring.buffer), memory.errors, memory.telemetry];
}

function telemetryHost(
  { telemetrySockets }: Platform,
  serving: Omit<TelemetryHost, 'sockets'> | null,
): { telemetryHost?: TelemetryHost } {
  if (telemetrySockets === undefined || serving === null) return {};
  return { telemetryHost: { sockets: telemetrySockets, ...serving } };
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

/** Imports a lane's task module into this thread. */
export async function loadModule(lane: NormalLane): Promise<unknown> {
  if (lane.load === null) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `lanes.${lane.name}.load is missing, expected () => import(...): hostHelps and inline mode need it`,
    );
  }
  try {
    return await lane.load();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new FrameDeadlineError('TASK_MODULE_FAILED', `lane ${lane.name}: load() failed: ${message}`, {
      cause: error,
    });
  }
}

/** A core that runs all lanes' handlers in this thread. */
export function workerCoreOf(
  memory: AttachedMemory,
  clock: ConstructorParameters<typeof WorkerCore>[1],
  plan: Plan,
  modules: readonly unknown[],
  column: number,
  workerIndex: number,
  lanes: readonly number[] = plan.lanes.map((lane) => lane.index),
): WorkerCore {
  const tasks = modules.map(tasksOf);
  return new WorkerCore(memory, clock, {
    column,
    workerIndex,
    lanes: plan.lanes.filter((lane) => lanes.includes(lane.index)),
    tasks: plan.tasks
      .filter((info) => lanes.includes(info.lane))
      .map((info) => ({ info, task: tasks[info.lane]!.get(info.name)! })),
  });
}
