import {
  CONTROL_CLOSING,
  LANE_RELEASED,
  OUTCOME_EXPIRED,
  WORKER_CURRENT_TASK,
  WORKER_JOB_COUNT,
} from '../memory/layout.js';
import { COUNTER_WORDS, readCounter } from '../telemetry/counters.js';
import { HistogramCounts, HistogramReader, type LatencySummary, summarize } from '../telemetry/histogram-reader.js';
import {
  COUNT_ACCEPTED,
  COUNT_REFUSED,
  COUNT_SKIPPED,
  COUNT_SUBMITTED,
  MISS_CAUSES,
  type MissCause,
  OUTCOMES,
  type Outcome,
  outcomeCounter,
  REFUSALS,
  type Refusal,
} from '../telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';

/** Counts of one task or lane since the start. `submitted = accepted + sum of refused`, `accepted = sum of outcomes + inFlight`. */
export interface JobCounts {
  submitted: number;
  accepted: number;
  refused: number;
  refusals: Record<Refusal, number>;
  inFlight: number;
  outcomes: Record<Outcome, number>;
  /** Jobs unfinished at their deadline, whatever became of them; never the refused ones. */
  misses: number;
  /** By primary cause; adds up to `misses`. */
  missCauses: Record<MissCause, number>;
}

/** Latencies in microseconds: quantiles at most 1/128 too high; null where nothing was counted. */
export type Latencies = Record<HistogramName, LatencySummary>;

export interface TaskSnapshot extends JobCounts, Latencies {
  deadlineMs: number;
}
export interface LaneSnapshot extends TaskSnapshot {
  tasks: Record<string, TaskSnapshot>;
}

export interface LoopSnapshot {
  hz: number;
  intendedTicks: number;
  droppedTicks: number;
  frames: number;
  /** Frames with a job that missed its deadline, of those that are over. Dropped ticks are not among them. */
  missedFrames: number;
  /** From the intended tick to the call. */
  tickErrorUs: LatencySummary;
  /** From the intended tick to the last finish of the frame's jobs. */
  frameUs: LatencySummary;
}

export interface WorkerSnapshot {
  name: string;
  lanes: string[];
  jobs: number;
  /** Task that it runs now, or null. */
  running: string | null;
}

/** Plain data, units in the keys. Counts are since the scheduler's start. */
export interface Snapshot<Lane extends string = string> {
  schemaVersion: 1;
  /** Since the scheduler's epoch. */
  atUs: number;
  closing: boolean;
  lanes: Record<Lane, LaneSnapshot>;
  loops: LoopSnapshot[];
  workers: WorkerSnapshot[];
  /** Miss records that were overwritten before they were read: `recentMisses` lacks them, the counts do not. */
  missRecordsOverwritten: number;
}

/** Reads the counters and histograms that the threads write. Reading disturbs nobody. Host thread only; allocates. */
export class SnapshotReader {
  private readonly memory: AttachedMemory;
  private readonly lanes: readonly LaneInfo[];
  private readonly tasks: readonly TaskInfo[];
  private readonly workers: readonly { name: string; lanes: readonly number[] }[];
  private readonly histograms: readonly (readonly HistogramReader[])[];

  constructor(
    memory: AttachedMemory,
    lanes: readonly LaneInfo[],
    tasks: readonly TaskInfo[],
    workers: readonly { name: string; lanes: readonly number[] }[],
  ) {
    this.memory = memory;
    this.lanes = lanes;
    this.tasks = tasks;
    this.workers = workers;
    const { telemetryLayout: layout, telemetry } = memory;
    this.histograms = tasks.map((task) =>
      HISTOGRAMS.map(
        (_, histogram) =>
          new HistogramReader(
            Array.from({ length: layout.rowCount }, (_unused, row) => ({
              words: telemetry,
              base: layout.histogram(row, task.index, histogram),
            })),
          ),
      ),
    );
  }

  lanesSnapshot(): Record<string, LaneSnapshot> {
    const lanes: Record<string, LaneSnapshot> = {};
    for (const lane of this.lanes) {
      const own = this.tasks.filter((task) => task.lane === lane.index);
      const counts = own.map((task) => this.countsOf(task));
      const histograms = own.map((task) => this.histograms[task.index]!.map((reader) => reader.total()));
      const tasks: Record<string, TaskSnapshot> = {};
      own.forEach((task, i) => {
        tasks[task.name] = { deadlineMs: deadlineMsOf(task, lane), ...counts[i]!, ...latenciesOf(histograms[i]!) };
      });
      const summed = HISTOGRAMS.map((_, h) => histograms.reduce((sum, of) => sum.add(of[h]!), new HistogramCounts()));
      lanes[lane.name] = {
        deadlineMs: Math.min(...own.map((task) => deadlineMsOf(task, lane))),
        ...counts.reduce(addCounts),
        ...latenciesOf(summed),
        tasks,
      };
    }
    return lanes;
  }

  workersSnapshot(): WorkerSnapshot[] {
    const { control, layout } = this.memory;
    return this.workers.map(({ name, lanes }, index) => {
      const running = Atomics.load(control, layout.worker(index) + WORKER_CURRENT_TASK);
      return {
        name,
        lanes: lanes.map((lane) => this.lanes[lane]!.name),
        jobs: Atomics.load(control, layout.worker(index) + WORKER_JOB_COUNT) >>> 0,
        running: running === 0 ? null : this.tasks[running - 1]!.name,
      };
    });
  }

  closing(): boolean {
    return Atomics.load(this.memory.control, CONTROL_CLOSING) !== 0;
  }

  /** Lifetime counts of one lane's histogram, summed over its tasks and all threads. */
  histogram(lane: number, name: HistogramName): HistogramCounts {
    const sum = new HistogramCounts();
    for (const task of this.tasks) {
      if (task.lane === lane) sum.add(this.histograms[task.index]![HISTOGRAMS.indexOf(name)]!.total());
    }
    return sum;
  }

  private releasedPeriods(task: TaskInfo): number {
    if (this.lanes[task.lane]!.periodic?.task !== task.index) return 0;
    return Atomics.load(this.memory.control, this.memory.layout.lane(task.lane) + LANE_RELEASED) >>> 0;
  }

  private countsOf(task: TaskInfo): JobCounts {
    const count = (counter: number): number => {
      const { telemetry, telemetryLayout } = this.memory;
      let sum = 0;
      for (let row = 0; row < telemetryLayout.rowCount; row++) {
        sum += readCounter(telemetry, telemetryLayout.counters(row, task.index) + counter * COUNTER_WORDS);
      }
      return sum;
    };
    // ends before beginnings: a job that ends meanwhile is never counted as ended and not begun
    const outcomes = {} as Record<Outcome, number>;
    const missCauses = {} as Record<MissCause, number>;
    for (const cause of MISS_CAUSES) missCauses[cause] = 0;
    let ended = 0;
    let misses = 0;
    let skipped = 0;
    OUTCOMES.forEach((name, i) => {
      const outcome = i + 1;
      let total = count(outcomeCounter(outcome, -1));
      MISS_CAUSES.forEach((cause, causeIndex) => {
        const ofPeriods = outcome === OUTCOME_EXPIRED ? count(COUNT_SKIPPED + causeIndex) : 0;
        skipped += ofPeriods;
        const missed = count(outcomeCounter(outcome, causeIndex)) + ofPeriods;
        missCauses[cause] += missed;
        misses += missed;
        total += missed;
      });
      outcomes[name] = total;
      ended += total;
    });
    const periods = skipped + this.releasedPeriods(task);
    const accepted = count(COUNT_ACCEPTED) + periods;
    const refusals = {} as Record<Refusal, number>;
    let refused = 0;
    REFUSALS.forEach((name, i) => {
      refusals[name] = count(COUNT_REFUSED + i);
      refused += refusals[name];
    });
    return {
      submitted: count(COUNT_SUBMITTED) + periods,
      accepted,
      refused,
      refusals,
      inFlight: accepted - ended,
      outcomes,
      misses,
      missCauses,
    };
  }
}

function deadlineMsOf(task: TaskInfo, lane: LaneInfo): number {
  const periodic =
    lane.periodic !== null && lane.periodic.task === task.index ? lane.periodic.deadlineUs : task.deadlineUs;
  return periodic / 1000;
}

function latenciesOf(counts: readonly HistogramCounts[]): Latencies {
  return Object.fromEntries(HISTOGRAMS.map((name, i) => [name, summarize(counts[i]!)])) as Latencies;
}

function addRecords<K extends string>(a: Record<K, number>, b: Record<K, number>): Record<K, number> {
  const sum = { ...a };
  for (const key of Object.keys(b) as K[]) sum[key] += b[key];
  return sum;
}

function addCounts(a: JobCounts, b: JobCounts): JobCounts {
  return {
    submitted: a.submitted + b.submitted,
    accepted: a.accepted + b.accepted,
    refused: a.refused + b.refused,
    refusals: addRecords(a.refusals, b.refusals),
    inFlight: a.inFlight + b.inFlight,
    outcomes: addRecords(a.outcomes, b.outcomes),
    misses: a.misses + b.misses,
    missCauses: addRecords(a.missCauses, b.missCauses),
  };
}
