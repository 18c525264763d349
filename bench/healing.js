import { createScheduler } from 'frame-deadline';
import { ratio, row } from './harness/stats.js';

export const describe =
  'jobs that do not end: from finding one to the next job of its lane, and what other workers miss';

const HANG_MS = 100;
const BEAT_MS = 5;
const LONG = { deadlineMs: 60_000 };
const tasks = new URL('./tasks/healing.tasks.js', import.meta.url);
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** How the main thread waits for a job to end. */
const WAYS = {
  free: (job) => job.done,
  blocked: (job) => {
    while (!job.ended) Atomics.wait(asleep, 0, 0, 5);
  },
};

export async function run({ quick }) {
  const rounds = quick ? 1 : 10;
  const found = { free: [], blocked: [], none: [] };
  for (let round = 0; round < rounds; round++) {
    found.free.push(await measure(2, WAYS.free));
    found.blocked.push(await measure(2, WAYS.blocked));
    found.none.push(await measure(0, WAYS.free));
  }
  const { free, blocked, none } = found;
  const healed = (results, hang) => results.map(({ hangs }) => hangs[hang].healedUs);
  const all = [...free, ...blocked, ...none];
  const rows = [
    row('found to serving, a spare is there', 'µs', healed(free, 0)),
    row('  second hang in a row', 'µs', healed(free, 1)),
    row('main thread blocked all the time', 'µs', healed(blocked, 0)),
    row('  second hang in a row', 'µs', healed(blocked, 1)),
    row('without spares', 'µs', healed(none, 0)),
    row('  second hang in a row', 'µs', healed(none, 1)),
    ratio(
      'a hang is found after, by hangMs',
      all.flatMap(({ hangs }) => hangs.map(({ foundUs }) => foundUs / 1000)),
      all.flatMap(({ hangs }) => hangs.map(() => HANG_MS)),
    ),
    row(
      "another worker's misses meanwhile",
      '',
      all.map(({ misses }) => misses),
    ),
    row(
      '  in as long before',
      '',
      all.map(({ missesBefore }) => missesBefore),
    ),
  ];
  return {
    rows,
    notes: [
      `hangMs ${HANG_MS}; two endless jobs of one worker, behind each a job whose start tells that the lane serves again`,
      `the other worker releases a job every ${BEAT_MS} ms by itself, due before the next`,
    ],
  };
}

/** Two hangs in a row: microseconds from start to detection, and from that to the start of the job behind. */
async function measure(spares, waitFor) {
  const scheduler = await createScheduler({
    lanes: { work: { tasks }, beats: { tasks, periodic: { task: 'beat', everyMs: BEAT_MS } } },
    workers: [{ lanes: ['work'] }, { lanes: ['beats'] }],
    hangMs: HANG_MS,
    spares,
    trace: { jobsPerThread: 1024 },
  });
  while ((await scheduler.refresh()).workers.some((worker) => worker.spares < spares)) await later(5);
  const { hang0, hang1, mark } = scheduler.lanes.work;
  const missesOf = (window) => window.read().lanes[1].tasks.reduce((sum, { misses }) => sum + misses, 0);
  const before = scheduler.telemetryWindow();
  const begunMs = performance.now();
  await later(2.6 * HANG_MS);
  const missesBefore = missesOf(before);
  const beforeMs = performance.now() - begunMs;
  const meanwhile = scheduler.telemetryWindow();
  const marks = [hang0, hang1].map((hang) => {
    scheduler.submit(hang, {}, LONG);
    return scheduler.submit(mark, {}, LONG);
  });
  for (const job of marks) await waitFor(job);
  const leftMs = begunMs + 2 * beforeMs - performance.now();
  if (leftMs > 0) await later(leftMs);
  const misses = missesOf(meanwhile);
  const trace = scheduler.jobTrace();
  await scheduler.close();
  const jobs = trace.threads.flatMap((thread) => thread.jobs).sort((a, b) => a.startAtUs - b.startAtUs);
  const named = (pattern) => jobs.filter(({ task }) => pattern.test(trace.tasks[task].name));
  const begins = named(/^mark$/);
  const hangs = named(/^hang/).map(({ startAtUs, finishAtUs, cause }, i) => {
    if (cause !== 'hung') throw new Error(`an endless job ended as ${cause}`);
    return { foundUs: finishAtUs - startAtUs, healedUs: begins[i].startAtUs - finishAtUs };
  });
  return { hangs, misses, missesBefore };
}

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
