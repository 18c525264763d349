import { createScheduler } from 'frame-deadline';
import { percentiles } from '../harness/stats.js';
import { startGarbageMeter } from './measures.js';

const tasks = new URL('../tasks/contest.tasks.js', import.meta.url);
const DEADLINE = { deadlineMs: 1000 };
const JOBS = 64;

/** The scheduler as a contestant: one worker; `priority`, `spinUs` and `cpus` of that worker. */
export async function open({ priority = 'normal', spinUs = 0, cpus }) {
  const scheduler = await createScheduler({
    lanes: { jobs: { tasks, load: () => import(tasks), deadlineMs: 1000 } },
    workers: [{ lanes: ['jobs'], priority, spinUs, name: 'bench', ...(cpus === undefined ? {} : { cpus }) }],
  });
  const lane = scheduler.lanes.jobs;
  const measures = {
    roundTrips: (options) => roundTrips(scheduler, lane, options),
    rate: ({ ms, way }) => rate(scheduler, lane, ms, way),
    frames: (options) => frames(scheduler, lane, options),
    garbage: ({ ms, way }) => garbage(scheduler, lane, ms, way),
    describe: () => scheduler.describe().workers[0].thread,
  };
  return { measures, close: () => scheduler.close() };
}

function joinNow(frame, way) {
  if (way === 'joinSync') frame.joinSync();
  else while (!frame.poll());
}

/** `way`: how the host waits: `joinSync` asleep, `poll` awake, `join` in its event loop. */
async function roundTrips(scheduler, { echo }, { count, ms, way }) {
  const tookNs = new Float64Array(count);
  const payload = new Uint8Array(60).fill(7);
  const untilMs = performance.now() + ms;
  let i = 0;
  for (; i < count && performance.now() < untilMs; i++) {
    const start = performance.now();
    const frame = scheduler.beginFrame(DEADLINE);
    echo.input.number = i;
    echo.input.payload.set(payload);
    const job = frame.submit(echo);
    if (way === 'join') await frame.join();
    else joinNow(frame, way);
    if (job.output.number !== i) throw new Error('another job’s answer came back');
    tookNs[i] = (performance.now() - start) * 1e6;
  }
  return { count: i, ...percentiles(tookNs, i) };
}

async function rate(scheduler, { empty }, ms, way) {
  const startMs = performance.now();
  const jobs = await inFrames(scheduler, empty, startMs + ms, way);
  return { perSecond: (jobs * 1000) / (performance.now() - startMs), jobs };
}

function submitAll(frame, empty) {
  let last = null;
  for (let i = 0; i < JOBS; i++) {
    empty.input.x = i;
    last = frame.submit(empty);
  }
  return last;
}

async function inFrames(scheduler, empty, untilMs, way) {
  let jobs = 0;
  for (; performance.now() < untilMs; jobs += JOBS) {
    const frame = scheduler.beginFrame(DEADLINE);
    const last = submitAll(frame, empty);
    if (way === 'join') await frame.join();
    else joinNow(frame, way);
    if (last.outcome !== 'onTime') throw new Error(`a job ended ${last.outcome}`);
  }
  return jobs;
}

/** A frame is missed if it is not done `deadlineMs` after its callback began, as for the rivals. */
async function frames(scheduler, { work }, { count, pieces, steps, hz, deadlineMs }) {
  const tookUs = new Float64Array(count);
  const ending = new AbortController();
  let done = 0;
  await scheduler.loop({ hz, signal: ending.signal }, async (frame) => {
    if (done === count) return;
    const startMs = performance.now();
    for (let i = 0; i < pieces; i++) {
      work.input.steps = steps;
      if (frame.submit(work).refused) throw new Error('a job was refused');
    }
    await frame.join();
    tookUs[done] = (performance.now() - startMs) * 1000;
    if (++done === count) ending.abort();
  });
  return { missed: tookUs.filter((us) => us > deadlineMs * 1000).length, count, ...percentiles(tookUs) };
}

async function runOne(scheduler, task) {
  const job = scheduler.submit(task);
  await job.done;
  return job;
}

async function garbage(scheduler, lane, ms, way) {
  (await runOne(scheduler, lane.collectionsStart)).release();
  const meter = startGarbageMeter();
  const jobs = await inFrames(scheduler, lane.empty, performance.now() + ms, way);
  const host = meter.stop();
  const stopped = await runOne(scheduler, lane.collectionsStop);
  const workerMs = stopped.output.ms;
  stopped.release();
  return { jobs, bytesPerJob: host.bytes / jobs, collectionsMs: host.ms + workerMs };
}
