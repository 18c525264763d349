import type { Clock } from '../base/time.js';
import type { Environment } from '../telemetry/telemetry-data.js';
import type { CpuTopology } from './cpu-topology.js';
import type { TelemetrySockets } from './telemetry-socket.js';
import type { MemoryLock, ThreadReport, ThreadRequest } from './thread-control.js';

/** A thread of the control plane as its owner holds it. */
export interface ControlledThread<Api> {
  readonly api: Api;
  /** Resolves when the thread has ended, with why. Never rejects. */
  readonly ended: Promise<ThreadEnd>;
  /** Ends the thread, also one in an endless loop. Resolves when it is gone. */
  terminate(): Promise<void>;
  /** Whether the thread keeps the process alive. */
  keepAlive(yes: boolean): void;
}

export interface ThreadEnd {
  readonly exitCode: number;
  /** What it threw outside a handler, or null. */
  readonly error: Error | null;
}

/** A timer that fires once at a time, at a precise moment. */
export interface PreciseTimer {
  /** Calls back at `atUs` (microseconds since the epoch), replacing what was set before. Never synchronously. */
  set(atUs: number, callback: () => void): void;
  cancel(): void;
}

/** The frames of the display that the host draws to. */
export interface DisplayFrames {
  /** Whether nothing is shown at present: then no frames come. */
  readonly hidden: boolean;
  /**
   * Calls back once, at the next frame, with the moment at which the display began it: microseconds since the epoch, not
   * in the future. Replaces what was asked for before.
   */
  next(callback: (startUs: number) => void): void;
  cancel(): void;
  /** Calls back when `hidden` has changed. Returns what ends that. */
  watch(onChange: () => void): () => void;
}

/** What held up the calling thread, as far as the platform tells. */
export interface HostSignals {
  /** Remembers where the thread stands. A few microseconds. */
  mark(): void;
  /** How long it was ready and not run since then, in microseconds; negative where nobody tells. */
  preemptedUs(): number;
  /** How long it collected garbage between two moments, in microseconds since the epoch. Allocates. */
  collectedUs(fromUs: number, toUs: number): number;
  /** Gives back what it holds. */
  end(): void;
}

/** Tells a process that stood still from a thread that was held up. */
export interface Standstill {
  /** Begins to watch: two looks a second. */
  watch(): void;
  unwatch(): void;
  /** How long everything stood still since it was last asked, in microseconds; to half a second. Cheap. */
  takeUs(): number;
}

/** A worker thread that is to be started. */
export interface ThreadToStart {
  readonly name: string;
  readonly resourceLimits: Readonly<Record<string, number>> | null;
}

/** What the scheduler needs of the place where it runs. One implementation per platform. */
export interface Platform {
  readonly name: string;
  /** Whether this thread may block (`Atomics.wait`). */
  readonly canBlock: boolean;
  /** CPUs that this process may really use. */
  readonly allowedCpus: readonly number[];
  /** The same CPUs with their cores and kinds. */
  readonly cpuTopology: CpuTopology;
  /** Threads that can run at once, at least 1. */
  readonly usableCpus: number;
  /** What telemetry tells of the place where it was measured. */
  environment(): Environment;
  /** The epoch of a new scheduler: now, on the clock that all threads share. */
  newEpochUs(): number;
  /** A clock of this thread that counts from the epoch. */
  clockSince(epochUs: number): Clock;
  timer(clock: Clock): PreciseTimer;
  /** What held up the calling thread. Absent: nobody tells. */
  hostSignals?(clock: Clock): HostSignals;
  /** Whether the process stood still. Absent: nobody tells. */
  standstill?(clock: Clock): Standstill;
  /** Calls back after what runs now. */
  soon(callback: () => void): void;
  /** Keeps the process alive until `drop` was called as often. */
  hold(): void;
  drop(): void;
  /** Starts the supervisor thread. `workers`: which it will be asked for at once, so that they can boot beside it. */
  spawnSupervisor<Api>(
    name: string,
    timeoutMs: number,
    workers: readonly ThreadToStart[],
  ): Promise<ControlledThread<Api>>;
  /** Keeps buffers from being paged out, as far as the system allows. */
  lockMemory(buffers: readonly SharedArrayBuffer[]): MemoryLock;
  /** What a thread would be granted, applied to the calling thread. */
  applyToThisThread(request: ThreadRequest): ThreadReport;
  /** The report of a thread of this process as it is now: others may have changed it. Some system calls. */
  readonly currentReport: (report: ThreadReport) => ThreadReport;
  /** Whether a debugger could stop this process's threads now. Cheap: asked for each frame. Absent: nobody can tell. */
  readonly isInspected?: () => boolean;
  /** Absent: there is no display, loops are driven by a timer. */
  readonly display?: (clock: Clock) => DisplayFrames;
  /**
   * Resolves when the word differs from `value`; null if it does already. Absent: `Atomics.waitAsync` does that.
   */
  readonly waitAsync?: (words: Int32Array, at: number, value: number) => Promise<unknown> | null;
  /** Absent: there are no local sockets here. */
  readonly telemetrySockets?: TelemetrySockets;
}
