import { GCProfiler, getHeapStatistics } from 'node:v8';
import { benchScheduler, joinAsleep, joinSpinning, runFrames } from './harness/scheduler.js';
import { row } from './harness/stats.js';

export const describe = 'garbage collections and heap growth per million jobs in frames, after warm-up';

const JOBS = 64;
const used = () => getHeapStatistics().used_heap_size;

function runOne(scheduler, task) {
  const job = scheduler.submit(task);
  return job.done;
}

/** Runs frames with both sides' collections counted. */
async function measure(scheduler, tasks, frames, join) {
  await runOne(scheduler, tasks.collectionsStart);
  const profiler = new GCProfiler();
  profiler.start();
  // V8 collects once around the profiler's start now and then: not ours
  const usedBefore = used();
  runFrames(scheduler, tasks.empty, frames, JOBS, join);
  const usedAfter = used();
  const host = profiler.stop().statistics.length;
  const started = await runOne(scheduler, tasks.collectionsStop);
  const { collections: worker, usedBytes } = started.output;
  started.release();
  return { host, worker, hostBytes: usedAfter - usedBefore, workerUsed: usedBytes };
}

export async function run({ quick }) {
  const frames = quick ? 3000 : Math.ceil(1_000_000 / JOBS);
  const rounds = quick ? 2 : 5;
  const rows = [];
  for (const [what, spinUs, join] of [
    ['joinSync', 0, joinAsleep],
    ['poll', 50, joinSpinning],
  ]) {
    const { scheduler, tasks } = await benchScheduler({ spinUs });
    runFrames(scheduler, tasks.empty, 4000, JOBS, join);
    await measure(scheduler, tasks, 100, join);
    const found = [];
    for (let round = 0; round < rounds; round++) found.push(await measure(scheduler, tasks, frames, join));
    const perMillion = 1_000_000 / (frames * JOBS);
    rows.push(
      row(
        `${what}: host`,
        'collections',
        found.map((f) => f.host * perMillion),
      ),
    );
    rows.push(
      row(
        '  worker',
        'collections',
        found.map((f) => f.worker * perMillion),
      ),
    );
    rows.push(
      row(
        '  host heap',
        'bytes a job',
        found.map((f) => f.hostBytes / (frames * JOBS)),
      ),
    );
    await scheduler.close();
  }
  const seen = await meterCheck();
  rows.push(row('meter check: provoked on the host', 'collections', [seen.host]));
  rows.push(row('  on the worker', 'collections', [seen.worker]));
  if (seen.host === 0 || seen.worker === 0) throw new Error('the meter does not see collections');
  return { rows, notes: ['counted by v8.GCProfiler in each thread; a million jobs a round'] };
}

/** Makes garbage on both sides on purpose: zero above counts only if this is not zero. */
async function meterCheck() {
  const { scheduler, tasks } = await benchScheduler({});
  await runOne(scheduler, tasks.collectionsStart);
  const profiler = new GCProfiler();
  profiler.start();
  let garbage = [];
  for (let i = 0; i < 2_000_000; i++) garbage.push({ i });
  garbage = [];
  await runOne(scheduler, tasks.litter);
  const host = profiler.stop().statistics.length;
  const stopped = await runOne(scheduler, tasks.collectionsStop);
  const worker = stopped.output.collections;
  await scheduler.close();
  return { host, worker };
}
