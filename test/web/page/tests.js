// What engine.test.ts runs in its page: each test gives plain data.
import { createScheduler } from '../../../dist/web.js';

const TASKS = new URL('./work.tasks.js', import.meta.url);
const load = () => import('./work.tasks.js');
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(holds, what, patienceMs = 15_000) {
  for (const start = performance.now(); !holds(); await sleep(2)) {
    if (performance.now() - start > patienceMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
  }
}

async function quiet(scheduler) {
  await until(() => Object.values(scheduler.snapshot().lanes).every((lane) => lane.inFlight === 0), 'quiet');
  return scheduler.snapshot();
}

/** A scheduler with one lane, closed after the test. */
async function withScheduler({ lane, ...options }, test) {
  const gate = new Int32Array(new SharedArrayBuffer(16));
  const scheduler = await createScheduler({
    workers: [{ lanes: ['work'], count: 2 }],
    ...options,
    lanes: { work: { tasks: TASKS, shared: { gate }, ...lane } },
  });
  try {
    return await test(scheduler, scheduler.lanes.work, gate);
  } finally {
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
    await scheduler.close();
  }
}

export async function hello() {
  return withScheduler({}, async (scheduler, work) => {
    const job = scheduler.submit(work.twice, { x: 21 });
    await job.done;
    const { mode, workers } = scheduler.describe();
    return { outcome: job.outcome, y: job.output.y, mode, thread: workers[0].thread };
  });
}

/** A loop of `frames` frames with `jobs` jobs each, joined until their deadline. */
export async function loop({ frames = 60, jobs = 8, hz } = {}) {
  return withScheduler({}, async (scheduler, work) => {
    const outcomes = {};
    let wrong = 0;
    let incomplete = 0;
    let first = null;
    const end = new AbortController();
    await scheduler.loop({ signal: end.signal, ...(hz === undefined ? {} : { hz }) }, async (frame) => {
      first ??= frame.number;
      const submitted = [];
      for (let i = 0; i < jobs; i++) submitted.push(frame.submit(work.twice, { x: frame.number * jobs + i }));
      if (!(await frame.join({ until: 'deadline' }))) incomplete++;
      submitted.forEach((job, i) => {
        outcomes[job.outcome] = (outcomes[job.outcome] ?? 0) + 1;
        if (job.outcome === 'onTime' && job.output.y !== (frame.number * jobs + i) * 2) wrong++;
      });
      if (frame.number >= frames - 1) end.abort();
    });
    const { lanes, loops } = await quiet(scheduler);
    return { outcomes, wrong, incomplete, lane: lanes.work.outcomes, loop: loops[0], first };
  });
}

/** More work than there is time for: the join ends at the deadline, and what is left ends later. */
export async function joinUntilDeadline() {
  return withScheduler({ workers: [{ lanes: ['work'] }] }, async (scheduler, work, gate) => {
    const frame = scheduler.beginFrame({ deadlineMs: 20 });
    const held = frame.submit(work.gate, { x: 7 });
    const begunAt = performance.now();
    const complete = await frame.join({ until: 'deadline' });
    const waitedMs = performance.now() - begunAt;
    const pending = held.outcome;
    const timeToDeadlineMs = frame.timeToDeadlineMs();
    Atomics.store(gate, 1, 1);
    Atomics.notify(gate, 1);
    const later = await frame.join();
    return { complete, pending, timeToDeadlineMs, waitedMs, later, outcome: held.outcome, x: held.output.x };
  });
}

export async function barrier() {
  return withScheduler({}, async (scheduler, work) => {
    const frame = scheduler.beginFrame({ deadlineMs: 1000 });
    const first = frame.submit(work.spin, { us: 5000 });
    frame.barrier();
    const second = frame.submit(work.twice, { x: 1 });
    await frame.join();
    const jobs = scheduler.jobTrace().threads.flatMap((thread) => thread.jobs);
    const { finishAtUs } = jobs.find((record) => record.job === first.sequence);
    const { startAtUs } = jobs.find((record) => record.job === second.sequence);
    return { ended: first.ended && second.ended, finishAtUs, startAtUs };
  });
}

export async function failing() {
  return withScheduler({}, async (scheduler, work) => {
    const job = scheduler.submit(work.fail, { x: 3 });
    await job.done;
    const { code, message, cause } = job.error;
    return {
      outcome: job.outcome,
      code,
      message,
      cause: { name: cause.name, message: cause.message, code: cause.code },
    };
  });
}

export async function blocking() {
  return withScheduler({}, async (scheduler, work) => {
    const frame = scheduler.beginFrame();
    const job = frame.submit(work.twice, { x: 1 });
    let code = null;
    try {
      frame.joinSync();
    } catch (error) {
      code = error.code;
    }
    await until(() => frame.poll(), 'the frame by polling');
    return { code, ended: job.ended };
  });
}

/** One of two workers ends itself and never returns; jobs behind it are run, a thread takes its place. */
export async function deadWorker() {
  return withScheduler({}, async (scheduler, work, gate) => {
    const dying = scheduler.submit(work.die);
    await until(() => gate[2] === 1, 'the start of what dies');
    const others = Array.from({ length: 20 }, (_, x) => scheduler.submit(work.twice, { x }));
    await Promise.all(others.map((job) => job.done));
    const begunAt = performance.now();
    await dying.done;
    const settledMs = performance.now() - begunAt;
    await until(() => scheduler.telemetry().workers.length === 2, 'telemetry');
    let description;
    for (;;) {
      description = await scheduler.refresh();
      if (description.workers.every((worker) => worker.state === 'serving')) break;
      await sleep(10);
    }
    const after = Array.from({ length: 20 }, (_, x) => scheduler.submit(work.twice, { x }));
    await Promise.all(after.map((job) => job.done));
    const { lanes } = await quiet(scheduler);
    return {
      settledMs,
      outcome: dying.outcome,
      ended: [...others, ...after].filter((job) => job.outcome === 'onTime' || job.outcome === 'late').length,
      deaths: description.workers.map((worker) => worker.deaths).sort(),
      lastDeaths: description.workers.map((worker) => worker.lastDeath),
      lane: lanes.work.outcomes,
      accepted: lanes.work.accepted,
    };
  });
}

/** The page is busy: workers go on, and what they did is counted where it happened. */
export async function busyPage() {
  return withScheduler(
    { lane: { periodic: { task: 'tick', everyMs: 10 }, tasks: new URL('./periodic.tasks.js', import.meta.url) } },
    async (scheduler) => {
      await sleep(200);
      const before = scheduler.snapshot().lanes.work.submitted;
      for (const end = performance.now() + 500; performance.now() < end; );
      const after = scheduler.snapshot().lanes.work.submitted;
      return { periods: after - before };
    },
  );
}

export async function inline({ frames = 5 } = {}) {
  const scheduler = await createScheduler({ mode: 'inline', lanes: { work: { load } } });
  const { work } = scheduler.lanes;
  const end = new AbortController();
  const results = [];
  await scheduler.loop({ signal: end.signal }, async (frame) => {
    const job = frame.submit(work.twice, { x: frame.number });
    await frame.join();
    results.push(job.output.y === frame.number * 2 && job.outcome !== 'failed');
    if (results.length === frames) end.abort();
  });
  const frame = scheduler.beginFrame();
  const job = frame.submit(work.twice, { x: 4 });
  const joined = frame.joinSync();
  const y = job.output.y;
  await scheduler.close();
  return { isolated: crossOriginIsolated, results, joined, y, mode: scheduler.describe().mode };
}

async function codeOf(options) {
  try {
    const scheduler = await createScheduler(options);
    await scheduler.close();
    return { code: null, message: 'no error' };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

export async function notIsolated() {
  return codeOf({ lanes: { work: { tasks: TASKS, load } } });
}

export async function badModules() {
  const workers = (tasks, more = {}) =>
    codeOf({ lanes: { work: { tasks: new URL(tasks, import.meta.url) } }, ...more });
  return {
    missing: await workers('./nowhere.tasks.js'),
    broken: await workers('./broken.tasks.js'),
    empty: await workers('./empty.tasks.js'),
    worker: await workers('./work.tasks.js', { workerUrl: '/nowhere.js' }),
    supervisor: await workers('./work.tasks.js', { supervisorUrl: '/nowhere.js' }),
    page: await workers('/?plain', {}),
    otherOrigin: await workers('./work.tasks.js', { supervisorUrl: 'https://other.invalid/x.js' }),
    workersOtherOrigin: await workers('./work.tasks.js', { workerUrl: 'https://other.invalid/x.js' }),
    slow: await workers('./slow.tasks.js', { readyTimeoutMs: 300 }),
    option: await workers('./work.tasks.js', { workerUrl: 'http://[' }),
    number: await workers('./work.tasks.js', { workerUrl: 5 }),
    nested: await workers('./nested.tasks.js'),
    unknown: await workers('./work.tasks.js', { nonsense: 1 }),
  };
}

/** On no thread is there `Atomics.waitAsync`: the supervisor's watch has looked for long enough to go to sleep. */
export async function withoutWaitAsync() {
  const urls = {
    supervisorUrl: new URL('./old-supervisor.worker.js', import.meta.url),
    workerUrl: new URL('./old-worker.worker.js', import.meta.url),
  };
  return withScheduler({ ...urls, hangMs: 40 }, async (scheduler, work) => {
    await scheduler.submit(work.twice, { x: 1 }).done;
    await sleep(200);
    const job = scheduler.submit(work.twice, { x: 21 });
    await job.done;
    await sleep(200);
    const { workers } = await scheduler.refresh();
    return { outcome: job.outcome, y: job.output.y, deaths: workers.map(({ deaths }) => deaths) };
  });
}

/** Stamps of this thread and of the workers, one between the other. */
export async function clocks({ jobs = 300 } = {}) {
  return withScheduler({}, async (scheduler, work) => {
    let misordered = 0;
    for (let i = 0; i < jobs; i++) {
      const job = scheduler.submit(work.twice, { x: i });
      await job.done;
      job.release();
    }
    const records = scheduler.jobTrace().threads.flatMap((thread) => thread.jobs);
    records.sort((a, b) => a.job - b.job);
    let lastFinishUs = 0;
    for (const { submitAtUs, startAtUs, finishAtUs } of records) {
      // one after the other: what the page stamps lies between what two workers stamp. Each clock steps by 5 µs
      if (!(lastFinishUs <= submitAtUs + 10 && submitAtUs <= finishAtUs + 10 && startAtUs <= finishAtUs)) misordered++;
      lastFinishUs = finishAtUs;
    }
    const count = records.length;
    return { count, misordered };
  });
}

/** The host is a Web Worker: it may block, and a timer drives its loop. */
export async function inWorker() {
  const worker = new Worker(new URL('./host.worker.js', import.meta.url), { type: 'module' });
  const answer = await new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  worker.terminate();
  return answer;
}

/** A scheduler that stays, for tests from outside. */
export async function open() {
  const gate = new Int32Array(new SharedArrayBuffer(16));
  const scheduler = await createScheduler({
    workers: [{ lanes: ['work'], count: 2 }],
    lanes: { work: { tasks: TASKS, shared: { gate } } },
  });
  const end = new AbortController();
  const looped = scheduler.loop({ signal: end.signal }, async (frame) => {
    frame.submit(scheduler.lanes.work.twice, { x: 1 });
    await frame.join();
  });
  globalThis.opened = {
    telemetry: () => scheduler.telemetry().loops[0],
    close: async () => {
      end.abort();
      await looped;
      await scheduler.close();
    },
  };
  await until(() => (scheduler.telemetry().loops[0]?.frames ?? 0) > 10, 'frames');
}

/** Closed while a handler never returns. */
export async function closeHung() {
  return withScheduler({}, async (scheduler, work, gate) => {
    const hung = scheduler.submit(work.hang);
    await until(() => gate[2] === 1, 'the start of what hangs');
    const begunAt = performance.now();
    await scheduler.close({ drainMs: 0 });
    return { closedMs: performance.now() - begunAt, outcome: hung.outcome };
  });
}
