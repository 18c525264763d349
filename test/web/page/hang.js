// What hang.test.ts runs in its page: each test gives plain data.
import { createScheduler } from '../../../dist/web.js';

const TASKS = new URL('./hang.tasks.js', import.meta.url);
const LONG = { deadlineMs: 60_000 };
const PATIENCE_MS = 20_000;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(holds, what) {
  for (const start = performance.now(); !(await holds()); await sleep(10)) {
    if (performance.now() - start > PATIENCE_MS) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
  }
}

/** A lane with one worker and a warm spare that is ready. */
async function withSpare(test, options = {}) {
  const alive = new Int32Array(new SharedArrayBuffer(16));
  const scheduler = await createScheduler({
    hangMs: 100,
    spares: 1,
    workers: [{ lanes: ['work'] }],
    lanes: { work: { tasks: TASKS, shared: { alive } } },
    ...options,
  });
  const spareIsReady = () => until(async () => (await scheduler.refresh()).workers[0].spares === 1, 'a warm spare');
  const isAlive = async () => {
    const before = Atomics.load(alive, 0);
    for (let i = 0; i < 20; i++) {
      await sleep(10);
      if (Atomics.load(alive, 0) !== before) return true;
    }
    return false;
  };
  try {
    await spareIsReady();
    return await test(scheduler, scheduler.lanes.work, { spareIsReady, isAlive, alive });
  } finally {
    await scheduler.close();
  }
}

export const lostEarly = () =>
  withSpare(async (scheduler, work, { spareIsReady, isAlive }) => {
    const startMs = performance.now();
    const hung = scheduler.submit(work.hang, {}, LONG);
    const after = scheduler.submit(work.twice, { x: 21 }, LONG);
    await hung.done;
    const lostMs = performance.now() - startMs;
    await after.done;
    const afterMs = performance.now() - startMs;
    const stillRuns = await isAlive();
    await until(async () => !(await isAlive()), 'the end of the hung thread');
    const endedMs = performance.now() - startMs;
    await spareIsReady();
    const { workers } = scheduler.describe();
    const [{ task, outcome, cause, worker }] = scheduler.recentMisses();
    return {
      lostMs,
      afterMs,
      stillRuns,
      endedMs,
      outcomes: [hung.outcome, after.outcome],
      y: after.output.y,
      miss: { task, outcome, cause, worker },
      worker: { state: workers[0].state, deaths: workers[0].deaths, lastDeath: workers[0].lastDeath },
    };
  });

export const runAgain = () =>
  withSpare(async (scheduler, work, { alive }) => {
    const job = scheduler.submit(work.hangOnce, {}, LONG);
    await job.done;
    return { outcome: job.outcome, starts: Atomics.load(alive, 1) };
  });

export const crashed = () =>
  withSpare(async (scheduler, work, { spareIsReady }) => {
    const quitting = scheduler.submit(work.quit, {}, LONG);
    await quitting.done;
    const after = Array.from({ length: 20 }, (_, x) => scheduler.submit(work.twice, { x }, LONG));
    await Promise.all(after.map((job) => job.done));
    await until(async () => (await scheduler.refresh()).workers[0].deaths === 1, 'the death');
    await spareIsReady();
    const { state, lastDeath } = scheduler.describe().workers[0];
    return { outcomes: [...new Set([quitting, ...after].map(({ outcome }) => outcome))], state, lastDeath };
  });

export const quarantined = () =>
  withSpare(async (scheduler, work) => {
    const hung = [];
    for (let i = 0; i < 3; i++) {
      const job = scheduler.submit(work.hang, {}, LONG);
      await job.done;
      hung.push(job.outcome);
    }
    // a moment after the third is lost
    await until(async () => (await scheduler.refresh()).quarantined.length > 0, 'the quarantine');
    const refused = scheduler.submit(work.hang, {}, LONG).refused;
    const other = scheduler.submit(work.twice, { x: 4 }, LONG);
    await other.done;
    const { quarantined } = await scheduler.refresh();
    await scheduler.reload('work');
    const after = (await scheduler.refresh()).quarantined;
    const again = scheduler.submit(work.twice, { x: 5 }, LONG);
    await again.done;
    return { hung, refused, other: other.outcome, quarantined, after, again: again.outcome };
  });
