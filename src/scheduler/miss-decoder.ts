import { type Clock, momentOf } from '../base/time.js';
import * as record from '../telemetry/miss-record.js';
import { MISS_CAUSES, OUTCOME_NAMES, type Outcome } from '../telemetry/outcomes.js';
import type { Culprit, Miss } from '../telemetry/telemetry-data.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';

/** Name of the main thread as a lane and as a worker. */
export const MAIN = 'main';

/** Makes a `Miss` of a record's words. Any thread; allocates. */
export class MissDecoder {
  private readonly lanes: readonly LaneInfo[];
  private readonly tasks: readonly TaskInfo[];
  private readonly workerNames: readonly string[];
  private readonly clock: Clock;

  constructor(lanes: readonly LaneInfo[], tasks: readonly TaskInfo[], workerNames: readonly string[], clock: Clock) {
    this.lanes = lanes;
    this.tasks = tasks;
    this.workerNames = workerNames;
    this.clock = clock;
  }

  decode(words: Int32Array): Miss {
    const task = this.tasks[words[record.MISS_TASK]!];
    const mask = words[record.MISS_CAUSE_MASK]!;
    const column = words[record.MISS_COLUMN]!;
    const finishUs = words[record.MISS_FINISH_US]!;
    const started = words[record.MISS_STARTED] !== 0;
    const executionUs = words[record.MISS_EXECUTION_US]!;
    return {
      lane: task === undefined ? MAIN : this.lanes[task.lane]!.name,
      task: task === undefined ? 'frame' : task.name,
      worker: this.workerNames[column] ?? (column === this.workerNames.length ? MAIN : null),
      job: orNull(words[record.MISS_SEQUENCE]!),
      frame: orNull(words[record.MISS_FRAME_NUMBER]!),
      outcome: OUTCOME_NAMES[words[record.MISS_OUTCOME]!] as Outcome,
      cause: MISS_CAUSES[words[record.MISS_CAUSE]!]!,
      causes: MISS_CAUSES.filter((_, cause) => (mask & (1 << cause)) !== 0),
      flags: [],
      submitAtUs: momentOf(words[record.MISS_SUBMIT_US]!, this.clock),
      releaseAtUs: momentOf(words[record.MISS_RELEASE_US]!, this.clock),
      startAtUs: started ? momentOf(words[record.MISS_START_US]!, this.clock) : null,
      finishAtUs: momentOf(finishUs, this.clock),
      deadlineAtUs: momentOf(words[record.MISS_DEADLINE_US]!, this.clock),
      tardinessUs: (finishUs - words[record.MISS_DEADLINE_US]!) | 0,
      segments: {
        wakeupUs: words[record.MISS_WAKEUP_US]!,
        waitingBehindUs: words[record.MISS_WAITING_US]!,
        gcUs: null,
        preemptedUs: null,
        onCpuUs: null,
        unattributedUs: executionUs,
      },
      lateSubmitUs: words[record.MISS_LATE_SUBMIT_US]!,
      culprit: this.culpritOf(words),
      periods: words[record.MISS_PERIODS]!,
    };
  }

  private culpritOf(words: Int32Array): Culprit | null {
    const index = words[record.MISS_CULPRIT_TASK]! - 1;
    if (index < 0) return null;
    const task = this.tasks[index]!;
    return {
      kind: 'job',
      lane: this.lanes[task.lane]!.name,
      task: task.name,
      job: words[record.MISS_CULPRIT_SEQUENCE]! >>> 0,
      frame: orNull(words[record.MISS_CULPRIT_FRAME_NUMBER]!),
      executionUs: words[record.MISS_CULPRIT_EXECUTION_US]!,
    };
  }
}

function orNull(number: number): number | null {
  return number < 0 ? null : number;
}
