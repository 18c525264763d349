import { soon } from './timer.js';

interface Waiter {
  readonly words: Int32Array;
  readonly at: number;
  readonly value: number;
  readonly resolve: () => void;
  /** Looks that found nothing. */
  looks: number;
}

/** Looks in turns of the event loop, before the browser's timer is used between them: a few milliseconds. */
const EAGER_LOOKS = 200;

let waiters: Waiter[] = [];
let looking = false;

/** Resolves when the word differs from `value`; null if it does already. */
export function waitAsync(words: Int32Array, at: number, value: number): Promise<unknown> | null {
  if (typeof Atomics.waitAsync !== 'function') return pollWord(words, at, value);
  const wait = Atomics.waitAsync(words, at, value);
  return wait.async ? wait.value : null;
}

/**
 * What `Atomics.waitAsync` does, for browsers without it (Firefox before 145, Safari before 16.4): the word is looked at
 * in turns of the event loop, after a few milliseconds at most 250 times a second. Resolves when the word differs from
 * `value`; null if it does already.
 */
export function pollWord(words: Int32Array, at: number, value: number): Promise<void> | null {
  if (Atomics.load(words, at) !== value) return null;
  return new Promise((resolve) => {
    waiters.push({ words, at, value, resolve, looks: 0 });
    if (!looking) {
      looking = true;
      soon(look);
    }
  });
}

function look(): void {
  const due: Waiter[] = [];
  const left: Waiter[] = [];
  let eager = false;
  for (const waiter of waiters) {
    if (Atomics.load(waiter.words, waiter.at) !== waiter.value) due.push(waiter);
    else {
      left.push(waiter);
      waiter.looks++;
      eager ||= waiter.looks < EAGER_LOOKS;
    }
  }
  waiters = left;
  for (const { resolve } of due) resolve();
  looking = waiters.length > 0;
  if (!looking) return;
  if (eager) soon(look);
  else setTimeout(look, 1);
}
