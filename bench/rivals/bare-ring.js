import { Worker } from 'node:worker_threads';
import { CONTROL_WORDS, DONE, NAMES, SLOT_BYTES, SLOTS, SUBMITTED } from './bare-ring.layout.js';

/** A ring of slots in shared memory, a parked worker and `Atomics.waitAsync`: what one writes in an afternoon. */
export async function open() {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  const bytes = new Uint8Array(new SharedArrayBuffer(SLOTS * SLOT_BYTES));
  const values = new Float64Array(bytes.buffer);
  const worker = new Worker(new URL('./bare-ring.worker.js', import.meta.url), { workerData: { control, bytes } });
  const resolvers = new Array(SLOTS);
  let submitted = 0;
  let settled = 0;
  let waits = false;

  function settle() {
    const done = Atomics.load(control, DONE);
    for (; settled !== done; settled++) resolvers[settled % SLOTS](values[((settled % SLOTS) * SLOT_BYTES) / 8]);
    waits = false;
    if (settled !== submitted) watch();
  }
  function watch() {
    waits = true;
    const { async, value } = Atomics.waitAsync(control, DONE, settled);
    if (async) value.then(settle);
    else queueMicrotask(settle);
  }
  const call = (name, argument) =>
    new Promise((resolve) => {
      if (submitted - settled === SLOTS) throw new Error('the ring is full');
      const base = (submitted % SLOTS) * SLOT_BYTES;
      values[base / 8 + 1] = NAMES.indexOf(name);
      if (argument instanceof Uint8Array) bytes.set(argument, base + 32);
      else if (Array.isArray(argument)) values.set(argument, base / 8 + 2);
      else values[base / 8 + 2] = argument ?? 0;
      resolvers[submitted % SLOTS] = resolve;
      submitted++;
      Atomics.store(control, SUBMITTED, submitted);
      Atomics.notify(control, SUBMITTED);
      if (!waits) watch();
    });
  return { call, close: () => worker.terminate() };
}
