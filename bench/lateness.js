import { benchScheduler } from './harness/scheduler.js';
import { percentiles, row } from './harness/stats.js';

export const name = 'lateness';
export const describe = 'from the end of a handler to the host that awaits its job, the host being idle';

const nowUs = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1000;
};

export async function run({ quick }) {
  const rounds = quick ? 2 : 5;
  const { scheduler, tasks } = await benchScheduler({});
  const rows = [];
  const lengthsMs = quick ? [0.5, 5] : [0.5, 5, 16, 50];
  for (const ms of lengthsMs) {
    const count = Math.max(10, Math.round((quick ? 100 : 800) / (ms + 1)));
    const measure = async () => {
      const lateUs = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const job = scheduler.submit(tasks.busyUntil, { us: ms * 1000 });
        await job.done;
        lateUs[i] = nowUs() - job.output.finishUs;
        job.release();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return percentiles(lateUs);
    };
    await measure();
    const found = [];
    for (let round = 0; round < rounds; round++) found.push(await measure());
    rows.push(
      row(
        `after a job of ${ms} ms, p50`,
        'µs',
        found.map((f) => f.p50),
        `${count} jobs a round`,
      ),
    );
    rows.push(
      row(
        '  p90',
        'µs',
        found.map((f) => f.p90),
      ),
    );
  }
  await scheduler.close();
  return { rows, notes: ['settling the job and its telemetry are part of it'] };
}
