import { benchScheduler } from './harness/scheduler.js';
import { row } from './harness/stats.js';

export const describe = 'CPU time of the whole process while a scheduler has nothing to do';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function cpuPercent(ms) {
  const start = process.cpuUsage();
  const from = performance.now();
  await sleep(ms);
  const { user, system } = process.cpuUsage(start);
  return ((user + system) / 1000 / (performance.now() - from)) * 100;
}

export async function run({ quick }) {
  const ms = quick ? 400 : 3000;
  const rounds = quick ? 2 : 5;
  const measure = async () => {
    const found = [];
    for (let round = 0; round < rounds; round++) found.push(await cpuPercent(ms));
    return found;
  };
  const rows = [];
  await sleep(quick ? 300 : 1000);
  rows.push(row('no scheduler: this process alone', '% of a core', await measure()));
  for (const workers of [1, 4]) {
    const { scheduler } = await benchScheduler({ workers });
    // start-up's last work, of the JIT and the collector, is over by then
    await sleep(quick ? 500 : 2000);
    rows.push(row(`${workers} idle worker${workers === 1 ? '' : 's'}`, '% of a core', await measure()));
    await scheduler.close();
  }
  return { rows, notes: [`process.cpuUsage over ${ms} ms; supervisor included`] };
}
