import { checkKeys, checkSignal } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { Priority } from '../host/thread-control.js';
import { MAX_LANES, MAX_WORKERS } from '../memory/layout.js';
import { DEFAULT_TRACE_JOBS, jobTraceWords } from '../telemetry/job-trace.js';
import type { FlightRecorderOptions } from '../worker/flight-recorder.js';
import { checkDeadlineMs, type Task } from '../worker/task.js';
import { checkTransferred, type Transferred, type TransferTarget } from './transfer.js';

/** Names of the tasks that a module of type `M` exports; any name where the type is not known (a lane without `load`). */
export type TaskNames<M> = unknown extends M
  ? string
  : { [K in keyof M & string]: M[K] extends Task<infer _I, infer _O> ? K : never }[keyof M & string];

export interface LaneOptions<M = unknown> {
  /** URL of the task module, which every worker of the lane imports: `new URL('./x.tasks.js', import.meta.url)`. Not needed in inline mode. */
  tasks?: URL | string;
  /**
   * Imports the same module in this thread: `() => import('./x.tasks.js')`. It gives the types; it runs only in inline
   * mode, in tests, and with `hostHelps`.
   */
  load?: () => Promise<M>;
  /** Relative deadline in milliseconds of the lane's jobs outside frames: above 0, at most 600 000. Default 16. */
  deadlineMs?: number;
  /** Whether a job whose deadline has passed before it starts is run all the same, or dropped as `expired`. Default `run`; `drop` for periodic lanes and with `admission: 'estimate'`. */
  onExpired?: 'run' | 'drop';
  /**
   * What becomes of a submit when every slot of the lane is taken: it is refused (`full`), or the oldest job that was not
   * started gives way and ends `expired` with cause `shed`. Default `refuse`.
   */
  onFull?: 'refuse' | 'dropOldest';
  /**
   * `estimate`: a submit that could not make its deadline, or would make an accepted job miss its own, is refused
   * (`admission`), by the measured execution times and the work ahead of it. Expired jobs are dropped then unless
   * `onExpired` says otherwise, and with them those whose time left has become too short. Default `off`.
   */
  admission?: 'off' | 'estimate';
  /**
   * What its jobs are worth in overload, 0 to 1000, with `admission: 'estimate'`: where not all fit, jobs of less
   * important lanes that were not started give way (they end `expired` with cause `shed`). Default 1.
   */
  importance?: number;
  /** Slots of the lane's ring: jobs accepted and not yet given back. A power of two from 4 to 4096, default 256. */
  capacitySlots?: number;
  /** One task that a worker of the lane releases by itself, from its own clock, every `everyMs` milliseconds (0.1 to 60 000). */
  periodic?: { task: NoInfer<TaskNames<M>>; everyMs: number };
  /** Cloned once to the lane's workers: shared buffers stay shared. Handlers see it as `context.shared`. */
  shared?: Record<string, unknown>;
  /**
   * Objects that move to the lane's worker when it starts, by name: canvases, ports, buffers. Handlers see them in
   * `context.shared`, beside what `shared` holds. An object is given once: one worker may serve the lane then, and in a
   * worker that took a dead one's place reading them throws. A function is called in this thread for each worker that
   * starts, replacements included, and returns what it is to have, or a promise of it.
   */
  transfer?: Transferred | ((target: TransferTarget) => Transferred | Promise<Transferred>);
  /**
   * Whether the lane's workers return to their event loop between jobs: canvases are shown, messages come, timers and
   * promises go on there. A wake-up takes longer then and makes some garbage. Default: true with `transfer`, else false.
   */
  eventLoop?: boolean;
}

export interface WorkerOptions<Lane extends string = string> {
  /** Lanes that it serves, at least one. */
  lanes: readonly Lane[];
  /** How many such workers, 1 to 30, which all workers together may be. Default 1. */
  count?: number;
  /** How urgent its thread is to the operating system. Default `high`. What was granted is told by `describe()`. */
  priority?: Priority;
  /**
   * Numbers of the CPUs to run on, out of those that the process may use. Default: chosen where it helps; `describe()`
   * tells which and why.
   */
  cpus?: readonly number[];
  /** For debuggers and `/proc`. Default: the lanes' names. */
  name?: string;
  /** How long to look for work before parking, in microseconds, 0 to 1000. Default 0: park at once. */
  spinUs?: number;
  /**
   * `inSlack`: collects garbage between jobs, when the next deadline is far enough, so that less is collected inside jobs.
   * Node.js and Electron; `describe()` tells. Default `auto`: when the runtime sees fit.
   */
  gc?: 'auto' | 'inSlack';
  /** V8's limits, as of `node:worker_threads`. Without effect in a browser. */
  resourceLimits?: { maxOldGenerationSizeMb?: number; maxYoungGenerationSizeMb?: number; stackSizeMb?: number };
}

export interface SchedulerOptions<Lanes extends { [K in keyof Lanes]: unknown }> {
  /** 1 to 64 lanes by name. `main`, `then`, `toJSON` and the names of `Object.prototype` are taken. */
  lanes: { [K in keyof Lanes]: LaneOptions<Lanes[K]> };
  /** Default: derived from the lanes and the CPUs that the process may use; `describe()` tells the result. */
  workers?: readonly WorkerOptions<NoInfer<keyof Lanes & string>>[];
  /** `threads` (default): handlers run on workers. `inline`: in the calling thread, through `load`. */
  mode?: 'threads' | 'inline';
  /** Frames of one loop that may overlap, 1 to 3. Default 2. */
  framesInFlight?: number;
  /**
   * Keeps the scheduler's shared memory from being paged out, as far as the system allows; `describe().memoryLock` tells.
   * What the allocator keeps after `close()` stays locked: not for apps that create schedulers again and again.
   * Needs the native addon. Default false.
   */
  lockMemory?: boolean;
  /** What the flight recorder of jobs keeps (see `scheduler.jobTrace()`). */
  trace?: {
    /** Jobs of each thread: a power of two, 2 to 65536, 40 bytes each. Default 256. */
    jobsPerThread?: number;
  };
  /**
   * Keeps the CPU profiler of each worker running and writes a `.cpuprofile` file for Chrome DevTools after a job that
   * overran and missed its deadline. `true`: into the folder `frame-deadline-profiles`. Costs memory, a few percent of
   * CPU time, 15 to 30 ms when a worker starts, and some milliseconds of a worker once in 10 s. Default: none.
   */
  profile?:
    | boolean
    | {
        /** Default `frame-deadline-profiles`, in the working directory. */
        folder?: string;
        /** From one sample to the next, 50 to 100 000 microseconds. Default 1000. */
        sampleUs?: number;
        /** At most one file of each worker in so many seconds, 0 to 86 400. Default 10. */
        everyS?: number;
      };
  /**
   * Finds what keeps views and jobs for longer than they are valid: handlers and this thread work on private copies that
   * are detached when their time is over, and jobs of a frame are not used again; a later touch throws JOB_STALE. Copies
   * and allocates for each job: not for measuring. See docs/development.md. Default false.
   */
  development?: boolean;
  /** Whether `joinSync({ help: true })` may run jobs in this thread. Loads the task modules here. Default false. */
  hostHelps?: boolean;
  /**
   * How long a job may run, in milliseconds: then its worker is ended and started again, and the job ends `lost` with
   * cause `hung`. Rather twice too long than too short: what a job had in memory is lost with its worker. Not while an
   * inspector listens. 10 to 600 000, or Infinity: for ever. Default 1000.
   */
  hangMs?: number;
  /**
   * Warm spares for each group of workers that are alike, 0 to 8: threads with the task modules imported that take the
   * place of a worker that hangs or has died, at once. Each is a thread with a heap of its own (some 9 MiB and what the
   * modules hold) and imports the task modules once more. Default 1, made when the scheduler has run for a second; a
   * number that is given is made right after the start.
   */
  spares?: number;
  /** How long workers may take to start and import their task modules, in milliseconds, 1 to 600 000. Default 10 000. */
  readyTimeoutMs?: number;
  /** Closes the scheduler when aborted, as `close()` does. While it is being created, that rejects with SCHEDULER_CLOSED. */
  signal?: AbortSignal;
}

export interface NormalLane {
  readonly development?: boolean;
  readonly index: number;
  readonly name: string;
  readonly tasks: string | null;
  readonly load: (() => Promise<unknown>) | null;
  readonly deadlineMs: number | null;
  readonly onExpired: 'run' | 'drop';
  readonly onFull: 'refuse' | 'dropOldest';
  readonly admission: 'off' | 'estimate';
  readonly importance: number;
  readonly capacitySlots: number;
  readonly periodic: { readonly task: string; readonly everyMs: number } | null;
  readonly shared: Readonly<Record<string, unknown>>;
  readonly transfer: Transferred | ((target: TransferTarget) => Transferred | Promise<Transferred>) | null;
  readonly eventLoop: boolean;
}

export interface NormalWorker {
  readonly name: string;
  readonly lanes: readonly number[];
  readonly priority: Priority;
  readonly cpus: readonly number[] | null;
  /** Why these CPUs, in words. Set by `chooseCpus`. */
  readonly cpusReason?: string;
  readonly spinUs: number;
  /** Default `auto`. */
  readonly gc?: 'auto' | 'inSlack';
  readonly resourceLimits: Readonly<Record<string, number>> | null;
}

export interface NormalOptions {
  readonly lanes: readonly NormalLane[];
  /** null: to be derived. */
  readonly workers: readonly NormalWorker[] | null;
  readonly mode: 'threads' | 'inline';
  readonly framesInFlight: number;
  readonly lockMemory: boolean;
  /** null: for ever. */
  readonly hangMs: number | null;
  readonly spares: number;
  /** How long the scheduler has run before they are made. */
  readonly spareDelayMs: number;
  /** null: none. */
  readonly profile: FlightRecorderOptions | null;
  readonly traceJobs: number;
  readonly hostHelps: boolean;
  readonly readyTimeoutMs: number;
  readonly signal: AbortSignal | null;
}

const DEFAULT_HANG_MS = 1000;
const DEFAULT_SPARES = 1;
const MAX_SPARES = 8;
/** A scheduler that lives for less than this, in a script or a test, makes no spare unless it is asked to. */
const DEFAULT_SPARE_DELAY_MS = 1000;

const PRIORITIES: readonly Priority[] = ['normal', 'high', 'realtime'];

function invalid(what: string, value: unknown, expected: string): never {
  throw new FrameDeadlineError('OPTION_INVALID', `${what} is ${describeValue(value)}, expected ${expected}`);
}

function checkNumber(what: string, value: number, min: number, max: number, integer: boolean): number {
  if (typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
  return invalid(what, value, `${integer ? 'a whole number' : 'a number'} from ${min} to ${max}`);
}

function oneOf<T extends string>(what: string, value: T, expected: readonly T[]): T {
  if (expected.includes(value)) return value;
  return invalid(what, value, expected.map((one) => `'${one}'`).join(' or '));
}

/**
 * Checks all options and fills in defaults. Throws FrameDeadlineError with the option's name in the message.
 * `caller`: whose options these are; createTestScheduler takes handlers from `load`, as inline mode does.
 */
export function normalizeOptions(
  options: SchedulerOptions<Record<string, unknown>>,
  allowedCpus: readonly number[],
  caller: 'createScheduler' | 'createTestScheduler' = 'createScheduler',
): NormalOptions {
  if (typeof options !== 'object' || options === null) invalid(`the argument of ${caller}`, options, 'an object');
  checkKeys(caller, options, [
    'lanes',
    'workers',
    'mode',
    'framesInFlight',
    'lockMemory',
    'profile',
    'hangMs',
    'spares',
    'trace',
    'hostHelps',
    'development',
    'readyTimeoutMs',
    'signal',
  ]);
  checkSignal('signal', options.signal);
  const hostHelps = options.hostHelps ?? false;
  if (typeof hostHelps !== 'boolean') invalid('hostHelps', hostHelps, 'true or false');
  const development = options.development ?? false;
  if (typeof development !== 'boolean') invalid('development', development, 'true or false');
  const lockMemory = options.lockMemory ?? false;
  if (typeof lockMemory !== 'boolean') invalid('lockMemory', lockMemory, 'true or false');
  const mode = options.mode ?? 'threads';
  if (mode !== 'threads' && mode !== 'inline') invalid('mode', mode, "'threads' or 'inline'");
  if (typeof options.lanes !== 'object' || options.lanes === null)
    invalid('lanes', options.lanes, 'an object of lanes');
  const names = Object.keys(options.lanes);
  if (names.length === 0) invalid('lanes', options.lanes, 'at least one lane');
  if (names.length > MAX_LANES) invalid('the number of lanes', names.length, `at most ${MAX_LANES}`);
  const lanes = names.map((name, index) => ({
    ...normalizeLane(name, index, options.lanes[name]!, mode, hostHelps, caller),
    development,
  }));
  const workers = options.workers === undefined ? null : normalizeWorkers(options.workers, lanes, allowedCpus);
  return {
    lanes,
    workers,
    mode,
    lockMemory,
    traceJobs: traceJobsOf(options.trace),
    profile: profileOf(options.profile),
    hangMs: hangMsOf(options.hangMs),
    spares: checkNumber('spares', options.spares ?? DEFAULT_SPARES, 0, MAX_SPARES, true),
    spareDelayMs: options.spares === undefined ? DEFAULT_SPARE_DELAY_MS : 0,
    framesInFlight: checkNumber('framesInFlight', options.framesInFlight ?? 2, 1, 3, true),
    hostHelps,
    readyTimeoutMs: checkNumber('readyTimeoutMs', options.readyTimeoutMs ?? 10_000, 1, 600_000, false),
    signal: options.signal ?? null,
  };
}

function normalizeLane(
  name: string,
  index: number,
  lane: LaneOptions,
  mode: 'threads' | 'inline',
  hostHelps: boolean,
  caller: string,
): NormalLane {
  checkLaneName(name);
  const what = `lanes.${name}`;
  if (typeof lane !== 'object' || lane === null) invalid(what, lane, 'an object');
  checkKeys(what, lane, [
    'tasks',
    'load',
    'deadlineMs',
    'onExpired',
    'onFull',
    'admission',
    'importance',
    'capacitySlots',
    'periodic',
    'shared',
    'transfer',
    'eventLoop',
  ]);
  if (lane.load !== undefined && typeof lane.load !== 'function') invalid(`${what}.load`, lane.load, 'a function');
  if (mode === 'inline' && lane.load === undefined) {
    const who = caller === 'createScheduler' ? "mode 'inline'" : caller;
    invalid(`${what}.load`, undefined, `a function that imports the task module: ${who} needs it`);
  }
  if (hostHelps && lane.load === undefined)
    invalid(`${what}.load`, undefined, 'a function that imports the task module: hostHelps needs it');
  if (mode === 'threads' && lane.tasks === undefined)
    invalid(`${what}.tasks`, undefined, "a URL: new URL('./x.tasks.js', import.meta.url)");
  if (lane.deadlineMs !== undefined) checkDeadlineMs(lane.deadlineMs, `${what}.deadlineMs`);
  const onFull = oneOf(`${what}.onFull`, lane.onFull ?? 'refuse', ['refuse', 'dropOldest']);
  const admission = oneOf(`${what}.admission`, lane.admission ?? 'off', ['off', 'estimate']);
  if (lane.importance !== undefined) {
    checkNumber(`${what}.importance`, lane.importance, 0, 1000, false);
    if (admission === 'off')
      invalid(`${what}.importance`, lane.importance, "none, or admission: 'estimate' with it: that is what weighs it");
  }
  const onExpired = lane.onExpired ?? (lane.periodic === undefined && admission === 'off' ? 'run' : 'drop');
  if (onExpired !== 'run' && onExpired !== 'drop') invalid(`${what}.onExpired`, onExpired, "'run' or 'drop'");
  const capacitySlots = checkNumber(`${what}.capacitySlots`, lane.capacitySlots ?? 256, 4, 4096, true);
  if ((capacitySlots & (capacitySlots - 1)) !== 0) invalid(`${what}.capacitySlots`, capacitySlots, 'a power of two');
  if (lane.periodic !== undefined) {
    checkKeys(`${what}.periodic`, lane.periodic, ['task', 'everyMs']);
    checkNumber(`${what}.periodic.everyMs`, lane.periodic.everyMs, 0.1, 60_000, false);
    if (typeof lane.periodic.task !== 'string')
      invalid(`${what}.periodic.task`, lane.periodic.task, 'the name of a task');
  }
  checkShared(`${what}.shared`, lane.shared);
  const transfer = lane.transfer ?? null;
  if (transfer !== null && typeof transfer !== 'function')
    checkTransferred(`${what}.transfer`, transfer, lane.shared ?? {});
  if (transfer !== null && hostHelps && mode === 'threads')
    invalid(`${what}.transfer`, transfer, 'none with hostHelps: the host has nothing of what it gave away');
  const eventLoop = lane.eventLoop ?? transfer !== null;
  if (typeof eventLoop !== 'boolean') invalid(`${what}.eventLoop`, eventLoop, 'true or false');
  return {
    index,
    name,
    tasks: lane.tasks === undefined ? null : moduleUrl(`${what}.tasks`, lane.tasks),
    load: lane.load ?? null,
    deadlineMs: lane.deadlineMs ?? null,
    onExpired,
    onFull,
    admission,
    importance: lane.importance ?? 1,
    capacitySlots,
    periodic: lane.periodic === undefined ? null : { task: lane.periodic.task, everyMs: lane.periodic.everyMs },
    shared: lane.shared ?? {},
    transfer,
    eventLoop,
  };
}

/** `main` is the main thread in telemetry; the others are what objects by lane, as `scheduler.lanes`, have by themselves. */
function checkLaneName(name: string): void {
  if (!['main', 'then', 'toJSON'].includes(name) && !(name in Object.prototype)) return;
  invalid('the name of a lane', name, 'another one: this has a meaning already');
}

/** It is cloned to every worker of the lane: what cannot be is told here, not by a worker that fails to start. */
function checkShared(what: string, shared: unknown): void {
  if (shared === undefined) return;
  if (typeof shared !== 'object' || shared === null) invalid(what, shared, 'an object');
  try {
    structuredClone(shared);
  } catch (error) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `${what} cannot be cloned to a worker (${(error as Error).message}), expected plain data and shared buffers`,
      { cause: error },
    );
  }
}

function moduleUrl(what: string, tasks: URL | string): string {
  try {
    return new URL(tasks).href;
  } catch {
    return invalid(what, tasks, "a URL: new URL('./x.tasks.js', import.meta.url)");
  }
}

function normalizeWorkers(
  workers: readonly WorkerOptions[],
  lanes: readonly NormalLane[],
  allowedCpus: readonly number[],
): NormalWorker[] {
  if (!Array.isArray(workers) || workers.length === 0)
    invalid('workers', workers, 'an array of at least one worker, or nothing');
  const normal = workers.flatMap((worker, i) => {
    const what = `workers[${i}]`;
    if (typeof worker !== 'object' || worker === null) invalid(what, worker, 'an object');
    checkKeys(what, worker, ['lanes', 'count', 'priority', 'cpus', 'name', 'spinUs', 'gc', 'resourceLimits']);
    if (!Array.isArray(worker.lanes) || worker.lanes.length === 0) {
      throw new FrameDeadlineError(
        'WORKER_WITHOUT_LANE',
        `${what} serves no lane, expected lanes: [...] with at least one name`,
      );
    }
    const served: number[] = worker.lanes.map((name: string) => laneNamed(name, lanes, what).index);
    const twice = served.find((lane: number, at: number) => served.indexOf(lane) !== at);
    if (twice !== undefined)
      invalid(`${what}.lanes`, worker.lanes, `each lane once: ${lanes[twice]!.name} is there twice`);
    const priority = worker.priority ?? 'high';
    if (!PRIORITIES.includes(priority))
      invalid(`${what}.priority`, priority, PRIORITIES.map((p) => `'${p}'`).join(', '));
    const cpus = worker.cpus === undefined ? null : checkCpus(what, worker.cpus, allowedCpus);
    const count = checkNumber(`${what}.count`, worker.count ?? 1, 1, MAX_WORKERS, true);
    const spinUs = checkNumber(`${what}.spinUs`, worker.spinUs ?? 0, 0, 1000, false);
    const gc = worker.gc ?? 'auto';
    if (gc !== 'auto' && gc !== 'inSlack') invalid(`${what}.gc`, gc, "'auto' or 'inSlack'");
    const name = worker.name ?? served.map((lane) => lanes[lane]!.name).join('+');
    if (typeof name !== 'string') invalid(`${what}.name`, name, 'a string');
    return Array.from({ length: count }, (_, n) => ({
      name: count === 1 ? name : `${name}-${n}`,
      lanes: served,
      priority,
      cpus,
      spinUs,
      gc,
      resourceLimits: worker.resourceLimits === undefined ? null : { ...worker.resourceLimits },
    }));
  });
  if (normal.length > MAX_WORKERS) invalid('the number of workers', normal.length, `at most ${MAX_WORKERS}`);
  for (const lane of lanes) {
    const servers = normal.filter((worker) => worker.lanes.includes(lane.index)).length;
    if (servers > 1 && lane.transfer !== null && typeof lane.transfer !== 'function') {
      invalid(`lanes.${lane.name}.transfer`, lane.transfer, `a function, since ${servers} workers serve the lane`);
    }
    if (servers > 0) continue;
    throw new FrameDeadlineError(
      'LANE_UNSERVED',
      `no worker serves lane ${lane.name}; name it in the lanes of one of the workers`,
    );
  }
  return normal;
}

function laneNamed(name: string, lanes: readonly NormalLane[], what: string): NormalLane {
  const lane = lanes.find((candidate) => candidate.name === name);
  if (lane !== undefined) return lane;
  const known = lanes.map((candidate) => candidate.name).join(', ');
  throw new FrameDeadlineError('LANE_UNKNOWN', `${what} serves lane ${describeValue(name)}, expected one of ${known}`);
}

function checkCpus(what: string, cpus: readonly number[], allowed: readonly number[]): readonly number[] {
  if (!Array.isArray(cpus) || cpus.length === 0) invalid(`${what}.cpus`, cpus, 'an array of at least one CPU number');
  for (const cpu of cpus) {
    if (allowed.includes(cpu)) continue;
    const message = `${what}.cpus: CPU ${describeValue(cpu)} does not exist or is not allowed to this process, expected out of ${allowed.join(', ')}`;
    throw new FrameDeadlineError('CPU_NOT_ALLOWED', message);
  }
  return [...new Set(cpus)].sort((a, b) => a - b);
}

function hangMsOf(given: number | undefined): number | null {
  if (given === Number.POSITIVE_INFINITY) return null;
  return checkNumber('hangMs', given ?? DEFAULT_HANG_MS, 10, 600_000, false);
}

function traceJobsOf(trace: SchedulerOptions<Record<string, unknown>>['trace']): number {
  if (trace === undefined) return DEFAULT_TRACE_JOBS;
  checkKeys('trace', trace, ['jobsPerThread']);
  const jobs = trace.jobsPerThread ?? DEFAULT_TRACE_JOBS;
  jobTraceWords(jobs);
  return jobs;
}

function profileOf(given: SchedulerOptions<Record<string, unknown>>['profile']): FlightRecorderOptions | null {
  if (given === undefined || given === false) return null;
  const profile = given === true ? {} : given;
  if (typeof profile !== 'object' || profile === null) invalid('profile', given, 'true, false or an object');
  checkKeys('profile', profile, ['folder', 'sampleUs', 'everyS']);
  const { folder = 'frame-deadline-profiles' } = profile;
  if (typeof folder !== 'string' || folder === '') invalid('profile.folder', folder, 'the name of a folder');
  return {
    folder,
    sampleUs: checkNumber('profile.sampleUs', profile.sampleUs ?? 1000, 50, 100_000, true),
    everyS: checkNumber('profile.everyS', profile.everyS ?? 10, 0, 86_400, false),
  };
}
