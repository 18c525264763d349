import { checkSignal } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { momentOf, type StampUs } from '../base/time.js';
import type { PreciseTimer } from '../host/platform.js';
import type { Literal, Schema } from '../memory/fields.js';
import { MAX_OPEN_STAGES, OUTCOME_EXPIRED, OUTCOME_LOST, SLOT_DEADLINE_US, SLOT_FINISH_US } from '../memory/layout.js';
import type { WorkerCore } from '../worker/worker-core.js';
import type { Abortable } from './abort-links.js';
import type { HostCore } from './host-core.js';
import { Job } from './job.js';
import { beginsWhileSwitching, holdFrame, noteClosed } from './reload-frames.js';
import type { TaskHandle } from './task-handle.js';

export interface JoinOptions {
  /** `finished` (default): wait until every job has ended. `deadline`: until then or the frame's deadline, whichever comes first. */
  until?: 'deadline' | 'finished';
  /** Cancels the frame's jobs when aborted, as that of `beginFrame` does. A blocked thread (`joinSync`) hears of it afterwards. */
  signal?: AbortSignal;
}
export interface JoinSyncOptions extends JoinOptions {
  /** Run jobs of this frame in the calling thread instead of sleeping. Needs the option `hostHelps`. */
  help?: boolean;
}

const TRUE = Promise.resolve(true);

/** Gives the slots of a frame back that is over. */
export interface FrameRecycler {
  recycle(frame: Frame): void;
}

/**
 * The jobs of one period of the host's loop: they share its deadline and are joined together. Frames come from a pool:
 * a frame, its jobs and their outputs are valid until the next frame of the same loop begins. Host thread only.
 */
export class Frame implements Abortable {
  /** Number of its tick in the loop, from 0: dropped ticks count too. */
  number: number;
  /** `framesInFlight` if earlier frames were still unfinished when it began: all its submits are refused. */
  refused: false | 'framesInFlight';
  /** @internal Stamp of the intended start. */
  startStampUs: StampUs;
  /** @internal Stamp of the call that began it. */
  calledUs: StampUs;
  /** @internal Stamp of the end of submitting; meaningless until it is closed. */
  submittedUs: StampUs;
  /** @internal Whether it is over and its pool has told of it; also before it began. */
  told: boolean;
  /** @internal A poll or join has said that it is over. */
  seenOver: boolean;
  /** @internal The one before it, if that was seen to be over: given back while the workers run the jobs of this one. */
  predecessor: Frame | null;
  /** @internal What `recycle` found: jobs that were accepted, those that missed their deadline, the last finish. */
  endedJobs: number;
  /** @internal */
  missedJobs: number;
  /** @internal */
  lastFinishUs: StampUs;
  /** @internal Frame slot. */
  readonly index: number;
  /** @internal Stamp of the deadline shared by the jobs. */
  deadlineUs: number;
  /** @internal Its signal was aborted: its jobs are cancelled as they are submitted. */
  aborted: boolean;
  /** @internal Jobs ever accepted in this frame slot. */
  acceptedJobs: number;
  /** @internal Stage that is being submitted; counts over the life of the frame slot. */
  stage: number;
  private readonly core: HostCore;
  private readonly recycler: FrameRecycler;
  private readonly timer: PreciseTimer;
  private readonly jobs: Job[];
  private count: number;
  private closed: boolean;
  private joining: { promise: Promise<boolean>; resolve: (complete: boolean) => void } | null;
  /** A wait is under way; one that outlived its join serves the next. */
  private watching: boolean;
  private signal: AbortSignal | null;
  private readonly onDeadline: () => void;

  /** @internal */
  constructor(core: HostCore, recycler: FrameRecycler, index: number) {
    this.core = core;
    this.recycler = recycler;
    this.index = index;
    this.timer = core.backend.timer();
    this.number = -1;
    this.refused = false;
    this.startStampUs = 0;
    this.calledUs = 0;
    this.submittedUs = 0;
    this.told = true;
    this.seenOver = false;
    this.predecessor = null;
    this.endedJobs = 0;
    this.missedJobs = 0;
    this.lastFinishUs = 0;
    this.deadlineUs = 0;
    this.acceptedJobs = core.memory.frames.endedJobs(index);
    this.stage = core.memory.frames.stagesClosed(index);
    this.jobs = [];
    this.count = 0;
    this.closed = true;
    this.joining = null;
    this.watching = false;
    this.signal = null;
    this.aborted = false;
    this.onDeadline = () => this.resolveJoin(this.isComplete());
  }

  /**
   * Submits a job with the frame's deadline. Without `input`, the fields written through `task.input` are submitted.
   * Returns a job from the frame's pool; look at `job.refused`. Never blocks; allocates nothing once the pool is warm.
   * @throws FrameDeadlineError PAYLOAD_INVALID, TASK_UNKNOWN, FRAME_CLOSED after a join, poll or cancel
   */
  submit<I extends Schema, O extends Schema>(task: TaskHandle<I, O>, input?: Literal<I>): Job<I, O> {
    if (this.closed) this.throwClosed('submit');
    let job = this.jobs[this.count];
    if (job === undefined) {
      job = new this.core.frameJob(this.core, task as unknown as TaskHandle, true);
      this.jobs.push(job);
    }
    this.core.submitToFrame(job, task as unknown as TaskHandle, input as Literal<Schema> | undefined, this);
    this.count++;
    return job as unknown as Job<I, O>;
  }

  /**
   * What is submitted after it starts when all that was submitted before it has ended. At most 62 in a frame. Never
   * blocks.
   * @throws FrameDeadlineError OPTION_INVALID for one more, FRAME_CLOSED after a join, poll or cancel
   */
  barrier(): void {
    if (this.closed) this.throwClosed('barrier');
    if (this.refused !== false) return;
    const open = (this.stage - this.core.memory.frames.stagesComplete(this.index)) | 0;
    if (open >= MAX_OPEN_STAGES - 2) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `a frame has ${open} barriers whose jobs have not ended, expected fewer than ${MAX_OPEN_STAGES - 2}`,
      );
    }
    this.core.memory.frames.closeStage(this.index, this.acceptedJobs);
    this.core.backend.published();
    this.stage = (this.stage + 1) | 0;
  }

  /** Closes the frame and tells whether all its jobs have ended. Never blocks. */
  poll(): boolean {
    this.close();
    const isOver = this.isComplete();
    if (isOver) this.noteOver();
    return isOver;
  }

  /**
   * Closes the frame and resolves when all its jobs have ended (true), or at the deadline if that was asked for (false
   * if jobs are left: they finish or expire by their lane's rule, and their memory stays valid until then).
   * Keeps the process alive meanwhile. One promise for the frame.
   * @throws FrameDeadlineError OPTION_INVALID
   */
  join(options?: JoinOptions): Promise<boolean> {
    const untilDeadline = isUntilDeadline(options);
    if (options?.signal !== undefined) this.follow(options.signal, 'signal of a join');
    this.close();
    if (this.isComplete()) {
      this.noteOver();
      return TRUE;
    }
    const { clock } = this.core.backend;
    const leftUs = (this.deadlineUs - clock.nowUs()) | 0;
    if (untilDeadline && leftUs <= 0) return Promise.resolve(false);
    let { joining } = this;
    if (joining === null) {
      let resolve: (complete: boolean) => void = () => {};
      const promise = new Promise<boolean>((resolver) => {
        resolve = resolver;
      });
      joining = { promise, resolve };
      this.joining = joining;
      this.core.backend.hold();
      // may end the join at once: the last job may have ended since the look above
      if (!this.watching) void this.watch();
    }
    if (untilDeadline && this.joining !== null) this.timer.set(clock.nowPreciseUs() + leftUs, this.onDeadline);
    return joining.promise;
  }

  /**
   * As `join`, blocking the calling thread. With `help: true` it runs jobs of this frame meanwhile.
   * In a handler that runs in this thread it throws unless helping with another frame, one level deep.
   * @throws FrameDeadlineError BLOCKING_NOT_ALLOWED where a thread may not block, HELP_UNAVAILABLE without `hostHelps`
   */
  joinSync(options?: JoinSyncOptions): boolean {
    const { core } = this;
    const { backend } = core;
    if (!backend.canBlock) {
      throw new FrameDeadlineError(
        'BLOCKING_NOT_ALLOWED',
        'joinSync was called on a thread that may not block; use `await frame.join()` or `frame.poll()`',
      );
    }
    const help = options?.help === true;
    if (help && core.helper === null) {
      throw new FrameDeadlineError(
        'HELP_UNAVAILABLE',
        'joinSync({ help: true }) needs the task modules in this thread; create the scheduler with hostHelps: true and give each lane `load`',
      );
    }
    const inHandler = core.helper?.executing === true;
    const helper = inHandler ? core.nestedHelper : core.helper;
    if (inHandler && (!help || helper === null || helper.executing || core.helper!.runsJobOf(this.index))) {
      throw new FrameDeadlineError(
        'BLOCKING_NOT_ALLOWED',
        'joinSync was called in a handler, expected help: true, one level deep, and another frame than its own; or submit and return instead',
      );
    }
    const untilDeadline = isUntilDeadline(options);
    if (options?.signal !== undefined) this.follow(options.signal, 'signal of a join');
    this.close();
    const word = core.memory.frames.epochIndex(this.index);
    for (;;) {
      // read before the frame is looked at: what completes it after that changes it
      const epoch = core.memory.frames.epoch(this.index);
      if (this.isComplete()) {
        this.noteOver();
        return true;
      }
      const leftUs = (this.deadlineUs - backend.clock.nowUs()) | 0;
      if (untilDeadline && leftUs <= 0) return false;
      if (help && this.helpOnce(helper!)) continue;
      backend.blockOn(word, epoch, untilDeadline ? leftUs / 1000 : Number.POSITIVE_INFINITY);
    }
  }

  /** Cancels all jobs of the frame: see `Job.cancel`. Closes it. */
  cancel(): void {
    this.close();
    this.cancelJobs();
    this.core.completions.settle();
  }

  /** @internal */
  onAbort(): void {
    this.aborted = true;
    this.cancelJobs();
  }

  /** @internal Its jobs are cancelled when the signal is aborted, those that are yet to come too. Allocates. */
  follow(signal: AbortSignal, what: string): void {
    checkSignal(what, signal);
    if (this.signal === signal || this.refused !== false) return;
    if (this.signal !== null) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `${what} is another than the one that the frame has, expected one signal for a frame; combine them with AbortSignal.any`,
      );
    }
    if (signal.aborted) {
      this.onAbort();
      this.core.completions.settle();
      return;
    }
    this.signal = signal;
    this.core.aborts.add(signal, this);
  }

  /** Intended start, in whole microseconds since the scheduler's epoch (does not wrap). */
  get startUs(): number {
    return momentOf(this.startStampUs, this.core.backend.clock);
  }

  /** Milliseconds until the frame's deadline; negative once it has passed. */
  timeToDeadlineMs(): number {
    return ((this.deadlineUs - this.core.backend.clock.nowUs()) | 0) / 1000;
  }

  /** @internal Whether the slot can be used for another frame. */
  isReusable(): boolean {
    return this.closed && this.isComplete();
  }

  /** @internal Starts the frame. Its earlier jobs become invalid. */
  begin(number: number, startStampUs: StampUs, deadlineUs: StampUs): void {
    this.number = number;
    this.startStampUs = startStampUs;
    this.deadlineUs = deadlineUs;
    this.told = false;
    this.seenOver = false;
    this.calledUs = this.core.backend.clock.nowUs();
    this.core.noteInspector();
    this.core.memory.frames.openFrame(this.index, startStampUs, this.calledUs, deadlineUs);
    this.count = 0;
    this.closed = false;
    this.refused = false;
    this.aborted = false;
    if (beginsWhileSwitching(this.core.memory, this.index)) this.hold();
  }

  /** @internal Begins as a frame whose submits are all refused. */
  beginRefused(number: number, startStampUs: StampUs, deadlineUs: StampUs): void {
    this.number = number;
    this.startStampUs = startStampUs;
    this.deadlineUs = deadlineUs;
    this.count = 0;
    this.closed = false;
    this.refused = 'framesInFlight';
  }

  /** @internal A job of it that has not ended, or null. */
  unfinishedJob(): Job | null {
    for (let i = 0; i < this.count; i++) if (!this.jobs[i]!.ended) return this.jobs[i]!;
    return null;
  }

  /** @internal Gives the slots back, and tells how its jobs went. */
  recycle(): void {
    let jobs = 0;
    let misses = 0;
    let lastUs = this.startStampUs;
    for (let i = 0; i < this.count; i++) {
      const job = this.jobs[i]!;
      if (job.slot < 0) {
        // refused; or dropped for another, which got its slot
        if (job.refused !== false) continue;
        jobs++;
        misses++;
        continue;
      }
      const { ring } = job.handle;
      const finishUs = ring.i32[job.base + SLOT_FINISH_US]!;
      const outcome = job.outcomeCode();
      const lateUs = (finishUs - ring.i32[job.base + SLOT_DEADLINE_US]!) | 0;
      jobs++;
      if (lateUs > 0 || outcome === OUTCOME_EXPIRED || outcome === OUTCOME_LOST) misses++;
      if (((finishUs - lastUs) | 0) > 0) lastUs = finishUs;
    }
    this.core.freeJobs(this.jobs, this.count);
    if (this.core.frameJob !== Job) this.forgetJobs();
    this.unfollow();
    this.count = 0;
    this.endedJobs = jobs;
    this.missedJobs = misses;
    this.lastFinishUs = lastUs;
  }

  /** Development mode: its jobs are not used again, so that one that is kept is found. */
  private forgetJobs(): void {
    // who awaits one of them is told before
    this.core.completions.settle();
    for (const job of this.jobs) job.frameIsOver();
    this.jobs.length = 0;
  }

  /** @internal No more submits. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.submittedUs = this.core.backend.clock.nowUs();
    if (this.refused !== false) return;
    this.core.memory.frames.closeStage(this.index, this.acceptedJobs);
    this.stage = (this.stage + 1) | 0;
    noteClosed(this.core.memory, this.index);
    const { predecessor } = this;
    if (predecessor === null) return;
    this.predecessor = null;
    this.recycler.recycle(predecessor);
  }

  /** Lets its jobs wait for the end of a reload, as if that were a job of a stage before them. */
  private hold(): void {
    this.acceptedJobs = (this.acceptedJobs + 1) | 0;
    this.core.memory.frames.closeStage(this.index, this.acceptedJobs);
    this.stage = (this.stage + 1) | 0;
    holdFrame(this.core.memory, this.index);
  }

  /** @internal */
  isComplete(): boolean {
    if (this.refused !== false) return true;
    if (this.core.memory.frames.stagesComplete(this.index) === this.stage) return true;
    // all is settled: its words were overwritten by mistake
    return this.core.isOver;
  }

  private async watch(): Promise<void> {
    const { backend, memory } = this.core;
    const word = memory.frames.epochIndex(this.index);
    this.watching = true;
    while (this.joining !== null) {
      const epoch = memory.frames.epoch(this.index); // acquire
      if (this.isComplete()) {
        this.resolveJoin(true);
        break;
      }
      const wait = backend.waitAsync(word, epoch);
      if (wait !== null) await wait;
    }
    this.watching = false;
  }

  private resolveJoin(complete: boolean): void {
    const { joining } = this;
    if (joining === null) return;
    this.joining = null;
    if (complete) this.noteOver();
    this.timer.cancel();
    this.core.backend.drop();
    joining.resolve(complete);
  }

  private cancelJobs(): void {
    for (let i = 0; i < this.count; i++) this.jobs[i]!.cancelUntold();
  }

  private noteOver(): void {
    this.seenOver = true;
    this.unfollow();
  }

  private unfollow(): void {
    if (this.signal === null) return;
    this.core.aborts.remove(this.signal, this);
    this.signal = null;
  }

  /** Runs one ready job of this frame here. From the end: the workers come from the front. */
  private helpOnce(helper: WorkerCore): boolean {
    for (let i = this.count - 1; i >= 0; i--) {
      const job = this.jobs[i]!;
      if (job.slot < 0) continue;
      if (!helper.claimSlot(job.handle.ring, job.slot)) continue;
      helper.execute();
      helper.settle();
      return true;
    }
    return false;
  }

  private throwClosed(what: string): never {
    const message =
      this.number < 0 || !this.closed
        ? `${what} on a frame that has not begun`
        : `${what} on frame ${this.number} after its join, poll or cancel; begin a new frame`;
    throw new FrameDeadlineError('FRAME_CLOSED', message);
  }
}

function isUntilDeadline(options: JoinOptions | undefined): boolean {
  const until = options?.until;
  if (until === undefined || until === 'finished') return false;
  if (until === 'deadline') return true;
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `until of a join is ${describeValue(until)}, expected 'finished' or 'deadline'`,
  );
}
