import {
  CONTROL_MISS_EPOCH,
  CONTROL_MISS_LISTENING,
  OUTCOME_EXPIRED,
  SLOT_DEADLINE_US,
  SLOT_FRAME,
  SLOT_FRAME_NUMBER,
  SLOT_RELEASE_US,
  SLOT_SEQUENCE,
  SLOT_START_US,
  SLOT_SUBMIT_US,
  SLOT_TASK,
} from '../memory/layout.js';
import * as record from '../telemetry/miss-record.js';
import {
  CAUSE_CRASHED,
  CAUSE_LATE_SUBMIT,
  CAUSE_OVERRUN,
  CAUSE_UNKNOWN,
  CAUSE_WAITING_BEHIND,
  CAUSE_WAKEUP,
} from '../telemetry/outcomes.js';
import { RecordRingWriter } from '../telemetry/record-ring.js';
import type { AttachedMemory } from './attached-memory.js';
import type { LaneInfo, TaskRuntime } from './task-runtime.js';

/** Wake-up latency that is not worth blaming. */
const WAKEUP_FLOOR_US = 100;
const HISTORY = 16;

/**
 * Says why a job missed its deadline, from the stamps alone, and who was in its way. One per thread, that thread only;
 * allocates nothing.
 *
 * The primary cause is the segment with the largest excess over what is normal: for waking up a small floor, for
 * waiting nothing, for the execution the task's budget (none declared: its relative deadline). A job that was submitted
 * with less time left than its p90 execution takes was late before it began.
 */
export class MissExplainer {
  private readonly writer: RecordRingWriter;
  private readonly column: number;
  private readonly memory: AttachedMemory;
  // what this thread ran last: task, start, duration, sequence, frame number
  private readonly history: Int32Array;
  private historyNext: number;

  constructor(memory: AttachedMemory, column: number) {
    this.memory = memory;
    this.column = column;
    const { telemetryLayout } = memory;
    this.writer = new RecordRingWriter(
      memory.telemetry,
      telemetryLayout.missRing(telemetryLayout.rowOf(column)),
      record.MISS_CAPACITY,
      record.MISS_RECORD_WORDS,
    );
    this.history = new Int32Array(HISTORY * 5);
    this.historyNext = 0;
  }

  /** Notes a job that this thread has ended: a possible culprit of later misses. */
  executed(i32: Int32Array, base: number, startUs: number, executionUs: number): void {
    const at = (this.historyNext % HISTORY) * 5;
    this.history[at] = i32[base + SLOT_TASK]! + 1;
    this.history[at + 1] = startUs;
    this.history[at + 2] = executionUs;
    this.history[at + 3] = i32[base + SLOT_SEQUENCE]!;
    this.history[at + 4] = frameNumberOf(i32, base);
    this.historyNext = (this.historyNext + 1) % HISTORY;
  }

  /** Fills the miss record of the job at `base` and returns its primary cause (CAUSE_*). `publish` makes it visible. */
  explain(
    i32: Int32Array,
    base: number,
    task: TaskRuntime,
    wakeupUs: number,
    queueingUs: number,
    executionUs: number,
    finishUs: number,
    outcome: number,
  ): number {
    const waitingUs = queueingUs - wakeupUs;
    const releaseUs = i32[base + SLOT_RELEASE_US]!;
    const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
    const submitUs = i32[base + SLOT_SUBMIT_US]!;
    const relativeUs = (deadlineUs - releaseUs) | 0;
    const budgetUs = task.info.budgetUs > 0 ? task.info.budgetUs : Math.max(relativeUs, 0);
    const timeLeftUs = (deadlineUs - submitUs) | 0;
    const lateSubmitUs = Math.max(0, task.p90ExecutionUs - timeLeftUs);
    const overrunUs = executionUs - budgetUs;
    const wakeupExcessUs = wakeupUs - WAKEUP_FLOOR_US;

    let mask = 0;
    let cause = CAUSE_UNKNOWN;
    let largest = 0;
    if (wakeupExcessUs > 0) {
      mask |= 1 << CAUSE_WAKEUP;
      cause = CAUSE_WAKEUP;
      largest = wakeupExcessUs;
    }
    if (waitingUs > 0) {
      mask |= 1 << CAUSE_WAITING_BEHIND;
      if (waitingUs > largest) {
        cause = CAUSE_WAITING_BEHIND;
        largest = waitingUs;
      }
    }
    if (overrunUs > 0) {
      mask |= 1 << CAUSE_OVERRUN;
      if (overrunUs > largest) {
        cause = CAUSE_OVERRUN;
        largest = overrunUs;
      }
    }
    if (lateSubmitUs > 0 || timeLeftUs <= 0) {
      mask |= 1 << CAUSE_LATE_SUBMIT;
      cause = CAUSE_LATE_SUBMIT;
    }
    mask |= 1 << cause;

    const body = this.writer.words;
    const at = this.writer.begin();
    body[at + record.MISS_SEQUENCE] = i32[base + SLOT_SEQUENCE]!;
    body[at + record.MISS_TASK] = task.info.index;
    body[at + record.MISS_COLUMN] = this.column;
    body[at + record.MISS_FRAME_NUMBER] = frameNumberOf(i32, base);
    body[at + record.MISS_FRAME] = i32[base + SLOT_FRAME]!;
    body[at + record.MISS_OUTCOME] = outcome;
    body[at + record.MISS_CAUSE] = cause;
    body[at + record.MISS_CAUSE_MASK] = mask;
    body[at + record.MISS_SUBMIT_US] = submitUs;
    body[at + record.MISS_RELEASE_US] = releaseUs;
    body[at + record.MISS_DEADLINE_US] = deadlineUs;
    body[at + record.MISS_START_US] = i32[base + SLOT_START_US]!;
    body[at + record.MISS_FINISH_US] = finishUs;
    body[at + record.MISS_WAKEUP_US] = wakeupUs;
    body[at + record.MISS_WAITING_US] = waitingUs;
    body[at + record.MISS_EXECUTION_US] = executionUs;
    body[at + record.MISS_LATE_SUBMIT_US] = lateSubmitUs;
    body[at + record.MISS_STARTED] = outcome === OUTCOME_EXPIRED ? 0 : 1;
    body[at + record.MISS_PERIODS] = 1;
    this.nameCulprit(at, releaseUs, i32[base + SLOT_START_US]!);
    return cause;
  }

  /** Makes the filled record visible, and tells the host if it listens. */
  publish(): void {
    this.writer.publish();
    const { control } = this.memory;
    if (Atomics.load(control, CONTROL_MISS_LISTENING) === 0) return;
    Atomics.add(control, CONTROL_MISS_EPOCH, 1); // release
    Atomics.notify(control, CONTROL_MISS_EPOCH);
  }

  /** Records a miss that no handler ended: lost, or cancelled past its deadline. */
  ended(
    i32: Int32Array,
    base: number,
    task: number,
    outcome: number,
    cause: number,
    finishUs: number,
    started: boolean,
  ): void {
    const body = this.writer.words;
    const at = this.writer.begin();
    const releaseUs = i32[base + SLOT_RELEASE_US]!;
    const startUs = started ? i32[base + SLOT_START_US]! : finishUs;
    body[at + record.MISS_SEQUENCE] = i32[base + SLOT_SEQUENCE]!;
    body[at + record.MISS_TASK] = task;
    body[at + record.MISS_COLUMN] = this.column;
    body[at + record.MISS_FRAME_NUMBER] = frameNumberOf(i32, base);
    body[at + record.MISS_FRAME] = i32[base + SLOT_FRAME]!;
    body[at + record.MISS_OUTCOME] = outcome;
    body[at + record.MISS_CAUSE] = cause;
    body[at + record.MISS_CAUSE_MASK] = 1 << cause;
    body[at + record.MISS_SUBMIT_US] = i32[base + SLOT_SUBMIT_US]!;
    body[at + record.MISS_RELEASE_US] = releaseUs;
    body[at + record.MISS_DEADLINE_US] = i32[base + SLOT_DEADLINE_US]!;
    body[at + record.MISS_START_US] = startUs;
    body[at + record.MISS_FINISH_US] = finishUs;
    body[at + record.MISS_WAITING_US] = Math.max(0, (startUs - releaseUs) | 0);
    body[at + record.MISS_EXECUTION_US] = started ? Math.max(0, (finishUs - startUs) | 0) : 0;
    body[at + record.MISS_STARTED] = started ? 1 : 0;
    body[at + record.MISS_PERIODS] = 1;
    this.publish();
  }

  /** Records periods that ended before they could be served; returns their cause. */
  skippedPeriods(
    lane: LaneInfo,
    releaseUs: number,
    periods: number,
    nowUs: number,
    parkedAtUs: number,
    afterCrash: boolean,
  ): number {
    const periodic = lane.periodic!;
    const deadlineUs = (releaseUs + periodic.deadlineUs) | 0;
    const body = this.writer.words;
    const at = this.writer.begin();
    // busy at the release: somebody stood in the way; idle: the wake-up came too late
    const waitingUs = afterCrash ? 0 : Math.max(0, (parkedAtUs - releaseUs) | 0);
    const cause = afterCrash ? CAUSE_CRASHED : waitingUs > 0 ? CAUSE_WAITING_BEHIND : CAUSE_WAKEUP;
    body[at + record.MISS_SEQUENCE] = -1;
    body[at + record.MISS_TASK] = periodic.task;
    body[at + record.MISS_COLUMN] = this.column;
    body[at + record.MISS_FRAME_NUMBER] = -1;
    body[at + record.MISS_OUTCOME] = OUTCOME_EXPIRED;
    body[at + record.MISS_CAUSE] = cause;
    body[at + record.MISS_CAUSE_MASK] = 1 << cause;
    body[at + record.MISS_SUBMIT_US] = releaseUs;
    body[at + record.MISS_RELEASE_US] = releaseUs;
    body[at + record.MISS_DEADLINE_US] = deadlineUs;
    body[at + record.MISS_START_US] = nowUs;
    body[at + record.MISS_FINISH_US] = nowUs;
    body[at + record.MISS_WAITING_US] = waitingUs;
    body[at + record.MISS_WAKEUP_US] = Math.max(0, ((nowUs - releaseUs) | 0) - waitingUs);
    body[at + record.MISS_PERIODS] = periods;
    this.nameCulprit(at, releaseUs, nowUs);
    this.publish();
    return cause;
  }

  /** The job that held this thread longest between the release and the start. */
  private nameCulprit(at: number, releaseUs: number, startUs: number): void {
    const history = this.history;
    const body = this.writer.words;
    let longest = 0;
    for (let entry = 0; entry < HISTORY * 5; entry += 5) {
      if (history[entry] === 0) continue;
      const from = history[entry + 1]!;
      const to = (from + history[entry + 2]!) | 0;
      const begin = ((from - releaseUs) | 0) > 0 ? from : releaseUs;
      const end = ((to - startUs) | 0) < 0 ? to : startUs;
      const overlap = (end - begin) | 0;
      if (overlap <= longest) continue;
      longest = overlap;
      body[at + record.MISS_CULPRIT_TASK] = history[entry]!;
      body[at + record.MISS_CULPRIT_EXECUTION_US] = history[entry + 2]!;
      body[at + record.MISS_CULPRIT_SEQUENCE] = history[entry + 3]!;
      body[at + record.MISS_CULPRIT_FRAME_NUMBER] = history[entry + 4]!;
    }
  }
}

/** Number of the job's frame, or -1. */
function frameNumberOf(i32: Int32Array, base: number): number {
  return i32[base + SLOT_FRAME]! === 0 ? -1 : i32[base + SLOT_FRAME_NUMBER]!;
}
