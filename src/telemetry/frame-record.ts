import type { RecordRingWriter } from './record-ring.js';

/** Body words of a frame's record (see `record-ring.ts`), written by the host. Stamps in microseconds. */
export const FRAME_RECORD_WORDS = 12;
/** Frames that are kept: 34 s at 60 Hz. */
export const FRAME_RECORD_CAPACITY = 2048;

/** Loop number, or -1 for frames of `beginFrame`. */
export const FRAME_RECORD_LOOP = 0;
export const FRAME_RECORD_NUMBER = 1;
/** FRAME_* below. */
export const FRAME_RECORD_OUTCOME = 2;
export const FRAME_RECORD_TICK_US = 3;
export const FRAME_RECORD_CALLED_US = 4;
export const FRAME_RECORD_SUBMITTED_US = 5;
/** Meaningless without jobs. */
export const FRAME_RECORD_FINISHED_US = 6;
export const FRAME_RECORD_DEADLINE_US = 7;
export const FRAME_RECORD_JOBS = 8;
export const FRAME_RECORD_MISSES = 9;
/** Ticks that the record stands for. */
export const FRAME_RECORD_TICKS = 10;

export const FRAME_ON_TIME = 0;
export const FRAME_LATE = 1;
export const FRAME_DROPPED = 2;

/** Writes a frame that is over. Host thread; allocates nothing. */
export function writeFrameRecord(
  writer: RecordRingWriter,
  loop: number,
  number: number,
  outcome: number,
  tickUs: number,
  calledUs: number,
  submittedUs: number,
  finishedUs: number,
  deadlineUs: number,
  jobs: number,
  misses: number,
  ticks: number,
): void {
  const at = writer.begin();
  const body = writer.words;
  body[at + FRAME_RECORD_LOOP] = loop;
  body[at + FRAME_RECORD_NUMBER] = number;
  body[at + FRAME_RECORD_OUTCOME] = outcome;
  body[at + FRAME_RECORD_TICK_US] = tickUs;
  body[at + FRAME_RECORD_CALLED_US] = calledUs;
  body[at + FRAME_RECORD_SUBMITTED_US] = submittedUs;
  body[at + FRAME_RECORD_FINISHED_US] = finishedUs;
  body[at + FRAME_RECORD_DEADLINE_US] = deadlineUs;
  body[at + FRAME_RECORD_JOBS] = jobs;
  body[at + FRAME_RECORD_MISSES] = misses;
  body[at + FRAME_RECORD_TICKS] = ticks;
  writer.publish();
}
