import { f64, task, u32 } from '../../../dist/web.js';

// What the browser's tests run on workers.

let runs = 0;

export const twice = task({
  input: { x: u32 },
  output: { y: u32, run: u32, worker: u32 },
  run(input, output, context) {
    output.y = input.x * 2;
    output.run = ++runs;
    output.worker = context.workerIndex;
  },
});

/** Keeps its worker busy. */
export const spin = task({
  input: { us: u32 },
  output: { spunUs: f64 },
  run(input, output) {
    const start = performance.now();
    while ((performance.now() - start) * 1000 < input.us);
    output.spunUs = (performance.now() - start) * 1000;
  },
});

/** Waits until the host opens the gate: word 0 counts who has arrived, word 1 is the gate. */
export const gate = task({
  input: { x: u32 },
  output: { x: u32 },
  run(input, output, context) {
    const words = context.shared.gate;
    Atomics.add(words, 0, 1);
    while (Atomics.load(words, 1) === 0) Atomics.wait(words, 1, 0, 1000);
    output.x = input.x;
  },
});

export const fail = task({
  input: { x: u32 },
  run(input) {
    throw Object.assign(new RangeError(`no ${input.x} here`), { code: 'E_HERE' });
  },
});

/** Ends its own thread, and never returns. */
export const die = task({
  input: {},
  run(_input, _output, context) {
    Atomics.add(context.shared.gate, 2, 1);
    self.close();
    for (;;);
  },
});

/** Never returns. */
export const hang = task({
  input: {},
  run(_input, _output, context) {
    Atomics.add(context.shared.gate, 2, 1);
    for (;;);
  },
});
