import { benchScheduler } from './harness/scheduler.js';
import { percentiles, row } from './harness/stats.js';

export const describe = 'what submitting costs the host while the worker is busy with something else';

const DEADLINE = { deadlineMs: 1000 };
const JOBS = 64;

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const frames = quick ? 300 : 2000;
  const { scheduler, tasks } = await benchScheduler({ spinUs: 50 });
  const { empty, busy } = tasks;
  const submitNs = new Float64Array(frames);
  const measure = () => {
    for (let f = 0; f < frames; f++) {
      const frame = scheduler.beginFrame(DEADLINE);
      busy.input.us = 60;
      const blocker = frame.submit(busy);
      // until the worker has taken it
      const from = performance.now();
      while (performance.now() - from < 0.01);
      const start = performance.now();
      for (let i = 0; i < JOBS; i++) {
        empty.input.x = i;
        frame.submit(empty);
      }
      submitNs[f] = ((performance.now() - start) * 1e6) / JOBS;
      frame.joinSync();
      if (blocker.outcome !== 'onTime') throw new Error(`the job in front ended ${blocker.outcome}`);
    }
    return percentiles(submitNs);
  };
  measure();
  const found = Array.from({ length: rounds }, measure);
  await scheduler.close();
  return {
    rows: [
      row(
        'one submit, p50',
        'ns',
        found.map((f) => f.p50),
      ),
      row(
        '  p99',
        'ns',
        found.map((f) => f.p99),
      ),
    ],
    notes: [`mean of ${JOBS} submits, ${frames} times a round; writing one input field is part of it`],
  };
}
