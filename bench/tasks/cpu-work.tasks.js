import { openSync, readSync } from 'node:fs';
import { task } from 'frame-deadline';
import { FINISHES, FROM, LAST, NEVER_RAN, PERIOD_MS, TO, WORK_MS } from './cpu-work.js';

const DEADLINE_US = Math.round(PERIOD_MS * 1000);
/** Steps between two reads of the clock: about 2 µs. */
const STEPS = 1000;
const ZERO = 48;
const SPACE = 32;

// of the thread that opens it
const schedstat = openSync('/proc/thread-self/schedstat', 'r');
const text = new Uint8Array(96);
let sink = 1;

/** Milliseconds that this thread was ready and did not run: the second field of schedstat, in nanoseconds. */
function waitedMs() {
  const length = readSync(schedstat, text, 0, text.length, 0);
  let at = 0;
  while (at < length && text[at] !== SPACE) at++;
  let ns = 0;
  for (at++; at < length && text[at] !== SPACE; at++) ns = ns * 10 + (text[at] - ZERO);
  return ns / 1e6;
}

/**
 * Uses so much CPU time: what the thread spends waiting for a CPU does not count. (The thread's own CPU clock is not
 * read: without the addon there is none, and what `getrusage` tells is as old as the last clock tick.)
 */
function burnCpu(ms) {
  const startMs = performance.now();
  const waitedBefore = waitedMs();
  let untilMs = startMs + ms;
  for (;;) {
    while (performance.now() < untilMs) {
      let x = sink;
      for (let i = 0; i < STEPS; i++) {
        x ^= x << 13;
        x ^= x >>> 17;
        x ^= x << 5;
      }
      sink = x === 0 ? 1 : x;
    }
    const workedUntilMs = startMs + ms + waitedMs() - waitedBefore;
    if (workedUntilMs <= untilMs) return;
    untilMs = workedUntilMs;
  }
}

let words = null;

/** 8 ms of CPU time in the frames that the host asks for; notes when each finished. */
export const frame = task({
  input: {},
  deadlineMs: PERIOD_MS,
  budgetUs: 10_000,
  run(_input, _output, context) {
    words ??= new Int32Array(context.shared.words);
    const number = context.period >= 0 ? context.period : context.frameNumber;
    Atomics.store(words, LAST, number);
    const index = number - Atomics.load(words, FROM);
    if (number >= Atomics.load(words, TO) || index < 0) return;
    burnCpu(WORK_MS);
    const finishUs = DEADLINE_US - context.timeToDeadlineUs();
    Atomics.store(words, FINISHES + index, Math.max(finishUs, NEVER_RAN + 1));
  },
});
