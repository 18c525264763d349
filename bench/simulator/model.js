// The cost of a frame of equal jobs, from the terms that `bench/cost-model.js` measures. Nanoseconds.

/**
 * A frame of `jobs` jobs of `jobNs` on `workers` workers that are awake, and the host, each on a CPU of its own:
 *
 *     frame = jobs × open + max(jobs × (submit + close), jobs × (worker + job) / workers, jobs × serial) + 2 × transfer
 *
 * The host submits, and gives the slots of the frame before back when it closes this one, while the workers run. `serial`
 * is what two workers cannot do at the same time: they want the same slot's line, so it goes from one to the other for
 * each claim. `efficiency`: share of the workers' time that goes to the jobs themselves.
 */
export function predict(constants, { workers, jobs, jobNs }) {
  const { openMoved, submitMoved, closeMoved, workerMoved, transfer } = constants;
  const submitNs = jobs * (submitMoved + closeMoved);
  const workNs = (jobs * (workerMoved + jobNs)) / workers;
  const serialNs = workers === 1 ? 0 : jobs * serialOf(constants);
  const frameNs = jobs * openMoved + Math.max(submitNs, workNs, serialNs) + 2 * transfer;
  return { frameNs, efficiency: (jobs * jobNs) / workers / frameNs };
}

/** What of a claim only one worker does at a time: two workers on empty jobs do nothing else. */
const serialOf = ({ pair }) => pair;

/** The shortest job with which `workers` workers are kept busy: shorter ones wait for the host or for each other. */
export function shortestJobNs(constants, workers) {
  const { submitMoved, closeMoved, workerMoved } = constants;
  return Math.max(0, workers * Math.max(submitMoved + closeMoved, serialOf(constants)) - workerMoved);
}
