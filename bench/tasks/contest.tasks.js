import { GCProfiler } from 'node:v8';
import { f64, i32, task, u8, u32 } from 'frame-deadline';

// The jobs of rivals/work.js. With budgets: every task of a real-time worker has to declare one.

let sink = 1;
let profiler = null;

export const echo = task({
  input: { number: u32, payload: u8.array(60) },
  output: { number: u32 },
  budgetUs: 1000,
  run(input, output) {
    output.number = input.number;
  },
});

export const empty = task({
  input: { x: i32 },
  output: { y: i32 },
  budgetUs: 1000,
  run(input, output) {
    output.y = input.x;
  },
});

export const work = task({
  input: { steps: u32 },
  budgetUs: 1000,
  run(input) {
    const steps = input.steps;
    let x = sink;
    for (let i = 0; i < steps; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
    }
    sink = x === 0 ? 1 : x;
  },
});

export const collectionsStart = task({
  input: {},
  budgetUs: 1_000_000,
  run() {
    profiler = new GCProfiler();
    profiler.start();
  },
});

export const collectionsStop = task({
  input: {},
  output: { ms: f64 },
  budgetUs: 1_000_000,
  run(_input, output) {
    const { statistics } = profiler.stop();
    output.ms = statistics.reduce((sum, { cost }) => sum + cost, 0) / 1000;
  },
});
