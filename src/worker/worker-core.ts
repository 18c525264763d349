import { type Clock, LONGEST_STALL_US, latenessUs, MAX_DEADLINE_MS, type StampUs } from '../base/time.js';
import {
  CONTROL_COMPLETION_EPOCH,
  CONTROL_HOST_WAITING,
  HOST_COLUMN,
  LANE_RELEASER,
  LANE_SERVERS,
  OUTCOME_CANCELLED,
  OUTCOME_EXPIRED,
  OUTCOME_FAILED,
  OUTCOME_LATE,
  OUTCOME_LOST,
  OUTCOME_ON_TIME,
  SLOT_DEADLINE_US,
  SLOT_ERROR,
  SLOT_FINISH_US,
  SLOT_FLAG_CANCEL,
  SLOT_FLAGS,
  SLOT_FRAME,
  SLOT_FRAME_NUMBER,
  SLOT_RECORD_COUNTER,
  SLOT_RECORD_FRAME,
  SLOT_RECORD_VALUE,
  SLOT_RELEASE_US,
  SLOT_SEQUENCE,
  SLOT_START_US,
  SLOT_STATE,
  SLOT_SUBMIT_US,
  SLOT_TASK,
  STATUS_DONE,
  STATUS_READY,
  statusOf,
  TASK_QUARANTINED,
  WORKER_CURRENT_START_US,
  WORKER_CURRENT_TASK,
  WORKER_JOB_COUNT,
  WORKER_SLACK_FULL,
  WORKER_SLACK_MS,
  WORKER_SLACK_YOUNG,
  withStatus,
} from '../memory/layout.js';
import type { JobRing } from '../ring/job-ring.js';
import { claimSlot, JobScanner } from '../ring/job-scanner.js';
import { errorTextOf, writeError } from '../telemetry/error-ring.js';
import type { JobTraceWriter } from '../telemetry/job-trace.js';
import { CAUSE_UNKNOWN, outcomeCounter } from '../telemetry/outcomes.js';
import {
  HISTOGRAM_EXECUTION,
  HISTOGRAM_QUEUEING,
  HISTOGRAM_RESPONSE,
  HISTOGRAM_TARDINESS,
  HISTOGRAM_WAKEUP,
  Recorder,
} from '../telemetry/recorder.js';
import type { AttachedMemory } from './attached-memory.js';
import { JobEnder } from './job-ender.js';
import { type ExplainerSetup, MissExplainer } from './miss-explainer.js';
import { PeriodicReleaser, type SkippedPeriods } from './periodic.js';
import type { JobContext, Task } from './task.js';
import { type LaneInfo, type TaskInfo, TaskRuntime } from './task-runtime.js';

/** As old as a job that is not over its deadline can be. */
const BEFORE_ANY_JOB_US = MAX_DEADLINE_MS * 1000;
const LONGEST_US = 2 ** 31 - 1;

const JOBS_BETWEEN_PEERS = 16;

export interface WorkerSetup {
  /** Column of this thread's tables, or HOST_COLUMN. */
  readonly column: number;
  /** The worker that it serves as; -1: the host. */
  readonly workerIndex: number;
  /** Lanes that it serves. */
  readonly lanes: readonly LaneInfo[];
  /** Tasks of those lanes, with what the module gave. */
  readonly tasks: readonly { readonly info: TaskInfo; readonly task: Task }[];
  /** What its misses are explained by. Absent: by stamps alone. */
  readonly explainer?: ExplainerSetup;
  /** Told of the first failure of each periodic task: nobody holds such a job and reads its error. */
  readonly onPeriodicFailure?: PeriodicFailureListener;
}

/** `taskName`: lane.task; `thrown`: by the handler, in that period. Must not throw. */
export type PeriodicFailureListener = (taskName: string, period: number, thrown: unknown) => void;

/**
 * One thread's way with jobs: find the earliest, claim it, run it, end it, record it. Knows nothing of threads or
 * waiting, so that workers, a helping host, inline mode and the virtual scheduler share it.
 *
 * Per job: `claimNext()`, then `execute()`, then `settle()`. Allocates nothing on that way, unless a handler throws.
 */
export class WorkerCore implements JobContext {
  readonly memory: AttachedMemory;
  /** Of the tables per thread, also the bell's: that of the thread, which may serve as another worker than it began as. */
  readonly column: number;
  readonly workerIndex: number;
  readonly lanes: readonly LaneInfo[];
  /** Earliest next release of the periodic lanes that this worker releases, or Infinity. Microseconds since the epoch. */
  nextReleaseUs: number;
  /** The same as a stamp; meaningless if it is Infinity. */
  private nextReleaseStampUs: StampUs;
  /** Whether a handler runs: it must not claim another job under the one that it is. */
  executing: boolean;
  /** The claimed job's task; meaningful between claimNext and settle. */
  task: TaskRuntime;

  private readonly clock: Clock;
  private readonly scanners: readonly JobScanner[];
  private readonly scannerLanes: readonly LaneInfo[];
  /** By scanner: the control word of its lane's servers. */
  private readonly serversAt: readonly number[];
  /** Mask of the other workers that serve one of its lanes, as it was some jobs ago: a new one looks by itself first. */
  private peers: number;
  private jobsUntilPeers: number;
  private readonly tasks: (TaskRuntime | undefined)[];
  private readonly releasers: PeriodicReleaser[];
  /** Periodic lanes that it serves and that another worker releases. */
  private unreleased: LaneInfo[];
  private readonly recorder: Recorder;
  private readonly trace: JobTraceWriter;
  private readonly explainer: MissExplainer;
  private readonly onPeriodicFailure: PeriodicFailureListener | null;
  private readonly ender: JobEnder;
  private readonly workerBase: number;
  private readonly selfMask: number;
  private readonly handedOver: boolean;

  private ring: JobRing;
  private slot: number;
  private base: number;
  /** The slot's state word while this claim holds. */
  private running: number;
  private startUs: StampUs;
  private wakeupUs: number;
  private queueingUs: number;
  private outcome: number;
  private error: unknown;
  /** The claimed job's handler was called; it was told that the job is cancelled. */
  private ran: boolean;
  private toldCancelled: boolean;

  /** Finish of the last job, while no look has failed since: the next start without a clock read. */
  private lastFinishUs: StampUs;
  private lastFinishIsNow: boolean;
  private lastWasPeriodic: boolean;
  /** The last pick left a ready job because the next release is too near. */
  private heldBack: boolean;
  /** It parked though a job was ready, which is to run after the next release. */
  private parkedHoldingBack: boolean;
  private parkedAtUs: StampUs;
  private wokeAtUs: StampUs;
  private wakingUp: boolean;
  private jobs: number;
  private slackUs: number;

  constructor(memory: AttachedMemory, clock: Clock, setup: WorkerSetup) {
    this.memory = memory;
    this.clock = clock;
    this.column = setup.column;
    this.workerIndex = setup.workerIndex;
    this.lanes = setup.lanes;
    this.handedOver = setup.explainer?.handedOver === true;
    this.selfMask = setup.column < HOST_COLUMN ? 1 << setup.column : 0;
    this.recorder = new Recorder(memory.telemetry, memory.telemetryLayout, setup.column);
    this.trace = memory.jobTrace(setup.column);
    this.explainer = new MissExplainer(memory, setup.column, setup.explainer);
    this.onPeriodicFailure = setup.onPeriodicFailure ?? null;
    this.workerBase = memory.layout.worker(setup.column);
    this.ender = new JobEnder(memory, clock, setup.column);
    memory.frames.orphanEnder = this.ender;

    const scannedRings: JobRing[] = [];
    const scannerLanes: LaneInfo[] = [];
    for (const lane of setup.lanes) {
      memory.ringHandles.forEach((handle, index) => {
        if (handle.lane !== lane.index) return;
        scannedRings.push(memory.rings[index]!);
        scannerLanes.push(lane);
      });
    }
    const scanners = scannedRings.map((ring) => new JobScanner(ring, scannedRings.length > 1));
    this.scanners = scanners;
    this.serversAt = scannerLanes.map((lane) => memory.layout.lane(lane.index) + LANE_SERVERS);
    this.peers = 0;
    this.jobsUntilPeers = 0;
    this.scannerLanes = scannerLanes;
    this.releasers = [];
    this.unreleased = setup.workerIndex < 0 ? [] : setup.lanes.filter((lane) => lane.periodic !== null);
    this.tasks = [];
    let first: TaskRuntime | null = null;
    for (const { info, task } of setup.tasks) {
      const lane = setup.lanes.find((candidate) => candidate.index === info.lane)!;
      const rings = memory.ringHandles.flatMap((handle, index) =>
        handle.lane === lane.index ? [memory.rings[index]!] : [],
      );
      const runtime = new TaskRuntime(info, lane, task, rings);
      this.tasks[info.index] = runtime;
      first ??= runtime;
    }
    this.task = first!;
    this.ring = memory.rings[0]!;
    this.slot = 0;
    this.base = 0;
    this.running = 0;
    this.startUs = 0;
    this.wakeupUs = 0;
    this.queueingUs = 0;
    this.outcome = OUTCOME_ON_TIME;
    this.error = null;
    this.ran = false;
    this.toldCancelled = false;
    this.executing = false;
    this.lastFinishUs = 0;
    this.lastFinishIsNow = false;
    this.lastWasPeriodic = false;
    this.heldBack = false;
    this.parkedHoldingBack = false;
    // a job that was there before the thread's first life waited for its wake-up; before a later one, for its return
    const isFirst = setup.explainer !== undefined && setup.explainer.replacesSinceUs === null && !this.handedOver;
    this.parkedAtUs = isFirst ? (clock.nowUs() - BEFORE_ANY_JOB_US) | 0 : clock.nowUs();
    this.wokeAtUs = clock.nowUs();
    this.wakingUp = true;
    // a worker that takes a dead one's place counts on
    this.jobs = Atomics.load(memory.control, this.workerBase + WORKER_JOB_COUNT);
    this.slackUs = memory.control[this.workerBase + WORKER_SLACK_MS]! * 1000;
    this.nextReleaseUs = Number.POSITIVE_INFINITY;
    this.nextReleaseStampUs = 0;
    this.adoptReleases();
  }

  /** Takes over the releases of lanes that this worker has come to release. Looked at before a park and between jobs; allocates only then. */
  adoptReleases(): void {
    for (const lane of this.unreleased) {
      const { control, layout } = this.memory;
      const releaser = Atomics.load(control, layout.lane(lane.index) + LANE_RELEASER); // acquire
      if (releaser !== this.column + 1) continue;
      const skipped: SkippedPeriods = (of, firstReleaseUs, periods, nowUs, afterCrash) =>
        this.explainer.skippedPeriods(
          of,
          Math.max(firstReleaseUs, nowUs - LONGEST_STALL_US) | 0,
          periods,
          nowUs | 0,
          nowUs - firstReleaseUs > LONGEST_STALL_US ? (nowUs - LONGEST_STALL_US) | 0 : this.parkedAtUs,
          afterCrash && !this.handedOver,
        );
      this.releasers.push(new PeriodicReleaser(this.memory, lane, this.recorder, skipped));
      this.unreleased = this.unreleased.filter((other) => other !== lane);
      this.findNextRelease();
    }
  }

  /**
   * Publishes the periodic jobs that are due. Returns whether any was. Without `isSure`, which costs more, one that is due
   * for half an hour or longer is overlooked: not before a park.
   */
  releaseDue(isSure = false): boolean {
    if (this.releasers.length === 0) return false;
    if (!isSure) {
      const nowUs = this.lastFinishIsNow ? this.lastFinishUs : this.clock.nowUs();
      if (((nowUs - this.nextReleaseStampUs) | 0) < 0) return false;
    }
    const now = this.clock.nowPreciseUs();
    if (now < this.nextReleaseUs) return false;
    for (let i = 0; i < this.releasers.length; i++) this.releasers[i]!.release(now);
    this.findNextRelease();
    return true;
  }

  /**
   * Claims the ready job with the earliest deadline over all lanes (ties: submit stamp) and stamps its start. False if
   * there is none; without `isSure`, which costs more, one that has just become ready may be overlooked: not before a park.
   */
  claimNext(isSure = true): boolean {
    for (;;) {
      const best = this.pick(isSure);
      if (best === null) {
        // a ring meant for a job that this worker may not start now must reach another; only upwards, or two such
        // workers would ring each other in turn
        if (this.heldBack) this.ringOthers(~this.selfMask & ~(this.selfMask - 1));
        this.lastFinishIsNow = false;
        return false;
      }
      const running = best.claim(this.column);
      if (running !== 0 && this.begin(best.ring, best.slot, running)) return true;
    }
  }

  /** Claims one given slot if it is ready: how a host helps with its own frame. */
  claimSlot(ring: JobRing, slot: number): boolean {
    const at = ring.slotBase(slot) + SLOT_STATE;
    const state = Atomics.load(ring.i32, at); // acquire
    if (statusOf(state) !== STATUS_READY) return false;
    const running = claimSlot(ring, slot, state, this.column);
    if (running === 0) return false;
    this.lastFinishIsNow = false;
    return this.begin(ring, slot, running);
  }

  /** Rings on: if other workers of these lanes are parked and jobs are left ready, one of them is woken. */
  ringOn(): void {
    if (this.jobsUntilPeers-- === 0) this.findPeers();
    if (this.peers !== 0) this.ringOthers(~this.selfMask);
  }

  /** Most threads have lanes of their own: then there is nobody to ring, and no lane to look at for each job. */
  private findPeers(): void {
    const { control } = this.memory;
    let servers = 0;
    for (let i = 0; i < this.serversAt.length; i++) servers |= control[this.serversAt[i]!]!;
    this.peers = servers & ~this.selfMask;
    this.jobsUntilPeers = JOBS_BETWEEN_PEERS;
    // one that never parks looks here
    if (this.unreleased.length !== 0) this.adoptReleases();
  }

  private ringOthers(among: number): void {
    const { control } = this.memory;
    for (let i = 0; i < this.scanners.length; i++) {
      // plain: a server that begins to serve looks by itself
      const others = control[this.serversAt[i]!]! & among;
      if (others === 0) continue;
      if (!this.memory.bells.anyParked(others)) continue;
      if (this.scanners[i]!.anyReady()) this.memory.bells.ringOne(others);
    }
  }

  /** Runs the claimed job's handler, unless it was cancelled or is worthless by now. Never throws. */
  execute(): void {
    const i32 = this.ring.i32;
    const flags = i32[this.base + SLOT_FLAGS]!;
    this.error = null;
    this.ran = false;
    this.toldCancelled = false;
    if ((flags & SLOT_FLAG_CANCEL) !== 0) {
      this.outcome = OUTCOME_CANCELLED;
      return;
    }
    const task = this.task;
    if (task.lane.onExpired === 'drop') {
      const deadlineUs = i32[this.base + SLOT_DEADLINE_US]!;
      const leftUs = -latenessUs(this.startUs, deadlineUs);
      if (leftUs < 0 || (task.lane.admission !== 'off' && this.isHopeless(leftUs))) {
        this.outcome = OUTCOME_EXPIRED;
        return;
      }
    }
    const { control, layout } = this.memory;
    // plain: the task may end one more worker, if this is not seen in time
    const deaths = control[layout.task(task.info.index) + TASK_QUARANTINED]!;
    if (deaths !== 0) {
      this.outcome = OUTCOME_FAILED;
      this.error = quarantinedError(task, deaths);
      return;
    }
    this.outcome = OUTCOME_ON_TIME;
    this.ran = true;
    this.executing = true;
    try {
      const views = task.views[this.ring.index]!;
      const result = task.run(views.input(this.slot), views.freshOutput(this.slot), this);
      if (result !== undefined && typeof result === 'object') refuseThenable(result);
    } catch (error) {
      this.outcome = OUTCOME_FAILED;
      this.error = error;
      if (this.ring.periodic) this.tellFailure(error);
    }
    // what it returned early with is nothing to be drawn or played
    if (this.toldCancelled && (this.outcome !== OUTCOME_FAILED || isAbortError(this.error))) {
      this.outcome = OUTCOME_CANCELLED;
      this.error = null;
    }
    this.executing = false;
  }

  /** Ends the claimed job: stamps, telemetry, then the state word, the counts, and whoever waits for it. */
  settle(): void {
    const i32 = this.ring.i32;
    const base = this.base;
    const task = this.task;
    const finishUs = this.clock.nowUs();
    let executionUs = (finishUs - this.startUs) | 0;
    if (executionUs < 0) executionUs = LONGEST_US;
    const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
    const tardinessUs = latenessUs(finishUs, deadlineUs);
    const frame = i32[base + SLOT_FRAME]!;
    const taskIndex = task.info.index;
    const recorder = this.recorder;
    let outcome = this.outcome;
    // dropped before its deadline: it missed it all the same
    const missed = tardinessUs > 0 || outcome === OUTCOME_EXPIRED;
    if (missed && outcome === OUTCOME_ON_TIME) outcome = OUTCOME_LATE;
    if (outcome === OUTCOME_FAILED) {
      const { errors } = this.memory;
      i32[base + SLOT_ERROR] = writeError(errors, this.memory.errorBase(this.column), errorTextOf(this.error));
      this.error = null;
    }
    const { ran } = this;

    let cause = -1;
    if (missed) {
      cause = this.explainer.explain(i32, base, task, this.wakeupUs, this.queueingUs, ran, finishUs, outcome);
    }
    if (this.wakeupUs > 0) recorder.record(taskIndex, HISTOGRAM_WAKEUP, this.wakeupUs);
    recorder.record(taskIndex, HISTOGRAM_QUEUEING, this.queueingUs);
    if (ran) {
      recorder.record(taskIndex, HISTOGRAM_EXECUTION, executionUs);
      recorder.record(taskIndex, HISTOGRAM_RESPONSE, this.queueingUs + executionUs);
      task.executedOnce(recorder.words, recorder.histogramBase(taskIndex, HISTOGRAM_EXECUTION));
    }
    if (tardinessUs > 0) recorder.record(taskIndex, HISTOGRAM_TARDINESS, tardinessUs);

    const counter = outcomeCounter(outcome, cause);
    const columnAfter = frame === 0 ? 0 : this.memory.frames.columnAfterNext(frame - 1, this.column);
    i32[base + SLOT_FINISH_US] = finishUs;
    i32[base + SLOT_RECORD_COUNTER] = counter;
    i32[base + SLOT_RECORD_VALUE] = recorder.valueAfterCount(taskIndex, counter);
    i32[base + SLOT_RECORD_FRAME] = columnAfter;
    this.explainer.executed(i32, base, this.startUs, executionUs);
    const running = this.running;
    const done = withStatus(running, STATUS_DONE, outcome, this.column);
    const before = Atomics.compareExchange(i32, base + SLOT_STATE, running, done); // release

    this.jobs = (this.jobs + 1) | 0;
    const { control } = this.memory;
    control[this.workerBase + WORKER_CURRENT_TASK] = 0;
    control[this.workerBase + WORKER_JOB_COUNT] = this.jobs;
    this.lastFinishUs = finishUs;
    this.lastFinishIsNow = true;
    this.lastWasPeriodic = task.lane.periodic !== null;
    this.parkedAtUs = finishUs;
    if (before !== running) return; // the supervisor has given it up: counted there

    // before it is counted: from then on the slot may be another job's
    this.trace.record(
      taskIndex,
      ran ? this.column : -1,
      i32[base + SLOT_SEQUENCE]!,
      i32[base + SLOT_FRAME_NUMBER]!,
      i32[base + SLOT_SUBMIT_US]!,
      i32[base + SLOT_RELEASE_US]!,
      this.startUs,
      finishUs,
      deadlineUs,
      outcome,
      cause,
      this.wakeupUs,
    );
    if (missed) this.ring.markMissed(base);
    recorder.count(taskIndex, counter);
    if (missed) this.explainer.publish();
    if (frame !== 0) this.memory.frames.storeColumn(frame - 1, this.column, columnAfter);
    this.signalCompletion();
    this.explainer.jobEnded(finishUs, executionUs);
  }

  /** Told by the idle loop that the worker is about to park: what arrives from now on waits for its wake-up. */
  parked(): void {
    this.parkedAtUs = this.clock.nowUs();
    this.parkedHoldingBack = this.heldBack;
    this.wakingUp = true;
    // a ring that it gets after this may be meant for a job that a worker beside it, which may be new, could take
    this.jobsUntilPeers = 0;
    this.explainer.parking(this.parkedAtUs);
  }

  /** Shortest relative deadline that a lane's tasks declare; frames may have a shorter one. */
  shortestDeadlineUs(lane: number): number {
    let shortestUs = Number.POSITIVE_INFINITY;
    for (const task of this.tasks) {
      if (task !== undefined && task.info.lane === lane) shortestUs = Math.min(shortestUs, task.info.deadlineUs);
    }
    return shortestUs;
  }

  /** Told of a collection between two jobs: it is counted, and who waited for it waited for a collection. */
  collected(isFull: boolean, startUs: StampUs, endUs: StampUs): void {
    const { control } = this.memory;
    control[this.workerBase + (isFull ? WORKER_SLACK_FULL : WORKER_SLACK_YOUNG)]!++;
    this.slackUs += (endUs - startUs) | 0;
    control[this.workerBase + WORKER_SLACK_MS] = Math.floor(this.slackUs / 1000);
    this.lastFinishIsNow = false;
    this.explainer.collected(startUs, endUs);
  }

  /** Whether the claimed job belongs to that frame slot. */
  runsJobOf(frame: number): boolean {
    return this.ring.i32[this.base + SLOT_FRAME] === frame + 1;
  }

  // ------------------------------------------------- JobContext
  timeToDeadlineUs(): number {
    const now = this.clock.nowUs();
    const deadlineUs = this.ring.i32[this.base + SLOT_DEADLINE_US]!;
    return (deadlineUs - now) | 0;
  }
  cancelled(): boolean {
    const flags = Atomics.load(this.ring.i32, this.base + SLOT_FLAGS);
    if ((flags & SLOT_FLAG_CANCEL) === 0) return false;
    this.toldCancelled = true;
    return true;
  }
  shouldYield(): boolean {
    if (this.cancelled()) return true;
    if (this.timeToDeadlineUs() < 0) return true;
    return this.task.lane.periodic === null && this.releaseIsDue();
  }
  get laneName(): string {
    return this.task.lane.name;
  }
  get frameNumber(): number {
    const { i32 } = this.ring;
    return i32[this.base + SLOT_FRAME]! === 0 ? -1 : i32[this.base + SLOT_FRAME_NUMBER]!;
  }
  get period(): number {
    return this.ring.periodic ? this.ring.i32[this.base + SLOT_FRAME_NUMBER]! >>> 0 : -1;
  }
  get shared(): Readonly<Record<string, unknown>> {
    return this.task.lane.shared;
  }

  private pick(isSure: boolean): JobScanner | null {
    const scanners = this.scanners;
    let best: JobScanner | null = null;
    this.heldBack = false;
    for (let i = 0; i < scanners.length; i++) {
      const scanner = scanners[i]!;
      if (!scanner.look(isSure)) continue;
      if (best !== null) {
        const later = (scanner.deadlineUs - best.deadlineUs) | 0;
        if (later > 0) continue;
        if (later === 0 && ((scanner.submitUs - best.submitUs) | 0) >= 0) continue;
      }
      if (this.releasers.length !== 0 && !this.fitsBeforeRelease(scanner, this.scannerLanes[i]!)) {
        this.heldBack = true;
        continue;
      }
      best = scanner;
    }
    return best;
  }

  /**
   * Whether a job would be over by the next periodic release (contract C2). One that never fits is started right after
   * a periodic job, where the gap is widest: held back for ever it would starve.
   */
  private fitsBeforeRelease(scanner: JobScanner, lane: LaneInfo): boolean {
    if (lane.periodic !== null) return true;
    const taskIndex = scanner.ring.i32[scanner.ring.slotBase(scanner.slot) + SLOT_TASK]!;
    const p99 = this.tasks[taskIndex]?.p99ExecutionUs ?? 0;
    const nowUs = this.lastFinishIsNow ? this.lastFinishUs : this.clock.nowUs();
    // right after: an idle worker whose last job was a periodic one may be close to the next release
    return ((this.nextReleaseStampUs - nowUs) | 0) >= p99 || (this.lastWasPeriodic && this.lastFinishIsNow);
  }

  /**
   * Whether what is left is less than the task usually takes: run all the same it would be late, and so would those
   * behind it. Not where the whole relative deadline is less than that: the task would never be measured again.
   */
  private isHopeless(leftUs: number): boolean {
    const { p90ExecutionUs } = this.task;
    if (leftUs >= p90ExecutionUs) return false;
    const releaseUs = this.ring.i32[this.base + SLOT_RELEASE_US]!;
    return ((this.startUs - releaseUs) | 0) + leftUs >= p90ExecutionUs;
  }

  /** False if the slot names no task of this worker: its header was overwritten by mistake, and the job is lost. */
  private begin(ring: JobRing, slot: number, running: number): boolean {
    const i32 = ring.i32;
    const base = ring.slotBase(slot);
    const task = this.tasks[i32[base + SLOT_TASK]!];
    if (task === undefined) {
      this.lose(ring, slot, running);
      return false;
    }
    this.ring = ring;
    this.slot = slot;
    this.base = base;
    this.running = running;
    this.task = task;
    const releaseUs = i32[base + SLOT_RELEASE_US]!;
    let startUs = this.lastFinishUs;
    if (!this.lastFinishIsNow || ((startUs - releaseUs) | 0) < 0) startUs = this.clock.nowUs();
    this.startUs = startUs;
    const wokeUp = this.wakingUp;
    if (wokeUp) {
      this.wakingUp = false;
      this.wokeAtUs = startUs;
    }
    let queueing = (startUs - releaseUs) | 0;
    if (queueing < 0) queueing = 0;
    const beforeParkUs = (this.parkedAtUs - releaseUs) | 0;
    // no job is older than the longest deadline: what seems to be so was released half an hour after the park
    const idleFrom = beforeParkUs > 0 && beforeParkUs <= BEFORE_ANY_JOB_US ? this.parkedAtUs : releaseUs;
    let wakeup = (this.wokeAtUs - idleFrom) | 0;
    if (wakeup < 0) wakeup = 0;
    if (wakeup > queueing) wakeup = queueing;
    // a job that was held back did not wait for the wake-up, but for the periodic job before it
    if (this.parkedHoldingBack && this.task.lane.periodic === null) wakeup = 0;
    else if (wokeUp) this.explainer.wokeUp(wakeup);
    this.queueingUs = queueing;
    this.wakeupUs = wakeup;
    i32[base + SLOT_START_US] = startUs;
    const { control } = this.memory;
    control[this.workerBase + WORKER_CURRENT_START_US] = startUs;
    // plain: whoever looks at it looks twice
    control[this.workerBase + WORKER_CURRENT_TASK] = this.task.info.index + 1;
    return true;
  }

  private lose(ring: JobRing, slot: number, running: number): void {
    if (this.ender.end(ring, slot, running, OUTCOME_LOST, CAUSE_UNKNOWN)) this.signalCompletion();
  }

  /** Once for each task: printing each period would itself miss deadlines. */
  private tellFailure(thrown: unknown): void {
    const { task, onPeriodicFailure } = this;
    if (task.failureTold || onPeriodicFailure === null) return;
    task.failureTold = true;
    onPeriodicFailure(`${task.lane.name}.${task.info.name}`, this.period, thrown);
  }

  private releaseIsDue(): boolean {
    return this.releasers.length !== 0 && ((this.clock.nowUs() - this.nextReleaseStampUs) | 0) >= 0;
  }

  private findNextRelease(): void {
    let next = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.releasers.length; i++) {
      const release = this.releasers[i]!.nextReleaseUs;
      if (release < next) next = release;
    }
    this.nextReleaseUs = next;
    this.nextReleaseStampUs = next === Number.POSITIVE_INFINITY ? 0 : Math.ceil(next) | 0;
  }

  private signalCompletion(): void {
    const { control } = this.memory;
    if (Atomics.load(control, CONTROL_HOST_WAITING) === 0) return;
    Atomics.add(control, CONTROL_COMPLETION_EPOCH, 1); // release
    Atomics.notify(control, CONTROL_COMPLETION_EPOCH);
  }
}

/** As `signal.throwIfAborted()` and its like throw. */
function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { name?: unknown }).name === 'AbortError';
}

function quarantinedError({ lane, info }: TaskRuntime, deaths: number): Error {
  return new Error(
    `task ${lane.name}.${info.name} is quarantined: it ended its worker ${deaths} times; scheduler.describe() tells how the last time, after refresh()`,
  );
}

function refuseThenable(result: object | null): void {
  const thenable = result as { then?: unknown } | null;
  if (thenable === null || typeof thenable.then !== 'function') return;
  // the job fails here and now: what the promise rejects with later must not end the thread as well
  if (result instanceof Promise) result.catch(() => {});
  throw new TypeError(
    'the handler returned a promise; a handler runs to completion synchronously: make `run` a plain function',
  );
}
