import RingBuffer from 'ringbufferjs';
import { momentOf } from '../base/time.js';
import { CONTROL_MISS_EPOCH, CONTROL_MISS_LISTENING } from '../memory/layout.js';
import * as record from '../telemetry/miss-record.js';
import { MISS_CAUSES, type MissCause, OUTCOME_NAMES, type Outcome } from '../telemetry/outcomes.js';
import { RecordRingReader } from '../telemetry/record-ring.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';
import type { Backend } from './backend.js';

/** One missed deadline. Times in microseconds; `atUs` and `deadlineAtUs` count from the scheduler's epoch. */
export interface Miss {
  readonly lane: string;
  readonly task: string;
  /** Name of the worker that ran or would have run it; `main` for the host; null for the supervisor. */
  readonly worker: string | null;
  /** Number of the frame, or null outside frames. */
  readonly frame: number | null;
  readonly outcome: Outcome;
  /** The primary cause. */
  readonly cause: MissCause;
  /** All that contributed, the primary cause among them. */
  readonly causes: readonly MissCause[];
  /** Intended release. */
  readonly releaseAtUs: number;
  readonly deadlineAtUs: number;
  /** Finish minus deadline. */
  readonly tardinessUs: number;
  /** Parts of the response time, disjoint. What cannot be told here is null. */
  readonly segments: {
    readonly wakeupUs: number;
    readonly waitingBehindUs: number;
    readonly executionUs: number;
    readonly gcUs: number | null;
    readonly preemptedUs: number | null;
  };
  /** How much too late it was submitted to be done in time, by the task's p90 execution. */
  readonly lateSubmitUs: number;
  /** What held the worker longest while this job waited, or null. */
  readonly culprit: {
    readonly lane: string;
    readonly task: string;
    readonly frame: number | null;
    readonly executionUs: number;
  } | null;
  /** Periods that this record stands for: above 1 where several releases in a row were not served. */
  readonly periods: number;
}

/** Misses kept whole. */
export const MISS_LOG_CAPACITY = 256;
/** Calls of listeners in a second; what is beyond is counted and kept, but nobody is called. */
const CALLS_PER_SECOND = 200;

export type MissListener = (miss: Miss) => void;

/** Reads the threads' miss rings, keeps the last misses, and calls who listens. Host thread only. */
export class MissLog {
  /** Records that were overwritten before they were read. */
  overwritten: number;
  /** Misses for which no listener was called, because there were too many in a second. */
  unreported: number;
  private readonly backend: Backend;
  private readonly lanes: readonly LaneInfo[];
  private readonly tasks: readonly TaskInfo[];
  private readonly workerNames: readonly string[];
  private readonly readers: readonly RecordRingReader[];
  private readonly last: RingBuffer<Miss>;
  private readonly listeners: Set<MissListener>;
  private watching: boolean;
  private closed: boolean;
  private windowStartUs: number;
  private callsInWindow: number;

  constructor(
    backend: Backend,
    lanes: readonly LaneInfo[],
    tasks: readonly TaskInfo[],
    workerNames: readonly string[],
  ) {
    this.backend = backend;
    this.lanes = lanes;
    this.tasks = tasks;
    this.workerNames = workerNames;
    const { telemetry, telemetryLayout } = backend.memory;
    this.readers = Array.from(
      { length: telemetryLayout.rowCount },
      (_, row) =>
        new RecordRingReader(telemetry, telemetryLayout.missRing(row), record.MISS_CAPACITY, record.MISS_RECORD_WORDS),
    );
    this.last = new RingBuffer<Miss>(MISS_LOG_CAPACITY);
    this.listeners = new Set();
    this.overwritten = 0;
    this.unreported = 0;
    this.watching = false;
    this.closed = false;
    this.windowStartUs = 0;
    this.callsInWindow = 0;
  }

  /** Calls the listener for each miss from now on. Returns how to end that. */
  listen(listener: MissListener): () => void {
    this.drain();
    this.listeners.add(listener);
    Atomics.store(this.backend.memory.control, CONTROL_MISS_LISTENING, 1);
    if (!this.watching) {
      this.watching = true;
      void this.watch();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) Atomics.store(this.backend.memory.control, CONTROL_MISS_LISTENING, 0);
    };
  }

  /** The last misses, oldest first. */
  recent(): Miss[] {
    this.drain();
    return this.last.peekN(this.last.size());
  }

  close(): void {
    this.drain();
    this.closed = true;
    Atomics.add(this.backend.memory.control, CONTROL_MISS_EPOCH, 1);
    Atomics.notify(this.backend.memory.control, CONTROL_MISS_EPOCH);
  }

  drain(): void {
    for (const reader of this.readers) {
      const found: Miss[] = [];
      const { overwritten } = reader.drain((words) => found.push(this.missOf(words)));
      this.overwritten += overwritten;
      for (const miss of found) {
        this.last.enq(miss);
        this.report(miss);
      }
    }
  }

  private async watch(): Promise<void> {
    while (!this.closed && this.listeners.size > 0) {
      const epoch = Atomics.load(this.backend.memory.control, CONTROL_MISS_EPOCH); // acquire
      this.drain();
      const wait = this.backend.waitAsync(CONTROL_MISS_EPOCH, epoch);
      if (wait !== null) await wait;
    }
    this.watching = false;
  }

  private report(miss: Miss): void {
    if (this.listeners.size === 0) return;
    const nowUs = this.backend.clock.nowPreciseUs();
    if (nowUs - this.windowStartUs > 1e6) {
      this.windowStartUs = nowUs;
      this.callsInWindow = 0;
    }
    if (this.callsInWindow >= CALLS_PER_SECOND) {
      this.unreported++;
      return;
    }
    this.callsInWindow++;
    for (const listener of this.listeners) {
      try {
        listener(miss);
      } catch (error) {
        // the listener's own fault must not stop the telemetry: it surfaces as any uncaught error does
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  private missOf(words: Int32Array): Miss {
    const task = this.tasks[words[record.MISS_TASK]!]!;
    const culprit = words[record.MISS_CULPRIT_TASK]! - 1;
    const mask = words[record.MISS_CAUSE_MASK]!;
    const column = words[record.MISS_COLUMN]!;
    const culpritTask = culprit < 0 ? null : this.tasks[culprit]!;
    const frame = words[record.MISS_FRAME_NUMBER]!;
    return {
      lane: this.lanes[task.lane]!.name,
      task: task.name,
      worker: this.workerNames[column] ?? (column === this.workerNames.length ? 'main' : null),
      frame: frame < 0 ? null : frame,
      outcome: OUTCOME_NAMES[words[record.MISS_OUTCOME]!] as Outcome,
      cause: MISS_CAUSES[words[record.MISS_CAUSE]!]!,
      causes: MISS_CAUSES.filter((_, cause) => (mask & (1 << cause)) !== 0),
      releaseAtUs: momentOf(words[record.MISS_RELEASE_US]!, this.backend.clock),
      deadlineAtUs: momentOf(words[record.MISS_DEADLINE_US]!, this.backend.clock),
      tardinessUs: (words[record.MISS_FINISH_US]! - words[record.MISS_DEADLINE_US]!) | 0,
      segments: {
        wakeupUs: words[record.MISS_WAKEUP_US]!,
        waitingBehindUs: words[record.MISS_WAITING_US]!,
        executionUs: words[record.MISS_EXECUTION_US]!,
        gcUs: null,
        preemptedUs: null,
      },
      lateSubmitUs: words[record.MISS_LATE_SUBMIT_US]!,
      culprit:
        culpritTask === null
          ? null
          : {
              lane: this.lanes[culpritTask.lane]!.name,
              task: culpritTask.name,
              frame: words[record.MISS_CULPRIT_FRAME_NUMBER]! < 0 ? null : words[record.MISS_CULPRIT_FRAME_NUMBER]!,
              executionUs: words[record.MISS_CULPRIT_EXECUTION_US]!,
            },
      periods: words[record.MISS_PERIODS]!,
    };
  }
}
