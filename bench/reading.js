import { Worker } from 'node:worker_threads';
import { HistogramReader } from '../dist/telemetry/histogram-reader.js';
import { HISTOGRAMS, TelemetryLayout } from '../dist/telemetry/recorder.js';
import { percentiles, ratio, row } from './harness/stats.js';
import { ANSWER, ASK } from './workers/recorder.js';

export const describe =
  'how long a worker takes to record a job, while nobody reads and beside a reader in a tight loop';

const JOBS = 200_000;

export async function run({ quick }) {
  const rounds = quick ? 3 : 11;
  const layout = new TelemetryLayout(1, 1);
  const telemetry = new Int32Array(new SharedArrayBuffer(layout.words * 4));
  const control = new Int32Array(new SharedArrayBuffer(8));
  const tookNs = new Float64Array(new SharedArrayBuffer(JOBS * 8));
  const worker = new Worker(new URL('./workers/recorder.js', import.meta.url), {
    workerData: { recorder: { control, telemetry, tookNs, taskCount: 1, workerCount: 1 } },
  });
  const readers = HISTOGRAMS.map(
    (_, histogram) => new HistogramReader([{ words: telemetry, base: layout.histogram(0, 0, histogram) }]),
  );
  let reads = 0;
  const measure = (round, reading) => {
    Atomics.store(control, ASK, round);
    Atomics.notify(control, ASK);
    while (Atomics.load(control, ANSWER) !== round) {
      if (!reading) Atomics.wait(control, ANSWER, round - 1, 10);
      else for (const reader of readers) reads += reader.window().count >= 0 ? 1 : 0;
    }
    return percentiles(Float64Array.from(tookNs));
  };
  const found = { alone: [], beside: [] };
  let round = 0;
  measure(++round, false);
  measure(++round, true);
  reads = 0;
  for (let i = 0; i < rounds; i++) {
    found.alone.push(measure(++round, false));
    found.beside.push(measure(++round, true));
  }
  Atomics.store(control, ASK, -1);
  Atomics.notify(control, ASK);
  await worker.terminate();
  const of = (which, key) => found[which].map((each) => each[key]);
  return {
    rows: [
      row('recorded alone, p50', 'ns', of('alone', 'p50')),
      row('beside a reader, p50', 'ns', of('beside', 'p50')),
      row('recorded alone, p99.9', 'ns', of('alone', 'p999')),
      row('beside a reader, p99.9', 'ns', of('beside', 'p999')),
      ratio('p99.9 beside a reader, against alone', of('beside', 'p999'), of('alone', 'p999')),
    ],
    notes: [
      `three histograms and a counter, ${JOBS} times a round, two clock reads included; ${Math.round(reads / rounds)} readings of a histogram a round`,
    ],
  };
}
