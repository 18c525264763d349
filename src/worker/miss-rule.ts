import {
  CAUSE_CRASHED,
  CAUSE_GC,
  CAUSE_LATE_SUBMIT,
  CAUSE_OVERRUN,
  CAUSE_PREEMPTED,
  CAUSE_UNKNOWN,
  CAUSE_WAITING_BEHIND,
  CAUSE_WAKEUP,
} from '../telemetry/outcomes.js';
import { NO_SIGNAL } from './thread-probe.js';

/** An excess below this does not count as a contribution: stamps and signals are that far apart. */
const CONTRIBUTES_US = 50;

/**
 * What is known of one missed job, and what follows from it: why it missed. Microseconds. One per thread, filled anew for
 * each miss; allocates nothing.
 *
 * The primary cause is what exceeds its normal value most: normal is the calibrated floor for waking up, the task's
 * budget for its own time (none declared: its relative deadline), nothing for all else. Excesses are compared by what
 * the response time would have been shorter by without them.
 */
export class MissRule {
  // ------------------------------------------------- given
  /** Parts of the time before the start: they add up to start - release. */
  wakeupUs: number;
  waitingUs: number;
  /** No worker served the lane, because the last one had died. */
  absentUs: number;
  /** Start to finish; 0 if the handler did not run. */
  executionUs: number;
  /** Deadline - release. */
  relativeUs: number;
  /** Release - submit: how long it stood behind a barrier. */
  barrierUs: number;
  /** Deadline - submit. */
  timeLeftUs: number;
  /** The relative deadline that it would have had if it had been submitted in time. */
  fullRelativeUs: number;
  /** Whether that is counted from a frame's tick; else it is the task's usual one, and the job may have got another. */
  isOfFrame: boolean;
  /** What the task takes in 90 of 100 cases; 0 if that is not known yet. */
  p90ExecutionUs: number;
  /** What its own time may be: the declared budget, else the relative deadline. */
  budgetUs: number;
  wakeupFloorUs: number;
  /** Given as signals of the thread around the job, or NO_SIGNAL; `decide` clips them to disjoint parts of the execution. */
  gcUs: number;
  preemptedUs: number;
  onCpuUs: number;

  // ------------------------------------------------- found
  /** What is left of the execution. */
  offCpuUs: number;
  /** By how much it was submitted too late to be done in time. */
  lateSubmitUs: number;
  cause: number;
  /** Bit c set: cause c contributed. */
  causeMask: number;
  private largestUs: number;

  constructor() {
    this.wakeupUs = 0;
    this.waitingUs = 0;
    this.absentUs = 0;
    this.executionUs = 0;
    this.relativeUs = 0;
    this.barrierUs = 0;
    this.timeLeftUs = 0;
    this.fullRelativeUs = 0;
    this.isOfFrame = false;
    this.p90ExecutionUs = 0;
    this.budgetUs = 0;
    this.wakeupFloorUs = 0;
    this.gcUs = NO_SIGNAL;
    this.preemptedUs = NO_SIGNAL;
    this.onCpuUs = NO_SIGNAL;
    this.offCpuUs = 0;
    this.lateSubmitUs = 0;
    this.cause = CAUSE_UNKNOWN;
    this.causeMask = 0;
    this.largestUs = 0;
  }

  /** What the job took beyond what its task takes in 90 of 100 cases, and was not preempted; 0 if that is not known yet. */
  beyondUsualUs(): number {
    if (this.p90ExecutionUs <= 0) return 0;
    return Math.max(0, this.executionUs - Math.max(this.preemptedUs, 0) - Math.ceil(this.p90ExecutionUs));
  }

  decide(): void {
    this.splitExecution();
    this.cause = CAUSE_UNKNOWN;
    this.causeMask = 0;
    this.largestUs = 0;
    this.consider(CAUSE_WAKEUP, this.wakeupUs - this.wakeupFloorUs);
    this.consider(CAUSE_WAITING_BEHIND, this.waitingUs + this.lostAtBarrierUs());
    this.consider(CAUSE_CRASHED, this.absentUs);
    this.consider(CAUSE_GC, this.gcUs);
    this.consider(CAUSE_PREEMPTED, this.preemptedUs);
    this.considerOwnTime();
    this.considerSubmit();
    if (this.largestUs === 0) this.cause = this.largestPart();
    this.causeMask |= 1 << this.cause;
  }

  /**
   * The signals were read some time before and after the job: each is cut to what it can have been of the job. While the
   * system ran something else nothing was collected, so where both do not fit, the overlap counts as preempted. The
   * thread's CPU time holds that of its collections.
   */
  private splitExecution(): void {
    let rest = this.executionUs;
    if (this.preemptedUs !== NO_SIGNAL) {
      this.preemptedUs = clip(this.preemptedUs, rest);
      rest -= this.preemptedUs;
    }
    if (this.gcUs !== NO_SIGNAL) {
      this.gcUs = clip(this.gcUs, rest);
      rest -= this.gcUs;
    }
    if (this.onCpuUs !== NO_SIGNAL) {
      this.onCpuUs = clip(this.onCpuUs - Math.max(this.gcUs, 0), rest);
      rest -= this.onCpuUs;
    }
    this.offCpuUs = rest;
  }

  private consider(cause: number, excessUs: number): void {
    if (excessUs <= 0) return;
    if (excessUs >= CONTRIBUTES_US) this.causeMask |= 1 << cause;
    if (excessUs <= this.largestUs) return;
    this.largestUs = excessUs;
    this.cause = cause;
  }

  /** What came before the barrier ate so much that the job could not be done in time. */
  private lostAtBarrierUs(): number {
    const { p90ExecutionUs, barrierUs } = this;
    if (barrierUs <= 0) return 0;
    return this.relativeUs < Math.max(p90ExecutionUs, 1) && this.timeLeftUs >= p90ExecutionUs ? barrierUs : 0;
  }

  /** The task's own time: on a CPU, or blocked in a call (only known to be that where there is a signal for the CPU time). */
  private considerOwnTime(): void {
    const { onCpuUs, offCpuUs } = this;
    const isBlocked = onCpuUs !== NO_SIGNAL && offCpuUs > onCpuUs;
    this.consider(isBlocked ? CAUSE_UNKNOWN : CAUSE_OVERRUN, this.ownUs() - Math.max(this.budgetUs, 0));
  }

  /**
   * Too late if what was left was less than the task takes, and all of its deadline would have been enough. Where the p90
   * tells nothing (never measured, or such that it could never be done), what the job of a frame took itself says what
   * was needed.
   */
  private considerSubmit(): void {
    const { timeLeftUs, fullRelativeUs, p90ExecutionUs, isOfFrame } = this;
    const isUsual = p90ExecutionUs > 0 && p90ExecutionUs <= fullRelativeUs;
    const insteadUs = isOfFrame ? this.ownUs() : 0;
    const neededUs = Math.ceil(isUsual ? p90ExecutionUs : insteadUs);
    this.lateSubmitUs = 0;
    if (neededUs > fullRelativeUs || (timeLeftUs > 0 && timeLeftUs >= neededUs)) return;
    this.lateSubmitUs = neededUs - timeLeftUs;
    // at the tick, it would have been over sooner by all of the delay
    this.consider(CAUSE_LATE_SUBMIT, isOfFrame ? fullRelativeUs - timeLeftUs : Math.max(this.lateSubmitUs, 1));
  }

  /** What the handler took itself: on a CPU, blocked, or what is left where there are no signals. */
  private ownUs(): number {
    return Math.max(this.onCpuUs, 0) + this.offCpuUs;
  }

  /** Nothing exceeds what is normal: there was no slack at all. */
  private largestPart(): number {
    const { wakeupUs, waitingUs } = this;
    const ownUs = this.ownUs();
    const largest = Math.max(wakeupUs, waitingUs, this.gcUs, this.preemptedUs, ownUs);
    if (largest <= 0) return CAUSE_UNKNOWN;
    if (largest === ownUs) return CAUSE_OVERRUN;
    if (largest === wakeupUs) return CAUSE_WAKEUP;
    if (largest === waitingUs) return CAUSE_WAITING_BEHIND;
    return largest === this.gcUs ? CAUSE_GC : CAUSE_PREEMPTED;
  }
}

function clip(us: number, mostUs: number): number {
  const whole = Math.round(us);
  if (whole <= 0) return 0;
  return whole < mostUs ? whole : mostUs;
}
