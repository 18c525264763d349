import { addToCounter, COUNTER_WORDS, increment } from './counters.js';
import { MISS_CAUSES } from './outcomes.js';
import { HISTOGRAM_WORDS, recordUs } from './shared-histogram.js';

/**
 * Telemetry of the host's frame loops in shared memory: a row per loop, used again when its loop has ended and the
 * place is needed. All words are written by the host only; any thread may read.
 */

/** Loops that can run at once. */
export const LOOP_ROWS = 8;

/** Loop number + 1; 0 while the row was never used. Changes before the row's counts begin anew, and again is never the same. */
export const LOOP_ID = 0;
/** 1 while the loop runs. */
export const LOOP_RUNNING = 1;
/** Frames per second, times 1000. */
export const LOOP_MILLIHERTZ = 2;
/** Relative deadline of its frames. */
export const LOOP_DEADLINE_US = 3;
/** 1 if the frames of a display drive it. */
export const LOOP_BY_DISPLAY = 4;
/** 1 while nothing is shown, such as in a hidden page. */
export const LOOP_SHOWS_NOTHING = 5;
/** Pauses that are over, and their milliseconds. */
export const LOOP_PAUSES = 6;
export const LOOP_PAUSED_MS = 7;

// counters, from LOOP_COUNTERS on
const LOOP_COUNTERS = 32;
export const LOOP_COUNT_FRAMES = 0;
export const LOOP_COUNT_MISSED_FRAMES = 1;
/** Followed by one counter per cause. */
export const LOOP_COUNT_DROPPED = 2;
const LOOP_COUNTERS_WORDS = Math.ceil(((LOOP_COUNT_DROPPED + MISS_CAUSES.length) * COUNTER_WORDS) / 32) * 32;

export const LOOP_HISTOGRAMS = ['tickErrorUs', 'submittingUs', 'frameUs', 'intervalUs'] as const;
export type LoopHistogram = (typeof LOOP_HISTOGRAMS)[number];
export const LOOP_TICK_ERROR = 0;
export const LOOP_SUBMITTING = 1;
export const LOOP_FRAME = 2;
export const LOOP_INTERVAL = 3;

export const LOOP_ROW_WORDS = LOOP_COUNTERS + LOOP_COUNTERS_WORDS + LOOP_HISTOGRAMS.length * HISTOGRAM_WORDS;

export function loopCounterAt(base: number, counter: number): number {
  return base + LOOP_COUNTERS + counter * COUNTER_WORDS;
}
export function loopHistogramAt(base: number, histogram: number): number {
  return base + LOOP_COUNTERS + LOOP_COUNTERS_WORDS + histogram * HISTOGRAM_WORDS;
}

/** The writing side of a row. Host thread only; never blocks, and allocates nothing after the constructor. */
export class LoopRow {
  private readonly words: Int32Array;
  private readonly base: number;

  /** Takes the row over for loop number `id`: its counts begin at 0. */
  constructor(words: Int32Array, base: number, id: number, hz: number, deadlineUs: number, byDisplay = false) {
    this.words = words;
    this.base = base;
    Atomics.store(words, base + LOOP_ID, 0);
    words.fill(0, base + LOOP_RUNNING, base + LOOP_ROW_WORDS);
    this.setRate(hz, deadlineUs);
    words[base + LOOP_BY_DISPLAY] = byDisplay ? 1 : 0;
    words[base + LOOP_RUNNING] = 1;
    Atomics.store(words, base + LOOP_ID, id + 1); // release
  }

  setRate(hz: number, deadlineUs: number): void {
    this.words[this.base + LOOP_MILLIHERTZ] = Math.round(hz * 1000);
    this.words[this.base + LOOP_DEADLINE_US] = deadlineUs;
  }
  showsNothing(yes: boolean): void {
    this.words[this.base + LOOP_SHOWS_NOTHING] = yes ? 1 : 0;
  }
  /** Time in which no ticks were due. */
  paused(us: number): void {
    this.words[this.base + LOOP_PAUSES]!++;
    this.words[this.base + LOOP_PAUSED_MS]! += Math.round(us / 1000);
  }
  ended(): void {
    Atomics.store(this.words, this.base + LOOP_RUNNING, 0);
  }
  count(counter: number): void {
    increment(this.words, loopCounterAt(this.base, counter));
  }
  /** Ticks that got no frame, by cause (CAUSE_*). */
  dropped(cause: number, ticks: number): void {
    addToCounter(this.words, loopCounterAt(this.base, LOOP_COUNT_DROPPED + cause), ticks);
  }
  record(histogram: number, us: number): void {
    recordUs(this.words, loopHistogramAt(this.base, histogram), us);
  }
}
