import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createScheduler } from 'frame-deadline';
import { ratio, row } from './harness/stats.js';

export const name = 'startup';
export const describe =
  'from createScheduler to all workers ready, beside one bare worker that imports the same module';

const url = new URL('./tasks/tree.tasks.js', import.meta.url);

/** A plain worker thread that imports the task module once. */
async function importOnce() {
  const start = performance.now();
  const worker = new Worker(new URL('./workers/import-once.js', import.meta.url), { workerData: { url: url.href } });
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const took = performance.now() - start;
  await worker.terminate();
  return took;
}

async function startUp(workers) {
  const rssBefore = process.memoryUsage.rss();
  const start = performance.now();
  const scheduler = await createScheduler({
    lanes: { jobs: { tasks: url } },
    workers: [{ lanes: ['jobs'], count: workers }],
  });
  const took = performance.now() - start;
  const mib = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
  await scheduler.close();
  return { took, mib };
}

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  await importOnce();
  const firstMib = (await startUp(1)).mib;
  const imports = [];
  const one = [];
  const four = [];
  for (let round = 0; round < rounds; round++) {
    imports.push(await importOnce());
    one.push((await startUp(1)).took);
    four.push((await startUp(4)).took);
  }
  const turns = Math.ceil(4 / availableParallelism());
  return {
    rows: [
      row('a worker thread and one import', 'ms', imports),
      row('createScheduler, 1 worker', 'ms', one),
      row('createScheduler, 4 workers', 'ms', four),
      ratio('  1 worker, in imports', one, imports),
      ratio(
        `  4 workers, in imports × ${turns} (workers / cores)`,
        four,
        imports.map((ms) => ms * turns),
      ),
      row('memory of the first start, 1 worker', 'MiB', [firstMib]),
    ],
    notes: ['the module imports fast-check and hdr-histogram-js; the supervisor thread is part of the start'],
  };
}
