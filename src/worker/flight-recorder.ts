import type { TaskRuntime } from './task-runtime.js';

/** A job that overran. */
export interface OverrunJob {
  readonly task: TaskRuntime;
  readonly job: number;
  /** Number of its frame, or -1. */
  readonly frame: number;
  /** Stamps. */
  readonly startUs: number;
  readonly finishUs: number;
}

/** Keeps a profile of its thread running, of which something is kept only after an overrun. That thread only. */
export interface FlightRecorder {
  /** Told after the job's completion was signalled. May take milliseconds, at a limited rate. Never throws. */
  overran(job: OverrunJob): void;
  /** Told before each park: time to throw away what is old. Usually does nothing. */
  beforePark(nowUs: number): void;
}

/** Options of the flight recorder. Survives structured cloning. */
export interface FlightRecorderOptions {
  /** Where the `.cpuprofile` files go. */
  readonly folder: string;
  /** Between two samples. */
  readonly sampleUs: number;
  /** At most one file in so many seconds from each worker. */
  readonly everyS: number;
}
