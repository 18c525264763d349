import { LONGEST_STALL_US } from '../base/time.js';
import {
  CONTROL_INSPECTED,
  CONTROL_MISS_EPOCH,
  CONTROL_MISS_LISTENING,
  FRAME_CALLED_US,
  FRAME_RELATIVE_DEADLINE_US,
  FRAME_TICK_US,
  OUTCOME_EXPIRED,
  SLOT_DEADLINE_US,
  SLOT_FRAME,
  SLOT_RELEASE_US,
  SLOT_SEQUENCE,
  SLOT_START_US,
  SLOT_SUBMIT_US,
} from '../memory/layout.js';
import * as record from '../telemetry/miss-record.js';
import {
  CAUSE_CRASHED,
  CAUSE_LATE_SUBMIT,
  CAUSE_OVERRUN,
  CAUSE_WAITING_BEHIND,
  CAUSE_WAKEUP,
} from '../telemetry/outcomes.js';
import { RecordRingWriter } from '../telemetry/record-ring.js';
import type { AttachedMemory } from './attached-memory.js';
import type { FlightRecorder, OverrunJob } from './flight-recorder.js';
import { frameNumberOf, JobHistory } from './job-history.js';
import { MissRule } from './miss-rule.js';
import type { LaneInfo, TaskRuntime } from './task-runtime.js';
import { NO_SIGNAL, NoProbe, SOME_COLLECTION, type ThreadProbe } from './thread-probe.js';
import { DEFAULT_WAKEUP_FLOOR_US } from './wakeup-floor.js';

/**
 * A job of at least this length may have held a collection, or been preempted, in a way that matters to the next one:
 * then the signals are remembered anew, if they are older than `MARK_EVERY_US`.
 */
const MATTERS_US = 200;
const MARK_EVERY_US = 1000;
/** Beside shorter jobs they are remembered less often: each time is garbage, about 100 bytes for the times, 300 more for all. */
const MARK_TIMES_EVERY_US = 5000;
const MARK_ALL_EVERY_US = 100_000;
/** The signals of a shorter job are not read: they take some microseconds, and nothing in it could matter. */
const WORTH_READING_US = 50;

/** What is known of the thread whose misses are explained. */
export interface ExplainerSetup {
  readonly probe: ThreadProbe;
  /** How late the thread wakes up when nothing is in its way. */
  readonly wakeupFloorUs: number;
  /** Stamp since when the thread serves in the place of one that died; null if none did. */
  readonly replacesSinceUs: number | null;
  /** It takes over from a thread that ended in order: nothing was left undone for a death. */
  readonly handedOver?: boolean;
  /** What profiles the thread. */
  readonly flightRecorder?: FlightRecorder | null;
}

const NOTHING_KNOWN: ExplainerSetup = {
  probe: new NoProbe('no thread of its own'),
  wakeupFloorUs: DEFAULT_WAKEUP_FLOOR_US,
  replacesSinceUs: null,
};

/**
 * Says why a job missed its deadline and who was in its way, in a miss record. One per thread, that thread only;
 * allocates nothing. The rule is `MissRule`'s; here the facts are gathered.
 *
 * A job that is on time pays nothing: the thread's signals are remembered after a job has ended and its completion has
 * been signalled, at most once in a millisecond (`jobEnded`), and read at a miss. What is not the job's own in them comes
 * from a millisecond of earlier work, or from jobs too short to hold anything that matters.
 */
export class MissExplainer {
  private readonly memory: AttachedMemory;
  private readonly column: number;
  private readonly writer: RecordRingWriter;
  private readonly history: JobHistory;
  private readonly rule: MissRule;
  private readonly probe: ThreadProbe;
  private readonly wakeupFloorUs: number;
  private readonly replacesSinceUs: number | null;
  /** What the signals are for a job that did not run. */
  private readonly nothingOf: { readonly gcUs: number; readonly preemptedUs: number; readonly onCpuUs: number };
  private readonly flightRecorder: FlightRecorder | null;
  /** The job that has just overrun, until its completion was signalled. */
  private overrun: OverrunJob | null;
  private markedAtUs: number;
  private markedAllAtUs: number;
  /** Stamps of the last collection in slack time. */
  private collectedFromUs: number;
  private collectedToUs: number;

  constructor(memory: AttachedMemory, column: number, setup: ExplainerSetup = NOTHING_KNOWN) {
    this.memory = memory;
    this.column = column;
    const { telemetryLayout } = memory;
    this.writer = new RecordRingWriter(
      memory.telemetry,
      telemetryLayout.missRing(telemetryLayout.rowOf(column)),
      record.MISS_CAPACITY,
      record.MISS_RECORD_WORDS,
    );
    this.history = new JobHistory();
    this.rule = new MissRule();
    this.probe = setup.probe;
    this.wakeupFloorUs = setup.wakeupFloorUs;
    this.replacesSinceUs = setup.replacesSinceUs;
    const { gc, preempted, onCpu } = setup.probe.reports;
    this.nothingOf = {
      gcUs: gc.source === null ? NO_SIGNAL : 0,
      preemptedUs: preempted.source === null ? NO_SIGNAL : 0,
      onCpuUs: onCpu.source === null ? NO_SIGNAL : 0,
    };
    this.flightRecorder = setup.flightRecorder ?? null;
    this.overrun = null;
    this.markedAtUs = 0;
    this.markedAllAtUs = 0;
    this.collectedFromUs = 0;
    this.collectedToUs = 0;
  }

  /** Told of a collection between two jobs. */
  collected(fromUs: number, toUs: number): void {
    this.collectedFromUs = fromUs;
    this.collectedToUs = toUs;
    // it is no job's
    this.probe.mark();
    this.markedAtUs = toUs;
    this.markedAllAtUs = toUs;
  }

  /** Notes a job that this thread has ended: a possible culprit of later misses. */
  executed(i32: Int32Array, base: number, startUs: number, executionUs: number): void {
    this.history.add(i32, base, startUs, executionUs);
  }

  /** Told after a job's completion was signalled. Remembers the signals if that is due: then a few microseconds. */
  jobEnded(finishUs: number, executionUs: number): void {
    if (this.overrun !== null) this.recordOverrun(this.overrun);
    const ageUs = (finishUs - this.markedAtUs) | 0;
    // below 0: half an hour or longer
    if (ageUs >= 0 && ageUs < MARK_EVERY_US) return;
    if (executionUs >= MATTERS_US || ageUs < 0 || ((finishUs - this.markedAllAtUs) | 0) >= MARK_ALL_EVERY_US) {
      this.markedAtUs = finishUs;
      this.markedAllAtUs = finishUs;
      this.probe.mark();
    } else if (ageUs >= MARK_TIMES_EVERY_US) {
      this.markedAtUs = finishUs;
      this.probe.markTimes();
    }
  }

  /** Told before each park. */
  parking(nowUs: number): void {
    if (this.flightRecorder !== null) this.flightRecorder.beforePark(nowUs);
  }

  /** Told of each wake-up before the handler runs: the delay of a slow one is not the job's. */
  wokeUp(wakeupUs: number): void {
    if (wakeupUs > this.wakeupFloorUs) this.probe.markTimes();
  }

  /**
   * Fills the miss record of the job at `base` and returns its primary cause (CAUSE_*). `publish` makes it visible.
   * `ran`: whether the handler was called.
   */
  explain(
    i32: Int32Array,
    base: number,
    task: TaskRuntime,
    wakeupUs: number,
    queueingUs: number,
    ran: boolean,
    finishUs: number,
    outcome: number,
  ): number {
    const { rule } = this;
    const startUs = i32[base + SLOT_START_US]!;
    const releaseUs = i32[base + SLOT_RELEASE_US]!;
    const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
    const submitUs = i32[base + SLOT_SUBMIT_US]!;
    const frame = i32[base + SLOT_FRAME]!;
    const responseUs = Math.max(0, (finishUs - releaseUs) | 0);
    // adds up also where the stamps of two threads disagree
    const beforeUs = ran ? Math.min(queueingUs, responseUs) : responseUs;
    rule.executionUs = responseUs - beforeUs;
    rule.absentUs = Math.min(this.absentSince(releaseUs), beforeUs);
    rule.wakeupUs = Math.min(wakeupUs, beforeUs - rule.absentUs);
    rule.waitingUs = beforeUs - rule.absentUs - rule.wakeupUs;
    rule.wakeupFloorUs = this.wakeupFloorUs;
    rule.relativeUs = (deadlineUs - releaseUs) | 0;
    rule.barrierUs = (releaseUs - submitUs) | 0;
    rule.timeLeftUs = (deadlineUs - submitUs) | 0;
    rule.isOfFrame = frame !== 0;
    rule.fullRelativeUs = this.fullRelativeUs(task, frame);
    rule.p90ExecutionUs = task.p90ExecutionUs;
    rule.budgetUs = task.info.budgetUs > 0 ? task.info.budgetUs : this.relativeBudgetUs(frame);
    this.readSignals(ran, finishUs);
    if (this.collectedToUs !== this.collectedFromUs) this.addSlackCollection(releaseUs, startUs);
    rule.decide();

    const at = this.writer.begin();
    this.fillJob(at, i32, base, task.info.index, outcome, finishUs);
    const body = this.writer.words;
    body[at + record.MISS_CAUSE] = rule.cause;
    body[at + record.MISS_CAUSE_MASK] = rule.causeMask;
    body[at + record.MISS_START_US] = startUs;
    body[at + record.MISS_WAKEUP_US] = rule.wakeupUs;
    body[at + record.MISS_WAITING_US] = rule.waitingUs;
    body[at + record.MISS_EXECUTION_US] = rule.executionUs;
    body[at + record.MISS_GC_US] = rule.gcUs;
    body[at + record.MISS_PREEMPTED_US] = rule.preemptedUs;
    body[at + record.MISS_ON_CPU_US] = rule.onCpuUs;
    body[at + record.MISS_LATE_SUBMIT_US] = rule.lateSubmitUs;
    body[at + record.MISS_STARTED] = outcome === OUTCOME_EXPIRED ? 0 : 1;
    if (rule.cause === CAUSE_LATE_SUBMIT) this.nameMainThread(at, frame, submitUs);
    else if ((rule.causeMask & (1 << CAUSE_WAITING_BEHIND)) !== 0) {
      // what ran before a barrier opened is in the way as well
      this.nameCulprit(at, rule.barrierUs > 0 ? submitUs : releaseUs, startUs, releaseUs, isPeriod(task));
    }
    if (rule.cause === CAUSE_OVERRUN && this.flightRecorder !== null) {
      const frameNumber = frameNumberOf(i32, base);
      this.overrun = { task, job: i32[base + SLOT_SEQUENCE]!, frame: frameNumber, startUs, finishUs };
    }
    return rule.cause;
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
    ranOn = -1,
  ): void {
    const at = this.writer.begin();
    this.fillJob(at, i32, base, task, outcome, finishUs);
    const body = this.writer.words;
    if (ranOn >= 0) body[at + record.MISS_COLUMN] = ranOn;
    const releaseUs = i32[base + SLOT_RELEASE_US]!;
    const startUs = started ? i32[base + SLOT_START_US]! : finishUs;
    const responseUs = Math.max(0, (finishUs - releaseUs) | 0);
    const waitingUs = Math.min(Math.max(0, (startUs - releaseUs) | 0), responseUs);
    body[at + record.MISS_CAUSE] = cause;
    body[at + record.MISS_CAUSE_MASK] = 1 << cause;
    body[at + record.MISS_START_US] = startUs;
    body[at + record.MISS_WAITING_US] = waitingUs;
    body[at + record.MISS_EXECUTION_US] = responseUs - waitingUs;
    this.fillNoSignals(at);
    body[at + record.MISS_STARTED] = started ? 1 : 0;
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
    const body = this.writer.words;
    const at = this.writer.begin();
    const responseUs = Math.max(0, (nowUs - releaseUs) | 0);
    // busy at the release: somebody stood in the way; idle: the wake-up came too late
    const waitingUs = afterCrash ? 0 : Math.min(Math.max(0, (parkedAtUs - releaseUs) | 0), responseUs);
    const wakeupUs = afterCrash ? 0 : responseUs - waitingUs;
    const wakeupExcessUs = wakeupUs - this.wakeupFloorUs;
    let cause = waitingUs > wakeupExcessUs ? CAUSE_WAITING_BEHIND : CAUSE_WAKEUP;
    if (afterCrash) cause = CAUSE_CRASHED;
    let mask = 1 << cause;
    if (waitingUs > 0) mask |= 1 << CAUSE_WAITING_BEHIND;
    if (wakeupExcessUs > 0) mask |= 1 << CAUSE_WAKEUP;
    body[at + record.MISS_SEQUENCE] = -1;
    body[at + record.MISS_TASK] = periodic.task;
    body[at + record.MISS_COLUMN] = this.column;
    body[at + record.MISS_FRAME_NUMBER] = -1;
    body[at + record.MISS_OUTCOME] = OUTCOME_EXPIRED;
    body[at + record.MISS_CAUSE] = cause;
    body[at + record.MISS_CAUSE_MASK] = mask;
    body[at + record.MISS_FLAGS] = this.debuggerFlag();
    body[at + record.MISS_SUBMIT_US] = releaseUs;
    body[at + record.MISS_RELEASE_US] = releaseUs;
    body[at + record.MISS_DEADLINE_US] = (releaseUs + periodic.deadlineUs) | 0;
    body[at + record.MISS_START_US] = nowUs;
    body[at + record.MISS_FINISH_US] = nowUs;
    body[at + record.MISS_WAITING_US] = waitingUs;
    body[at + record.MISS_WAKEUP_US] = wakeupUs;
    body[at + record.MISS_GC_US] = this.nothingOf.gcUs;
    body[at + record.MISS_PREEMPTED_US] = this.nothingOf.preemptedUs;
    body[at + record.MISS_ON_CPU_US] = this.nothingOf.onCpuUs;
    body[at + record.MISS_PERIODS] = periods;
    // of what ran so long ago the stamps say nothing
    if (responseUs < LONGEST_STALL_US) this.nameCulprit(at, releaseUs, nowUs, releaseUs, true);
    this.publish();
    return cause;
  }

  private fillJob(at: number, i32: Int32Array, base: number, task: number, outcome: number, finishUs: number): void {
    const body = this.writer.words;
    body[at + record.MISS_SEQUENCE] = i32[base + SLOT_SEQUENCE]!;
    body[at + record.MISS_FLAGS] = this.debuggerFlag();
    body[at + record.MISS_TASK] = task;
    body[at + record.MISS_COLUMN] = this.column;
    body[at + record.MISS_FRAME_NUMBER] = frameNumberOf(i32, base);
    body[at + record.MISS_FRAME] = i32[base + SLOT_FRAME]!;
    body[at + record.MISS_OUTCOME] = outcome;
    body[at + record.MISS_SUBMIT_US] = i32[base + SLOT_SUBMIT_US]!;
    body[at + record.MISS_RELEASE_US] = i32[base + SLOT_RELEASE_US]!;
    body[at + record.MISS_DEADLINE_US] = i32[base + SLOT_DEADLINE_US]!;
    body[at + record.MISS_FINISH_US] = finishUs;
    body[at + record.MISS_PERIODS] = 1;
  }

  private fillNoSignals(at: number): void {
    const body = this.writer.words;
    body[at + record.MISS_GC_US] = record.MISS_NO_SIGNAL;
    body[at + record.MISS_PREEMPTED_US] = record.MISS_NO_SIGNAL;
    body[at + record.MISS_ON_CPU_US] = record.MISS_NO_SIGNAL;
  }

  private recordOverrun(job: OverrunJob): void {
    this.overrun = null;
    this.flightRecorder!.overran(job);
    // its own work is not the next job's
    this.probe.mark();
  }

  private readSignals(ran: boolean, finishUs: number): void {
    const { rule, probe } = this;
    if (ran && rule.executionUs >= WORTH_READING_US) {
      probe.read();
      this.markedAtUs = finishUs;
      this.markedAllAtUs = finishUs;
      rule.preemptedUs = probe.preemptedUs;
      rule.gcUs = probe.gcUs === SOME_COLLECTION ? rule.beyondUsualUs() : probe.gcUs;
      rule.onCpuUs = probe.onCpuUs;
      return;
    }
    rule.gcUs = ran ? NO_SIGNAL : this.nothingOf.gcUs;
    rule.preemptedUs = ran ? NO_SIGNAL : this.nothingOf.preemptedUs;
    rule.onCpuUs = ran ? NO_SIGNAL : this.nothingOf.onCpuUs;
  }

  /** A collection in slack time that the job waited for counts as one inside it. */
  private addSlackCollection(releaseUs: number, startUs: number): void {
    const { rule, collectedFromUs, collectedToUs } = this;
    const from = ((collectedFromUs - releaseUs) | 0) > 0 ? collectedFromUs : releaseUs;
    const to = ((collectedToUs - startUs) | 0) < 0 ? collectedToUs : startUs;
    const heldUs = Math.min((to - from) | 0, rule.waitingUs);
    if (heldUs <= 0 || ((startUs - collectedFromUs) | 0) <= 0) return;
    rule.waitingUs -= heldUs;
    rule.executionUs += heldUs;
    rule.gcUs = Math.max(rule.gcUs, 0) + heldUs;
  }

  /** How long after the release nobody served the lane, because this thread's predecessor had died. */
  private absentSince(releaseUs: number): number {
    return this.replacesSinceUs === null ? 0 : Math.max(0, (this.replacesSinceUs - releaseUs) | 0);
  }

  private fullRelativeUs(task: TaskRuntime, frame: number): number {
    if (frame !== 0) {
      const { control, layout } = this.memory;
      const declaredUs = control[layout.frame(frame - 1) + FRAME_RELATIVE_DEADLINE_US]!;
      if (declaredUs > 0) return declaredUs;
    }
    return isPeriod(task) ? task.lane.periodic!.deadlineUs : task.info.deadlineUs;
  }

  /** The relative deadline; of a job that was submitted late into its frame, what it would have been. */
  private relativeBudgetUs(frame: number): number {
    const { rule } = this;
    if (frame !== 0) return rule.fullRelativeUs - Math.max(rule.barrierUs, 0);
    return rule.relativeUs > 0 ? rule.relativeUs : rule.fullRelativeUs;
  }

  private debuggerFlag(): number {
    return this.memory.control[CONTROL_INSPECTED] === 0 ? 0 : record.MISS_FLAG_DEBUGGER;
  }

  /** The main thread submitted too late: by the frame's callback, or because that was called late. */
  private nameMainThread(at: number, frame: number, submitUs: number): void {
    if (frame === 0) return;
    const { control, layout } = this.memory;
    const tickUs = control[layout.frame(frame - 1) + FRAME_TICK_US]!;
    const calledUs = control[layout.frame(frame - 1) + FRAME_CALLED_US]!;
    const calledLateUs = (calledUs - tickUs) | 0;
    const submittedLateUs = (submitUs - calledUs) | 0;
    const body = this.writer.words;
    body[at + record.MISS_CULPRIT_TASK] =
      calledLateUs > submittedLateUs ? record.CULPRIT_EVENT_LOOP : record.CULPRIT_FRAME_CALLBACK;
    body[at + record.MISS_CULPRIT_EXECUTION_US] = (submitUs - tickUs) | 0;
    body[at + record.MISS_CULPRIT_SEQUENCE] = -1;
    body[at + record.MISS_CULPRIT_FRAME_NUMBER] = body[at + record.MISS_FRAME_NUMBER]!;
  }

  /** The job that held this thread longest while the missed one waited. */
  private nameCulprit(at: number, fromUs: number, startUs: number, releaseUs: number, isPeriod: boolean): void {
    const { history } = this;
    if (!history.find(fromUs, startUs)) return;
    const body = this.writer.words;
    body[at + record.MISS_CULPRIT_TASK] = history.task + 1;
    body[at + record.MISS_CULPRIT_EXECUTION_US] = history.executionUs;
    body[at + record.MISS_CULPRIT_SEQUENCE] = history.sequence;
    body[at + record.MISS_CULPRIT_FRAME_NUMBER] = history.frameNumber;
    if (((history.startUs - releaseUs) | 0) >= 0) return;
    const frame = body[at + record.MISS_FRAME_NUMBER]!;
    const ofEarlierFrame = history.frameNumber >= 0 && history.frameNumber < frame;
    const ofEarlierPeriod = isPeriod && history.task === body[at + record.MISS_TASK];
    if (ofEarlierFrame || ofEarlierPeriod) body[at + record.MISS_FLAGS]! |= record.MISS_FLAG_BACKLOG;
  }
}

/** Whether the task's jobs are the periods of its lane. */
function isPeriod(task: TaskRuntime): boolean {
  return task.lane.periodic !== null && task.lane.periodic.task === task.info.index;
}
