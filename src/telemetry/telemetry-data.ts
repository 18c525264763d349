import { BUCKET_COUNT, highestValueNs, lowestValueNs } from './buckets.js';
import { HistogramCounts } from './histogram-reader.js';
import type { MissCause, Outcome, Refusal } from './outcomes.js';
import type { HistogramName } from './recorder.js';

/**
 * Everything that was measured, as plain data: what `scheduler.telemetry()` and its windows give, what the telemetry
 * socket sends, what report.json holds and what every exporter reads. Survives JSON and structured cloning. Durations
 * and moments are in microseconds unless the name says otherwise; moments count from the scheduler's epoch.
 * A signal that is not to be had on this platform is null, never 0.
 */
export interface Telemetry {
  readonly schemaVersion: 1;
  /** What the counts cover: from the start of the scheduler or of the window, to the reading. */
  readonly fromUs: number;
  readonly toUs: number;
  /** The moment of the reading, in milliseconds since 1970 (UTC). */
  readonly toUnixMs: number;
  readonly environment: Environment;
  readonly lanes: readonly LaneTelemetry[];
  /** The host's frame loops, those that have ended among them: each is a lane of the main thread. */
  readonly loops: readonly LoopTelemetry[];
  readonly workers: readonly WorkerTelemetry[];
  /** The last misses that are kept whole, up to 256 of each thread, oldest first. The counts know of all. */
  readonly misses: readonly Miss[];
  /** Miss records that were overwritten before they were read. */
  readonly missesOverwritten: number;
  /** The last frames, up to 2048, oldest first. */
  readonly frames: readonly FrameRecord[];
  /** Frame records that were overwritten before they were read. */
  readonly framesOverwritten: number;
}

export interface Environment {
  /** Such as `Node.js 20.20.2`. */
  readonly runtime: string;
  /** Such as `linux x64`. */
  readonly platform: string;
  /** The CPU's own name, or null. */
  readonly cpu: string | null;
  /** Numbers of the CPUs that the process may use. */
  readonly allowedCpus: readonly number[];
}

/** Counts of one task. `submitted = accepted + refused`, `accepted = sum of outcomes + inFlight`. */
export interface JobCounts {
  submitted: number;
  accepted: number;
  refused: number;
  refusals: Record<Refusal, number>;
  /** At the reading, also in a window. */
  inFlight: number;
  outcomes: Record<Outcome, number>;
  /** Jobs unfinished at their deadline, whatever became of them; never the refused ones. */
  misses: number;
  /** By primary cause; adds up to `misses`. */
  missCauses: Record<MissCause, number>;
}

/** One latency distribution. */
export interface HistogramData {
  count: number;
  /** From the buckets' middles: at most 1/256 off. Only grows. */
  sumUs: number;
  /**
   * `[index, count]` in ascending order, without the empty ones. The index is HdrHistogram's for 2 significant digits in
   * ticks of 1.024 µs (`bucketRangeNs` gives the bucket's range).
   */
  buckets: [index: number, count: number][];
  /** Values above 10 s; they are in the last bucket too. */
  overflow: number;
}

export interface TaskTelemetry extends JobCounts {
  readonly name: string;
  /** Relative. */
  readonly deadlineUs: number;
  /** Declared execution budget, or null. */
  readonly budgetUs: number | null;
  readonly histograms: Record<HistogramName, HistogramData>;
}

/** Runs of consecutive misses in the order of submission (periodic lanes: of periods). */
export interface MissRuns {
  /** Runs of one miss or more, since the scheduler's start. */
  readonly runs: number;
  /** Misses in the longest, since the scheduler's start. */
  readonly longest: number;
  /** (m,k): of the last `of` jobs, so many met their deadline. `of` is 100, or fewer at the beginning. */
  readonly met: number;
  readonly of: number;
}

export interface LaneTelemetry {
  readonly name: string;
  /** Period of a periodic lane, or null. */
  readonly periodUs: number | null;
  readonly tasks: readonly TaskTelemetry[];
  readonly missRuns: MissRuns;
  /** Of a periodic lane once there was one: its periods of that time were not due. */
  readonly pauses?: Pauses;
}

/** Times in which everything stood still: a frozen page, sleep, SIGSTOP. */
export interface Pauses {
  /** Those that are over, and how long they were together. */
  readonly count: number;
  readonly totalMs: number;
}

/** One loop of the host. Its misses are frames of the main thread: ticks that came too late or not at all. */
export interface LoopTelemetry {
  /** Counts the loops of the scheduler from 0. */
  readonly id: number;
  /** Frames a second that it intends. */
  readonly hz: number;
  /** Relative deadline of its frames. */
  readonly deadlineUs: number;
  readonly running: boolean;
  /** `intendedTicks = frames + droppedTicks`. */
  readonly intendedTicks: number;
  readonly droppedTicks: number;
  readonly frames: number;
  /** Frames with a job that missed its deadline, of those that are over. Dropped ticks are not among them. */
  readonly missedFrames: number;
  /** Dropped ticks by what held the main thread; adds up to `droppedTicks`. */
  readonly droppedCauses: Record<MissCause, number>;
  /** From the intended tick to the call. */
  readonly tickErrorUs: HistogramData;
  /** From the intended tick to the end of submitting (join, poll or the callback's end): the main thread's share. */
  readonly submittingUs: HistogramData;
  /** From the intended tick to the last finish of the frame's jobs. */
  readonly frameUs: HistogramData;
  /** From one call to the next: what a viewer sees. Dropped ticks make it longer, pauses are left out. */
  readonly intervalUs: HistogramData;
  /** Of loops that a display's frames drive; of those that a timer drives once there was one. */
  readonly pauses?: LoopPauses;
}

/** Times in which a loop had no ticks and missed none: the page was hidden, or everything stood still (sleep, SIGSTOP). */
export interface LoopPauses extends Pauses {
  /** Why no ticks come at present, or null. */
  readonly now: 'hidden' | null;
}

/** Whether a worker has a signal that misses are explained by. */
export interface ProbeReport {
  /** Where the signal comes from, such as `schedstat`; null if it is not to be had. */
  readonly source: string | null;
  /** Why not, or null. */
  readonly reason: string | null;
}

export interface WorkerTelemetry {
  readonly name: string;
  readonly lanes: readonly string[];
  readonly state: 'serving' | 'restarting' | 'gone';
  /** Jobs that it ended, since the scheduler's start. */
  readonly jobs: number;
  /** What it runs at the reading, or null. */
  readonly running: { readonly lane: string; readonly task: string; readonly forUs: number } | null;
  /** In force, such as `high`; null where nothing is known. So are the next three. */
  readonly priority: string | null;
  readonly cpus: readonly number[] | null;
  /** The operating system's name of it, such as `SCHED_RR|SCHED_RESET_ON_FORK 10`. */
  readonly policy: string | null;
  readonly niceness: number | null;
  /** Where its part of the segments comes from. */
  readonly probes: { readonly preempted: ProbeReport; readonly gc: ProbeReport; readonly onCpu: ProbeReport };
  /** Collections between jobs with `gc: 'inSlack'`, since the scheduler's start; absent where it is not in force. */
  readonly slackCollections?: {
    /** Of the young generation alone. */
    readonly young: number;
    readonly full: number;
    readonly totalMs: number;
  };
}

/** States that stood beside a miss; not causes. */
export type MissFlag = 'backlog' | 'debugger';

/** Parts of the response time: disjoint, they add up to it. Null: no signal for it here, and it is in `unattributedUs`. */
export interface MissSegments {
  /** The worker was idle, was rung, and did not run yet. */
  readonly wakeupUs: number;
  /** Other jobs held the worker. */
  readonly waitingBehindUs: number;
  /** Garbage collections inside the job. */
  readonly gcUs: number | null;
  /** The operating system ran something else during the job. */
  readonly preemptedUs: number | null;
  /** The handler itself on a CPU. */
  readonly onCpuUs: number | null;
  /** What is left: blocked in a call, or a signal that is missing. */
  readonly unattributedUs: number;
}

/** What stood in the way: another job, or the main thread. */
export interface Culprit {
  readonly kind: 'job' | 'mainThread';
  /** `main` for the main thread. */
  readonly lane: string;
  /** For the main thread what is known of it: `frame callback`, or `event loop`. */
  readonly task: string;
  /** Job number in its lane, or null. */
  readonly job: number | null;
  readonly frame: number | null;
  /** How long it ran, or held the main thread. */
  readonly executionUs: number;
}

/** One missed deadline. */
export interface Miss {
  readonly lane: string;
  readonly task: string;
  /** Name of the worker that ran or would have run it; `main` for the host; null for the supervisor. */
  readonly worker: string | null;
  /** Job number in its lane (order of submission), or null for periods that were not released. */
  readonly job: number | null;
  /** Number of the frame, or null outside frames. */
  readonly frame: number | null;
  readonly outcome: Outcome;
  /** The primary cause: the segment with the largest excess over what is normal. */
  readonly cause: MissCause;
  /** All that contributed, the primary cause among them. */
  readonly causes: readonly MissCause[];
  readonly flags: readonly MissFlag[];
  readonly submitAtUs: number;
  /** Intended release. */
  readonly releaseAtUs: number;
  /** Null if it was not started. */
  readonly startAtUs: number | null;
  readonly finishAtUs: number;
  readonly deadlineAtUs: number;
  /** Finish minus deadline; 0 if it was given up before. */
  readonly tardinessUs: number;
  readonly segments: MissSegments;
  /** How much too late it was submitted to be done in time, by the task's p90 execution. */
  readonly lateSubmitUs: number;
  readonly culprit: Culprit | null;
  /** Periods that this record stands for: above 1 where several releases in a row were not served. */
  readonly periods: number;
}

/** One frame of a host's loop, or one dropped tick. */
export interface FrameRecord {
  /** `LoopTelemetry.id`; -1 for frames of `beginFrame`. */
  readonly loop: number;
  /** `Frame.number`: dropped ticks count too. */
  readonly number: number;
  readonly outcome: 'onTime' | 'late' | 'dropped';
  /** Intended tick. */
  readonly tickAtUs: number;
  /** Call of the frame's callback; null if the tick was dropped. */
  readonly calledAtUs: number | null;
  /** End of submitting; null if dropped. */
  readonly submittedAtUs: number | null;
  /** Last finish of its jobs; null if dropped or without jobs. */
  readonly finishedAtUs: number | null;
  readonly deadlineAtUs: number;
  /** Jobs that were accepted, and those of them that missed their deadline. */
  readonly jobs: number;
  readonly misses: number;
  /** Ticks that this record stands for: above 1 where several in a row were dropped. */
  readonly ticks: number;
}

/** Lowest and highest duration, in nanoseconds, counted at a bucket index. */
export function bucketRangeNs(index: number): { lowest: number; highest: number } {
  return { lowest: lowestValueNs(index), highest: highestValueNs(index) };
}

/** Counts as plain data. Allocates. */
export function histogramData(counts: HistogramCounts): HistogramData {
  const buckets: [number, number][] = [];
  let sumUs = 0;
  for (let index = 0; index < BUCKET_COUNT; index++) {
    const count = counts.buckets[index]!;
    if (count === 0) continue;
    buckets.push([index, count]);
    sumUs += (count * (lowestValueNs(index) + highestValueNs(index))) / 2000;
  }
  return { count: counts.count, sumUs, buckets, overflow: counts.overflow };
}

/** Plain data as counts: for quantiles, sums over tasks, and hdr-histogram-js. Allocates about 12 KiB. */
export function histogramCounts(...data: readonly HistogramData[]): HistogramCounts {
  const counts = new HistogramCounts();
  for (const { buckets, count, overflow } of data) {
    for (const [index, of] of buckets) counts.buckets[index]! += of;
    counts.count += count;
    counts.overflow += overflow;
  }
  return counts;
}
