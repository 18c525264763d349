import { BELL_AWAKE, STATUS_READY, WORKER_BELL } from '../dist/memory/layout.js';
import { JobRing, JobRingProducer, jobRingBytes } from '../dist/ring/job-ring.js';
import { BareWorker, bareParts } from './harness/bare-parts.js';
import { consumed, nsPerIteration } from './harness/overhead.js';
import { bind, isolate, release } from './harness/pin.js';
import { benchScheduler, joinSpinning, runFrames } from './harness/scheduler.js';
import { row, spread } from './harness/stats.js';
import { WorkerSteps } from './harness/worker-steps.js';
import { predict } from './simulator/model.js';

export const describe = "the terms of a job's cost, each on the real code; what they predict, beside what is measured";

const JOBS = 64;
const PAIR_JOBS = 192;
const WARM_UPS = 3;
const DEADLINE = { deadlineMs: 1000 };
const nowNs = () => Number(process.hrtime.bigint());

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const frames = quick ? 300 : 2000;
  const terms = { ...hostTerms(rounds, quick), ...oneThread(rounds, frames), ...(await twoThreads(rounds, frames)) };
  Object.assign(terms, await bellBetweenThreads(rounds, quick ? 30 : 150));
  Object.assign(terms, await contention(rounds, frames));
  if (Number.isNaN(consumed())) throw new Error('not a number');
  const measured = await throughput(rounds, quick ? 800 : 4000);
  const constants = Object.fromEntries(Object.entries(terms).map(([key, { ns }]) => [key, spread(ns).median]));
  const rows = Object.values(terms).map(({ what, ns }) => row(what, 'ns', ns));
  const { frameNs } = predict(constants, { workers: 1, jobs: JOBS, jobNs: 0 });
  const predictedNs = frameNs / JOBS;
  rows.push(row('predicted: a job, 1 worker, frames of 64, host polls', 'ns', [predictedNs]));
  rows.push(row('measured: the same with createScheduler', 'ns', measured));
  rows.push(
    row('  error of the prediction', '%', [(100 * (predictedNs - spread(measured).median)) / spread(measured).median]),
  );
  return {
    rows,
    constants,
    notes: [
      `${JOBS} jobs a frame, ${frames} frames a round; "lines moved": the other thread wrote the slot last`,
      'the median batch of a round, so that what others do to a few batches does not count; host bound to CPU 0, one worker to CPU 1; two workers are not bound; the measured one is SCHED_FIFO as in `throughput`',
    ],
  };
}

/** Steps that no other thread takes part in. */
function hostTerms(rounds, quick) {
  const n = quick ? 50_000 : 500_000;
  const { memory, clock } = bareParts();
  const { bells, control, layout } = memory;
  const { strideBytes, bytes } = jobRingBytes(256, 64);
  const ring = new JobRing({ buffer: new SharedArrayBuffer(bytes), capacitySlots: 256, strideBytes, periodic: false });
  const producer = new JobRingProducer(ring);
  const publish = (count) => {
    for (let i = 0; i < count; i++) {
      const slot = producer.reserve();
      producer.publish(slot, STATUS_READY, 0, 0, 0, 0, i, i, i);
      producer.free(slot);
    }
    return producer.liveSlots;
  };
  const ringAwake = (count) => {
    for (let i = 0; i < count; i++) bells.ringOne(1);
    return count;
  };
  const bellAt = layout.worker(0) + WORKER_BELL;
  const ringParked = (count) => {
    for (let i = 0; i < count; i++) {
      bells.announcePark(0);
      bells.ringOne(1);
      control[bellAt] = BELL_AWAKE;
    }
    return count;
  };
  const read = (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + clock.nowUs()) | 0;
    return sum;
  };
  return {
    publish: { what: 'reserve, publish, free: the ring alone', ns: nsPerIteration(publish, n, rounds) },
    bellAwake: { what: 'bell, worker awake', ns: nsPerIteration(ringAwake, n, rounds) },
    bellAnnounced: { what: 'bell, park announced and not begun', ns: nsPerIteration(ringParked, n, rounds) },
    clock: { what: 'clock read', ns: nsPerIteration(read, n, rounds) },
  };
}

/** One frame's submits. */
function submitFrame(scheduler, empty, jobs) {
  const frame = scheduler.beginFrame(DEADLINE);
  for (let i = 0; i < jobs; i++) {
    empty.input.x = i;
    frame.submit(empty);
  }
  return frame;
}

const perJob = (ms, frames) => (ms * 1e6) / frames / JOBS;

/** The batches of one round, by step; a round's figure is their median, so that a batch in which others ran does not count. */
class Batches {
  constructor(steps) {
    this.steps = Object.fromEntries(steps.map((step) => [step, []]));
  }
  add(step, ns, jobs = JOBS) {
    this.steps[step].push(ns / jobs);
  }
  median(step) {
    return spread(this.steps[step]).median;
  }
}

/** Times the host's steps around `work`, which runs the frame's jobs. */
function hostSide(scheduler, empty, frames, batches, work) {
  for (let f = 0; f < frames; f++) {
    const t0 = performance.now();
    const frame = scheduler.beginFrame(DEADLINE);
    const t1 = performance.now();
    for (let i = 0; i < JOBS; i++) {
      empty.input.x = i;
      frame.submit(empty);
    }
    const t2 = performance.now();
    frame.poll();
    const t3 = performance.now();
    batches.add('open', (t1 - t0) * 1e6);
    batches.add('submit', (t2 - t1) * 1e6);
    batches.add('close', (t3 - t2) * 1e6);
    work();
    if (!frame.poll()) throw new Error('the frame is not over');
  }
}

const WORKER_STEPS = ['claim', 'begin', 'handler', 'settle'];
const HOST_STEPS = ['open', 'submit', 'close'];

/** Both sides' steps; `whole` and `parted` run a frame's jobs on the worker and return its nanoseconds. */
function bothSides({ scheduler, handles }, rounds, frames, whole, parted) {
  const found = Object.fromEntries([...HOST_STEPS, ...WORKER_STEPS, 'worker'].map((step) => [step, []]));
  for (let round = -WARM_UPS; round < rounds; round++) {
    const batches = new Batches(Object.keys(found));
    hostSide(scheduler, handles.empty, frames, batches, () => batches.add('worker', whole()));
    hostSide(scheduler, handles.empty, frames, new Batches(HOST_STEPS), () => {
      const ns = parted();
      for (let i = 0; i < WORKER_STEPS.length; i++) batches.add(WORKER_STEPS[i], ns[i]);
    });
    if (round < 0) continue;
    for (const [step, list] of Object.entries(found)) list.push(batches.median(step));
  }
  return found;
}

const STEPS = {
  submit: 'submit (input field, publish, clock, bell)',
  open: "opening a frame, a job's share",
  close: "closing a frame, the last one's slots given back",
  claim: 'look and claim',
  begin: 'begin',
  handler: 'an empty handler with its views',
  settle: 'settle (clock, records, trace, completion)',
  worker: "a worker's whole job",
};

const termsOf = (found, suffix, condition) =>
  Object.fromEntries(
    Object.entries(STEPS).map(([step, what]) => [
      `${step}${suffix}`,
      { what: `${what}: ${condition}`, ns: found[step] },
    ]),
  );

function oneThread(rounds, frames) {
  const parts = bareParts();
  const steps = new WorkerSteps(parts.memory, parts.clock, parts.plan, 0);
  const ns = new Float64Array(4);
  const found = bothSides(
    parts,
    rounds,
    frames,
    () => steps.whole(JOBS),
    () => {
      steps.parted(JOBS, ns);
      return ns;
    },
  );
  return termsOf(found, '', 'one thread');
}

async function twoThreads(rounds, frames) {
  const parts = bareParts();
  const worker = new BareWorker(parts, 0);
  await worker.ready();
  bind('bare0');
  const answer = (command) => {
    worker.begin(command, JOBS);
    return worker.finish();
  };
  const found = bothSides(
    parts,
    rounds,
    frames,
    () => answer(1)[0],
    () => answer(2),
  );
  const transfer = Array.from({ length: rounds }, () => pingPong(worker, 500, 40));
  release();
  await worker.end();
  return {
    ...termsOf(found, 'Moved', 'lines moved'),
    transfer: { what: 'one word to another thread that spins', ns: transfer },
  };
}

/** Nanoseconds one way: the median of `times` times `count` there and back. */
function pingPong(worker, count, times) {
  const { words } = worker;
  const found = [];
  for (let time = 0; time < times; time++) {
    words[8] = 0;
    words[9] = 0;
    worker.begin(4, count);
    const start = performance.now();
    for (let i = 1; i <= count; i++) {
      Atomics.store(words, 8, i);
      while (Atomics.load(words, 9) !== i);
    }
    found.push(((performance.now() - start) * 1e6) / count / 2);
    worker.finish();
  }
  return spread(found).median;
}

/** A worker that really sleeps: what ringing costs the host, and how long until it runs. */
async function bellBetweenThreads(rounds, rings) {
  const parts = bareParts();
  const worker = new BareWorker(parts, 0);
  await worker.ready();
  bind('bare0');
  const { bells } = parts.memory;
  const ringNs = [];
  const wakeNs = [];
  for (let round = -1; round < rounds; round++) {
    const costs = [];
    const wakes = [];
    for (let i = 0; i < rings; i++) {
      worker.words[3] = 0;
      worker.begin(3, 1);
      while (Atomics.load(worker.words, 3) === 0);
      // until it sleeps
      for (const from = performance.now(); performance.now() - from < 0.2; );
      const start = nowNs();
      bells.ringOne(1);
      costs.push(nowNs() - start);
      wakes.push(worker.finish()[0] - start);
    }
    if (round < 0) continue;
    ringNs.push(spread(costs).median);
    wakeNs.push(spread(wakes).median);
  }
  release();
  await worker.end();
  return {
    bellParked: { what: 'bell, worker asleep: what it costs the host', ns: ringNs },
    wake: { what: 'from the ring until the worker runs', ns: wakeNs },
  };
}

/** Two workers on one frame's jobs, the host asleep: nanoseconds a job, of both together. */
async function contention(rounds, frames) {
  const parts = bareParts({ workers: 2 });
  const { scheduler, handles } = parts;
  const workers = [new BareWorker(parts, 0), new BareWorker(parts, 1)];
  for (const worker of workers) await worker.ready();
  const jobs = PAIR_JOBS;
  const found = [];
  let met = 0;
  for (let round = -WARM_UPS; round < rounds; round++) {
    if (round === 0) isolate('bare');
    const costs = [];
    for (let f = 0; f < frames / 4; f++) {
      const frame = submitFrame(scheduler, handles.empty, jobs);
      frame.poll();
      met += workers.length;
      for (const worker of workers) worker.begin(5, -met);
      // asleep: two cores are two workers
      for (const { words } of workers) Atomics.wait(words, 0, 5);
      if (!frame.poll()) throw new Error('the frame is not over');
      const [a, b] = workers.map(({ ns }) => [...ns]);
      // both took part all the time, or it says nothing
      if (Math.min(a[0], b[0]) < jobs / 4) continue;
      costs.push((Math.max(a[2], b[2]) - Math.min(a[1], b[1])) / jobs);
    }
    if (round >= 0 && costs.length > 0) found.push(spread(costs).median);
  }
  release();
  for (const worker of workers) await worker.end();
  if (found.length === 0) throw new Error('two workers never ran at the same time: the machine is too busy');
  return { pair: { what: 'two workers on the same jobs, a job', ns: found } };
}

/** The real thing: 1 worker, frames of 64, the host polls. The median frame. */
async function throughput(rounds, frames) {
  const { scheduler, tasks } = await benchScheduler({ workers: 1, spinUs: 50, name: 'model' });
  runFrames(scheduler, tasks.empty, 3 * frames, JOBS, joinSpinning);
  isolate('model');
  const ns = Array.from({ length: rounds }, () => {
    const took = [];
    for (let f = 0; f < frames; f++) {
      const start = performance.now();
      runFrames(scheduler, tasks.empty, 1, JOBS, joinSpinning);
      took.push(perJob(performance.now() - start, 1));
    }
    return spread(took).median;
  });
  release();
  await scheduler.close();
  return ns;
}
