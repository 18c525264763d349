import { dataOf, KINDS, MAX_JOBS, MAX_PERIODS, valuesOf } from './catalog.js';
import { checksum } from './torture.tasks.js';

/** @typedef {import('./plan.js').PlannedJob} PlannedJob */

/**
 * What the host saw of one job.
 * @typedef {object} JobRecord
 * @property {number} id
 * @property {string} lane
 * @property {string} task
 * @property {boolean} idempotent
 * @property {number} frame number of the frame among those of the round, -1: none
 * @property {number} stage
 * @property {string | false} refused
 * @property {string | null} outcome `unread`: it ended, and its object stood for another job before anybody looked
 * @property {string | null} wrong what was wrong with its output
 */

/** What handlers report into, in memory shared by all threads. */
export class Reports {
  constructor() {
    const words = (/** @type {number} */ count) => new Int32Array(new SharedArrayBuffer(4 * count));
    /** How often each job's handler began and came to its end, and when, as numbers that count up. */
    this.starts = words(MAX_JOBS);
    this.ends = words(MAX_JOBS);
    this.startTickets = words(MAX_JOBS);
    this.endTickets = words(MAX_JOBS);
    this.ticket = words(1);
  }

  /** For one lane. */
  shared() {
    const periods = new Int32Array(new SharedArrayBuffer(4 * MAX_PERIODS));
    const { starts, ends, startTickets, endTickets, ticket } = this;
    return { starts, ends, startTickets, endTickets, ticket, periods };
  }
}

/** Keeps what the host saw of each job that it submitted. */
export class Ledger {
  constructor() {
    /** @type {JobRecord[]} */
    this.records = [];
    /** @type {{ job: any, record: JobRecord }[]} single jobs whose outcome was not read yet */
    this.singles = [];
    /** @type {Set<OpenFrame>} */
    this.openFrames = new Set();
    this.frames = 0;
  }

  /** Submits a planned job and notes it. `submit` throws for nothing that a plan does. */
  submit(
    /** @type {any} */ lanes,
    /** @type {PlannedJob} */ planned,
    /** @type {(handle: any, input: any) => any} */ submit,
    frame = -1,
    stage = 0,
  ) {
    const { id, lane, task, us } = planned;
    const handle = lanes[lane][task];
    const job = submit(handle, inputOf(handle, planned));
    /** @type {JobRecord} */
    const record = {
      id,
      lane,
      task,
      idempotent: /** @type {import('./catalog.js').Kind} */ (KINDS[task]).idempotent,
      frame,
      stage,
      refused: job.refused,
      outcome: null,
      wrong: null,
    };
    this.records.push(record);
    return { job, record };

    function inputOf(/** @type {any} */ handle, /** @type {PlannedJob} */ { direct }) {
      const isBytes = task === 'reverse';
      if (!direct) return isBytes ? { id, data: dataOf(id) } : { id, us, values: valuesOf(id) };
      const { input } = handle;
      input.id = id;
      if (isBytes) input.data.set(dataOf(id));
      else {
        input.us = us;
        input.values.set(valuesOf(id));
      }
      return undefined;
    }
  }

  /** Frames that are over by now: their jobs must be read before the next one begins. */
  sweep() {
    for (const open of this.openFrames) if (open.isFilled && open.frame.poll()) this.closeFrame(open);
  }

  /** A frame has begun; an open one with the same object was over before anybody looked. */
  opened(/** @type {any} */ frame) {
    for (const open of this.openFrames) if (open.frame === frame) this.closeFrame(open);
    /** @type {OpenFrame} */
    const open = { frame, jobs: [], isFilled: false };
    if (frame.refused === false) this.openFrames.add(open);
    return open;
  }

  closeFrame(/** @type {OpenFrame} */ open) {
    this.openFrames.delete(open);
    for (const { job, record } of open.jobs) read(job, record);
    open.jobs = [];
  }

  /** Reads what is left, when all is over. */
  finish() {
    for (const open of this.openFrames) this.closeFrame(open);
    for (const { job, record } of this.singles) read(job, record);
    this.singles = [];
  }
}

/** `isFilled`: nothing more is submitted to it. @typedef {{ frame: any, jobs: { job: any, record: JobRecord }[], isFilled: boolean }} OpenFrame */

/** Takes a job's outcome, and its output where it has one. */
export function read(/** @type {any} */ job, /** @type {JobRecord} */ record) {
  if (record.refused !== false || record.outcome !== null) return;
  try {
    record.outcome = job.outcome;
  } catch (error) {
    if (codeOf(error) !== 'JOB_STALE') throw error;
    record.outcome = 'unread';
    return;
  }
  try {
    if (record.outcome === 'failed') record.wrong = job.error === null ? 'it failed without an error' : null;
    if (record.outcome === 'onTime' || record.outcome === 'late') record.wrong = wrongOutput(job.output, record);
  } catch (error) {
    // its slot was needed
    if (codeOf(error) !== 'JOB_STALE') throw error;
  }
}

function wrongOutput(/** @type {any} */ output, /** @type {JobRecord} */ { id, task }) {
  if (output.id !== id) return `output.id is ${output.id}`;
  if (task !== 'reverse') {
    const sum = checksum(id, valuesOf(id));
    return output.sum === sum ? null : `output.sum is ${output.sum}, ${sum} expected`;
  }
  const expected = dataOf(id).reverse();
  const got = output.data.copy();
  return Buffer.compare(got, expected) === 0 ? null : `output.data is [${got}]`;
}

export const codeOf = (/** @type {unknown} */ error) => /** @type {{ code?: string } | undefined} */ (error)?.code;
