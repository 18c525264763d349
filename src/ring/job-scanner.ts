import {
  RING_HEAD,
  RING_LAST_OUT_OF_ORDER,
  RING_RESCAN_EPOCH,
  SLOT_DEADLINE_US,
  SLOT_SEQUENCE,
  SLOT_STATE,
  SLOT_SUBMIT_US,
  STATUS_READY,
  STATUS_RUNNING,
  STATUS_WAITING,
  statusOf,
  withStatus,
} from '../memory/layout.js';
import { DeadlineHeap } from './deadline-heap.js';
import type { JobRing } from './job-ring.js';

/** `ready → running(owner)`: the new state word, or 0 (which no running slot has) if the state was no longer `ready`. */
export function claimSlot(ring: JobRing, slot: number, ready: number, owner: number): number {
  const at = ring.slotBase(slot) + SLOT_STATE;
  const running = withStatus(ready, STATUS_RUNNING, 0, owner);
  const before = Atomics.compareExchange(ring.i32, at, ready, running);
  return before === ready ? running : 0;
}

/**
 * One worker's eye on one ring: finds the ready job with the earliest deadline and claims it. Worker-local: the cursor
 * is the position before which nothing is ready that is not in the heap. While deadlines arrive in order the first ready
 * slot is the earliest; otherwise positions go through a heap, O(log n) each. Allocates nothing after its construction.
 *
 * A look between two jobs loads the head atomically and the rest plainly: an `Atomics` call costs ten times a plain
 * access. What was published before that head is seen all the same. What became ready behind it (a barrier that opened,
 * a dead worker's job) may be overlooked: only a sure look, whose loads are all sequentially consistent, may precede a park.
 */
export class JobScanner {
  readonly ring: JobRing;
  /** The best job that the last `look` found; trusted only once `claim` succeeded. Deadline and submit only if it is compared. */
  slot: number;
  deadlineUs: number;
  submitUs: number;
  private state: number;
  private position: number;
  /** The find stays the best of this ring until it is taken or a job is published out of order. */
  private isKept: boolean;
  private seenMark: number;
  private cursor: number;
  private seenEpoch: number;
  /** Whether its find is compared with those of other rings. */
  private readonly isCompared: boolean;
  /** Positions before the cursor that may be ready. Stale ones are dropped when they come to the top. */
  private readonly heap: DeadlineHeap;
  /** Positions before the cursor that wait behind a barrier and came to the top of the heap. */
  private readonly waiting: Int32Array;
  private waitingCount: number;

  constructor(ring: JobRing, isCompared = true) {
    this.ring = ring;
    this.isCompared = isCompared;
    this.slot = -1;
    this.deadlineUs = 0;
    this.submitUs = 0;
    this.state = 0;
    this.position = 0;
    this.isKept = false;
    this.seenMark = 0;
    this.heap = new DeadlineHeap(ring.capacitySlots * 2);
    this.waiting = new Int32Array(ring.capacitySlots);
    this.waitingCount = 0;
    const head = Atomics.load(ring.i32, RING_HEAD);
    this.cursor = (head - ring.capacitySlots - 1) | 0; // a full look first: what a dead worker left behind may be ready
    this.seenEpoch = Atomics.load(ring.i32, RING_RESCAN_EPOCH);
  }

  /**
   * Finds the ready job with the earliest deadline (ties: submission order). False if none was ready; without `isSure`
   * one that became ready late may be overlooked.
   */
  look(isSure: boolean): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    if (this.isKept && !isSure && this.isStillBest()) return true;
    const { cursor } = this;
    this.slot = -1;
    this.isKept = false;
    const isOrdered = this.heap.size === 0 && this.waitingCount === 0;
    const epochHint = i32[RING_RESCAN_EPOCH]!;
    if (isSure || epochHint !== this.seenEpoch) {
      const epoch = Atomics.load(i32, RING_RESCAN_EPOCH); // acquire
      if (epoch !== this.seenEpoch) {
        this.seenEpoch = epoch;
        this.rebuild();
        return this.lookAtTop();
      }
    } else if (isOrdered) {
      // most rings of a thread with many lanes are empty at most looks
      const headHint = i32[RING_HEAD]!;
      if (headHint === cursor) return false;
    }
    const head = Atomics.load(i32, RING_HEAD); // acquire
    if (isOrdered) {
      if (head === cursor) return false;
      if ((head - cursor) >>> 0 <= ring.capacitySlots) {
        // plain: the marks of all jobs before that head were stored before it
        const lastOutOfOrder = i32[RING_LAST_OUT_OF_ORDER]!;
        if (((cursor - lastOutOfOrder) | 0) >= 0) {
          this.seenMark = lastOutOfOrder;
          return this.lookForFirst(head, isSure);
        }
      }
    }
    // unsigned: a head that was overwritten by mistake may lie behind the cursor
    if ((head - cursor) >>> 0 > ring.capacitySlots) this.rebuild();
    else this.enter(head);
    return this.lookAtTop();
  }

  /** Takes the job that `look` found and returns its new state word, or 0 if another thread was first: look again. */
  claim(owner: number): number {
    const running = claimSlot(this.ring, this.slot, this.state, owner);
    const { heap } = this;
    if (running !== 0 && heap.size > 0 && heap.positionAt(0) === this.position) heap.pop();
    return running;
  }

  /** Whether any job is ready now, besides what was claimed. */
  anyReady(): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    const { heap } = this;
    const head = Atomics.load(i32, RING_HEAD); // acquire
    let count = (head - this.cursor) | 0;
    if (count > ring.capacitySlots) count = ring.capacitySlots;
    for (let back = count; back > 0; back--) {
      const state = Atomics.load(i32, ring.slotBase((head - back) & ring.mask) + SLOT_STATE);
      if (statusOf(state) === STATUS_READY) return true;
    }
    for (let index = 0; index < heap.size; index++) {
      const state = Atomics.load(i32, ring.slotBase(heap.positionAt(index) & ring.mask) + SLOT_STATE);
      if (statusOf(state) === STATUS_READY) return true;
    }
    for (let index = 0; index < this.waitingCount; index++) {
      const state = Atomics.load(i32, ring.slotBase(this.waiting[index]! & ring.mask) + SLOT_STATE);
      if (statusOf(state) === STATUS_READY) return true;
    }
    return false;
  }

  /** Of a thread with many lanes most finds are not taken: looking at them again is all that they cost it then. */
  private isStillBest(): boolean {
    const i32 = this.ring.i32;
    const base = this.ring.slotBase(this.slot);
    const state = i32[base + SLOT_STATE]!;
    if (state !== this.state) return false;
    const sequence = i32[base + SLOT_SEQUENCE]!;
    const mark = i32[RING_LAST_OUT_OF_ORDER]!;
    const epoch = i32[RING_RESCAN_EPOCH]!;
    return sequence === this.position && mark === this.seenMark && epoch === this.seenEpoch;
  }

  private lookForFirst(head: number, isSure: boolean): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    let advancing = true;
    for (let position = this.cursor; position !== head; position = (position + 1) | 0) {
      const slot = position & ring.mask;
      const base = ring.slotBase(slot);
      let state = i32[base + SLOT_STATE]!;
      if (isSure) state = Atomics.load(i32, base + SLOT_STATE); // acquire
      const status = statusOf(state);
      if (status === STATUS_READY) {
        const sequence = i32[base + SLOT_SEQUENCE]!;
        // another sequence: the slot was freed and published again since `head` was read, and is not in this scan
        if (sequence === position) {
          if (advancing) this.cursor = position;
          if (this.keep(slot, base, state, position)) {
            // one that waits before it may become ready, and is earlier
            this.isKept = advancing && this.isCompared;
            return true;
          }
        }
      } else if (status === STATUS_WAITING) {
        if (advancing) this.cursor = position;
        advancing = false;
      }
    }
    if (advancing) this.cursor = head;
    return false;
  }

  /** The earliest of the heap that is still ready. */
  private lookAtTop(): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    const { heap } = this;
    this.returnOpened();
    while (heap.size > 0) {
      const position = heap.positionAt(0);
      const slot = position & ring.mask;
      const base = ring.slotBase(slot);
      const state = Atomics.load(i32, base + SLOT_STATE); // acquire
      const status = statusOf(state);
      const sequence = i32[base + SLOT_SEQUENCE]!;
      if (status === STATUS_READY && sequence === position && this.keep(slot, base, state, position)) return true;
      heap.pop();
      if (status === STATUS_WAITING && sequence === position) this.waiting[this.waitingCount++] = position;
    }
    return false;
  }

  /** Puts back into the heap what waited behind a barrier and does so no more. */
  private returnOpened(): void {
    const ring = this.ring;
    const { waiting } = this;
    let kept = 0;
    const count = this.waitingCount;
    for (let index = 0; index < count; index++) {
      const position = waiting[index]!;
      const state = Atomics.load(ring.i32, ring.slotBase(position & ring.mask) + SLOT_STATE); // acquire
      const sequence = ring.i32[ring.slotBase(position & ring.mask) + SLOT_SEQUENCE]!;
      if (statusOf(state) === STATUS_WAITING && sequence === position) waiting[kept++] = position;
      else this.enterSlot(position & ring.mask, position);
    }
    this.waitingCount = kept;
  }

  /** Enters what was published between the cursor and the head. */
  private enter(head: number): void {
    const { heap, ring } = this;
    const count = (head - this.cursor) | 0;
    // stale entries have piled up; without them there is room: no more positions are live than the ring has slots. Those
    // that wait come back into the heap
    if (heap.size + this.waitingCount + count > heap.capacity) {
      this.rebuild();
      return;
    }
    for (let position = this.cursor; position !== head; position = (position + 1) | 0) {
      this.enterSlot(position & ring.mask, position);
    }
    this.cursor = head;
  }

  /** Enters whatever is ready or waiting in the whole ring, anew. */
  private rebuild(): void {
    const ring = this.ring;
    const i32 = ring.i32;
    this.heap.clear();
    this.waitingCount = 0;
    const head = Atomics.load(i32, RING_HEAD); // acquire
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      const state = Atomics.load(i32, ring.slotBase(slot) + SLOT_STATE); // acquire
      const status = statusOf(state);
      if (status !== STATUS_READY && status !== STATUS_WAITING) continue;
      const sequence = i32[ring.slotBase(slot) + SLOT_SEQUENCE]!;
      // what was published since `head` was read is entered by the next look
      if (((sequence - head) | 0) < 0) this.enterSlot(slot, sequence);
    }
    this.cursor = head;
  }

  /** Enters the slot's job if it is ready or waiting and has that position. */
  private enterSlot(slot: number, position: number): void {
    const ring = this.ring;
    const i32 = ring.i32;
    const base = ring.slotBase(slot);
    const state = Atomics.load(i32, base + SLOT_STATE); // acquire
    const status = statusOf(state);
    if (status !== STATUS_READY && status !== STATUS_WAITING) return;
    const sequence = i32[base + SLOT_SEQUENCE]!;
    if (sequence !== position) return;
    // the next job's if this one has ended since; then the entry is stale, and dropped when it comes to the top
    const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
    this.heap.push(position, deadlineUs);
  }

  /** Takes the slot for the best. False if its job was taken meanwhile: then what was read may be the next job's. */
  private keep(slot: number, base: number, state: number, position: number): boolean {
    if (this.isCompared) {
      const i32 = this.ring.i32;
      const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
      const submitUs = i32[base + SLOT_SUBMIT_US]!;
      const stateAfter = Atomics.load(i32, base + SLOT_STATE);
      if (stateAfter !== state) return false;
      this.deadlineUs = deadlineUs;
      this.submitUs = submitUs;
    }
    this.slot = slot;
    this.state = state;
    this.position = position;
    return true;
  }
}
