import { workerData } from 'node:worker_threads';
import { StreamRing } from 'frame-deadline';

// Reads blocks of 128 sample frames, spinning, until the producer has closed; the sum shows that all came.
const { buffer, flags, sums } = workerData;
const consumer = StreamRing.attach(buffer, 'f32').consumer();
const block = new Float32Array(128 * consumer.channels);
Atomics.store(flags, 0, 1);
let sum = 0;
for (;;) {
  const got = consumer.read(block, 0, 128);
  if (got > 0) sum += block[0];
  else if (consumer.ended()) break;
}
sums[0] = sum;
Atomics.store(flags, 2, 1);
Atomics.notify(flags, 2);
