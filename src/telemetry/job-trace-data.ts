import type { MissCause, Outcome } from './outcomes.js';
import type { FrameRecord, Miss } from './telemetry-data.js';

/**
 * The last jobs of all threads with what happened around them, as plain data: what `scheduler.jobTrace()` gives and what
 * `frame-deadline/trace` draws. Survives JSON and structured cloning. Durations and moments are in microseconds; moments
 * count from the scheduler's epoch.
 */
export interface JobTrace {
  readonly schemaVersion: 1;
  /** The scheduler's epoch, in milliseconds since 1970 (UTC). */
  readonly epochUnixMs: number;
  /** The moment of the reading. */
  readonly toUs: number;
  /** By the scheduler's index of tasks: what `JobRecord.task` counts in. */
  readonly tasks: readonly TracedTask[];
  /** The workers in their order, then `main` and `supervisor`. */
  readonly threads: readonly TracedThread[];
  /** The host's loops that `FrameRecord.loop` names. */
  readonly loops: readonly { readonly id: number; readonly hz: number }[];
  /** The last frames, oldest first. */
  readonly frames: readonly FrameRecord[];
  /** The last misses, oldest first. */
  readonly misses: readonly Miss[];
  /** Under- and overruns of streams whose moments are known. */
  readonly xruns: readonly Xrun[];
  /** Garbage collections whose moments are known. */
  readonly gc: readonly TracedGc[];
}

export interface TracedTask {
  readonly lane: string;
  readonly name: string;
  /** Its lane is periodic: `JobRecord.frame` is then the number of the period. */
  readonly periodic: boolean;
}

export interface TracedThread {
  readonly name: string;
  /** Jobs that this thread ended, in that order: those it ran, and those that it ended for others (dropped, cancelled, lost). */
  readonly jobs: readonly JobRecord[];
  /** Jobs that it ended and that are no longer kept. */
  readonly overwritten: number;
}

/** One job that has ended. */
export interface JobRecord {
  /** Index in `JobTrace.tasks`. */
  readonly task: number;
  /** Job number in its lane (order of submission). */
  readonly job: number;
  /** Number of the frame, or of the period of a periodic lane; null if neither. */
  readonly frame: number | null;
  readonly outcome: Outcome;
  /** Primary cause if it missed its deadline, else null. */
  readonly cause: MissCause | null;
  readonly submitAtUs: number;
  /** Intended release. */
  readonly releaseAtUs: number;
  /** Null if it was not started. */
  readonly startAtUs: number | null;
  readonly finishAtUs: number;
  readonly deadlineAtUs: number;
  /** Part of start - release in which the worker was idle, rung, and did not run yet. */
  readonly wakeupUs: number;
  /** Index in `JobTrace.threads` of the thread that ran it; null if it was not started. */
  readonly ranOn: number | null;
}

export interface Xrun {
  /** Name of the stream, for people. */
  readonly stream: string;
  readonly kind: 'underrun' | 'overrun';
  readonly atUs: number;
  /** Sample frames, bytes or records that were missing or did not fit. */
  readonly items: number;
}

export interface TracedGc {
  /** Name of a thread of the trace. */
  readonly thread: string;
  readonly atUs: number;
  readonly durationUs: number;
  /** Such as `scavenge`. */
  readonly kind: string;
}

/** The same without what ended before `fromUs`: for the last few seconds, `jobTraceSince(trace, trace.toUs - 5e6)`. */
export function jobTraceSince(trace: JobTrace, fromUs: number): JobTrace {
  return {
    ...trace,
    threads: trace.threads.map((thread) => ({
      ...thread,
      jobs: thread.jobs.filter((job) => job.finishAtUs >= fromUs),
    })),
    frames: trace.frames.filter((frame) => (frame.finishedAtUs ?? frame.submittedAtUs ?? frame.deadlineAtUs) >= fromUs),
    misses: trace.misses.filter((miss) => miss.finishAtUs >= fromUs),
    xruns: trace.xruns.filter((xrun) => xrun.atUs >= fromUs),
    gc: trace.gc.filter((gc) => gc.atUs + gc.durationUs >= fromUs),
  };
}
