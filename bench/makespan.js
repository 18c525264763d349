import { benchScheduler } from './harness/scheduler.js';
import { percentiles, row } from './harness/stats.js';

export const describe = '32 jobs of 0.1 ms in a frame, from its begin to its end, against work / CPUs';

const JOBS = 32;
const JOB_US = 100;
const DEADLINE = { deadlineMs: 1000 };

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const frames = quick ? 40 : 200;
  const rows = [];
  for (const [what, options, help, cpus] of [
    ['1 worker, host sleeps', { workers: 1 }, false, 1],
    ['1 worker, host helps', { workers: 1, hostHelps: true }, true, 2],
  ]) {
    const { scheduler, tasks } = await benchScheduler(options);
    const join = { help };
    const took = new Float64Array(frames);
    const measure = () => {
      for (let f = 0; f < frames; f++) {
        const start = performance.now();
        const frame = scheduler.beginFrame(DEADLINE);
        for (let i = 0; i < JOBS; i++) {
          tasks.busy.input.us = JOB_US;
          frame.submit(tasks.busy);
        }
        frame.joinSync(join);
        took[f] = (performance.now() - start) * 1000;
      }
      return percentiles(took);
    };
    measure();
    const found = Array.from({ length: rounds }, measure);
    await scheduler.close();
    const idealUs = (JOBS * JOB_US) / cpus;
    rows.push(
      row(
        `${what}, p50`,
        'µs',
        found.map((f) => f.p50),
      ),
    );
    rows.push(
      row(
        `  over the ideal of ${idealUs} µs`,
        '×',
        found.map((f) => f.p50 / idealUs),
      ),
    );
  }
  return { rows, notes: [`${frames} frames a round`] };
}
