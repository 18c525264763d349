import type { ThreadReport, ThreadRequest } from '../host/thread-control.js';
import type { SchemaDescription } from '../memory/schema-layout.js';
import type { Environment, WorkerTelemetry } from '../telemetry/telemetry-data.js';
import type { MemoryHandle } from '../worker/attached-memory.js';
import type { FlightRecorderOptions } from '../worker/flight-recorder.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';
import type { QuarantinedTask } from './quarantine.js';
import type { SpareGroup } from './spare-groups.js';
import type { GivenAgain, Handover } from './transfer.js';

/** What crosses the control plane (typed calls through `threads`). Everything survives structured cloning. */

export interface LaneModule {
  readonly lane: number;
  readonly laneName: string;
  /** URL of the task module. */
  readonly url: string;
}

/** A task as a module declares it. */
export interface TaskDescription {
  readonly name: string;
  readonly input: SchemaDescription;
  readonly output: SchemaDescription;
  readonly deadlineMs: number | null;
  readonly budgetUs: number | null;
  readonly idempotent: boolean;
}

/** An error as plain data: `threads` keeps no codes. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly stack: string | null;
}

export type LoadResult =
  | { readonly ok: true; readonly lanes: readonly { lane: number; tasks: readonly TaskDescription[] }[] }
  | { readonly ok: false; readonly error: PlainError };

export interface AttachRequest {
  readonly memory: MemoryHandle;
  readonly epochUs: number;
  readonly workerIndex: number;
  /** Of the thread's tables; absent: the worker's index. */
  readonly column?: number;
  readonly lanes: readonly LaneInfo[];
  readonly tasks: readonly TaskInfo[];
  readonly spinUs: number;
  /** When garbage is collected. Default `auto`. */
  readonly gc?: 'auto' | 'inSlack';
  /** Of the flight recorder, or null for none. */
  readonly profile: FlightRecorderOptions | null;
  readonly thread: ThreadRequest;
  /** A thread of this worker has died before. */
  readonly replaces?: boolean;
  /** Of a spare: it serves when so many threads have ended their service in its column. */
  readonly life?: number;
  /** Of a spare that may take the place of several workers: it initialises its task modules as the one that it becomes. */
  readonly initializeAtTurn?: boolean;
  /** How long the task modules may take to initialise. */
  readonly readyTimeoutMs: number;
  /** It parks in its event loop. */
  readonly eventLoop: boolean;
  /** What its lanes transfer to it. */
  readonly handovers?: readonly Handover[];
  /** The same as a plain list: moves with the request. */
  readonly transferList?: readonly object[];
}

/** A worker thread: runs handlers. */
export interface WorkerApi {
  /** Imports the task modules and describes them. */
  load(modules: readonly LaneModule[]): Promise<LoadResult>;
  /** Attaches to the memory, applies the thread request, and begins to serve its lanes. */
  attach(request: AttachRequest): Promise<AttachResult>;
}

/** What a worker got. */
export interface AttachResult {
  readonly thread: ThreadReport;
  /** Which signals of its own time it can read. */
  readonly probes: WorkerTelemetry['probes'];
}

export interface WorkerSpec {
  readonly name: string;
  readonly modules: readonly LaneModule[];
  readonly resourceLimits: Readonly<Record<string, number>> | null;
}

/** What is known of a worker. */
export interface WorkerState {
  readonly report: ThreadReport | null;
  readonly probes: WorkerTelemetry['probes'] | null;
  readonly state: 'serving' | 'restarting' | 'gone';
  /** How often it died. */
  readonly deaths: number;
  /** Why it died last, or null. */
  readonly lastDeath: string | null;
  /** Warm spares that may take its place, shared with the workers that are like it. */
  readonly spares?: number;
  /** Its threads that hang in native code and cannot be ended. */
  readonly writtenOff?: number;
  /** Tasks that ended it time after time and are not run any more. */
  readonly quarantined?: readonly QuarantinedTask[];
}

export interface SupervisorSetup {
  readonly memory: MemoryHandle;
  readonly lanes: readonly LaneInfo[];
  readonly tasks: readonly TaskInfo[];
  readonly workers: readonly AttachRequest[];
  /** How long a job may run before its worker is ended, or null: for ever. */
  readonly hangMs: number | null;
  /** Whether it tells the other threads by what they know a standstill of everything. */
  readonly beats: boolean;
  readonly spareGroups: readonly SpareGroup[];
  /** How long the scheduler has run before they are made. */
  readonly spareDelayMs: number;
  /** Of all workers. */
  readonly transferList?: readonly object[];
}

/** Workers to be replaced by ones that import their task modules anew. */
export interface ReloadRequest {
  /** By index. */
  readonly workers: readonly number[];
  /** URLs to be used from now on, by lane. */
  readonly urls: readonly { readonly lane: number; readonly url: string }[];
  /** How long a running job may hold it up. */
  readonly drainMs: number;
}

export type ReloadAnswer =
  | {
      readonly ok: true;
      /** Those that were replaced, by index. */
      readonly workers: readonly number[];
      /** Tasks that are new, as `lane.task`. */
      readonly addedTasks: readonly string[];
      readonly loadMs: number;
      readonly switchMs: number;
    }
  | { readonly ok: false; readonly error: PlainError };

/** A telemetry socket to be served, with what the serving thread does not know by itself. */
export interface ServeRequest {
  readonly path: string;
  /** Of the process, for clients. */
  readonly pid: number;
  readonly name: string;
  readonly environment: Environment;
  readonly workers: readonly { readonly name: string; readonly lanes: readonly number[] }[];
  /** Streams whose xruns are told. */
  readonly streams: readonly { readonly name: string; readonly buffer: SharedArrayBuffer }[];
}

export type ServeResult =
  | { readonly ok: true; readonly id: number; readonly path: string; readonly identity: string | null }
  | { readonly ok: false; readonly error: PlainError };

/** The supervisor thread: owns the workers, runs no handlers. */
export interface SupervisorApi {
  start(workers: readonly WorkerSpec[], readyTimeoutMs: number, epochUs: number): Promise<readonly LoadResult[]>;
  attach(setup: SupervisorSetup): Promise<readonly WorkerState[]>;
  workers(): readonly WorkerState[];
  /** Which worker starts again and wants what its lanes transfer. Answers when there is one; null: there will be none. */
  nextHandover(): Promise<number | null>;
  handOver(worker: number, given: GivenAgain): void;
  /** Serves telemetry on a local socket from this thread, so that it answers while the main thread is blocked. */
  serveTelemetry(request: ServeRequest): Promise<ServeResult>;
  stopServing(id: number): Promise<void>;
  /** Replaces workers by ones that import their task modules anew. One reload at a time. */
  reload(request: ReloadRequest): Promise<ReloadAnswer>;
  /**
   * Stops the workers after the jobs that they run, ends them after `graceMs` at the latest, and settles what is left.
   * Answers how many threads could not be ended: they hang in native code.
   */
  close(graceMs: number): Promise<number>;
}

/** Methods of another thread, as this side calls them. */
export type Remote<Api> = {
  [K in keyof Api]: Api[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};
