import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { task, u8, u32 } from 'frame-deadline';

// Ways for a worker to die.

/** Set before the scheduler is made: a file that counts the imports, and from which import on they fail. */
const counter = process.env['FATAL_IMPORTS'];
if (counter !== undefined && counter !== '') {
  const imports = existsSync(counter) ? Number(readFileSync(counter, 'utf8')) + 1 : 1;
  writeFileSync(counter, String(imports));
  if (imports > Number(process.env['FATAL_GOOD_IMPORTS'] ?? Infinity)) throw new Error('no second import');
}

export const exit = task({
  input: { code: u32 },
  run(input) {
    process.exit(input.code);
  },
});

/** Dies the first time, for each id, and marks each start in shared memory. */
export const exitOnce = task({
  input: { id: u32 },
  output: { id: u32 },
  idempotent: true,
  run(input, output, context) {
    const starts = Atomics.add(context.shared.starts, input.id, 1) + 1;
    if (starts === 1) process.exit(1);
    output.id = input.id;
  },
});

/** Dies each time. */
export const exitAlways = task({
  input: { id: u32 },
  idempotent: true,
  run(input, _output, context) {
    Atomics.add(context.shared.starts, input.id, 1);
    process.exit(1);
  },
});

export const exhaust = task({
  input: {},
  run() {
    const kept = [];
    for (;;) kept.push(new Array(1000).fill(Math.random()));
  },
});

export const fine = task({
  input: { id: u32 },
  output: { id: u32, worker: u8 },
  run(input, output, context) {
    Atomics.add(context.shared.starts, input.id, 1);
    output.id = input.id;
    output.worker = context.workerIndex;
  },
});

/** Waits for the gate. */
export const hold = task({
  input: { id: u32 },
  output: { id: u32 },
  run(input, output, context) {
    Atomics.add(context.shared.gate, 0, 1);
    Atomics.notify(context.shared.gate, 0);
    while (Atomics.load(context.shared.gate, 1) === 0) Atomics.wait(context.shared.gate, 1, 0, 1000);
    output.id = input.id;
  },
});
