import { workerData } from 'node:worker_threads';
import { clockSince } from '../../dist/host/node/clock.js';
import { NodeThreadControl } from '../../dist/host/node/thread-control.js';
import { AttachedMemory } from '../../dist/worker/attached-memory.js';
import { WorkerSteps } from '../harness/worker-steps.js';

// Takes the worker's steps of a job on command, timed. Commands: 1 whole jobs, 2 step by step, 3 park until rung, 4 a word
// back, 5 whole jobs until none is ready, as
// soon as -count workers have met.
const { plan, epochUs, meeting, column, words, ns } = workerData;
// the name by which `harness/pin.js` finds it
new NodeThreadControl().apply({ name: `fd-bare${column}`, priority: 'normal', cpus: null });
const clock = clockSince(epochUs);
const memory = new AttachedMemory(plan.memory);
const steps = new WorkerSteps(memory, clock, plan, column);
Atomics.store(words, 1, 1);
for (;;) {
  let command = Atomics.load(words, 0);
  while (command === 0) {
    // asleep after a meeting: two that spin would leave the host no CPU of two
    if (words[2] < 0) Atomics.wait(words, 0, 0);
    command = Atomics.load(words, 0);
  }
  const count = words[2];
  if (command === 1) ns[0] = steps.whole(count);
  else if (command === 2) steps.parted(count, ns);
  else if (command === 3) {
    if (memory.bells.announcePark(column)) {
      Atomics.store(words, 3, 1);
      memory.bells.wait(column, 1000);
      ns[0] = Number(process.hrtime.bigint());
    }
  } else if (command === 4) {
    for (let i = 1; i <= count; i++) {
      while (Atomics.load(words, 8) !== i);
      Atomics.store(words, 9, i);
    }
  } else if (command === 5) {
    Atomics.add(meeting, 0, 1);
    while (Atomics.load(meeting, 0) < -count);
    ns[1] = Number(process.hrtime.bigint());
    ns[0] = steps.drain();
    ns[2] = Number(process.hrtime.bigint());
  }
  Atomics.store(words, 0, 0);
  Atomics.notify(words, 0);
}
