import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { createScheduler } from 'frame-deadline';
import { ratio, row } from './harness/stats.js';

export const describe =
  'from createScheduler to all workers ready, beside one bare worker that imports the same module';

const TREES = [
  ['fast-check, hdr-histogram-js', new URL('./tasks/tree.tasks.js', import.meta.url)],
  ['OpenTelemetry, trace_engine', new URL('./tasks/heavy-tree.tasks.js', import.meta.url)],
];

/** A plain worker thread that imports the task module once. */
async function importOnce(url) {
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

/** Milliseconds until all are ready, and MiB of resident memory then. */
async function startUp(url, workers) {
  const start = performance.now();
  const scheduler = await createScheduler({
    lanes: { jobs: { tasks: url } },
    workers: [{ lanes: ['jobs'], count: workers }],
  });
  const took = performance.now() - start;
  const mib = process.memoryUsage.rss() / 2 ** 20;
  await scheduler.close();
  return { took, mib };
}

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const turns = Math.ceil(4 / availableParallelism());
  const rows = [];
  for (const [tree, url] of TREES) {
    await importOnce(url);
    // the process has its largest size once: later differences are those of what runs
    await startUp(url, 4);
    const found = { imports: [], one: [], four: [], perWorker: [] };
    for (let round = 0; round < rounds; round++) {
      found.imports.push(await importOnce(url));
      const one = await startUp(url, 1);
      const four = await startUp(url, 4);
      found.one.push(one.took);
      found.four.push(four.took);
      found.perWorker.push((four.mib - one.mib) / 3);
    }
    const { imports, one, four, perWorker } = found;
    rows.push(
      row(`${tree}: a worker thread and one import`, 'ms', imports),
      row('  createScheduler, 1 worker', 'ms', one),
      row('  createScheduler, 4 workers', 'ms', four),
      ratio('  1 worker, in imports', one, imports),
      ratio(
        `  4 workers, in imports × ${turns} (workers / cores)`,
        four,
        imports.map((ms) => ms * turns),
      ),
      row('  memory of a worker', 'MiB', perWorker),
    );
  }
  return {
    rows,
    notes: [
      'the supervisor thread is part of the start; memory: resident with 4 workers less with 1, by 3',
      'with a compile cache (Node 22.1 and later): NODE_COMPILE_CACHE=folder before the command',
    ],
  };
}
