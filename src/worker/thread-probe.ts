import type { ProbeReport } from '../telemetry/telemetry-data.js';

/** What was read of a signal that is not to be had. */
export const NO_SIGNAL = -1;
/** Garbage was collected, nobody knows for how long. */
export const SOME_COLLECTION = Number.POSITIVE_INFINITY;

/** Where each part of the segments comes from. Survives structured cloning. */
export interface ProbeReports {
  readonly preempted: ProbeReport;
  readonly gc: ProbeReport;
  readonly onCpu: ProbeReport;
}

/**
 * What the system and the runtime tell of the calling thread: how long it was ready and not run, how long it collected
 * garbage, how long it was on a CPU. The signals only grow; `mark` remembers where they stand and `read` tells what they
 * have grown by. All methods: the thread that made it, no throwing, a few microseconds each.
 */
export interface ThreadProbe {
  readonly reports: ProbeReports;
  /** Of the last `read`, in microseconds, or NO_SIGNAL. */
  readonly preemptedUs: number;
  /** Or SOME_COLLECTION. */
  readonly gcUs: number;
  readonly onCpuUs: number;
  /** Remembers all signals. */
  mark(): void;
  /** Remembers the run delay and the CPU time alone: makes less garbage. */
  markTimes(): void;
  /** Fills in what the signals have grown by since they were remembered, and remembers them as they are now. */
  read(): void;
}

const without = (reason: string): ProbeReport => ({ source: null, reason });

/** A thread about which nothing is known: inline mode, a helping host, virtual time. */
export class NoProbe implements ThreadProbe {
  readonly reports: ProbeReports;
  readonly preemptedUs: number;
  readonly gcUs: number;
  readonly onCpuUs: number;
  constructor(reason: string) {
    const report = without(reason);
    this.reports = { preempted: report, gc: report, onCpu: report };
    this.preemptedUs = NO_SIGNAL;
    this.gcUs = NO_SIGNAL;
    this.onCpuUs = NO_SIGNAL;
  }
  mark(): void {}
  markTimes(): void {}
  read(): void {}
}
