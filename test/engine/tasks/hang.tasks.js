import { closeSync, openSync } from 'node:fs';
import { task, u32 } from 'frame-deadline';

// Ways not to return, and ways to die outside a handler.

const endless = () => {
  for (;;);
};

/** Three tasks that are alike, so that none is quarantined when each hangs once. */
export const loop0 = task({ input: {}, run: endless });
export const loop1 = task({ input: {}, run: endless });
export const loop2 = task({ input: {}, run: endless });

/** Waits in JavaScript for what does not come. */
export const wait = task({
  input: {},
  run() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});

/** Hangs in a system call until somebody opens the pipe for reading. */
export const pipe = task({
  input: {},
  run(_input, _output, context) {
    closeSync(openSync(context.shared.pipe, 'w'));
  },
});

/** Runs until it is let go, by nobody's count too long: as a hung one that comes back. */
export const comeBack = task({
  input: { id: u32 },
  output: { id: u32 },
  run(input, output, context) {
    Atomics.add(context.shared.starts, input.id, 1);
    while (Atomics.load(context.shared.starts, 100 + input.id) === 0);
    output.id = 99;
  },
});

/** Hangs the first time, for each id. */
export const hangOnce = task({
  input: { id: u32 },
  output: { id: u32 },
  idempotent: true,
  run(input, output, context) {
    if (Atomics.add(context.shared.starts, input.id, 1) === 0) endless();
    output.id = input.id;
  },
});

export const fine = task({
  input: { id: u32 },
  output: { id: u32, worker: u32 },
  run(input, output, context) {
    Atomics.add(context.shared.starts, input.id, 1);
    output.id = input.id;
    output.worker = context.workerIndex;
  },
});

export const exit = task({
  input: {},
  run() {
    process.exit(7);
  },
});

/** Throws after it has returned, outside any handler: an event loop lane. */
export const throwLater = task({
  input: {},
  run() {
    setTimeout(() => {
      throw new Error('thrown by a timer');
    }, 1);
  },
});

export const rejectLater = task({
  input: {},
  run() {
    void Promise.reject(new Error('rejected by nobody awaited'));
  },
});

/** One period after the other, marked; hangs in the period that `starts[50]` names. */
export const tick = task({
  input: {},
  run(_input, _output, context) {
    Atomics.add(context.shared.starts, 51, 1);
    // once
    if (Atomics.compareExchange(context.shared.starts, 50, 1, 0) === 1) endless();
  },
});
