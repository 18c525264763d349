import { ISOLATED, isolate, NOT_ISOLATED, release } from './harness/pin.js';
import { benchScheduler, joinAsleep, joinHelping, joinSpinning, runFrames } from './harness/scheduler.js';
import { row } from './harness/stats.js';

export const describe = 'jobs a second in frames of 64, telemetry on, each frame joined before the next begins';

const JOBS = 64;

const VARIANTS = [
  ['1 worker, host polls', { workers: 1, spinUs: 50 }, joinSpinning],
  ['1 worker, host sleeps in joinSync', { workers: 1, spinUs: 50 }, joinAsleep],
  ['1 worker that parks at once, host sleeps', { workers: 1, spinUs: 0 }, joinAsleep],
  ['1 worker, host helps', { workers: 1, spinUs: 50, hostHelps: true }, joinHelping],
  ['2 workers, host sleeps', { workers: 2, spinUs: 50 }, joinAsleep],
];

export async function run({ quick }) {
  const frames = quick ? 1000 : 8000;
  const rounds = quick ? 3 : 7;
  const sets = [];
  for (const [what, options, join] of VARIANTS) {
    const name = `job${sets.length}`;
    sets.push({ what, join, name, ...(await benchScheduler({ ...options, name })), rates: [] });
  }
  for (let i = 0; i < 3; i++) {
    for (const { scheduler, tasks, join } of sets) runFrames(scheduler, tasks.empty, 1000, JOBS, join);
  }
  let isolated = true;
  for (let round = 0; round < rounds; round++) {
    for (const set of sets) {
      isolated = isolate(set.name) && isolated;
      runFrames(set.scheduler, set.tasks.empty, 200, JOBS, set.join);
      const start = performance.now();
      const outcome = runFrames(set.scheduler, set.tasks.empty, frames, JOBS, set.join);
      const seconds = (performance.now() - start) / 1000;
      release();
      if (outcome !== 'onTime') throw new Error(`the last job ended ${outcome}`);
      set.rates.push((frames * JOBS) / seconds / 1e6);
    }
  }
  const rows = sets.map(({ what, rates }) => row(what, 'M jobs/s', rates, `${nsPerJob(rates)} ns a job`));
  const counts = sets[0].scheduler.snapshot().lanes.jobs;
  for (const { scheduler } of sets) await scheduler.close();
  if (counts.accepted !== counts.outcomes.onTime) throw new Error('jobs were not on time, or not counted');
  return {
    rows,
    notes: [
      `${JOBS} jobs a frame, ${frames} frames a round; the variants take turns`,
      isolated ? ISOLATED : NOT_ISOLATED,
    ],
  };
}

const nsPerJob = (rates) => Math.round(1000 / rates.toSorted((a, b) => a - b)[rates.length >> 1]);
