import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { BUCKET_COUNT } from '../../src/telemetry/buckets.js';
import { COUNTER_WORDS, readCounter } from '../../src/telemetry/counters.js';
import { HistogramCounts, HistogramReader } from '../../src/telemetry/histogram-reader.js';
import { MISS_RECORD_WORDS } from '../../src/telemetry/miss-record.js';
import { RecordRingReader, recordRingWords } from '../../src/telemetry/record-ring.js';
import { HISTOGRAM_WORDS, recordUs } from '../../src/telemetry/shared-histogram.js';

const shared = (words: number) => new Int32Array(new SharedArrayBuffer(4 * words));

/** Fails if a bucket's count fell between two looks. */
function expectGrown(now: Float64Array, before: Float64Array): void {
  for (let i = 0; i < BUCKET_COUNT; i++) {
    if (now[i]! < before[i]!) expect.fail(`bucket ${i} fell from ${before[i]} to ${now[i]}`);
  }
}

test('a writer thread records while readers look: nothing is lost, torn or counted twice', async () => {
  expect(existsSync(new URL('../../dist/telemetry/shared-histogram.js', import.meta.url)), 'npm run build').toBe(true);
  const count = 1_500_000;
  const missEvery = 50;
  const capacity = 64;
  const control = shared(1);
  const histogram = shared(HISTOGRAM_WORDS);
  const counter = shared(COUNTER_WORDS);
  const ring = shared(recordRingWords(capacity, MISS_RECORD_WORDS));
  // 1 million increments before the low word goes round
  counter[0] = -1_000_000;
  const start = 2 ** 32 - 1_000_000;
  const worker = new Worker(new URL('./recorder.worker.js', import.meta.url), {
    workerData: { control, histogram, counter, ring, capacity, count, missEvery },
  });
  const failed = once(worker, 'error').then(([error]) => {
    throw error;
  });
  const exited = once(worker, 'exit');

  const source = { words: histogram, base: 0 };
  const windows = new HistogramReader([source]);
  const totals = new HistogramReader([source]);
  const misses = new RecordRingReader(ring, 0, capacity, MISS_RECORD_WORDS);
  const summed = new HistogramCounts();
  let total = totals.total();
  let counted = start;
  let read = 0;
  let overwritten = 0;
  let lastMiss = -1;
  let looks = 0;
  const look = () => {
    summed.add(windows.window());
    const now = totals.total();
    expectGrown(now.buckets, total.buckets);
    total = now;
    const count = readCounter(counter, 0);
    if (count < counted) expect.fail(`the counter fell from ${counted} to ${count}`);
    counted = count;
    const drained = misses.drain((words, base) => {
      const miss = words[base]! / 31;
      if (!(miss > lastMiss)) expect.fail(`record ${miss} after ${lastMiss}`);
      lastMiss = miss;
      for (let k = 0; k < MISS_RECORD_WORDS; k++) if (words[base + k] !== miss * 31 + k) expect.fail('a torn record');
    });
    read += drained.read;
    overwritten += drained.overwritten;
    looks++;
  };
  const finished = (async () => {
    while (Atomics.load(control, 0) === 0) {
      look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.race([finished, failed]);
  const [code] = await Promise.race([exited, failed]);
  expect(code).toBe(0);
  look();

  const expected = shared(HISTOGRAM_WORDS);
  let random = 12345;
  for (let i = 0; i < count; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    recordUs(expected, 0, (random >>> 12) / 64);
  }
  const truth = new HistogramReader([{ words: expected, base: 0 }]).total();
  expect(truth.count).toBe(count);
  expect(total).toEqual(truth);
  expect(summed).toEqual(truth);
  expect(readCounter(counter, 0)).toBe(start + count);
  expect(read + overwritten).toBe(count / missEvery);
  expect(lastMiss).toBe(count - missEvery);
  expect(looks).toBeGreaterThan(1);
});
