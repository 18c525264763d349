import { MISS_CAUSES, type MissCause, OUTCOMES, type Outcome, REFUSALS } from '../telemetry/outcomes.js';
import type { HistogramName } from '../telemetry/recorder.js';
import type { HistogramData, LaneTelemetry, Miss, TaskTelemetry } from '../telemetry/telemetry-data.js';
import { sampledHistogram } from './sampled-histogram.js';

/** An event of the Trace Event Format, as far as it is read. */
export interface TraceEvent {
  readonly ph?: string;
  readonly name?: string;
  readonly cat?: string;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A job's slice. Its numbers are NaN where the trace has none. */
export interface TracedJob {
  readonly thread: string;
  readonly lane: string;
  readonly task: string;
  readonly outcome: Outcome;
  readonly cause: MissCause | null;
  readonly startAtUs: number;
  readonly finishAtUs: number;
  readonly submitAtUs: number;
  readonly releaseAtUs: number;
  readonly deadlineAtUs: number;
  readonly queueingUs: number;
  readonly wakeupUs: number;
  readonly args: Readonly<Record<string, unknown>>;
}

export function jobOf({ ts, dur, args = {} }: TraceEvent, thread: string): TracedJob {
  const startAtUs = numberOf(ts);
  return {
    thread,
    lane: String(args['lane']),
    task: String(args['task']),
    outcome: args['outcome'] as Outcome,
    cause: (args['cause'] as MissCause | undefined) ?? null,
    startAtUs,
    // slices that reach out of another are drawn cut: the distance to the deadline is not
    finishAtUs: numberOf(args['deadlineAtUs']) - numberOf(args['timeToDeadlineUs']) || startAtUs + numberOf(dur),
    submitAtUs: numberOf(args['submitAtUs']),
    releaseAtUs: numberOf(args['releaseAtUs']),
    deadlineAtUs: numberOf(args['deadlineAtUs']),
    queueingUs: numberOf(args['queueingUs'] ?? 0),
    wakeupUs: numberOf(args['wakeupUs'] ?? 0),
    args,
  };
}

export function lanesOf(jobs: readonly TracedJob[]): LaneTelemetry[] {
  return [...grouped(jobs, (job) => job.lane)].map(([name, ofLane]) => ({
    name,
    // only a periodic lane's jobs have a period
    periodUs: null,
    tasks: [...grouped(ofLane, (job) => job.task)].map(([task, ofTask]) => taskOf(task, ofTask)),
    missRuns: { runs: 0, longest: 0, met: 0, of: 0 },
  }));
}

function taskOf(name: string, jobs: readonly TracedJob[]): TaskTelemetry {
  const misses = jobs.filter((job) => job.cause !== null);
  const histogram = (us: (job: TracedJob) => number, of = jobs): HistogramData => sampledHistogram(of.map(us));
  const histograms: Record<HistogramName, HistogramData> = {
    wakeupUs: histogram(
      (job) => job.wakeupUs,
      jobs.filter((job) => job.wakeupUs > 0),
    ),
    queueingUs: histogram((job) => job.queueingUs),
    executionUs: histogram((job) => job.finishAtUs - job.startAtUs),
    responseUs: histogram((job) => job.finishAtUs - job.releaseAtUs),
    tardinessUs: histogram((job) => job.finishAtUs - job.deadlineAtUs, misses),
  };
  return {
    name,
    deadlineUs: Math.max(...jobs.map((job) => job.deadlineAtUs - job.releaseAtUs)),
    budgetUs: null,
    submitted: jobs.length,
    accepted: jobs.length,
    refused: 0,
    refusals: zeros(REFUSALS),
    inFlight: 0,
    outcomes: counted(
      OUTCOMES,
      jobs.map((job) => job.outcome),
    ),
    misses: misses.length,
    missCauses: counted(
      MISS_CAUSES,
      misses.map((job) => job.cause!),
    ),
    histograms,
  };
}

/**
 * A miss from its slice on its lane's track. Its submit is not in the trace: the release stands for it; nor its start,
 * which follows from the segments before it.
 */
export function missOf({ ts, dur, args = {} }: TraceEvent, lane: string): Miss {
  const releaseAtUs = numberOf(ts);
  const finishAtUs = releaseAtUs + numberOf(dur);
  const tardinessUs = numberOf(args['tardinessUs']);
  const segments = args['segments'] as Miss['segments'];
  const inside = [segments?.gcUs, segments?.preemptedUs, segments?.onCpuUs, segments?.unattributedUs];
  const ran = inside.some((us) => us !== null && us !== 0);
  return {
    lane,
    task: String(args['task']),
    worker: typeof args['worker'] === 'string' ? args['worker'] : null,
    job: wholeOrNull(args['job']),
    frame: wholeOrNull(args['frame']),
    outcome: args['outcome'] as Miss['outcome'],
    cause: args['cause'] as Miss['cause'],
    causes: args['causes'] as Miss['causes'],
    flags: args['flags'] as Miss['flags'],
    submitAtUs: releaseAtUs,
    releaseAtUs,
    startAtUs: ran ? releaseAtUs + numberOf(segments?.wakeupUs) + numberOf(segments?.waitingBehindUs) : null,
    finishAtUs,
    deadlineAtUs: finishAtUs - tardinessUs,
    tardinessUs,
    segments,
    lateSubmitUs: numberOf(args['lateSubmitUs']),
    culprit: (args['culprit'] as Miss['culprit'] | undefined) ?? null,
    periods: numberOf(args['periods']),
  };
}

/** Of anything that is no number: NaN, which the check of the whole finds. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

export function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}

function wholeOrNull(value: unknown): number | null {
  return Number.isInteger(value) ? (value as number) : null;
}

function counted<K extends string>(names: readonly K[], values: readonly K[]): Record<K, number> {
  const counts = zeros(names);
  for (const value of values) counts[value]++;
  return counts;
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
