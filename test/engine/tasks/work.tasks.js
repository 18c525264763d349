import { bytes, f64, i32, task, u8, u32 } from 'frame-deadline';

// What the engine's tests run on workers. Shared arrays come with the lane's option `shared`.

const mix = (hash, value) => Math.imul(hash ^ value, 0x9e3779b1) ^ (hash >>> 15);

/** One job of the stress test: fields that add up, a checksum back, and marks in shared memory. */
export const sum = task({
  input: { id: u32, frame: u32, before: u32, count: u32, values: u32.array(32), complement: u32 },
  output: { id: u32, checksum: u32, tally: u32 },
  run(input, output, context) {
    const { runs, results, frameJobs, faults } = context.shared;
    let tally = input.complement;
    let checksum = input.id;
    for (let i = 0; i < input.count; i++) {
      tally = (tally + input.values[i]) >>> 0;
      checksum = mix(checksum, input.values[i]);
    }
    if (runs !== undefined) {
      // what was submitted before the barrier has ended by now
      if (Atomics.load(frameJobs, input.frame) < input.before) Atomics.add(faults, 0, 1);
      if (tally !== 0) Atomics.add(faults, 1, 1);
      Atomics.store(results, input.id, checksum | 0);
      Atomics.add(runs, input.id, 1);
      Atomics.add(frameJobs, input.frame, 1);
    }
    output.id = input.id;
    output.tally = tally;
    output.checksum = checksum >>> 0;
  },
});

/** Blocks its worker until the host opens the gate: word 0 counts who has arrived, word 1 is the gate. */
export const gate = task({
  input: { number: u32 },
  output: { number: u32 },
  run(input, output, context) {
    const words = context.shared.gate;
    Atomics.add(words, 0, 1);
    Atomics.notify(words, 0);
    while (Atomics.load(words, 1) === 0) Atomics.wait(words, 1, 0, 1000);
    output.number = input.number;
  },
});

/** Keeps a worker busy. */
export const spin = task({
  input: { us: u32 },
  output: { spunUs: f64 },
  run(input, output) {
    const start = performance.now();
    while ((performance.now() - start) * 1000 < input.us);
    output.spunUs = (performance.now() - start) * 1000;
  },
});

/** Spins until it is cancelled. */
export const untilCancelled = task({
  input: {},
  output: { cancelled: u8 },
  run(_input, output, context) {
    const words = context.shared.gate;
    if (words !== undefined) {
      Atomics.add(words, 0, 1);
      Atomics.notify(words, 0);
    }
    while (!context.cancelled());
    output.cancelled = 1;
  },
});

/** The system's monotonic clock as this thread reads it, in microseconds, and who it is. */
export const stamp = task({
  input: { spinUs: u32 },
  output: { monotonicUs: f64, leftUs: f64, worker: i32 },
  run(input, output, context) {
    const [seconds, nanoseconds] = process.hrtime();
    output.monotonicUs = seconds * 1e6 + nanoseconds / 1e3;
    output.leftUs = context.timeToDeadlineUs();
    output.worker = context.workerIndex;
    const start = performance.now();
    while ((performance.now() - start) * 1000 < input.spinUs);
  },
});

export const echo = task({
  input: { data: bytes(64), small: u8, whole: i32, values: u32.array(4) },
  output: { data: bytes(64), small: u8, whole: i32, values: u32.array(4) },
  run(input, output) {
    output.data.set(input.data.copy());
    output.small = input.small;
    output.whole = input.whole;
    output.values.set(input.values);
  },
});

export const nothing = task({ input: {}, run() {} });

/** What the handler is told. */
export const told = task({
  input: {},
  output: { frame: i32, period: i32, leftUs: f64, lane: bytes(64) },
  run(_input, output, context) {
    output.frame = context.frameNumber;
    output.period = context.period;
    output.leftUs = context.timeToDeadlineUs();
    output.lane.set(new TextEncoder().encode(context.laneName));
  },
});
