import type { Priority } from '../../../host/thread-control.js';
import type { Description } from '../../../scheduler/describe.js';
import type { LaneSnapshot } from '../../../scheduler/snapshot.js';
import type { LatencySummary } from '../../../telemetry/histogram-reader.js';
import { MISS_CAUSES, type MissCause, OUTCOMES, type Outcome } from '../../../telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../../../telemetry/recorder.js';
import type { Environment } from './environment.js';

export const LANES = ['audio', 'input', 'render'] as const;
export type LaneName = (typeof LANES)[number];

export interface LaneReport extends Record<HistogramName, LatencySummary> {
  submitted: number;
  accepted: number;
  refused: number;
  inFlight: number;
  outcomes: Record<Outcome, number>;
  misses: number;
  missCauses: Record<MissCause, number>;
  deadlineMs: number;
}

export interface WorkerReport {
  name: string;
  lanes: string[];
  cpus: number[];
  priority: { requested: Priority; effective: Priority; mechanism: string | null; reason: string | null };
}

/** What `--json` prints; `report.json` holds it too, and the whole `telemetry`. Semantic versioning covers it. */
export interface DemoReport {
  schemaVersion: 1;
  /** Whether it was ended before its time. */
  interrupted: boolean;
  /** From the start of the sound to the end. */
  durationS: number;
  environment: Environment;
  lanes: Record<LaneName, LaneReport>;
  /** `intended = rendered + droppedTicks`; `missed` includes the dropped ones. */
  frames: { intended: number; rendered: number; missed: number; droppedTicks: number };
  audio: {
    /** null: generated music. */
    file: string | null;
    sampleRateHz: number;
    channels: number;
    /** Periods of the sink, silent ones included; offline: blocks rendered. */
    blocks: number;
    bufferBlocks: number;
    xruns: number;
    /** Whether the offline rendering from the log has the same bits; null where they cannot be compared. */
    identicalToOffline: boolean | null;
  };
  /** `applied` were sent to sound and picture; latency is from an event's own time until a frame that shows it is joined. */
  input: { events: number; applied: number; latencyUs: LatencySummary };
  workers: WorkerReport[];
  /** Absolute paths; null where nothing was written. */
  files: {
    wav: string | null;
    png: string | null;
    changes: string | null;
    report: string | null;
    html: string | null;
    trace: string | null;
    hlog: string | null;
  };
}

export function emptyLatency(): LatencySummary {
  return { count: 0, p50: null, p90: null, p99: null, p999: null, max: null };
}

/** A lane in which nothing was run. */
export function emptyLane(deadlineMs: number): LaneReport {
  const counts = { submitted: 0, accepted: 0, refused: 0, inFlight: 0, misses: 0 };
  return {
    ...counts,
    outcomes: zeros(OUTCOMES),
    missCauses: zeros(MISS_CAUSES),
    deadlineMs,
    ...(Object.fromEntries(HISTOGRAMS.map((name) => [name, emptyLatency()])) as Record<HistogramName, LatencySummary>),
  };
}

/** The lane's figures, without those of its tasks. */
export function laneReport(lane: LaneSnapshot): LaneReport {
  const { submitted, accepted, refused, inFlight, outcomes, misses, missCauses, deadlineMs } = lane;
  const { wakeupUs, queueingUs, executionUs, responseUs, tardinessUs } = lane;
  return {
    submitted,
    accepted,
    refused,
    inFlight,
    outcomes,
    misses,
    missCauses,
    deadlineMs,
    wakeupUs,
    queueingUs,
    executionUs,
    responseUs,
    tardinessUs,
  };
}

export function workerReports(description: Description): WorkerReport[] {
  return description.workers.map(({ name, lanes, thread }) => ({
    name,
    lanes: [...lanes],
    cpus: [...(thread?.cpus.effective ?? description.allowedCpus)],
    priority:
      thread === null
        ? { requested: 'normal', effective: 'normal', mechanism: null, reason: 'the worker did not report' }
        : { ...thread.priority },
  }));
}

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}
