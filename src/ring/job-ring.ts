import {
  nextGeneration,
  OWNER_NONE,
  RING_HEAD,
  RING_HEADER_WORDS,
  RING_LAST_OUT_OF_ORDER,
  SLOT_DEADLINE_US,
  SLOT_ERROR,
  SLOT_FLAG_RETIRED,
  SLOT_FLAGS,
  SLOT_FRAME,
  SLOT_FRAME_NUMBER,
  SLOT_HEADER_BYTES,
  SLOT_RELEASE_US,
  SLOT_SEQUENCE,
  SLOT_STAGE,
  SLOT_STATE,
  SLOT_SUBMIT_US,
  SLOT_TASK,
  STATUS_FREE,
  STATUS_WRITING,
  statusOf,
  withStatus,
} from '../memory/layout.js';
import { type BufferViews, bufferViews } from '../memory/views.js';
import { MissRunsProducer, markMissed } from './miss-runs.js';

const MARK_HORIZON = 0x1000_0000;

/** What a thread needs to attach to a ring: survives structured cloning. */
export interface JobRingHandle {
  readonly buffer: SharedArrayBuffer;
  readonly capacitySlots: number;
  readonly strideBytes: number;
  /** Its jobs are periods, numbered by them. */
  readonly periodic: boolean;
}

/** Bytes of a ring. `capacitySlots` is a power of two, `payloadBytes` what one slot holds of input and output. */
export function jobRingBytes(capacitySlots: number, payloadBytes: number): { strideBytes: number; bytes: number } {
  const strideBytes = SLOT_HEADER_BYTES + Math.ceil(payloadBytes / 64) * 64;
  return { strideBytes, bytes: RING_HEADER_WORDS * 4 + capacitySlots * strideBytes };
}

/** One ring of job slots, as every thread sees it. Attaching allocates; nothing else does. */
export class JobRing {
  readonly views: BufferViews;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly capacitySlots: number;
  readonly mask: number;
  readonly strideWords: number;
  readonly periodic: boolean;
  /** Number of the ring in its scheduler. */
  readonly index: number;
  constructor(handle: JobRingHandle, index = 0) {
    this.views = bufferViews(handle.buffer);
    this.i32 = new Int32Array(handle.buffer);
    this.capacitySlots = handle.capacitySlots;
    this.mask = handle.capacitySlots - 1;
    this.strideWords = handle.strideBytes >>> 2;
    this.periodic = handle.periodic;
    this.index = index;
  }
  /** First word of the slot's header. */
  slotBase(slot: number): number {
    return RING_HEADER_WORDS + slot * this.strideWords;
  }
  /** Notes that the job in the slot missed its deadline, for the runs of misses. Whoever ended it. */
  markMissed(base: number): void {
    const number = this.i32[base + (this.periodic ? SLOT_FRAME_NUMBER : SLOT_SEQUENCE)]!;
    markMissed(this.i32, number);
  }
  /** First byte of the slot's payload. */
  payloadByte(slot: number): number {
    return (RING_HEADER_WORDS + slot * this.strideWords) * 4 + SLOT_HEADER_BYTES;
  }
}

/**
 * The producing side of a ring: one thread. A slot goes `free → writing` by `reserve`, `writing → ready | waiting` by
 * `publish`, and `done → free` by `free`. Positions are free-running; the slot of position p is p modulo the capacity,
 * and positions whose slot is not free are skipped, so a long job never blocks the ring.
 */
export class JobRingProducer {
  readonly ring: JobRing;
  /** Slots that are not free. Exact: only this side frees. */
  liveSlots: number;
  private head: number;
  private previousDeadlineUs: number;
  private lastOutOfOrder: number;
  private readonly missRuns: MissRunsProducer;
  /** Slots that were given back while a thread that is being ended could still write to them. */
  private readonly retired: number[];

  constructor(ring: JobRing) {
    this.ring = ring;
    this.head = Atomics.load(ring.i32, RING_HEAD);
    this.liveSlots = 0;
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE);
      if (statusOf(state) !== STATUS_FREE) this.liveSlots++;
    }
    this.previousDeadlineUs = 0;
    this.lastOutOfOrder = Atomics.load(ring.i32, RING_LAST_OUT_OF_ORDER);
    this.missRuns = new MissRunsProducer(ring.i32, this.head);
    this.retired = [];
  }

  /** Takes a free slot and returns its index, or -1 if the ring is full (exact). Never blocks. */
  reserve(): number {
    const ring = this.ring;
    const i32 = ring.i32;
    if (this.retired.length !== 0) this.freeRetired();
    if (this.liveSlots >= ring.capacitySlots) return -1;
    for (let ahead = 0; ahead < ring.capacitySlots; ahead++) {
      const slot = (this.head + ahead) & ring.mask;
      const at = ring.slotBase(slot) + SLOT_STATE;
      // plain accesses: only this thread makes a slot free or writes to a free one, and to everybody else free and
      // writing are the same. An Atomics call costs about 10 ns more.
      const state = i32[at]!;
      if (statusOf(state) !== STATUS_FREE) continue;
      i32[at] = withStatus(state, STATUS_WRITING, 0, OWNER_NONE);
      this.liveSlots++;
      return slot;
    }
    return -1;
  }

  /**
   * Publishes a reserved slot with `status` ready or waiting and returns its position. The next position that maps to
   * the slot is used, which is the head itself unless other slots were published since `reserve`. `flags`: SLOT_FLAG_*.
   */
  publish(
    slot: number,
    status: number,
    task: number,
    frame: number,
    stage: number,
    frameNumber: number,
    submitUs: number,
    releaseUs: number,
    deadlineUs: number,
    flags = 0,
  ): number {
    const ring = this.ring;
    const i32 = ring.i32;
    const base = ring.slotBase(slot);
    const position = (this.head + ((slot - this.head) & ring.mask)) | 0;
    i32[base + SLOT_SEQUENCE] = position;
    i32[base + SLOT_TASK] = task;
    i32[base + SLOT_FRAME] = frame;
    i32[base + SLOT_STAGE] = stage;
    i32[base + SLOT_FRAME_NUMBER] = frameNumber;
    i32[base + SLOT_SUBMIT_US] = submitUs;
    i32[base + SLOT_RELEASE_US] = releaseUs;
    i32[base + SLOT_DEADLINE_US] = deadlineUs;
    i32[base + SLOT_ERROR] = 0;
    i32[base + SLOT_FLAGS] = flags;
    // a ring of periods is numbered by whoever releases them: those that were skipped count too
    if (!ring.periodic) this.missRuns.give(position, this.head);
    const outOfOrder = this.liveSlots > 1 && ((deadlineUs - this.previousDeadlineUs) | 0) < 0;
    this.previousDeadlineUs = deadlineUs;
    if (outOfOrder) {
      // the mark must be visible before the job is: a worker that sees the job then looks at the whole window
      this.markOutOfOrder((position + 1) | 0);
    } else {
      // keeps the mark within half the range of positions, so that signed differences stay right
      if (((position - this.lastOutOfOrder) | 0) > MARK_HORIZON * 2) this.markOutOfOrder((position - MARK_HORIZON) | 0);
    }
    const state = i32[base + SLOT_STATE]!;
    Atomics.store(i32, base + SLOT_STATE, withStatus(state, status, 0, OWNER_NONE)); // release
    this.head = (position + 1) | 0;
    Atomics.store(i32, RING_HEAD, this.head); // release
    return position;
  }

  private markOutOfOrder(mark: number): void {
    this.lastOutOfOrder = mark;
    Atomics.store(this.ring.i32, RING_LAST_OUT_OF_ORDER, mark); // release
  }

  /**
   * Gives back a slot that has ended, or one that was reserved and never published. Handles to it become stale. One that
   * a thread may still write to, which is being ended, becomes free when that is gone.
   */
  free(slot: number): void {
    const { i32 } = this.ring;
    const base = this.ring.slotBase(slot);
    const at = base + SLOT_STATE;
    // plain: the flag is set before the job is done, which the caller has seen
    if ((i32[base + SLOT_FLAGS]! & SLOT_FLAG_RETIRED) !== 0) {
      this.retired.push(slot);
      return;
    }
    // plain: the caller has seen that the job is done, and only this thread takes free slots
    const state = i32[at]!;
    i32[at] = nextGeneration(state);
    this.liveSlots--;
  }

  /** Whether the job in the slot was ended while its thread still runs it. */
  isRetired(slot: number): boolean {
    const flags = Atomics.load(this.ring.i32, this.ring.slotBase(slot) + SLOT_FLAGS); // acquire
    return (flags & SLOT_FLAG_RETIRED) !== 0;
  }

  /** In place: a thread that is written off keeps its slots for good, and each reservation looks. */
  private freeRetired(): void {
    const slots = this.retired;
    let kept = 0;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (this.isRetired(slot)) slots[kept++] = slot;
      else this.free(slot);
    }
    slots.length = kept;
  }
}
