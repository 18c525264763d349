/**
 * Flight recorder of jobs: the last jobs that one thread ended, in shared memory. One ring per thread, one writer,
 * readers that it does not know of and that never hold it up. The writer overwrites the oldest; a reader counts exactly
 * what it did not get.
 *
 * Every shared word and its one writer (the thread of the ring; a replacement of a dead thread goes on in its place):
 *
 * | word | what | written |
 * |---|---|---|
 * | base + 0 | head: records published, modulo 2^32 | atomically, last (release) |
 * | base + 1 to 31 | unused: keeps the head's cache lines free of records | |
 * | base + 32 + slot * 10 + 0 | check: a sum over the record's number and its other words | plainly |
 * | base + 32 + slot * 10 + 1 to 9 | the record (`JOB_*`) | plainly |
 *
 * Record number n lies in slot n mod capacity. The head is the only atomic store of a job: a lock per record, as in
 * `record-ring.ts`, would be 13 of them, which cost more than the rest of a job's telemetry.
 *
 * Why a record that was read is whole. The reader reads the head (h1), copies, and reads the head again (h2).
 * 1. Not too old: a reader that saw h1 > n has seen the release of record n, so each word it reads of slot n mod capacity
 *    is of record n or of a later one in the same slot (n + capacity, ...), never of an earlier.
 * 2. Not too new, where stores and loads become visible in program order (x86): when the head was last seen at h2, the
 *    writer may have been filling record h2, which lies in the slot of record h2 - capacity; nothing later was begun. So
 *    all records above h2 - capacity are whole. The margin is one record: at most capacity - 1 are read.
 * 3. Not too new, elsewhere: the memory model of ECMA-262 orders what comes *before* an atomic store, not what comes after
 *    it. A processor (ARM) may show words of record h2 + 1 before head h2 + 1, and the plain stores race with the reader's
 *    loads; a word by itself is never torn. (The reader's own loads are atomic, hence in order.) No margin is proof against that,
 *    though store buffers hold only some dozens of stores, so the check decides: a record some of whose words belong to a
 *    later one passes it with a chance of about 2^-32. What fails is counted as overwritten.
 */
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { LINE_WORDS } from '../memory/layout.js';

/** Records kept per thread if nothing else is asked for. */
export const DEFAULT_TRACE_JOBS = 256;
export const MAX_TRACE_JOBS = 65_536;

/** Words of one record. */
export const JOB_RECORD_WORDS = 10;
const JOB_CHECK = 0;
/** `task << 16 | (column + 1) << 8 | outcome << 4 | cause + 1`: see `jobTaskOf` and its like. */
export const JOB_KIND = 1;
/** Job number in its lane (its slot's SLOT_SEQUENCE). */
export const JOB_SEQUENCE = 2;
/** Number of the frame, or of the period of a periodic lane, or -1. */
export const JOB_FRAME_NUMBER = 3;
export const JOB_SUBMIT_US = 4;
export const JOB_RELEASE_US = 5;
/** Meaningless if its handler was not started. */
export const JOB_START_US = 6;
export const JOB_FINISH_US = 7;
export const JOB_DEADLINE_US = 8;
/** Duration: the part of start - release in which the worker was idle, rung, and did not run yet. */
export const JOB_WAKEUP_US = 9;

export const jobTaskOf = (kind: number): number => kind >>> 16;
/** Column of the thread that ran its handler, or -1 if it was not started. */
export const jobColumnOf = (kind: number): number => ((kind >>> 8) & 0xff) - 1;
/** OUTCOME_* */
export const jobOutcomeOf = (kind: number): number => (kind >>> 4) & 0xf;
/** CAUSE_*, or -1 if it met its deadline. */
export const jobCauseOf = (kind: number): number => (kind & 0xf) - 1;

const RECORDS = LINE_WORDS;

/**
 * Words to reserve for a ring. Fresh memory (all 0) is an empty ring.
 * @param capacity records, a power of two, 2 to 65536
 * @throws OPTION_INVALID for another capacity
 */
export function jobTraceWords(capacity: number = DEFAULT_TRACE_JOBS): number {
  if (!Number.isInteger(capacity) || capacity < 2 || capacity > MAX_TRACE_JOBS || (capacity & (capacity - 1)) !== 0) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `the job trace's capacity is ${describeValue(capacity)}, expected a power of two from 2 to ${MAX_TRACE_JOBS}`,
    );
  }
  return RECORDS + capacity * JOB_RECORD_WORDS;
}

function checkPlace(words: Int32Array, base: number, capacity: number): void {
  const needed = jobTraceWords(capacity);
  if (!Number.isInteger(base) || base < 0 || base + needed > words.length) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `base is ${describeValue(base)} in ${words.length} words, expected a whole number that leaves ${needed} words for the job trace`,
    );
  }
}

/** Odd factors without a pattern: a word of another record changes the sum by a multiple of its own factor. */
function checkOf(
  number: number,
  kind: number,
  sequence: number,
  frameNumber: number,
  submitUs: number,
  releaseUs: number,
  startUs: number,
  finishUs: number,
  deadlineUs: number,
  wakeupUs: number,
): number {
  const a = (Math.imul(number, 0x9e3779b1) + Math.imul(kind, 0x85ebca77)) | 0;
  const b = (Math.imul(sequence, 0xc2b2ae3d) + Math.imul(frameNumber, 0x27d4eb2f)) | 0;
  const c = (Math.imul(submitUs, 0x165667b1) + Math.imul(releaseUs, 0xd3a2646d)) | 0;
  const d = (Math.imul(startUs, 0xfd7046c5) + Math.imul(finishUs, 0xb55a4f09)) | 0;
  const e = (Math.imul(deadlineUs, 0x8cb92ba7) + Math.imul(wakeupUs, 0xe1d4a50d)) | 0;
  return (((a + b) | 0) + ((c + d) | 0) + e) | 0;
}

/**
 * The writing role, for one thread; several objects on one thread may write to one ring. Goes on where the memory's
 * last writer stopped, so a replacement may take over.
 *
 * Each job is recorded once, by the thread that ended it, with the row of that thread's column: after its change to done
 * held, and before it is counted (`recorder.count`, the frame's column), since from then on its slot may be reused.
 * `settle`: `record(task, ran ? column : -1, SLOT_SEQUENCE, SLOT_FRAME_NUMBER, SLOT_SUBMIT_US, SLOT_RELEASE_US, startUs, finishUs,
 * deadlineUs, outcome, cause, wakeupUs)`. `JobEnder.end`: the same with `started ? ownerOf(state) : -1` and a wake-up of 0.
 * What a worker dies with between the two is counted, and not in the trace.
 * @throws OPTION_INVALID (constructor) if the ring does not fit at `base`
 */
export class JobTraceWriter {
  private readonly words: Int32Array;
  private readonly base: number;
  private readonly records: number;
  private readonly mask: number;

  constructor(words: Int32Array, base: number, capacity: number = DEFAULT_TRACE_JOBS) {
    checkPlace(words, base, capacity);
    this.words = words;
    this.base = base;
    this.records = base + RECORDS;
    this.mask = capacity - 1;
  }

  /**
   * Adds one job, overwriting the oldest. All numbers are 32-bit integers, times are stamps. Never allocates, blocks or
   * throws.
   * @param task index of the task in the scheduler, below 2^16
   * @param column of the thread that ran its handler: the writer's own, the dead worker's for a job that was lost; -1 if
   * it was not started
   * @param sequence SLOT_SEQUENCE
   * @param frameNumber SLOT_FRAME_NUMBER: of the frame or the period; -1 if neither
   * @param startUs anything if it was not started
   * @param outcome OUTCOME_*
   * @param cause CAUSE_* of a miss, or -1
   * @param wakeupUs part of start - release in which the worker was idle, rung, and did not run yet; 0 if not known
   */
  record(
    task: number,
    column: number,
    sequence: number,
    frameNumber: number,
    submitUs: number,
    releaseUs: number,
    startUs: number,
    finishUs: number,
    deadlineUs: number,
    outcome: number,
    cause: number,
    wakeupUs: number,
  ): void {
    const { words, base } = this;
    const number = words[base]!; // own word
    const at = this.records + Math.imul(number & this.mask, JOB_RECORD_WORDS);
    const kind = (task << 16) | (((column + 1) & 0xff) << 8) | (outcome << 4) | (cause + 1);
    words[at + JOB_KIND] = kind;
    words[at + JOB_SEQUENCE] = sequence;
    words[at + JOB_FRAME_NUMBER] = frameNumber;
    words[at + JOB_SUBMIT_US] = submitUs;
    words[at + JOB_RELEASE_US] = releaseUs;
    words[at + JOB_START_US] = startUs;
    words[at + JOB_FINISH_US] = finishUs;
    words[at + JOB_DEADLINE_US] = deadlineUs;
    words[at + JOB_WAKEUP_US] = wakeupUs;
    words[at + JOB_CHECK] = checkOf(
      number,
      kind,
      sequence,
      frameNumber,
      submitUs,
      releaseUs,
      startUs,
      finishUs,
      deadlineUs,
      wakeupUs,
    );
    Atomics.store(words, base, (number + 1) | 0); // release
  }
}

/** What one reading gave. */
export interface JobTraceReading {
  /** `count` records of JOB_RECORD_WORDS words each, oldest first: word JOB_X of record i is `records[i * JOB_RECORD_WORDS + JOB_X]`. */
  readonly records: Int32Array;
  readonly count: number;
  /** Records published since `fromNumber` that were overwritten before they were read. */
  readonly overwritten: number;
  /** To give to the next reading, for what comes after this one. */
  readonly nextNumber: number;
}

/**
 * The reading role; any thread, any number of readers. Keeps no position.
 * @throws OPTION_INVALID (constructor) if the ring does not fit at `base`
 */
export class JobTraceReader {
  private readonly words: Int32Array;
  private readonly base: number;
  private readonly capacity: number;

  constructor(words: Int32Array, base: number, capacity: number = DEFAULT_TRACE_JOBS) {
    checkPlace(words, base, capacity);
    this.words = words;
    this.base = base;
    this.capacity = capacity;
  }

  /**
   * The records that were published before this call and are still there: at most `capacity - 1`. Allocates them.
   * @param fromNumber `nextNumber` of an earlier reading of this ring; default: from the first record ever
   */
  read(fromNumber = 0): JobTraceReading {
    const { words, base, capacity } = this;
    const head = Atomics.load(words, base); // acquire
    const published = (head - fromNumber) >>> 0;
    const available = Math.min(published, capacity);
    const first = (head - available) | 0;
    const records = new Int32Array(available * JOB_RECORD_WORDS);
    // oldest first: they are the next to be overwritten
    for (let i = 0; i < available; i++) {
      const at = base + RECORDS + ((first + i) & (capacity - 1)) * JOB_RECORD_WORDS;
      const to = i * JOB_RECORD_WORDS;
      for (let k = 0; k < JOB_RECORD_WORDS; k++) records[to + k] = Atomics.load(words, at + k);
    }
    const headAfter = Atomics.load(words, base); // acquire
    // up to here the writer may have been at work; where it went further than the whole ring, nothing is left
    const unsafe = Math.max(0, Math.min((headAfter - capacity + 1 - first) | 0, available));
    let count = 0;
    for (let i = unsafe; i < available; i++) {
      const from = i * JOB_RECORD_WORDS;
      if (!isWhole(records, from, (first + i) | 0)) continue;
      records.copyWithin(count * JOB_RECORD_WORDS, from, from + JOB_RECORD_WORDS);
      count++;
    }
    return {
      records: records.subarray(0, count * JOB_RECORD_WORDS),
      count,
      overwritten: published - count,
      nextNumber: head,
    };
  }
}

function isWhole(record: Int32Array, at: number, number: number): boolean {
  const check = checkOf(
    number,
    record[at + JOB_KIND]!,
    record[at + JOB_SEQUENCE]!,
    record[at + JOB_FRAME_NUMBER]!,
    record[at + JOB_SUBMIT_US]!,
    record[at + JOB_RELEASE_US]!,
    record[at + JOB_START_US]!,
    record[at + JOB_FINISH_US]!,
    record[at + JOB_DEADLINE_US]!,
    record[at + JOB_WAKEUP_US]!,
  );
  return check === record[at + JOB_CHECK]!;
}
