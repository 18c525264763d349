import { createScheduler } from 'frame-deadline';
import { row, spread } from './harness/stats.js';
import { SIZE } from './tasks/batch.tasks.js';

export const describe = 'one job whose handler gets a range of items: what an item costs over the bare loop';

const ITEMS = [64, 256, 1024, 4096, SIZE];
const DEADLINE = { deadlineMs: 1000 };
const url = new URL('./tasks/batch.tasks.js', import.meta.url);

export async function run({ quick }) {
  const rounds = quick ? 3 : 9;
  const times = quick ? 100 : 1000;
  const values = new Float32Array(new SharedArrayBuffer(SIZE * 4)).fill(0.5);
  const scheduler = await createScheduler({
    lanes: { jobs: { tasks: url, load: () => import('./tasks/batch.tasks.js'), shared: { values } } },
    workers: [{ lanes: ['jobs'], spinUs: 50 }],
  });
  const { range, bare } = scheduler.lanes.jobs;
  const inFrame = (handle, fill) => {
    const frame = scheduler.beginFrame(DEADLINE);
    fill(handle.input);
    const job = frame.submit(handle);
    while (!frame.poll());
    if (job.outcome !== 'onTime') throw new Error(`the job ended ${job.outcome}`);
    return job;
  };
  const found = ITEMS.map((items) => ({ items, bareNs: [], onWorkerNs: [], overNs: [] }));
  for (let round = -1; round < rounds; round++) {
    for (const point of found) {
      const { items } = point;
      // the bare loop in the worker's own thread, timed there
      const ns = inFrame(bare, (input) => {
        input.items = items;
        input.times = times;
      }).output.nsPerItem;
      const took = [];
      for (let i = 0; i < times; i++) {
        const start = performance.now();
        inFrame(range, (input) => {
          input.from = 0;
          input.to = items;
        });
        took.push(((performance.now() - start) * 1e6) / items);
      }
      const batchNs = spread(took).median;
      if (round < 0) continue;
      point.bareNs.push(ns);
      point.onWorkerNs.push(batchNs);
      point.overNs.push(batchNs - ns);
    }
  }
  await scheduler.close();
  if (values[0] === 0.5) throw new Error('the handler did nothing');
  return {
    rows: found.flatMap(({ items, bareNs, onWorkerNs, overNs }) => [
      row(`bare loop over ${items} items`, 'ns an item', bareNs),
      row(`  one job with a range of ${items}, there and back`, 'ns an item', onWorkerNs),
      row('  over the bare loop', 'ns an item', overNs),
    ]),
    notes: ['the job is submitted, run and joined by a host that polls; the median of a round'],
  };
}
