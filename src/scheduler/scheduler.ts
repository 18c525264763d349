import { checkKeys, checkSignal } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { DEFAULT_DEADLINE_MS } from '../base/time.js';
import type { MemoryLock, ThreadReport } from '../host/thread-control.js';
import type { Literal, Schema } from '../memory/fields.js';
import { CONTROL_CLOSING } from '../memory/layout.js';
import { layoutSchema, schemaFromDescription } from '../memory/schema-layout.js';
import type { JobTrace } from '../telemetry/job-trace-data.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import type { Environment, Miss, Telemetry } from '../telemetry/telemetry-data.js';
import { checkDeadlineMs, type Task } from '../worker/task.js';
import { SlotViews } from '../worker/task-runtime.js';
import type { Backend } from './backend.js';
import { type Description, describeScheduler } from './describe.js';
import type { Frame } from './frame.js';
import { FrameLog } from './frame-log.js';
import { FramePool, FrameSlots } from './frame-pool.js';
import type { HostCore } from './host-core.js';
import type { Job } from './job.js';
import { collectJobTrace } from './job-trace-reader.js';
import { FrameLoop, type LoopOptions } from './loop.js';
import { type MissListener, MissLog } from './miss-log.js';
import type { NormalOptions, NormalWorker } from './options.js';
import type { Plan } from './plan.js';
import type { ReloadAnswer, ReloadRequest, WorkerState } from './protocol.js';
import type { ReloadOptions, ReloadResult, Reloads } from './reloads.js';
import type { ServedTelemetry, ServeTelemetryOptions, TelemetryHost } from './serve-telemetry.js';
import { laneHistogram, type Snapshot, snapshotOf } from './snapshot.js';
import { TaskHandle } from './task-handle.js';
import { missDecoderOf, TelemetryReader, type TelemetrySetup } from './telemetry-reader.js';
import { WatchedSlotViews } from './watched-slots.js';

/** The tasks of one lane as handles to submit with, by name. Of a lane without `load` any name, of any fields: types are not known. */
export type Handles<M> = unknown extends M
  ? Readonly<Record<string, TaskHandle>>
  : {
      readonly [K in keyof M as M[K] extends Task<infer _I, infer _O> ? K : never]: M[K] extends Task<infer I, infer O>
        ? TaskHandle<I, O>
        : never;
    };

export interface SubmitOptions {
  /** Relative deadline in milliseconds, above 0, at most 600 000. Default: the task's, else the lane's. */
  deadlineMs?: number;
  /** Cancels the job when aborted, as `job.cancel()` does. One that is aborted already: no handler is called. */
  signal?: AbortSignal;
}
export interface BeginFrameOptions {
  /** Relative deadline of the frame's jobs in milliseconds, above 0, at most 600 000. Default 16. */
  deadlineMs?: number;
  /** Cancels the frame's jobs when aborted, those that are submitted afterwards too: each ends `cancelled`. */
  signal?: AbortSignal;
}
export interface CloseOptions {
  /**
   * How long accepted jobs may go on, in milliseconds, 0 to 600 000: then those that were not started end `cancelled`,
   * running ones `lost`. Default 1000.
   */
  drainMs?: number;
}

/** What a scheduler is made of: built by `createScheduler` and by the testing entry. */
export interface SchedulerParts {
  readonly options: NormalOptions;
  readonly placed: readonly NormalWorker[];
  readonly derived: boolean;
  readonly plan: Plan;
  readonly backend: Backend;
  readonly core: HostCore;
  readonly states: readonly WorkerState[];
  readonly allowedCpus: readonly number[];
  readonly environment: Environment;
  readonly memoryLock: MemoryLock | null;
  /** Ends what runs the handlers, giving running jobs `graceMs`. */
  stop(graceMs: number): Promise<void>;
  refreshStates(): Promise<readonly WorkerState[]>;
  /** Replaces workers by ones that import their task modules anew. Absent: that cannot be done here. */
  readonly reload?: (request: ReloadRequest) => Promise<ReloadAnswer>;
  /** Absent: telemetry sockets cannot be served. */
  readonly telemetryHost?: TelemetryHost;
  /** What became of a worker's thread since it reported. Absent: nothing can. */
  readonly currentReport?: (report: ThreadReport) => ThreadReport;
}

/**
 * Submits jobs to lanes and reads how they went. Made by `createScheduler`; all methods belong to the thread that
 * called it. Does not keep the process alive by itself: a running loop, a join or an awaited job does, and so does a
 * periodic lane.
 */
export class Scheduler<Lanes = Record<string, unknown>> {
  /** By lane and task name: what to submit. */
  readonly lanes: { readonly [K in keyof Lanes]: Handles<Lanes[K]> };
  private readonly parts: SchedulerParts;
  private readonly core: HostCore;
  private readonly frameSlots: FrameSlots;
  private readonly hostFrames: FramePool;
  private readonly loops: FrameLoop[];
  private readonly missLog: MissLog;
  private readonly frameLog: FrameLog;
  private readonly telemetrySetup: TelemetrySetup;
  private readonly totals: TelemetryReader;
  private readonly handles: TaskHandle[];
  private states: readonly WorkerState[];
  private readonly served: Set<Promise<ServedTelemetry>>;
  /** Loaded by the first reload: most apps have none. */
  private reloads: Promise<Reloads> | null;
  private closing: Promise<void> | null;
  private readonly onAbort: () => void;

  /** @internal */
  constructor(parts: SchedulerParts) {
    this.parts = parts;
    const { core, plan, options } = parts;
    this.core = core;
    this.states = parts.states;
    this.handles = [];
    this.lanes = this.makeHandles() as { readonly [K in keyof Lanes]: Handles<Lanes[K]> };
    this.frameSlots = new FrameSlots();
    core.frameSlots = this.frameSlots;
    this.frameLog = new FrameLog(core.memory);
    this.hostFrames = new FramePool(core, this.frameSlots, options.framesInFlight, this.frameLog.hostFrames);
    this.loops = [];
    this.telemetrySetup = {
      memory: core.memory,
      clock: parts.backend.clock,
      lanes: plan.lanes,
      tasks: plan.tasks,
      workers: parts.placed,
      environment: parts.environment,
      states: () => this.states,
    };
    this.totals = new TelemetryReader(this.telemetrySetup, 'total');
    this.missLog = new MissLog(parts.backend, missDecoderOf(this.telemetrySetup));
    this.served = new Set();
    this.reloads = null;
    this.closing = null;
    this.onAbort = () => void this.close();
    options.signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /**
   * Submits one job outside frames. It keeps its slot until `job.release()`; a job that ended and was not released gives
   * way when the ring is full, oldest first. Never blocks; allocates the job.
   * @throws FrameDeadlineError PAYLOAD_INVALID, DEADLINE_INVALID, OPTION_INVALID, TASK_UNKNOWN. Never because of load: look
   * at `job.refused`.
   */
  submit<I extends Schema, O extends Schema>(
    task: TaskHandle<I, O>,
    input?: Literal<I>,
    options?: SubmitOptions,
  ): Job<I, O> {
    if (options !== undefined) checkKeys('the options of submit', options, ['deadlineMs', 'signal']);
    const handle = task as unknown as TaskHandle;
    return this.core.submitSingle(
      handle,
      input as Literal<Schema> | undefined,
      options?.deadlineMs,
      options?.signal,
    ) as unknown as Job<I, O>;
  }

  /**
   * Begins a frame for a host with a loop of its own. Its jobs share a deadline counted from now. Each frame must be
   * joined, polled or cancelled: one that is not stays open. If `framesInFlight` frames are unfinished, `frame.refused`
   * says so and its submits are refused. Never blocks; allocates nothing but for a `signal`.
   * @throws FrameDeadlineError DEADLINE_INVALID, OPTION_INVALID, SCHEDULER_CLOSED
   */
  beginFrame(options?: BeginFrameOptions): Frame {
    const deadlineMs = options?.deadlineMs ?? DEFAULT_DEADLINE_MS;
    for (const key in options)
      if (key !== 'deadlineMs') checkKeys('the options of beginFrame', options, ['deadlineMs', 'signal']);
    checkSignal('signal of a frame', options?.signal);
    checkDeadlineMs(deadlineMs, 'deadlineMs of a frame');
    this.requireOpen('beginFrame');
    const nowUs = this.parts.backend.clock.nowUs();
    const frame = this.hostFrames.begin(nowUs, (nowUs + Math.round(deadlineMs * 1000)) | 0);
    if (options?.signal !== undefined) frame.follow(options.signal, 'signal of a frame');
    return frame;
  }

  /**
   * Calls back at the intended time of each frame until the signal is aborted or the scheduler closes; then it resolves.
   * Up to 8 loops may run side by side.
   *
   * Rejects with what the callback throws, or with a FrameDeadlineError: OPTION_INVALID, DEADLINE_INVALID,
   * SCHEDULER_CLOSED.
   */
  async loop(options: LoopOptions, callback: (frame: Frame) => void | Promise<void>): Promise<void> {
    this.requireOpen('loop');
    const frames = (hz: number, deadlineUs: number, byDisplay: boolean) => {
      const log = this.frameLog.beginLoop(hz, deadlineUs, byDisplay);
      try {
        return { log, pool: new FramePool(this.core, this.frameSlots, this.parts.options.framesInFlight, log) };
      } catch (error) {
        log.row!.ended();
        throw error;
      }
    };
    const loop = new FrameLoop(this.core, frames, options, callback);
    this.loops.push(loop);
    try {
      await loop.run();
    } finally {
      this.loops.splice(this.loops.indexOf(loop), 1);
    }
  }

  /**
   * Calls the listener for each missed deadline, at most 200 times a second. Returns a function that ends it.
   * @throws FrameDeadlineError OPTION_INVALID for what is no function
   */
  onMiss(listener: MissListener): () => void {
    if (typeof listener !== 'function') {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `onMiss was given ${describeValue(listener)}, expected a function`,
      );
    }
    return this.missLog.listen(listener);
  }

  /** The last misses (up to 256), oldest first. Allocates. */
  recentMisses(): Miss[] {
    return this.missLog.recent();
  }

  /** Counts and latencies since the start, as plain data with units in its keys. Disturbs no worker. Allocates. */
  snapshot(): Snapshot<keyof Lanes & string> {
    const closing = Atomics.load(this.core.memory.control, CONTROL_CLOSING) !== 0;
    return snapshotOf(this.totals.read(), closing) as Snapshot<keyof Lanes & string>;
  }

  /**
   * Everything that was measured since the start, distributions bucket by bucket: what the exporters of
   * `frame-deadline/prometheus` and its siblings read. Disturbs no worker. Allocates; some 0.1 ms per task.
   */
  telemetry(): Telemetry {
    return this.totals.read();
  }

  /**
   * The same for what happened since the last `read()`, at first since this call. Any number of windows stand side by
   * side; nothing is ever reset. Allocates about 260 KiB per task, and on each `read()`.
   */
  telemetryWindow(): TelemetryReader {
    return new TelemetryReader(this.telemetrySetup, 'window');
  }

  /**
   * One of a lane's latencies as a Histogram of hdr-histogram-js, in nanoseconds: to merge, to encode, for any
   * percentile. Loads that package on the first call. Rejects with a FrameDeadlineError: LANE_UNKNOWN, OPTION_INVALID.
   */
  async histogram(lane: keyof Lanes & string, name: HistogramName): Promise<import('hdr-histogram-js').Histogram> {
    const info = this.parts.plan.lanes.find((candidate) => candidate.name === lane);
    if (info === undefined) {
      const known = this.parts.plan.lanes.map((candidate) => candidate.name).join(', ');
      throw new FrameDeadlineError('LANE_UNKNOWN', `there is no lane ${describeValue(lane)}, expected one of ${known}`);
    }
    if (!HISTOGRAMS.includes(name)) {
      const known = HISTOGRAMS.join(', ');
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `there is no histogram ${describeValue(name)}, expected one of ${known}`,
      );
    }
    const { toHdrHistogram } = await import('../telemetry/hdr-histogram.js');
    return toHdrHistogram(laneHistogram(this.totals.read().lanes[info.index]!, name));
  }

  /**
   * The last jobs of every thread (as many as the option `trace.jobsPerThread` says), with the frames and misses around
   * them: what `chromeTrace` of `frame-deadline/trace` draws. Disturbs no worker. Allocates an object per job.
   */
  jobTrace(): JobTrace {
    const { loops, frames, misses } = this.totals.read();
    return collectJobTrace(this.telemetrySetup, { loops, frames, misses, xruns: [], gc: [] });
  }

  /**
   * Serves this telemetry on a local socket that only this user (and root) can connect to: what `frame-deadline top` and
   * `connectTelemetry` attach to; the protocol is in docs/telemetry-protocol.md. The supervisor thread serves it, so it
   * answers while this thread is blocked; in inline mode this thread does. At most 8 clients; none of them keeps the
   * process alive or holds up a worker. The socket is removed by its `close()`, with the scheduler, and when the process
   * exits; one that a killed process left behind is replaced.
   *
   * Rejects with a FrameDeadlineError: TELEMETRY_PATH_IN_USE if there is anything else at the path (nothing but a dead
   * socket of this user is ever removed), OPTION_INVALID for a path that no socket can have, OUTPUT_UNWRITABLE where none
   * can be made, SCHEDULER_CLOSED.
   */
  async serveTelemetry(options: ServeTelemetryOptions): Promise<ServedTelemetry> {
    this.requireOpen('serveTelemetry');
    const { telemetryHost, environment, placed } = this.parts;
    const serving = import('./serve-telemetry.js').then(({ serveTelemetryOn }) =>
      serveTelemetryOn(telemetryHost, options, environment, placed),
    );
    this.served.add(serving);
    try {
      return await serving;
    } catch (error) {
      this.served.delete(serving);
      throw error;
    }
  }

  /**
   * What is in force: placement, priorities, deadlines, memory. `String(scheduler.describe())` tells it in words. Which
   * threads there are is as of the start or the last `refresh()`: a worker that died and was replaced is told after that.
   */
  describe(): Description {
    const { options, placed, derived, plan, allowedCpus, memoryLock, currentReport } = this.parts;
    const states =
      currentReport === undefined || this.closing !== null
        ? this.states
        : this.states.map((state) =>
            state.report === null ? state : { ...state, report: currentReport(state.report) },
          );
    return describeScheduler(options, placed, derived, plan, states, allowedCpus, memoryLock);
  }

  /**
   * For development: imports a lane's task module anew in a spare thread for each of its workers and lets these take over
   * between two frames. No frame is split between old and new code, jobs that were started end on the old one, queued
   * ones run on the new one, and module variables begin anew. All workers that share a lane with them are replaced too.
   * A second call while the first is under way begins after it. See docs/development.md.
   *
   * Rejects with a FrameDeadlineError, and the old code stays in service: TASK_MODULE_MISMATCH if the tasks' fields,
   * deadlines, budgets or names have changed, TASK_MODULE_FAILED, TASK_MODULE_NOT_FOUND, TASK_MODULE_EMPTY,
   * READY_TIMEOUT or WORKER_DIED if the module cannot be imported; RELOAD_UNAVAILABLE in inline mode, with `hostHelps`
   * and for lanes that transfer what there is only once; LANE_UNKNOWN, OPTION_INVALID, SCHEDULER_CLOSED.
   */
  async reload(lane: keyof Lanes & string, options: ReloadOptions = {}): Promise<ReloadResult> {
    this.requireOpen('reload');
    this.parts.backend.hold();
    try {
      const { options: own, placed, reload = null } = this.parts;
      this.reloads ??= import('./reloads.js').then(({ Reloads }) => new Reloads(own, placed, reload));
      return await (await this.reloads).reload(lane, options);
    } catch (error) {
      this.requireOpen('reload', error);
      throw error;
    } finally {
      this.parts.backend.drop();
    }
  }

  /** Asks the supervisor how the workers are; `describe()` tells the answer. */
  async refresh(): Promise<Description> {
    if (this.closing === null) this.states = await this.parts.refreshStates();
    return this.describe();
  }

  /**
   * Refuses new jobs, waits up to `drainMs` for the accepted ones, cancels what was not started, ends the threads.
   * Afterwards every job has its outcome, no thread is left and nothing keeps the process alive. Calling it again gives
   * the same promise.
   * @throws FrameDeadlineError OPTION_INVALID
   */
  close(options?: CloseOptions): Promise<void> {
    if (options !== undefined) checkKeys('the options of close', options, ['drainMs']);
    const drainMs = options?.drainMs ?? 1000;
    if (!(typeof drainMs === 'number' && drainMs >= 0 && drainMs <= 600_000)) {
      throw new FrameDeadlineError('OPTION_INVALID', `drainMs is ${describeValue(drainMs)}, expected 0 to 600000`);
    }
    this.closing ??= this.closeOnce(drainMs);
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async closeOnce(drainMs: number): Promise<void> {
    const { core, parts } = this;
    parts.options.signal?.removeEventListener('abort', this.onAbort);
    for (const handle of this.handles) handle.abandon();
    core.refuseAll();
    for (const loop of this.loops) loop.end();
    parts.backend.hold();
    const started = parts.backend.clock.nowPreciseUs();
    const leftMs = (): number => drainMs - (parts.backend.clock.nowPreciseUs() - started) / 1000;
    await core.drained(leftMs);
    core.noteEnding();
    core.cancelUnstarted();
    await Promise.allSettled([...this.served].map(async (served) => (await served).close()));
    await parts.stop(Math.max(0, leftMs()));
    core.settleAll();
    this.missLog.close();
    parts.backend.drop();
  }

  private requireOpen(what: string, cause?: unknown): void {
    if (this.closing === null) return;
    const when = cause === undefined ? 'was called after' : 'was interrupted by';
    throw new FrameDeadlineError('SCHEDULER_CLOSED', `${what} ${when} close(); create another scheduler`, { cause });
  }

  private makeHandles(): Record<string, Record<string, TaskHandle>> {
    const { core, plan } = this.parts;
    const lanes: Record<string, Record<string, TaskHandle>> = {};
    for (const lane of plan.lanes) {
      const ringIndex = core.producers.findIndex(
        (producer, index) => producer !== null && core.memory.ringHandles[index]!.lane === lane.index,
      );
      const producer = core.producers[ringIndex]!;
      const handles: Record<string, TaskHandle> = {};
      for (const info of plan.tasks.filter((task) => task.lane === lane.index)) {
        const description = plan.descriptions[info.index]!;
        const input = schemaFromDescription(description.input);
        const output = schemaFromDescription(description.output);
        const name = `${lane.name}.${info.name}`;
        const Views = info.development === true ? WatchedSlotViews : SlotViews;
        const views = new Views({ input, output }, info.outputOffset, producer.ring, name);
        const handle = new TaskHandle(
          info,
          lane.name,
          ringIndex,
          producer,
          views,
          layoutSchema(input, `input of ${name}`),
          output,
          lane.periodic?.task === info.index,
          lane.onFull === 'dropOldest',
          core,
        );
        handles[info.name] = handle;
        this.handles.push(handle);
      }
      lanes[lane.name] = strict(handles, `lane ${lane.name}`, 'TASK_UNKNOWN', 'task');
    }
    return strict(lanes, 'the scheduler', 'LANE_UNKNOWN', 'lane');
  }
}

/** Reading an unknown name is an error with words instead of `undefined`. */
function strict<T extends object>(of: T, owner: string, code: 'TASK_UNKNOWN' | 'LANE_UNKNOWN', what: string): T {
  return new Proxy(of, {
    get(target, name, receiver) {
      // promises and printers look for these
      if (typeof name === 'symbol' || name in target || name === 'then' || name === 'toJSON') {
        return Reflect.get(target, name, receiver);
      }
      const known = Object.keys(target).join(', ');
      throw new FrameDeadlineError(code, `${owner} has no ${what} ${describeValue(name)}, expected one of ${known}`);
    },
  });
}
