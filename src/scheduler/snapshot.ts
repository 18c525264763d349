import { type HistogramCounts, type LatencySummary, summarize } from '../telemetry/histogram-reader.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import {
  histogramCounts,
  type JobCounts,
  type LaneTelemetry,
  type LoopPauses,
  type LoopTelemetry,
  type MissRuns,
  type Pauses,
  type TaskTelemetry,
  type Telemetry,
} from '../telemetry/telemetry-data.js';
import { zeroCounts } from './task-reader.js';

/** Latencies in microseconds: quantiles at most 1/128 too high; null where nothing was counted. */
export type Latencies = Record<HistogramName, LatencySummary>;

export interface TaskSnapshot extends JobCounts, Latencies {
  deadlineMs: number;
}
export interface LaneSnapshot extends TaskSnapshot {
  missRuns: MissRuns;
  /** Of a periodic lane once there was one. */
  pauses?: Pauses;
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
  /** From the intended tick to the end of submitting: the main thread's share. */
  submittingUs: LatencySummary;
  /** From the intended tick to the last finish of the frame's jobs. */
  frameUs: LatencySummary;
  /** From one call to the next. */
  intervalUs: LatencySummary;
  /** Of loops that a display's frames drive; of those that a timer drives once there was one. */
  pauses?: LoopPauses;
}

export interface WorkerSnapshot {
  name: string;
  lanes: string[];
  jobs: number;
  /** Task that it runs now, or null. */
  running: string | null;
}

/** Plain data, units in the keys: the telemetry with its distributions as quantiles. */
export interface Snapshot<Lane extends string = string> {
  schemaVersion: 1;
  /** Since the scheduler's epoch. */
  atUs: number;
  closing: boolean;
  lanes: Record<Lane, LaneSnapshot>;
  /** Those that run and the last that ended, in the order in which they began. */
  loops: LoopSnapshot[];
  workers: WorkerSnapshot[];
  /** Miss records that were overwritten: `recentMisses` lacks them, the counts do not. */
  missRecordsOverwritten: number;
}

export function snapshotOf(telemetry: Telemetry, closing: boolean): Snapshot {
  return {
    schemaVersion: 1,
    atUs: telemetry.toUs,
    closing,
    lanes: Object.fromEntries(telemetry.lanes.map((lane) => [lane.name, laneSnapshot(lane)])),
    loops: telemetry.loops.map(loopSnapshot),
    workers: telemetry.workers.map(({ name, lanes, jobs, running }) => ({
      name,
      lanes: [...lanes],
      jobs,
      running: running?.task ?? null,
    })),
    missRecordsOverwritten: telemetry.missesOverwritten,
  };
}

/** Counts of one lane's histogram, summed over its tasks. */
export function laneHistogram(lane: LaneTelemetry, name: HistogramName): HistogramCounts {
  return histogramCounts(...lane.tasks.map((task) => task.histograms[name]));
}

function laneSnapshot(lane: LaneTelemetry): LaneSnapshot {
  return {
    deadlineMs: Math.min(...lane.tasks.map((task) => task.deadlineUs)) / 1000,
    ...lane.tasks.reduce(addCounts, zeroCounts()),
    ...latencies((name) => laneHistogram(lane, name)),
    missRuns: lane.missRuns,
    ...(lane.pauses === undefined ? {} : { pauses: lane.pauses }),
    tasks: Object.fromEntries(lane.tasks.map((task) => [task.name, taskSnapshot(task)])),
  };
}

function taskSnapshot(task: TaskTelemetry): TaskSnapshot {
  return {
    deadlineMs: task.deadlineUs / 1000,
    ...addCounts(zeroCounts(), task),
    ...latencies((name) => histogramCounts(task.histograms[name])),
  };
}

function loopSnapshot(loop: LoopTelemetry): LoopSnapshot {
  const { hz, intendedTicks, droppedTicks, frames, missedFrames, pauses } = loop;
  return {
    hz,
    intendedTicks,
    droppedTicks,
    frames,
    missedFrames,
    tickErrorUs: summarize(histogramCounts(loop.tickErrorUs)),
    submittingUs: summarize(histogramCounts(loop.submittingUs)),
    frameUs: summarize(histogramCounts(loop.frameUs)),
    intervalUs: summarize(histogramCounts(loop.intervalUs)),
    ...(pauses === undefined ? {} : { pauses }),
  };
}

function latencies(of: (name: HistogramName) => HistogramCounts): Latencies {
  return Object.fromEntries(HISTOGRAMS.map((name) => [name, summarize(of(name))])) as Latencies;
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
