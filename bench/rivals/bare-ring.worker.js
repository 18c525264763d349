import { workerData } from 'node:worker_threads';
import { DONE, NAMES, SLOT_BYTES, SLOTS, SUBMITTED } from './bare-ring.layout.js';
import * as work from './work.js';

const { control, bytes } = workerData;
const values = new Float64Array(bytes.buffer);
const payloads = Array.from({ length: SLOTS }, (_, slot) =>
  bytes.subarray(slot * SLOT_BYTES + 32, (slot + 1) * SLOT_BYTES),
);
const byName = { ...work };
const functions = NAMES.map((name) => byName[name]);
const ECHO = NAMES.indexOf('echo');
const WORK_ALL = NAMES.indexOf('workAll');

for (let done = 0; ; ) {
  const submitted = Atomics.load(control, SUBMITTED);
  if (done === submitted) Atomics.wait(control, SUBMITTED, done);
  for (; done !== submitted; done++) {
    const slot = done % SLOTS;
    const at = (slot * SLOT_BYTES) / 8;
    const which = values[at + 1];
    const number = values[at + 2];
    const argument = which === ECHO ? payloads[slot] : which === WORK_ALL ? [number, values[at + 3]] : number;
    values[at] = functions[which](argument);
    Atomics.store(control, DONE, done + 1);
    Atomics.notify(control, DONE);
  }
}
