import { benchScheduler } from './harness/scheduler.js';
import { row } from './harness/stats.js';

export const describe = 'frame loop at 60 Hz: how late the callback comes, and what waiting for it costs';

export async function run({ quick }) {
  const ms = quick ? 500 : 4000;
  const rounds = quick ? 2 : 5;
  const { scheduler } = await benchScheduler({});
  const measure = async () => {
    const ended = AbortSignal.timeout(ms);
    const cpu = process.cpuUsage();
    const from = performance.now();
    await scheduler.loop({ hz: 60, signal: ended }, () => {});
    const { user, system } = process.cpuUsage(cpu);
    const percent = ((user + system) / 1000 / (performance.now() - from)) * 100;
    const { tickErrorUs, intendedTicks, droppedTicks } = scheduler.snapshot().loops.at(-1);
    return { percent, p50: tickErrorUs.p50, p99: tickErrorUs.p99, max: tickErrorUs.max, intendedTicks, droppedTicks };
  };
  await measure();
  const found = [];
  for (let round = 0; round < rounds; round++) found.push(await measure());
  await scheduler.close();
  return {
    rows: [
      row(
        'tick error, p50',
        'µs',
        found.map((f) => f.p50),
      ),
      row(
        '  p99',
        'µs',
        found.map((f) => f.p99),
      ),
      row(
        '  max',
        'µs',
        found.map((f) => f.max),
      ),
      row(
        'CPU time of the process',
        '% of a core',
        found.map((f) => f.percent),
      ),
      row(
        'dropped ticks',
        'ticks',
        found.map((f) => f.droppedTicks),
      ),
    ],
    notes: [`about ${found[0].intendedTicks} ticks a round`],
  };
}
