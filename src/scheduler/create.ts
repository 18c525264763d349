import { FrameDeadlineError } from '../base/errors.js';
import type { ControlledThread, Platform } from '../host/platform.js';
import { HOST_COLUMN } from '../memory/layout.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { chooseCpus } from './cpu-choice.js';
import { HostCore } from './host-core.js';
import { describeTasks, errorFromPlain, errorWithCode, initializeLane, requireSameTasks } from './load-tasks.js';
import { type NormalOptions, type NormalWorker, normalizeOptions, type SchedulerOptions } from './options.js';
import { buffersOf, telemetryHost } from './parts.js';
import { derivePlacement, ringOrder, usableForWorkers } from './placement.js';
import { makePlan } from './plan.js';
import type { AttachRequest, Remote, SupervisorApi, SupervisorSetup, TaskDescription, WorkerSpec } from './protocol.js';
import { Scheduler } from './scheduler.js';
import { spareColumnsOf, spareGroupsOf } from './spare-groups.js';
import { threadBudgetOf } from './thread-budget.js';
import { ThreadsBackend } from './threads-backend.js';
import { type GivenAgain, handoversFor, transferListOfHandovers, untransferable } from './transfer.js';

/** Time that the supervisor has to end its workers beyond what they were given: for some it waits until they are written off. */
const STOP_MARGIN_MS = 12_000;
/** An inspector that somebody opens is noticed within that time. */
const INSPECTOR_BEAT_MS = 250;

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
    options.mode === 'inline'
      ? await (await import('./create-inline.js')).createInline(platform, options)
      : await createOnThreads(platform, options);
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

async function createOnThreads(platform: Platform, options: NormalOptions): Promise<Scheduler> {
  const derived = options.workers === null;
  const usable = usableForWorkers(options.lanes, platform.usableCpus, platform.cpuTopology);
  const workers = ringOrder(options.workers ?? derivePlacement(options.lanes, usable));
  const placed = chooseCpus(workers, options.lanes, platform.cpuTopology);
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
  const supervisor = await platform.spawnSupervisor<Remote<SupervisorApi>>(
    'fd-supervisor',
    options.readyTimeoutMs,
    specs,
  );
  // an abort need not wait for a task module that does not finish importing
  const onAbort = (): void => void supervisor.terminate();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (isAborted(options)) throw abortedMeanwhile();
    return await startWorkers(platform, options, placed, specs, derived, supervisor);
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
  specs: readonly WorkerSpec[],
  derived: boolean,
  supervisor: ControlledThread<Remote<SupervisorApi>>,
): Promise<Scheduler> {
  const epochUs = platform.newEpochUs();
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
  const handlers = options.hostHelps ? await import('./host-handlers.js') : null;
  const modules = handlers === null ? null : await Promise.all(options.lanes.map(handlers.loadModule));
  modules?.forEach((module, i) => {
    const { name } = options.lanes[i]!;
    requireSameTasks(name, descriptions[i]!, describeTasks(module, name, 'what load() gives'), '`load`');
  });
  const clock = platform.clockSince(epochUs);
  const spareGroups = spareGroupsOf(placed, options.lanes, options.spares);
  const plan = makePlan(
    options.lanes,
    placed,
    descriptions,
    clock.nowPreciseUs(),
    true,
    options.traceJobs,
    undefined,
    spareColumnsOf(spareGroups),
  );
  const memory = new AttachedMemory(plan.memory);
  const backend = new ThreadsBackend(memory, clock, platform);
  const core = new HostCore(backend, plan);
  if (handlers !== null && modules !== null) {
    core.helper = handlers.workerCoreOf(memory, clock, plan, modules, HOST_COLUMN, -1);
    core.nestedHelper = handlers.workerCoreOf(memory, clock, plan, modules, HOST_COLUMN, -1);
    for (const lane of plan.lanes) await initializeLane(modules[lane.index], lane, -1, options.readyTimeoutMs);
  }
  const handovers = await Promise.all(placed.map((worker, index) => handoversFor(options.lanes, worker, index, false)));
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
      gc: worker.gc ?? 'auto',
      readyTimeoutMs: options.readyTimeoutMs,
      eventLoop: worker.lanes.some((lane) => options.lanes[lane]!.eventLoop),
      handovers: handovers[index]!,
      transferList: transferListOfHandovers(handovers[index]!),
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
  const setup: SupervisorSetup = {
    memory: plan.memory,
    lanes: plan.lanes,
    tasks: plan.tasks,
    workers: requests,
    hangMs: options.hangMs,
    // who releases by a clock asks; a loop's timer only where the platform has no answer of its own
    beats:
      plan.lanes.some(({ periodic }) => periodic !== null) ||
      (platform.display === undefined && platform.standstill === undefined),
    spareGroups,
    spareDelayMs: options.spareDelayMs,
    transferList: transferListOfHandovers(handovers.flat()),
  };
  const unwatchInspector = watchInspector(core, options, platform);
  const states = await supervisor.api.attach(setup).catch((error: unknown) => {
    throw untransferable(errorWithCode(error), options.lanes);
  });
  void handOverAgain(options, placed, supervisor.api);
  // periodic lanes work without anybody waiting for them: they are what the process is for
  supervisor.keepAlive(options.lanes.some((lane) => lane.periodic !== null));
  let stopped = false;
  void supervisor.ended.then(() => {
    unwatchInspector();
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
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        void supervisor.terminate();
      }, graceMs + STOP_MARGIN_MS);
      const left = await supervisor.api.close(graceMs).catch(() => 0);
      clearTimeout(timer);
      const ending = supervisor.terminate();
      // a thread waits for the end of those that it started: this one's comes when the native call returns, if it does
      if (left > 0 || isLate) supervisor.keepAlive(false);
      else await ending;
    },
    reload: (request) => supervisor.api.reload(request),
    refreshStates: () => supervisor.api.workers(),
    ...telemetryHost(platform, {
      serve: (request) => supervisor.api.serveTelemetry(request),
      stop: (id) => supervisor.api.stopServing(id),
    }),
    currentReport: platform.currentReport,
  });
}

/**
 * Tells the workers whether an inspector listens. Frames and single jobs do so themselves; lanes that run by themselves
 * would go on with what was so at the start.
 */
function watchInspector(core: HostCore, { lanes, hangMs }: NormalOptions, { isInspected }: Platform): () => void {
  core.noteInspector();
  if (isInspected === undefined || hangMs === null || !lanes.some((lane) => lane.periodic !== null)) return () => {};
  const beat = setInterval(() => core.noteInspector(), INSPECTOR_BEAT_MS);
  (beat as { unref?: () => void }).unref?.();
  return () => clearInterval(beat);
}

/** Gives workers that start again what their lanes transfer, for as long as there are any. Never rejects. */
async function handOverAgain(
  options: NormalOptions,
  placed: readonly NormalWorker[],
  api: Remote<SupervisorApi>,
): Promise<void> {
  if (!options.lanes.some((lane) => typeof lane.transfer === 'function')) return;
  try {
    for (;;) {
      const worker = await api.nextHandover();
      if (worker === null) return;
      const given = await givenAgain(options, placed[worker]!, worker);
      await api.handOver(worker, given).catch((error: unknown) => {
        const { message } = untransferable(error, options.lanes) as Error;
        return api.handOver(worker, { ok: false, message });
      });
    }
  } catch {
    // the supervisor has ended
  }
}

async function givenAgain(options: NormalOptions, worker: NormalWorker, index: number): Promise<GivenAgain> {
  try {
    const handovers = await handoversFor(options.lanes, worker, index, true);
    return { ok: true, handovers, transferList: transferListOfHandovers(handovers) };
  } catch (error) {
    return { ok: false, message: `what its lanes transfer was not given again: ${(error as Error).message}` };
  }
}
