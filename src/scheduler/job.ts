// apps that do not list this library compile, too
/// <reference lib="esnext.disposable" preserve="true" />
import { FrameDeadlineError } from '../base/errors.js';
import type { ReadonlyView, Schema } from '../memory/fields.js';
import {
  OUTCOME_LOST,
  outcomeOf,
  ownerOf,
  SLOT_DEADLINE_US,
  SLOT_ERROR,
  SLOT_FINISH_US,
  SLOT_FLAG_CANCEL,
  SLOT_FLAGS,
  SLOT_RECORD_COUNTER,
  SLOT_RELEASE_US,
  SLOT_SEQUENCE,
  SLOT_START_US,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_READY,
  statusOf,
} from '../memory/layout.js';
import { type Outcome, outcomeOfNumber, type Refusal } from '../telemetry/outcomes.js';
import { isCounted } from '../worker/job-ender.js';
import type { Abortable } from './abort-links.js';
import type { HostCore } from './host-core.js';
import { lostError } from './lost-error.js';
import type { TaskHandle } from './task-handle.js';

/**
 * One submitted instance of a task. Jobs of a frame come from a pool: they and their outputs are valid until the next
 * frame of their loop begins; one that is kept for longer stands for another job then. Jobs submitted by `scheduler.submit` are valid until `release()`.
 */
export class Job<I extends Schema = Schema, O extends Schema = Schema> implements Abortable {
  /** Why it was not accepted, or false. */
  refused: false | Refusal;
  /** @internal */
  handle: TaskHandle<I, O>;
  /** @internal Slot in the lane's ring, -1 once it was given back or if it never had one. */
  slot: number;
  /** @internal */
  sequence: number;
  /** @internal */
  settledOutcome: number;
  /** @internal What cancels it, until its slot is given back. Jobs of a frame have none of their own. */
  signal: AbortSignal | null;
  private readonly core: HostCore;
  private readonly ofFrame: boolean;
  private donePromise: Promise<this> | null;

  /** @internal */
  constructor(core: HostCore, handle: TaskHandle<I, O>, ofFrame: boolean) {
    this.core = core;
    this.ofFrame = ofFrame;
    this.handle = handle;
    this.refused = false;
    this.slot = -1;
    this.sequence = 0;
    this.settledOutcome = 0;
    this.signal = null;
    this.donePromise = null;
  }

  /** @internal Makes the pooled object stand for another job. */
  assign(handle: TaskHandle<I, O>, slot: number, sequence: number, refused: false | Refusal): void {
    this.handle = handle;
    this.slot = slot;
    this.sequence = sequence;
    this.refused = refused;
    this.settledOutcome = 0;
    this.donePromise = null;
  }

  /** Whether it has ended (or was refused). */
  get ended(): boolean {
    return this.refused !== false || this.outcomeCode() !== 0;
  }

  /** How it ended; `pending` while it has not; `refused` if it was not accepted. Reads shared memory; never blocks. */
  get outcome(): Outcome | 'pending' | 'refused' {
    if (this.refused !== false) return 'refused';
    const code = this.outcomeCode();
    return code === 0 ? 'pending' : outcomeOfNumber(code);
  }

  /**
   * The output, in the slot itself. Its contents are what the handler wrote; undefined if the job did not run.
   * @throws FrameDeadlineError JOB_PENDING before the end, JOB_REFUSED if there is none, JOB_STALE once it was given back
   */
  get output(): ReadonlyView<O> {
    this.requireEnded('output');
    return this.handle.views.output(this.slot) as ReadonlyView<O>;
  }

  /**
   * Of a `failed` job: JOB_FAILED with what the handler threw as `cause`, a plain Error with its name, message, source-mapped
   * stack and `code`; of something else than an Error one named `NonError` with its text. Of a `lost` one why: WORKER_DIED
   * (it hung, its worker died, nobody serves the lane), SCHEDULER_CLOSED (it ran when `close()` ended the workers), JOB_FAILED
   * (its slot was overwritten). Null for every other outcome.
   * @throws FrameDeadlineError JOB_STALE once the slot was given back
   */
  get error(): FrameDeadlineError | null {
    const { outcome } = this;
    if (outcome !== 'failed' && outcome !== 'lost') return null;
    this.requireEnded('error');
    if (outcome === 'lost') return this.lostError();
    const number = this.word(SLOT_ERROR);
    const owner = ownerOf(Atomics.load(this.handle.ring.i32, this.base + SLOT_STATE));
    return this.core.errorOf(`${this.handle.laneName}.${this.handle.name}`, owner, number);
  }

  /** Resolves with this job when it has ended, whatever its outcome; never rejects. Allocates: not for the per-frame way. */
  get done(): Promise<this> {
    if (this.donePromise === null) {
      this.donePromise = this.ended
        ? Promise.resolve(this)
        : new Promise((resolve) => this.core.completions.add(this, () => resolve(this)));
    }
    return this.donePromise;
  }

  /** Microseconds from release to start, 0 before the end. */
  get queueingUs(): number {
    return this.ended && this.slot >= 0 ? (this.word(SLOT_START_US) - this.word(SLOT_RELEASE_US)) | 0 : 0;
  }
  /** Microseconds from start to finish, 0 before the end. */
  get executionUs(): number {
    return this.ended && this.slot >= 0 ? (this.word(SLOT_FINISH_US) - this.word(SLOT_START_US)) | 0 : 0;
  }
  /** Finish minus deadline in microseconds: negative when in time, 0 before the end. */
  get latenessUs(): number {
    return this.ended && this.slot >= 0 ? (this.word(SLOT_FINISH_US) - this.word(SLOT_DEADLINE_US)) | 0 : 0;
  }

  /**
   * Cancels it: at once if it was not started (returns true: the outcome is `cancelled`), else its handler is asked to
   * stop by `context.cancelled()`, and a job behind a barrier ends when its turn comes. A job whose handler was told so ends
   * `cancelled`; one whose handler did not ask ends as if nothing had been said.
   */
  cancel(): boolean {
    const cancelled = this.cancelUntold();
    if (cancelled) this.core.completions.settle();
    return cancelled;
  }

  /** @internal The same without a look at who waits for it. */
  cancelUntold(): boolean {
    if (this.ended || this.isStale()) return false;
    const { ring } = this.handle;
    const state = Atomics.load(ring.i32, this.base + SLOT_STATE); // acquire
    if (statusOf(state) === STATUS_READY && this.core.cancelReady(ring, this.slot, state)) return true;
    Atomics.or(ring.i32, this.base + SLOT_FLAGS, SLOT_FLAG_CANCEL);
    return false;
  }

  /** @internal */
  onAbort(): void {
    this.cancelUntold();
  }

  /**
   * Gives the slot back: the output is no longer valid. A job that has not ended is given back when it has.
   * @throws FrameDeadlineError OPTION_INVALID for a job of a frame: its slot goes back with the frame
   */
  release(): void {
    if (this.ofFrame) {
      const name = `${this.handle.laneName}.${this.handle.name}`;
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `a job of ${name} was released, expected none of a frame: its slot is given back with the frame`,
      );
    }
    this.core.release(this);
  }
  [Symbol.dispose](): void {
    this.release();
  }

  /** @internal Its frame is over: the object will stand for another job. */
  frameIsOver(): void {}

  /** @internal */
  get base(): number {
    return this.handle.ring.slotBase(this.slot);
  }

  /** @internal OUTCOME_*, or 0 while it has not ended. */
  outcomeCode(): number {
    if (this.slot < 0) return this.settledOutcome;
    const state = Atomics.load(this.handle.ring.i32, this.base + SLOT_STATE); // acquire
    if (statusOf(state) === STATUS_DONE) return outcomeOf(state) || OUTCOME_LOST;
    // nobody will end it any more: its state was overwritten by mistake
    return this.core.isOver ? OUTCOME_LOST : 0;
  }

  /** @internal Whether the thread that ended it has counted it: only then may the slot be used again. */
  isCounted(): boolean {
    const state = Atomics.load(this.handle.ring.i32, this.base + SLOT_STATE);
    if (statusOf(state) !== STATUS_DONE) return false;
    return isCounted(this.core.memory, this.handle.ring, this.base, ownerOf(state));
  }

  private lostError(): FrameDeadlineError {
    const { laneName, name, ring } = this.handle;
    const isDone = statusOf(Atomics.load(ring.i32, this.base + SLOT_STATE)) === STATUS_DONE;
    const counter = isDone ? this.word(SLOT_RECORD_COUNTER) : -1;
    return lostError(laneName, name, counter, this.executionUs, this.core.endedAtClose(this.word(SLOT_FINISH_US)));
  }

  private isStale(): boolean {
    return this.slot < 0 || this.word(SLOT_SEQUENCE) !== this.sequence;
  }

  private requireEnded(what: string): void {
    const name = `${this.handle.laneName}.${this.handle.name}`;
    if (this.refused !== false) {
      throw new FrameDeadlineError(
        'JOB_REFUSED',
        `the ${what} of a refused job of ${name} was read (refused: ${this.refused}); look at job.refused first`,
      );
    }
    if (this.isStale()) {
      throw new FrameDeadlineError(
        'JOB_STALE',
        `the ${what} of a job of ${name} was read after its slot was given back; copy what is to be kept`,
      );
    }
    if (!this.ended) {
      throw new FrameDeadlineError(
        'JOB_PENDING',
        `the ${what} of a job of ${name} was read before it ended; join its frame or await job.done first`,
      );
    }
  }

  private word(offset: number): number {
    return Atomics.load(this.handle.ring.i32, this.base + offset);
  }
}
