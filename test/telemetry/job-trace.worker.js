// Records until `count` is reached, as a worker does, without a pause. All words of record i follow from i.
import { workerData } from 'node:worker_threads';
import { JobTraceWriter } from '../../dist/telemetry/job-trace.js';

const { control, words, base, capacity, count } = workerData;
const writer = new JobTraceWriter(words, base, capacity);
for (let i = 0; i < count; i++) {
  writer.record(i & 0xffff, i & 31, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, 1 + (i % 6), (i % 10) - 1, i + 7);
}
Atomics.store(control, 0, 1); // release
