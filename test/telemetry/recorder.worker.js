// Records until `count` is reached, as a worker does: three kinds of telemetry, no pause.
import { workerData } from 'node:worker_threads';
import { increment } from '../../dist/telemetry/counters.js';
import { MISS_RECORD_WORDS } from '../../dist/telemetry/miss-record.js';
import { RecordRingWriter } from '../../dist/telemetry/record-ring.js';
import { recordUs } from '../../dist/telemetry/shared-histogram.js';

const { control, histogram, counter, ring, capacity, count, missEvery } = workerData;
const misses = new RecordRingWriter(ring, 0, capacity, MISS_RECORD_WORDS);
let random = 12345;
for (let i = 0; i < count; i++) {
  random = (Math.imul(random, 1664525) + 1013904223) | 0;
  recordUs(histogram, 0, (random >>> 12) / 64);
  increment(counter, 0);
  if (i % missEvery === 0) {
    const base = misses.begin();
    for (let k = 0; k < MISS_RECORD_WORDS; k++) misses.words[base + k] = i * 31 + k;
    misses.publish();
  }
}
Atomics.store(control, 0, 1); // release
