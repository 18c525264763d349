import {
  RING_GAP_BITS,
  RING_LONGEST_MISS_RUN,
  RING_MISS_RUNS,
  RING_MISSED_BITS,
  RING_NUMBER_WORD,
} from '../memory/layout.js';

/**
 * Runs of consecutive misses, and (m,k), of one ring in the order of its job numbers, whoever ends the jobs and in
 * whatever order: a bit for each of the last 1024 numbers is set when its job misses. A job that is on time costs
 * nothing, the producer one plain store in 32 jobs.
 *
 * Assumption: a job is marked while at most 928 numbers were given out after it; an older one counts as a run of its own. Guarantees: the longest run is exact up to 1024 (whoever marks last sees all the others' bits); the
 * number of runs is exact, except that two neighbours across a 32-bit word that are marked in the same instant can be
 * counted as one run too many.
 */
const NUMBERS = 1024;
const WORDS = NUMBERS / 32;
const WORD_MASK = WORDS - 1;
const WORD_NUMBER_MASK = 0x7ff_ffff;
/** Words behind the present one that may still be marked: two less than are kept, for a marker that sleeps in between. */
const MARK_HORIZON_WORDS = WORDS - 3;
/** Numbers that can be marked after the fact. */
export const MISS_NUMBERS_KEPT = MARK_HORIZON_WORDS * 32;
/** The last so many jobs of (m,k). */
export const MISS_WINDOW_JOBS = 100;

export interface MissRunsReading {
  readonly runs: number;
  readonly longest: number;
  /** Of the last `of` jobs before `end`, so many met their deadline. */
  readonly met: number;
  readonly of: number;
}

/** The producer's side: clears the bits before their numbers come round again. That thread only; allocates nothing. */
export class MissRunsProducer {
  private readonly i32: Int32Array;
  private word: number;
  /** @param next the number that is given out next */
  constructor(i32: Int32Array, next: number) {
    this.i32 = i32;
    this.word = next >>> 5;
    Atomics.store(i32, RING_NUMBER_WORD, this.word);
  }

  /** `number` is given out; those from `expected` on to it are not and never will be. Before the job is published. */
  give(number: number, expected: number): void {
    const word = number >>> 5;
    if (word !== this.word) this.clearTo(word);
    if (number !== expected) this.leaveOut(expected, number);
  }

  /** Keeps the words up to the next one free of old bits. */
  private clearTo(word: number): void {
    const { i32 } = this;
    const steps = Math.min(WORDS, (word - this.word) & WORD_NUMBER_MASK);
    for (let step = 0; step < steps; step++) {
      const at = (word + 1 - step) & WORD_MASK;
      Atomics.store(i32, RING_MISSED_BITS + at, 0);
      Atomics.store(i32, RING_GAP_BITS + at, 0);
    }
    this.word = word;
    Atomics.store(i32, RING_NUMBER_WORD, word);
  }

  private leaveOut(from: number, to: number): void {
    const count = Math.min((to - from) >>> 0, MISS_NUMBERS_KEPT);
    for (let back = count; back > 0; back--) {
      const number = (to - back) | 0;
      Atomics.or(this.i32, RING_GAP_BITS + ((number >>> 5) & WORD_MASK), 1 << (number & 31));
    }
  }
}

/** Marks a job as missed. Whoever ended it, once per job; allocates nothing. */
export function markMissed(i32: Int32Array, number: number): void {
  const behind = (Atomics.load(i32, RING_NUMBER_WORD) - (number >>> 5)) & WORD_NUMBER_MASK;
  if (behind > MARK_HORIZON_WORDS) {
    Atomics.add(i32, RING_MISS_RUNS, 1);
    raiseLongest(i32, 1);
    return;
  }
  const bit = 1 << (number & 31);
  // at the upper end of a word the right neighbour is looked at before, at the lower end the left one after: then two
  // that are marked at once do not both take the other for the earlier
  const rightBefore = (number & 31) === 31 && isMissed(i32, (number + 1) | 0);
  const before = Atomics.or(i32, RING_MISSED_BITS + ((number >>> 5) & WORD_MASK), bit);
  if ((before & bit) !== 0) return;
  const left = neighbour(i32, number, -1, before, rightBefore);
  const right = neighbour(i32, number, 1, before, rightBefore);
  if (left && right) Atomics.sub(i32, RING_MISS_RUNS, 1);
  else if (!left && !right) Atomics.add(i32, RING_MISS_RUNS, 1);
  raiseLongest(i32, runLength(i32, number));
}

/** Reads the last jobs before number `end`. Any thread; disturbs nobody. Allocates the answer. */
export function readMissRuns(i32: Int32Array, end: number): MissRunsReading {
  let met = 0;
  let of = 0;
  const first = Math.min(end >>> 0, MISS_NUMBERS_KEPT);
  for (let back = 1; back <= first && of < MISS_WINDOW_JOBS; back++) {
    const number = (end - back) | 0;
    if (isGap(i32, number)) continue;
    of++;
    if (!isMissed(i32, number)) met++;
  }
  return {
    runs: Atomics.load(i32, RING_MISS_RUNS) >>> 0,
    longest: Atomics.load(i32, RING_LONGEST_MISS_RUN),
    met,
    of,
  };
}

/** Whether the nearest job on that side missed; the word's own bits as they were just before the mark. */
function neighbour(i32: Int32Array, number: number, step: number, before: number, rightBefore: boolean): boolean {
  for (let distance = 1; distance < NUMBERS; distance++) {
    const other = (number + step * distance) | 0;
    const sameWord = other >>> 5 === number >>> 5;
    const missed = sameWord
      ? (before & (1 << (other & 31))) !== 0
      : distance === 1 && step === 1
        ? rightBefore
        : isMissed(i32, other);
    if (missed) return true;
    if (!isGap(i32, other)) return false;
  }
  return false;
}

function runLength(i32: Int32Array, number: number): number {
  return Math.min(NUMBERS, 1 + missedBefore(i32, (number - 1) | 0) + missedAfter(i32, (number + 1) | 0));
}

/** Misses from `number` down to the first job that met its deadline. A word at a time: a run may be long. */
function missedBefore(i32: Int32Array, number: number): number {
  let length = 0;
  let at = number;
  for (let words = 0; words < WORDS; words++) {
    const missed = Atomics.load(i32, RING_MISSED_BITS + ((at >>> 5) & WORD_MASK));
    const gap = Atomics.load(i32, RING_GAP_BITS + ((at >>> 5) & WORD_MASK));
    const bits = (at & 31) + 1;
    // the number's own bit at the top
    const run = Math.min(bits, Math.clz32(~((missed | gap) << (32 - bits))));
    if (run > 0) length += ones((missed << (32 - bits)) & ~(0x7fff_ffff >>> (run - 1)));
    if (run < bits) break;
    at = (at - run) | 0;
  }
  return length;
}

/** The same upwards. */
function missedAfter(i32: Int32Array, number: number): number {
  let length = 0;
  let at = number;
  for (let words = 0; words < WORDS; words++) {
    const missed = Atomics.load(i32, RING_MISSED_BITS + ((at >>> 5) & WORD_MASK));
    const gap = Atomics.load(i32, RING_GAP_BITS + ((at >>> 5) & WORD_MASK));
    const bits = 32 - (at & 31);
    const ends = ~((missed | gap) >>> (at & 31));
    const run = Math.min(bits, ends === 0 ? 32 : 31 - Math.clz32(ends & -ends));
    if (run > 0) length += ones((missed >>> (at & 31)) & (0xffff_ffff >>> (32 - run)));
    if (run < bits) break;
    at = (at + run) | 0;
  }
  return length;
}

/** Bits that are set (Warren, Hacker's Delight, 5-1). */
function ones(word: number): number {
  let pairs = word - ((word >>> 1) & 0x5555_5555);
  pairs = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  pairs = (pairs + (pairs >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(pairs, 0x0101_0101) >>> 24;
}

function raiseLongest(i32: Int32Array, length: number): void {
  for (;;) {
    const longest = Atomics.load(i32, RING_LONGEST_MISS_RUN);
    if (longest >= length) return;
    const before = Atomics.compareExchange(i32, RING_LONGEST_MISS_RUN, longest, length);
    if (before === longest) return;
  }
}

function isMissed(i32: Int32Array, number: number): boolean {
  const word = Atomics.load(i32, RING_MISSED_BITS + ((number >>> 5) & WORD_MASK));
  return (word & (1 << (number & 31))) !== 0;
}

function isGap(i32: Int32Array, number: number): boolean {
  const word = Atomics.load(i32, RING_GAP_BITS + ((number >>> 5) & WORD_MASK));
  return (word & (1 << (number & 31))) !== 0;
}
