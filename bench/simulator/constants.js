// What the simulator takes for the costs of the scheduler's own steps and of the system, in microseconds. From
// `npm run bench -- cost-model wakeup` on the machine that docs/performance.md names; the terms' sources stand beside them.
export const COSTS = {
  /** `submit: lines moved` */
  submitUs: 0.13,
  /** `a worker's whole job: lines moved` */
  workerJobUs: 0.27,
  /** What a claim costs more while others claim too. Assumed: it needs a quiet machine with more than two cores. */
  contentionUs: 0.2,
  /** `wakeup`, after 10 ms of idleness: p50 37 µs, p99 94 µs; lognormal through both. */
  wakeupMedianUs: 37,
  wakeupSigma: 0.4,
};
