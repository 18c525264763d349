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
 * is the position before which nothing is ready. While deadlines arrive in order the first ready slot is the earliest;
 * otherwise the whole window is looked at. Allocates nothing.
 */
export class JobScanner {
  readonly ring: JobRing;
  /** The best job that the last `look` found; trusted only once `claim` succeeded. */
  slot: number;
  deadlineUs: number;
  submitUs: number;
  private position: number;
  private state: number;
  private cursor: number;
  private seenEpoch: number;

  constructor(ring: JobRing) {
    this.ring = ring;
    this.slot = -1;
    this.deadlineUs = 0;
    this.submitUs = 0;
    this.position = 0;
    this.state = 0;
    const head = Atomics.load(ring.i32, RING_HEAD);
    this.cursor = (head - ring.capacitySlots - 1) | 0; // a full look first: what a dead worker left behind may be ready
    this.seenEpoch = Atomics.load(ring.i32, RING_RESCAN_EPOCH);
  }

  /** Finds the ready job with the earliest deadline (ties: submission order). False if none was ready. */
  look(): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    this.slot = -1;
    const epoch = Atomics.load(i32, RING_RESCAN_EPOCH); // acquire
    const head = Atomics.load(i32, RING_HEAD); // acquire
    if (epoch !== this.seenEpoch) {
      this.seenEpoch = epoch;
      return this.lookAtAll(head);
    }
    const cursor = this.cursor;
    if (head === cursor) return false;
    if (((head - cursor) | 0) > ring.capacitySlots) return this.lookAtAll(head);
    const lastOutOfOrder = Atomics.load(i32, RING_LAST_OUT_OF_ORDER); // acquire
    if (((cursor - lastOutOfOrder) | 0) < 0) return this.lookAtAll(head);
    return this.lookForFirst(head);
  }

  /** Takes the job that `look` found and returns its new state word, or 0 if another thread was first: look again. */
  claim(owner: number): number {
    return claimSlot(this.ring, this.slot, this.state, owner);
  }

  /** Whether any job is ready now, besides what was claimed. Does not move the cursor. */
  anyReady(): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    const head = Atomics.load(i32, RING_HEAD); // acquire
    let count = (head - this.cursor) | 0;
    if (count > ring.capacitySlots) count = ring.capacitySlots;
    for (let back = count; back > 0; back--) {
      const state = Atomics.load(i32, ring.slotBase((head - back) & ring.mask) + SLOT_STATE);
      if (statusOf(state) === STATUS_READY) return true;
    }
    return false;
  }

  private lookForFirst(head: number): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    let advancing = true;
    for (let position = this.cursor; position !== head; position = (position + 1) | 0) {
      const base = ring.slotBase(position & ring.mask);
      const state = Atomics.load(i32, base + SLOT_STATE); // acquire
      const status = statusOf(state);
      if (status === STATUS_READY) {
        const sequence = Atomics.load(i32, base + SLOT_SEQUENCE);
        // another sequence: the slot was freed and published again since `head` was read, and is not in this scan
        if (sequence === position) {
          if (advancing) this.cursor = position;
          if (this.keep(position & ring.mask, base, state, sequence)) return true;
        }
      } else if (status === STATUS_WAITING) {
        if (advancing) this.cursor = position;
        advancing = false;
      }
    }
    if (advancing) this.cursor = head;
    return false;
  }

  private lookAtAll(head: number): boolean {
    const ring = this.ring;
    const i32 = ring.i32;
    let oldest = head;
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      const base = ring.slotBase(slot);
      const state = Atomics.load(i32, base + SLOT_STATE); // acquire
      const status = statusOf(state);
      if (status !== STATUS_READY && status !== STATUS_WAITING) continue;
      const sequence = Atomics.load(i32, base + SLOT_SEQUENCE);
      if (((sequence - head) | 0) >= 0) continue;
      if (((sequence - oldest) | 0) < 0) oldest = sequence;
      if (status === STATUS_WAITING) continue;
      if (this.slot >= 0) {
        const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
        const earlier = (deadlineUs - this.deadlineUs) | 0;
        if (earlier > 0) continue;
        if (earlier === 0 && ((sequence - this.position) | 0) > 0) continue;
      }
      this.keep(slot, base, state, sequence);
    }
    this.cursor = oldest;
    return this.slot >= 0;
  }

  /** Takes the slot for the best. False if its job was taken meanwhile: then what was read may be the next job's. */
  private keep(slot: number, base: number, state: number, sequence: number): boolean {
    const i32 = this.ring.i32;
    const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
    const submitUs = i32[base + SLOT_SUBMIT_US]!;
    const stateAfter = Atomics.load(i32, base + SLOT_STATE);
    if (stateAfter !== state) return false;
    this.slot = slot;
    this.state = state;
    this.position = sequence;
    this.deadlineUs = deadlineUs;
    this.submitUs = submitUs;
    return true;
  }
}
