import { Worker } from 'node:worker_threads';
import { StreamRing } from 'frame-deadline';
import { SLOT_STATE, STATUS_DONE, STATUS_READY, statusOf, withStatus } from '../dist/memory/layout.js';
import { JobRing, JobRingProducer, jobRingBytes } from '../dist/ring/job-ring.js';
import { JobScanner } from '../dist/ring/job-scanner.js';
import { row } from './harness/stats.js';

export const describe = 'the rings alone: no handler, no clock, no telemetry';

const CAPACITY = 256;
const BATCH = 64;

function makeRing() {
  const { strideBytes, bytes } = jobRingBytes(CAPACITY, 64);
  return { buffer: new SharedArrayBuffer(bytes), capacitySlots: CAPACITY, strideBytes, periodic: false };
}

function publish(producer, deadlineUs) {
  const slot = producer.reserve();
  if (slot < 0) return false;
  producer.publish(slot, STATUS_READY, 0, 0, 0, 0, deadlineUs, deadlineUs, deadlineUs);
  return true;
}

/** Nanoseconds a job: published, found, claimed, ended and given back by one thread. */
function oneThread(rounds, jobs) {
  const ring = new JobRing(makeRing());
  const producer = new JobRingProducer(ring);
  const scanner = new JobScanner(ring);
  const pass = () => {
    for (let done = 0; done < jobs; done += BATCH) {
      for (let i = 0; i < BATCH; i++) publish(producer, done);
      for (let i = 0; i < BATCH; i++) {
        scanner.look();
        const running = scanner.claim(0);
        Atomics.store(ring.i32, ring.slotBase(scanner.slot) + SLOT_STATE, withStatus(running, STATUS_DONE, 1, 0));
        producer.free(scanner.slot);
      }
    }
  };
  pass();
  return timed(rounds, jobs, pass);
}

/** The same with a worker that claims and ends; the host gives ended slots back in order. */
async function twoThreads(rounds, jobs) {
  const handle = makeRing();
  const flags = new Int32Array(new SharedArrayBuffer(16));
  const worker = new Worker(new URL('./workers/job-consumer.js', import.meta.url), { workerData: { handle, flags } });
  await started(flags);
  const ring = new JobRing(handle);
  const producer = new JobRingProducer(ring);
  const pass = () => {
    let published = 0;
    let freed = 0;
    while (freed < jobs) {
      while (published < jobs && published - freed < CAPACITY && publish(producer, published)) published++;
      for (; freed < published; freed++) {
        const slot = freed & (CAPACITY - 1);
        const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE);
        if (statusOf(state) !== STATUS_DONE) break;
        producer.free(slot);
      }
    }
  };
  pass();
  const ns = timed(rounds, jobs, pass);
  Atomics.store(flags, 1, 1);
  await new Promise((resolve) => worker.once('exit', resolve));
  return ns;
}

/** Nanoseconds a block of 128 stereo sample frames, written by this thread and read by a worker. */
async function stream(rounds, blocks) {
  const ns = [];
  for (let round = 0; round < rounds + 1; round++) {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 2, capacitySampleFrames: 128 * 64 });
    const flags = new Int32Array(new SharedArrayBuffer(16));
    const sums = new Float64Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL('./workers/stream-consumer.js', import.meta.url), {
      workerData: { buffer: ring.buffer, flags, sums },
    });
    await started(flags);
    const producer = ring.producer();
    const block = new Float32Array(256).fill(0.5);
    const start = performance.now();
    for (let i = 0; i < blocks; ) {
      const written = producer.write(block, 0, 128);
      if (written === 128) i++;
      else if (written !== 0) throw new Error('a block was cut');
    }
    producer.close();
    while (Atomics.load(flags, 2) === 0);
    // the first round warms up the code of this side
    if (round > 0) ns.push(((performance.now() - start) * 1e6) / blocks);
    if (sums[0] !== blocks / 2) throw new Error(`the sum is ${sums[0]}, expected ${blocks / 2}`);
    await new Promise((resolve) => worker.once('exit', resolve));
  }
  return ns;
}

function timed(rounds, jobs, pass) {
  return Array.from({ length: rounds }, () => {
    const start = performance.now();
    pass();
    return ((performance.now() - start) * 1e6) / jobs;
  });
}

async function started(flags) {
  while (Atomics.load(flags, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const jobs = BATCH * (quick ? 2000 : 20_000);
  const blocks = quick ? 100_000 : 1_000_000;
  const one = oneThread(rounds, jobs);
  const two = await twoThreads(rounds, jobs);
  const blockNs = await stream(rounds, blocks);
  const rate = (ns) => ns.map((value) => 1000 / value);
  return {
    rows: [
      row('job ring, one thread', 'ns a job', one),
      row('job ring, host and worker spinning', 'ns a job', two),
      row('  ', 'M jobs/s', rate(two)),
      row('StreamRing, 128 stereo sample frames', 'ns a block', blockNs),
      row('  ', 'M blocks/s', rate(blockNs)),
      row(
        '  ',
        'MB/s',
        blockNs.map((ns) => (128 * 2 * 4 * 1000) / ns),
      ),
    ],
    notes: [],
  };
}
