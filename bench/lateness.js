import { Worker } from 'node:worker_threads';
import { compile, NO_COMPILER, runJson } from './harness/compile.js';
import { benchScheduler } from './harness/scheduler.js';
import { percentiles, ratio, row } from './harness/stats.js';

export const describe = 'from the end of a handler to the host that awaits its job, the host being idle';

const nowUs = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1000;
};

/** A worker without a scheduler, and one job there and back: returns how late the main thread hears of its end. */
async function bareWorker() {
  const memory = new SharedArrayBuffer(128);
  const words = new Int32Array(memory);
  const finishUs = new Float64Array(memory, 64);
  const worker = new Worker(new URL('./workers/bare-wake.js', import.meta.url), { workerData: memory });
  await new Promise((resolve) => worker.once('online', resolve));
  let number = 0;
  return {
    async job(ms) {
      words[2] = ms * 1000;
      const answered = Atomics.waitAsync(words, 1, number);
      Atomics.store(words, 0, ++number);
      Atomics.notify(words, 0);
      if (answered.async) await answered.value;
      return nowUs() - finishUs[0];
    },
    end: () => worker.terminate(),
  };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

async function lateOf(count, job) {
  const lateUs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    lateUs[i] = await job();
    await pause();
  }
  return percentiles(lateUs);
}

export async function run({ quick }) {
  const rounds = quick ? 2 : 5;
  const program = compile('late_wake');
  const { scheduler, tasks } = await benchScheduler({});
  const bare = await bareWorker();
  const rows = [];
  const lengthsMs = quick ? [0.5, 5] : [0.5, 5, 16, 50];
  for (const ms of lengthsMs) {
    const count = Math.max(10, Math.round((quick ? 100 : 800) / (ms + 1)));
    const measure = () =>
      lateOf(count, async () => {
        const job = scheduler.submit(tasks.busyUntil, { us: ms * 1000 });
        await job.done;
        const us = nowUs() - job.output.finishUs;
        job.release();
        return us;
      });
    const measureBare = () => lateOf(count, () => bare.job(ms));
    await measureBare();
    await measure();
    const found = { ours: [], bare: [], inC: [] };
    for (let round = 0; round < rounds; round++) {
      found.ours.push(await measure());
      found.bare.push(await measureBare());
      if (program !== null) found.inC.push(runJson(program, [String(ms * 1000), String(count)]));
    }
    for (const quantile of ['p50', 'p90']) {
      const ours = found.ours.map((f) => f[quantile]);
      rows.push(row(`after a job of ${ms} ms, ${quantile}`, 'µs', ours, `${count} jobs a round`));
      const ofBare = found.bare.map((f) => f[quantile]);
      rows.push(row('  Atomics.waitAsync alone', 'µs', ofBare));
      rows.push(ratio('  ratio', ours, ofBare));
      if (program === null) continue;
      const inC = found.inC.map((f) => f[quantile] / 1000);
      rows.push(row('  in C (futex)', 'µs', inC));
      rows.push(ratio('  ratio', ours, inC));
    }
  }
  await bare.end();
  await scheduler.close();
  return {
    rows,
    notes: [
      'settling the job and its telemetry are part of it',
      'Atomics.waitAsync alone: a worker without a scheduler that works as long and notifies the main thread',
      ...(program === null
        ? [NO_COMPILER]
        : ['in C: a thread that works as long and then wakes another one that sleeps on a futex, each bound to a CPU']),
    ],
  };
}
