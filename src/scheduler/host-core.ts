import { checkSignal } from '../base/check-keys.js';
import { FrameDeadlineError } from '../base/errors.js';
import type { Clock, StampUs } from '../base/time.js';
import type { Literal, Schema } from '../memory/fields.js';
import {
  CONTROL_CLOSING,
  CONTROL_INSPECTED,
  HOST_COLUMN,
  OUTCOME_CANCELLED,
  OUTCOME_EXPIRED,
  OUTCOME_LOST,
  SLOT_FLAG_CANCEL,
  SLOT_FLAGS,
  SLOT_STATE,
  STATUS_READY,
  STATUS_RUNNING,
  STATUS_WAITING,
  statusOf,
  TASK_QUARANTINED,
} from '../memory/layout.js';
import { type JobRing, JobRingProducer } from '../ring/job-ring.js';
import { readError } from '../telemetry/error-ring.js';
import {
  CAUSE_SHED,
  COUNT_ACCEPTED,
  COUNT_REFUSED,
  COUNT_SUBMITTED,
  REFUSALS,
  type Refusal,
} from '../telemetry/outcomes.js';
import { Recorder } from '../telemetry/recorder.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { checkDeadlineMs } from '../worker/task.js';
import type { WorkerCore } from '../worker/worker-core.js';
import { AbortLinks } from './abort-links.js';
import { admissionsOf, type Shedder } from './admission.js';
import type { Backend } from './backend.js';
import { Completions } from './completions.js';
import { Undertaker } from './dead-worker.js';
import type { Frame } from './frame.js';
import type { FrameSlots } from './frame-pool.js';
import { Job } from './job.js';
import { LaneOverload } from './lane-overload.js';
import type { Plan } from './plan.js';
import { endSwitch } from './reload-frames.js';
import type { TaskHandle } from './task-handle.js';
import { WatchedJob } from './watched-job.js';

const REFUSED_FULL = REFUSALS.indexOf('full');
const REFUSED_CLOSED = REFUSALS.indexOf('closed');
const REFUSED_FRAMES = REFUSALS.indexOf('framesInFlight');
const REFUSED_NO_WORKER = REFUSALS.indexOf('noWorker');
const REFUSED_QUARANTINED = REFUSALS.indexOf('quarantined');
const REFUSED_ADMISSION = REFUSALS.indexOf('admission');

/**
 * The submitting side: the one producer of the lanes' rings. Host thread only. `submit` never blocks, allocates nothing
 * for a job of a frame, and throws only for a programming error.
 */
export class HostCore {
  readonly backend: Backend;
  readonly memory: AttachedMemory;
  readonly completions: Completions;
  /** What cancels jobs and frames. */
  readonly aborts: AbortLinks;
  /** By ring: the periodic rings have none, their workers fill them. */
  readonly producers: readonly (JobRingProducer | null)[];
  /** Runs jobs in this thread where the host may help; null otherwise. */
  helper: WorkerCore | null;
  /** The same for a join within a handler that the helper runs. */
  nestedHelper: WorkerCore | null;
  /** Where the frames of loops that have ended are. */
  frameSlots: Pick<FrameSlots, 'sweep'> | null;
  /** By lane: what is done about overload; null where nothing is. */
  private readonly overload: readonly (LaneOverload | null)[];
  /** What jobs of frames are made of. */
  readonly frameJob: typeof Job;
  private readonly recorder: Recorder;
  private readonly undertaker: Undertaker;
  /** All threads have ended and everything is settled. */
  isOver: boolean;
  private endingSinceUs: StampUs | null;
  private inspected: boolean;
  /** Jobs outside frames that hold a slot, oldest first. */
  private single: Job[];
  /** Slots to give back as soon as the thread that ended their job has counted it. */
  private readonly retired: Job[];

  constructor(backend: Backend, plan: Plan) {
    this.backend = backend;
    this.memory = backend.memory;
    this.completions = new Completions(backend);
    this.aborts = new AbortLinks(() => this.completions.settle());
    this.producers = this.memory.ringHandles.map((handle, index) =>
      handle.periodic ? null : new JobRingProducer(this.memory.rings[index]!),
    );
    this.helper = null;
    this.nestedHelper = null;
    this.frameSlots = null;
    this.recorder = new Recorder(this.memory.telemetry, this.memory.telemetryLayout, HOST_COLUMN);
    this.undertaker = new Undertaker(this.memory, plan.lanes, plan.tasks, backend.clock, HOST_COLUMN);
    this.overload = overloadOf(this.memory, backend.clock, plan, this);
    this.isOver = false;
    this.endingSinceUs = null;
    this.frameJob = plan.tasks.some((task) => task.development === true) ? WatchedJob : Job;
    this.inspected = false;
    this.single = [];
    this.retired = [];
  }

  /** Tells the workers whether a debugger could stop them: their misses then say so. For each frame and single job. */
  noteInspector(): void {
    const isInspected = this.backend.isInspected?.() ?? false;
    if (isInspected === this.inspected) return;
    this.inspected = isInspected;
    const { control } = this.memory;
    control[CONTROL_INSPECTED] = isInspected ? 1 : 0;
  }

  /** Submits one job of a frame and makes `job` stand for it. Allocates nothing. */
  submitToFrame(job: Job, handle: TaskHandle, literal: Literal<Schema> | undefined, frame: Frame): void {
    this.requireSubmittable(handle);
    let refusal = frame.refused !== false ? REFUSED_FRAMES : this.refusalOf(handle);
    const overload = this.overload[handle.info.lane]!;
    if (refusal < 0 && overload !== null) {
      refusal = this.admissionOf(overload, handle, frame.deadlineUs, frame.index + 1, frame.stage);
    }
    const slot = refusal >= 0 ? -1 : handle.takeSlot(literal);
    if (slot < 0) {
      handle.abandon();
      this.refuse(job, handle, refusal >= 0 ? refusal : REFUSED_FULL);
      return;
    }
    const nowUs = this.backend.clock.nowUs();
    const { memory } = this;
    const stage = frame.stage;
    // the first stage is open already; a later one may have opened while the host went on submitting
    const waiting = ((memory.frames.stagesComplete(frame.index) - stage) | 0) < 0;
    const status = waiting ? STATUS_WAITING : STATUS_READY;
    frame.acceptedJobs = (frame.acceptedJobs + 1) | 0;
    const sequence = handle.producer.publish(
      slot,
      status,
      handle.info.index,
      frame.index + 1,
      stage,
      frame.number,
      nowUs,
      nowUs,
      frame.deadlineUs,
      frame.aborted ? SLOT_FLAG_CANCEL : 0,
    );
    job.assign(handle, slot, sequence, false);
    this.accepted(handle);
    if (overload !== null) overload.accepted(job, waiting);
    if (waiting) memory.frames.addWaiting(frame.index, handle.ringIndex, slot, stage);
    this.ring(handle, slot);
    if (frame.aborted) job.cancelUntold();
  }

  /** Submits one job outside frames. Allocates the job. */
  submitSingle(
    handle: TaskHandle,
    literal: Literal<Schema> | undefined,
    deadlineMs: number | undefined,
    signal?: AbortSignal,
  ): Job {
    this.requireSubmittable(handle);
    if (deadlineMs !== undefined) checkDeadlineMs(deadlineMs, 'deadlineMs of a job');
    if (signal !== undefined) checkSignal('signal of a job', signal);
    this.noteInspector();
    const job = new Job(this, handle, false);
    if (this.retired.length > 0) this.freeRetired();
    const relativeUs = deadlineMs === undefined ? handle.info.deadlineUs : Math.round(deadlineMs * 1000);
    let refusal = this.refusalOf(handle);
    const overload = this.overload[handle.info.lane]!;
    if (refusal < 0 && overload !== null) {
      refusal = this.admissionOf(overload, handle, (this.backend.clock.nowUs() + relativeUs) | 0, 0, 0);
    }
    const slot = refusal >= 0 ? -1 : handle.takeSlot(literal);
    if (slot < 0) {
      handle.abandon();
      this.refuse(job, handle, refusal >= 0 ? refusal : REFUSED_FULL);
      return job;
    }
    const nowUs = this.backend.clock.nowUs();
    const deadlineUs = (nowUs + relativeUs) | 0;
    // of a job that is cancelled already no handler is called, whoever takes it first
    const flags = signal?.aborted === true ? SLOT_FLAG_CANCEL : 0;
    const sequence = handle.producer.publish(
      slot,
      STATUS_READY,
      handle.info.index,
      0,
      0,
      -1,
      nowUs,
      nowUs,
      deadlineUs,
      flags,
    );
    job.assign(handle, slot, sequence, false);
    this.single.push(job);
    this.accepted(handle);
    if (overload !== null) overload.accepted(job, false);
    this.ring(handle, slot);
    if (signal !== undefined) this.follow(signal, job);
    return job;
  }

  /** Gives a single job's slot back, now or when the job has ended. */
  release(job: Job): void {
    const at = this.single.indexOf(job);
    if (at < 0) return;
    this.single.splice(at, 1);
    this.retired.push(job);
    this.freeRetired();
  }

  /** Gives a frame's slots back and forgets their jobs. The frame is complete, so all are counted. */
  freeJobs(jobs: readonly Job[], count: number): void {
    for (let i = 0; i < count; i++) {
      const job = jobs[i]!;
      if (job.slot >= 0) this.free(job);
    }
  }

  /** Cancels a job that is ready; false if a worker was first. Who waits for it is to be told. */
  cancelReady(ring: JobRing, slot: number, state: number): boolean {
    return this.undertaker.end(ring, slot, state, OUTCOME_CANCELLED);
  }

  /** Ends a job that is ready to make room for another; false if a worker was first. */
  shed(ring: JobRing, slot: number, state: number): boolean {
    const ended = this.undertaker.end(ring, slot, state, OUTCOME_EXPIRED, CAUSE_SHED);
    if (ended) this.completions.settle();
    return ended;
  }

  /** REFUSED_ADMISSION, or -1 if the job is let in; others have given way then, if that was needed. */
  private admissionOf(
    overload: LaneOverload,
    handle: TaskHandle,
    deadlineUs: StampUs,
    frame: number,
    stage: number,
  ): number {
    const { admission } = overload;
    if (admission === null) return -1;
    return admission.admits(handle.info, deadlineUs, frame, stage, handle.hasRoom()) ? -1 : REFUSED_ADMISSION;
  }

  /** What a handler threw, rebuilt on this side. */
  errorOf(taskName: string, column: number, number: number): FrameDeadlineError {
    const text = number === 0 ? null : readError(this.memory.errors, this.memory.errorBase(column), number);
    if (text === null) {
      return new FrameDeadlineError('JOB_FAILED', `${taskName} failed; what it threw was overwritten by later errors`);
    }
    const cause = new Error(text.message);
    cause.name = text.name;
    if (text.stack !== null) cause.stack = text.stack;
    if (text.code !== null) Object.assign(cause, { code: text.code });
    return new FrameDeadlineError('JOB_FAILED', `${taskName} threw ${text.name}: ${text.message}`, { cause });
  }

  /** `close()` ends the workers from now on, whatever they run. */
  noteEnding(): void {
    this.endingSinceUs = this.backend.clock.nowUs();
  }

  /** Whether a job that ended then was ended by `close()`. */
  endedAtClose(finishUs: StampUs): boolean {
    return this.endingSinceUs !== null && ((finishUs - this.endingSinceUs) | 0) >= 0;
  }

  /** Refuses every submit from now on. */
  refuseAll(): void {
    Atomics.store(this.memory.control, CONTROL_CLOSING, 1);
  }

  /** Whether a submitted job waits or runs. */
  hasLiveJobs(): boolean {
    return this.producers.some((producer) => producer !== null && hasLiveJob(producer.ring));
  }

  /** Resolves when no submitted job is live any more, or `leftMs()` has come to 0. */
  async drained(leftMs: () => number): Promise<void> {
    const { backend } = this;
    const timer = backend.timer();
    const isDrained = (): boolean => !this.hasLiveJobs();
    const ended = {
      get ended(): boolean {
        return isDrained() || leftMs() <= 0;
      },
    };
    if (!ended.ended) {
      await new Promise<void>((resolve) => {
        this.completions.add(ended, resolve);
        timer.set(backend.clock.nowPreciseUs() + leftMs() * 1000, () => this.completions.settle());
      });
    }
    timer.cancel();
  }

  /** Ends what was not started as `cancelled`; what waits behind a barrier, when its turn comes. Jobs that run go on. */
  cancelUnstarted(): void {
    this.memory.rings.forEach((ring) => {
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const base = ring.slotBase(slot);
        const state = Atomics.load(ring.i32, base + SLOT_STATE);
        const status = statusOf(state);
        if (status === STATUS_READY) this.undertaker.end(ring, slot, state, OUTCOME_CANCELLED);
        else if (status === STATUS_WAITING) Atomics.or(ring.i32, base + SLOT_FLAGS, SLOT_FLAG_CANCEL);
      }
    });
    this.completions.settle();
  }

  /** Ends everything that is left: no other thread is there any more. */
  settleAll(): void {
    endSwitch(this.memory, HOST_COLUMN);
    this.isOver = true;
    for (let worker = 0; worker < this.memory.workerCount; worker++) this.undertaker.settleDead(worker);
    this.undertaker.settleAll(OUTCOME_LOST);
    this.completions.settle();
    this.aborts.clear();
    this.backend.settled?.();
  }

  /** Index of the reason in REFUSALS for which a submit to the lane is refused now, or -1. */
  protected refusalOf(handle: TaskHandle): number {
    // plain: this thread wrote it
    const { control, layout } = this.memory;
    if (control[CONTROL_CLOSING] !== 0) return REFUSED_CLOSED;
    // plain: what is submitted a moment too early is ended by the worker that claims it
    const quarantined = control[layout.task(handle.info.index) + TASK_QUARANTINED];
    if (quarantined !== 0) return REFUSED_QUARANTINED;
    return this.memory.serversOf(handle.info.lane) < 0 ? REFUSED_NO_WORKER : -1;
  }

  private refuse(job: Job, handle: TaskHandle, refusal: number): void {
    this.recorder.count(handle.info.index, COUNT_SUBMITTED);
    this.recorder.count(handle.info.index, COUNT_REFUSED + refusal);
    job.assign(handle, -1, 0, REFUSALS[refusal] as Refusal);
  }

  private accepted(handle: TaskHandle): void {
    this.recorder.count(handle.info.index, COUNT_SUBMITTED);
    this.recorder.count(handle.info.index, COUNT_ACCEPTED);
  }

  private ring(handle: TaskHandle, slot: number): void {
    const servers = this.memory.serversOf(handle.info.lane);
    if (servers < 0) {
      // the lane was given up meanwhile, perhaps before its jobs were settled: nobody else would end this one
      const state = Atomics.load(handle.ring.i32, handle.ring.slotBase(slot) + SLOT_STATE);
      if (statusOf(state) === STATUS_READY) this.undertaker.end(handle.ring, slot, state, OUTCOME_LOST);
      return;
    }
    this.memory.bells.ringOne(servers);
    this.backend.published();
  }

  private requireSubmittable(handle: TaskHandle): void {
    const producer: unknown = handle?.producer;
    // a copy of a handle has its fields and not its methods
    const isHandle = producer !== undefined && typeof handle.takeSlot === 'function';
    if (!isHandle || this.producers[handle.ringIndex] !== producer) {
      throw new FrameDeadlineError(
        'TASK_UNKNOWN',
        'submit was given something that is no task of this scheduler; take tasks from scheduler.lanes.<lane>.<task>',
      );
    }
    if (handle.periodic) {
      throw new FrameDeadlineError(
        'TASK_UNKNOWN',
        `task ${handle.laneName}.${handle.name} is periodic: its worker releases it, it cannot be submitted`,
      );
    }
  }

  /**
   * Makes room in a full ring: jobs that were released before they ended, and those of loops that have ended, give their
   * slots back; then the oldest single job that has ended and was not released gives way; if there is none and
   * `mayDrop` says so, the oldest that was not started, where the lane allows it.
   */
  reclaim(lane: number, ring: JobRing, mayDrop: boolean): void {
    if (this.retired.length > 0) this.freeRetired();
    this.frameSlots?.sweep();
    if (this.producers[ring.index]!.liveSlots < ring.capacitySlots) return;
    const at = this.single.findIndex((job) => job.handle.ring === ring && job.ended && job.isCounted());
    if (at >= 0) {
      const [job] = this.single.splice(at, 1);
      this.free(job!);
      return;
    }
    const overload = this.overload[lane]!;
    if (!mayDrop || overload === null) return;
    const dropped = overload.dropOldest(ring, this);
    if (dropped === null) return;
    const single = this.single.indexOf(dropped);
    if (single >= 0) this.single.splice(single, 1);
    const retired = this.retired.indexOf(dropped);
    if (retired >= 0) this.retired.splice(retired, 1);
    // ended and counted by this thread: nobody else has to do with the slot any more
    this.free(dropped);
  }

  private follow(signal: AbortSignal, job: Job): void {
    if (signal.aborted) {
      job.cancel();
      return;
    }
    job.signal = signal;
    this.aborts.add(signal, job);
  }

  private freeRetired(): void {
    const jobs = this.retired;
    let kept = 0;
    for (let i = 0; i < jobs.length; i++) {
      const job = jobs[i]!;
      if (job.isCounted()) this.free(job);
      else jobs[kept++] = job;
    }
    jobs.length = kept;
  }

  private free(job: Job): void {
    if (job.signal !== null) {
      this.aborts.remove(job.signal, job);
      job.signal = null;
    }
    job.settledOutcome = job.outcomeCode();
    const overload = this.overload[job.handle.info.lane]!;
    if (overload !== null) overload.ended(job);
    job.handle.views.freed(job.slot);
    job.handle.producer.free(job.slot);
    job.slot = -1;
  }
}

/** By lane: what is done about overload, or null. */
function overloadOf(memory: AttachedMemory, clock: Clock, plan: Plan, shedder: Shedder): (LaneOverload | null)[] {
  const admissions = admissionsOf(memory, clock, plan, shedder);
  return plan.lanes.map((lane) => {
    const admission = admissions[lane.index]!;
    if (admission === null && lane.onFull === 'refuse') return null;
    const ring = memory.ringHandles.find((handle) => handle.lane === lane.index && !handle.periodic)!;
    return new LaneOverload(lane, ring.capacitySlots, admission);
  });
}

function hasLiveJob(ring: JobRing): boolean {
  for (let slot = 0; slot < ring.capacitySlots; slot++) {
    const status = statusOf(Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE));
    if (status === STATUS_READY || status === STATUS_WAITING || status === STATUS_RUNNING) return true;
  }
  return false;
}
