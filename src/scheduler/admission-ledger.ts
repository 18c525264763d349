import {
  OUTCOME_FAILED,
  OUTCOME_LATE,
  OUTCOME_ON_TIME,
  outcomeOf,
  ownerOf,
  SLOT_DEADLINE_US,
  SLOT_FINISH_US,
  SLOT_FRAME,
  SLOT_RELEASE_US,
  SLOT_STAGE,
  SLOT_START_US,
  SLOT_STATE,
  SLOT_TASK,
  STATUS_DONE,
  STATUS_FREE,
  STATUS_READY,
  STATUS_RUNNING,
  statusOf,
} from '../memory/layout.js';
import type { JobRing } from '../ring/job-ring.js';
import type { ExecutionEstimates } from './admission-estimates.js';

const GENERATION = ~0xffff;
const UNSTARTED = -1;
const UNLISTED = 0;
const LISTED = 1;
/** Ended and measured; still in the order. */
const ENDED = 2;

/**
 * The live jobs of rings that share workers, in the order in which they run: earliest deadline first, ties as submitted.
 * The host enters what it publishes; which jobs have begun or ended is read from their slots. An entry is numbered by its
 * ring and slot. Host thread only; allocates nothing after its construction.
 */
export class JobLedger {
  /** Entries in their order, as many as `count`. */
  readonly order: Int32Array;
  count: number;
  /** By entry, as published. */
  readonly deadlineUs: Int32Array;
  readonly task: Int32Array;
  /** Frame slot + 1, or 0; and the stage. */
  readonly frame: Int32Array;
  readonly stage: Int32Array;
  /** By entry, as of the last `refresh`: the thread that runs it, or -1; and its start. */
  readonly runningOn: Int32Array;
  readonly startUs: Int32Array;
  /** By entry: its state word as last read. */
  readonly state: Int32Array;
  readonly ringOf: readonly JobRing[];
  private readonly listed: Uint8Array;
  /** By index of the ring; -1: not of this ledger. */
  private readonly firstEntry: readonly number[];
  private readonly estimates: ExecutionEstimates;

  constructor(rings: readonly JobRing[], estimates: ExecutionEstimates) {
    const ringOf: JobRing[] = [];
    const firstEntry: number[] = [];
    for (const ring of rings) {
      firstEntry[ring.index] = ringOf.length;
      for (let slot = 0; slot < ring.capacitySlots; slot++) ringOf.push(ring);
    }
    const capacity = ringOf.length;
    this.ringOf = ringOf;
    this.firstEntry = firstEntry;
    this.estimates = estimates;
    this.order = new Int32Array(capacity);
    this.count = 0;
    this.deadlineUs = new Int32Array(capacity);
    this.task = new Int32Array(capacity);
    this.frame = new Int32Array(capacity);
    this.stage = new Int32Array(capacity);
    this.runningOn = new Int32Array(capacity);
    this.startUs = new Int32Array(capacity);
    this.state = new Int32Array(capacity);
    this.listed = new Uint8Array(capacity);
  }

  slotOf(entry: number): number {
    return entry - this.firstEntry[this.ringOf[entry]!.index]!;
  }

  isReady(entry: number): boolean {
    return statusOf(this.state[entry]!) === STATUS_READY;
  }

  /** Where a job with that deadline comes: behind those that have the same. */
  positionOf(deadlineUs: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((this.deadlineUs[this.order[middle]!]! - deadlineUs) | 0) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Enters a job that was just published. */
  add(ring: JobRing, slot: number): void {
    const entry = this.firstEntry[ring.index]! + slot;
    // its slot was given back and taken again since the last refresh
    if (this.listed[entry] !== UNLISTED) this.refresh();
    const { i32 } = ring;
    const base = ring.slotBase(slot);
    const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
    const at = this.positionOf(deadlineUs);
    if (at < this.count) this.order.copyWithin(at + 1, at, this.count);
    this.order[at] = entry;
    this.count++;
    this.listed[entry] = LISTED;
    this.deadlineUs[entry] = deadlineUs;
    this.task[entry] = i32[base + SLOT_TASK]!;
    this.frame[entry] = i32[base + SLOT_FRAME]!;
    this.stage[entry] = i32[base + SLOT_STAGE]!;
    this.runningOn[entry] = UNSTARTED;
    const state = i32[base + SLOT_STATE]!;
    this.state[entry] = state;
  }

  /** Told before the slot of an ended job is given back: its measure would be lost. It stays listed until a refresh. */
  ended(ring: JobRing, slot: number): void {
    const entry = this.firstEntry[ring.index]! + slot;
    if (this.listed[entry] !== LISTED) return;
    const base = ring.slotBase(slot);
    const state = Atomics.load(ring.i32, base + SLOT_STATE);
    this.measure(ring, base, state, this.task[entry]!);
    this.listed[entry] = ENDED;
  }

  /** Looks at every job: takes out what has ended, measures it, and notes what runs where. */
  refresh(): void {
    const { order, listed } = this;
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      const entry = order[i]!;
      if (listed[entry] === LISTED && this.isLive(entry)) order[kept++] = entry;
      else listed[entry] = UNLISTED;
    }
    this.count = kept;
  }

  private isLive(entry: number): boolean {
    const ring = this.ringOf[entry]!;
    const base = ring.slotBase(this.slotOf(entry));
    const state = Atomics.load(ring.i32, base + SLOT_STATE); // acquire
    const status = statusOf(state);
    const isSame = ((state ^ this.state[entry]!) & GENERATION) === 0;
    if (!isSame || status === STATUS_FREE) return false;
    this.state[entry] = state;
    if (status === STATUS_DONE) {
      this.measure(ring, base, state, this.task[entry]!);
      return false;
    }
    if (status !== STATUS_RUNNING) {
      // also a job that is issued again
      this.runningOn[entry] = UNSTARTED;
      return true;
    }
    this.runningOn[entry] = ownerOf(state);
    const startUs = ring.i32[base + SLOT_START_US]!;
    const releaseUs = ring.i32[base + SLOT_RELEASE_US]!;
    // claimed and not yet stamped: the stamp is an earlier job's
    this.startUs[entry] = ((startUs - releaseUs) | 0) < 0 ? releaseUs : startUs;
    return true;
  }

  private measure(ring: JobRing, base: number, state: number, task: number): void {
    const outcome = outcomeOf(state);
    if (outcome !== OUTCOME_ON_TIME && outcome !== OUTCOME_LATE && outcome !== OUTCOME_FAILED) return;
    const startUs = ring.i32[base + SLOT_START_US]!;
    const finishUs = ring.i32[base + SLOT_FINISH_US]!;
    this.estimates.add(task, (finishUs - startUs) | 0);
  }
}
