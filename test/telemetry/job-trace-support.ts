import { expect } from 'vitest';
import {
  JOB_DEADLINE_US,
  JOB_FINISH_US,
  JOB_FRAME_NUMBER,
  JOB_KIND,
  JOB_RECORD_WORDS,
  JOB_RELEASE_US,
  JOB_SEQUENCE,
  JOB_START_US,
  JOB_SUBMIT_US,
  JOB_WAKEUP_US,
  type JobTraceReading,
  type JobTraceWriter,
  jobCauseOf,
  jobColumnOf,
  jobOutcomeOf,
  jobTaskOf,
  jobTraceWords,
} from '../../src/telemetry/job-trace.js';

export const BASE = 3;

export function memory(capacity: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (BASE + jobTraceWords(capacity))));
}

/** A record whose words all follow from `i`, as `test/telemetry/job-trace.worker.js` writes it. */
export const put = (writer: JobTraceWriter, i: number) =>
  writer.record(i & 0xffff, i & 31, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, 1 + (i % 6), (i % 10) - 1, i + 7);

/** The numbers of the records; fails on a torn one. */
export function valuesOf({ records, count }: JobTraceReading): number[] {
  const values: number[] = [];
  for (let at = 0; at < count * JOB_RECORD_WORDS; at += JOB_RECORD_WORDS) {
    const i = records[at + JOB_SEQUENCE]!;
    const kind = records[at + JOB_KIND]!;
    const torn =
      jobTaskOf(kind) !== (i & 0xffff) ||
      jobColumnOf(kind) !== (i & 31) ||
      jobOutcomeOf(kind) !== 1 + (i % 6) ||
      jobCauseOf(kind) !== (i % 10) - 1 ||
      records[at + JOB_FRAME_NUMBER] !== i + 1 ||
      records[at + JOB_SUBMIT_US] !== i + 2 ||
      records[at + JOB_RELEASE_US] !== i + 3 ||
      records[at + JOB_START_US] !== i + 4 ||
      records[at + JOB_FINISH_US] !== i + 5 ||
      records[at + JOB_DEADLINE_US] !== i + 6 ||
      records[at + JOB_WAKEUP_US] !== i + 7;
    if (torn) expect.fail(`torn: ${records.subarray(at, at + JOB_RECORD_WORDS)}`);
    values.push(i);
  }
  return values;
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
