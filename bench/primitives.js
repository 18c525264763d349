import { GCProfiler } from 'node:v8';
import { clockSince, newEpochUs } from '../dist/host/node/clock.js';
import { nsPerIteration } from './harness/overhead.js';
import { row } from './harness/stats.js';

export const describe =
  'what the steps of a job are made of, one by one, in one thread: no line ever moves between CPUs';

const words = new Int32Array(new SharedArrayBuffer(4096));
const clock = clockSince(newEpochUs());

// one loop each: a shared one would call through a function that V8 cannot know
const STEPS = {
  'plain load': (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + words[i & 1023]) | 0;
    return sum;
  },
  'Atomics.load': (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + Atomics.load(words, i & 1023)) | 0;
    return sum;
  },
  'plain store': (n) => {
    for (let i = 0; i < n; i++) words[i & 1023] = i;
    return 0;
  },
  'Atomics.store': (n) => {
    for (let i = 0; i < n; i++) Atomics.store(words, i & 1023, i);
    return 0;
  },
  'Atomics.compareExchange': (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + Atomics.compareExchange(words, i & 1023, i, i)) | 0;
    return sum;
  },
  'Atomics.notify, nobody waits': (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Atomics.notify(words, i & 1023, 1);
    return sum;
  },
  'clock.nowUs()': (n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum = (sum + clock.nowUs()) | 0;
    return sum;
  },
};

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const n = quick ? 200_000 : 2_000_000;
  const rows = Object.entries(STEPS).map(([what, body]) => row(what, 'ns', nsPerIteration(body, n, rounds)));
  const profiler = new GCProfiler();
  profiler.start();
  STEPS['clock.nowUs()'](1_000_000);
  const { length } = profiler.stop().statistics;
  rows.push(row('collections in a million clock reads', 'collections', [length]));
  return { rows, notes: [] };
}
