/** Jobs of a task that are only looked at for the fastest: code runs many times slower before it is compiled. */
const WARM_UP_JOBS = 2;
/** Weight of a new execution once there were as many: recent ones count, one outlier does not decide. */
const NEWEST_SHARE = 1 / 32;

/**
 * How long the jobs of each task take, from those that ended: mean and variance, the recent ones weighing most. Host
 * thread only; allocates nothing after its construction.
 */
export class ExecutionEstimates {
  private readonly meanUs: Float64Array;
  private readonly variance: Float64Array;
  private readonly jobs: Float64Array;

  /** `budgetsUs`: what each task declares, 0 for nothing: taken until a job was measured. */
  constructor(budgetsUs: readonly number[]) {
    this.meanUs = Float64Array.from(budgetsUs);
    this.variance = new Float64Array(budgetsUs.length);
    this.jobs = new Float64Array(budgetsUs.length);
  }

  /** One execution was measured, in microseconds; negative ones are taken as 0. */
  add(task: number, executionUs: number): void {
    const us = executionUs > 0 ? executionUs : 0;
    const count = this.jobs[task]! + 1;
    this.jobs[task] = count;
    const mean = this.meanUs[task]!;
    if (count <= WARM_UP_JOBS) {
      this.meanUs[task] = count === 1 ? us : Math.min(mean, us);
      return;
    }
    const known = count - WARM_UP_JOBS;
    const share = Math.max(NEWEST_SHARE, 1 / known);
    const off = us - mean;
    this.meanUs[task] = mean + share * off;
    this.variance[task] = known === 1 ? 0 : (1 - share) * (this.variance[task]! + share * off * off);
  }

  /** Expected execution in microseconds: 0 for a task of which nothing is known. */
  meanOf(task: number): number {
    return this.meanUs[task]!;
  }

  /** Square of the standard deviation. */
  varianceOf(task: number): number {
    return this.variance[task]!;
  }
}
