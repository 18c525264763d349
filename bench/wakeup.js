import { benchScheduler } from './harness/scheduler.js';
import { percentiles, row } from './harness/stats.js';

export const describe = 'from submit to the start of the handler: one job, an idle worker that is parked';

const DEADLINE = { deadlineMs: 1000 };

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const jobs = quick ? 100 : 500;
  const rows = [];
  for (const [what, gapMs] of [
    ['after 1 ms of idleness', 1],
    ['after 10 ms', 10],
  ]) {
    const { scheduler, tasks } = await benchScheduler({});
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const count = gapMs === 1 ? jobs : jobs / 5;
    const measure = () => {
      const us = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        Atomics.wait(sleeper, 0, 0, gapMs);
        const frame = scheduler.beginFrame(DEADLINE);
        tasks.empty.input.x = i;
        const job = frame.submit(tasks.empty);
        frame.joinSync();
        us[i] = job.queueingUs;
      }
      return percentiles(us);
    };
    measure();
    const found = Array.from({ length: rounds }, measure);
    await scheduler.close();
    rows.push(
      row(
        `${what}, p50`,
        'µs',
        found.map((f) => f.p50),
      ),
    );
    rows.push(
      row(
        '  p99',
        'µs',
        found.map((f) => f.p99),
      ),
    );
  }
  return { rows, notes: [`${jobs} jobs a round (a fifth of it for the longer gap); stamps count whole microseconds`] };
}
