import { COUNTER_WORDS } from './counters.js';

/** How a job ended (contract C1: exactly one of them). */
export type Outcome = 'onTime' | 'late' | 'expired' | 'failed' | 'cancelled' | 'lost';
/** Why a job was not accepted. */
export type Refusal = 'full' | 'closed' | 'framesInFlight' | 'noWorker' | 'admission' | 'quarantined';
/** Why a deadline was missed: the primary cause. */
export type MissCause =
  | 'lateSubmit'
  | 'waitingBehind'
  | 'wakeup'
  | 'preempted'
  | 'gc'
  | 'overrun'
  | 'hung'
  | 'crashed'
  | 'unknown'
  | 'shed';

export const OUTCOMES: readonly Outcome[] = ['onTime', 'late', 'expired', 'failed', 'cancelled', 'lost'];
export const REFUSALS: readonly Refusal[] = [
  'full',
  'closed',
  'framesInFlight',
  'noWorker',
  'admission',
  'quarantined',
];
export const MISS_CAUSES: readonly MissCause[] = [
  'lateSubmit',
  'waitingBehind',
  'wakeup',
  'preempted',
  'gc',
  'overrun',
  'hung',
  'crashed',
  'unknown',
  'shed',
];
export const CAUSE_LATE_SUBMIT = 0;
export const CAUSE_WAITING_BEHIND = 1;
export const CAUSE_WAKEUP = 2;
export const CAUSE_PREEMPTED = 3;
export const CAUSE_GC = 4;
export const CAUSE_OVERRUN = 5;
export const CAUSE_HUNG = 6;
export const CAUSE_CRASHED = 7;
export const CAUSE_UNKNOWN = 8;
/** Dropped before its start to make room for another job. */
export const CAUSE_SHED = 9;

const NO_CAUSE = -1;

// ------------------------------------------------- counters of one task on one thread
// One counter per (outcome, cause), so that one increment counts a job's outcome, its miss and its cause together,
// and can be made again for a dead worker as one.
export const COUNT_SUBMITTED = 0;
export const COUNT_ACCEPTED = 1;
/** Followed by one counter per refusal. */
export const COUNT_REFUSED = 2;
const COUNT_MET = COUNT_REFUSED + REFUSALS.length;
const COUNT_MISSED = COUNT_MET + OUTCOMES.length + 1;
/** Periods that could not be served, by cause: each was submitted, accepted and expired at once. Followed by one per cause. */
export const COUNT_SKIPPED = COUNT_MISSED + (OUTCOMES.length + 1) * MISS_CAUSES.length;
/** Counters of one task on one thread. */
export const COUNTER_COUNT = COUNT_SKIPPED + MISS_CAUSES.length;
export const COUNTERS_WORDS = Math.ceil((COUNTER_COUNT * COUNTER_WORDS) / 32) * 32;

/** Counter of a job that ended with `outcome` (OUTCOME_*) and, if it missed its deadline, `cause` (CAUSE_*), else -1. */
export function outcomeCounter(outcome: number, cause: number): number {
  return cause === NO_CAUSE ? COUNT_MET + outcome : COUNT_MISSED + outcome * MISS_CAUSES.length + cause;
}

/** The cause (CAUSE_*) of a job that ended with `outcome` and was counted there, or -1 if that counter tells none. */
export function causeOfCounter(counter: number, outcome: number): number {
  const cause = counter - COUNT_MISSED - outcome * MISS_CAUSES.length;
  return cause >= 0 && cause < MISS_CAUSES.length ? cause : NO_CAUSE;
}

/** The outcome of that number; a number that is none (memory that was overwritten by mistake) is told as `lost`. */
export function outcomeOfNumber(number: number): Outcome {
  return OUTCOMES[number - 1] ?? 'lost';
}
