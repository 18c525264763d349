import { type Clock, momentOf } from '../base/time.js';
import * as record from '../telemetry/miss-record.js';
import { MISS_CAUSES, outcomeOfNumber } from '../telemetry/outcomes.js';
import type { Culprit, Miss, MissFlag, MissSegments } from '../telemetry/telemetry-data.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';

/** Name of the main thread as a lane and as a worker. */
export const MAIN = 'main';

/** Makes a `Miss` of a record's words. `workerOf`: the name of a column's worker. Any thread; allocates. */
export class MissDecoder {
  private readonly lanes: readonly LaneInfo[];
  private readonly tasks: readonly TaskInfo[];
  private readonly workerOf: (column: number) => string | null;
  private readonly clock: Clock;

  constructor(
    lanes: readonly LaneInfo[],
    tasks: readonly TaskInfo[],
    workerOf: (column: number) => string | null,
    clock: Clock,
  ) {
    this.lanes = lanes;
    this.tasks = tasks;
    this.workerOf = workerOf;
    this.clock = clock;
  }

  decode(words: Int32Array): Miss {
    const task = this.tasks[words[record.MISS_TASK]!];
    const mask = words[record.MISS_CAUSE_MASK]!;
    const column = words[record.MISS_COLUMN]!;
    const finishUs = words[record.MISS_FINISH_US]!;
    const started = words[record.MISS_STARTED] !== 0;
    return {
      lane: task === undefined ? MAIN : this.lanes[task.lane]!.name,
      task: task === undefined ? 'frame' : task.name,
      worker: this.workerOf(column),
      job: orNull(words[record.MISS_SEQUENCE]!),
      frame: orNull(words[record.MISS_FRAME_NUMBER]!),
      outcome: outcomeOfNumber(words[record.MISS_OUTCOME]!),
      cause: MISS_CAUSES[words[record.MISS_CAUSE]!] ?? 'unknown',
      causes: MISS_CAUSES.filter((_, cause) => (mask & (1 << cause)) !== 0),
      flags: flagsOf(words[record.MISS_FLAGS]!),
      submitAtUs: momentOf(words[record.MISS_SUBMIT_US]!, this.clock),
      releaseAtUs: momentOf(words[record.MISS_RELEASE_US]!, this.clock),
      startAtUs: started ? momentOf(words[record.MISS_START_US]!, this.clock) : null,
      finishAtUs: momentOf(finishUs, this.clock),
      deadlineAtUs: momentOf(words[record.MISS_DEADLINE_US]!, this.clock),
      tardinessUs: Math.max(0, (finishUs - words[record.MISS_DEADLINE_US]!) | 0),
      segments: segmentsOf(words),
      lateSubmitUs: words[record.MISS_LATE_SUBMIT_US]!,
      culprit: this.culpritOf(words),
      periods: words[record.MISS_PERIODS]!,
    };
  }

  private culpritOf(words: Int32Array): Culprit | null {
    const who = words[record.MISS_CULPRIT_TASK]!;
    if (who === 0) return null;
    const executionUs = words[record.MISS_CULPRIT_EXECUTION_US]!;
    const frame = orNull(words[record.MISS_CULPRIT_FRAME_NUMBER]!);
    if (who < 0) {
      const task = who === record.CULPRIT_EVENT_LOOP ? 'event loop' : 'frame callback';
      return { kind: 'mainThread', lane: MAIN, task, job: null, frame, executionUs };
    }
    const task = this.tasks[who - 1];
    if (task === undefined) return null;
    const number = words[record.MISS_CULPRIT_SEQUENCE]!;
    const job = number === -1 ? null : number >>> 0;
    return { kind: 'job', lane: this.lanes[task.lane]!.name, task: task.name, job, frame, executionUs };
  }
}

/** What is left of the response time is unattributed: so they add up to it. */
function segmentsOf(words: Int32Array): MissSegments {
  const responseUs = Math.max(0, (words[record.MISS_FINISH_US]! - words[record.MISS_RELEASE_US]!) | 0);
  const wakeupUs = words[record.MISS_WAKEUP_US]!;
  const waitingBehindUs = words[record.MISS_WAITING_US]!;
  const gcUs = orNull(words[record.MISS_GC_US]!);
  const preemptedUs = orNull(words[record.MISS_PREEMPTED_US]!);
  const onCpuUs = orNull(words[record.MISS_ON_CPU_US]!);
  const knownUs = wakeupUs + waitingBehindUs + (gcUs ?? 0) + (preemptedUs ?? 0) + (onCpuUs ?? 0);
  return { wakeupUs, waitingBehindUs, gcUs, preemptedUs, onCpuUs, unattributedUs: responseUs - knownUs };
}

function flagsOf(bits: number): MissFlag[] {
  const flags: MissFlag[] = [];
  if ((bits & record.MISS_FLAG_BACKLOG) !== 0) flags.push('backlog');
  if ((bits & record.MISS_FLAG_DEBUGGER) !== 0) flags.push('debugger');
  return flags;
}

function orNull(number: number): number | null {
  return number < 0 ? null : number;
}
