import { task, u32 } from 'frame-deadline';

// A lane that was given a port: what comes there is counted in a turn of the worker's event loop.

let received = 0;
let initialized = 0;

/** @param {import('frame-deadline').InitializeContext} context */
export async function initialize({ shared, laneName, workerIndex }) {
  await new Promise((done) => setTimeout(done, 5));
  initialized++;
  if (shared.failure !== undefined) throw new RangeError(shared.failure);
  if (Object.getOwnPropertyDescriptor(shared, 'port')?.value === undefined) return;
  shared.port.on('message', (value) => {
    received += value;
    shared.port.postMessage({ sum: received, laneName, workerIndex });
  });
}

export const tell = task({
  input: { id: u32 },
  output: { received: u32, initialized: u32, bytes: u32 },
  run(input, output, context) {
    output.received = received;
    output.initialized = initialized;
    output.bytes = context.shared.buffer?.byteLength ?? 0;
    if (input.id !== 0) context.shared.port.postMessage({ id: input.id });
  },
});

/** Something asynchronous that goes on after the handler. */
export const later = task({
  input: { ms: u32 },
  run(input, _output, context) {
    setTimeout(() => {
      Promise.resolve().then(() => Atomics.add(context.shared.counter, 0, 1));
    }, input.ms);
  },
});

export const spin = task({
  input: { us: u32 },
  run(input) {
    for (const end = performance.now() + input.us / 1000; performance.now() < end; );
  },
});

export const end = task({
  input: {},
  run() {
    process.exit(7);
  },
});

let ticks = 0;

/** Periodic. */
export const tick = task({
  input: {},
  output: { ticks: u32 },
  run(_input, output) {
    output.ticks = ++ticks;
  },
});
