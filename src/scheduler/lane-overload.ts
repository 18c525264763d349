import { RING_HEAD, SLOT_SEQUENCE, SLOT_STATE, STATUS_READY, statusOf } from '../memory/layout.js';
import type { JobRing } from '../ring/job-ring.js';
import type { LaneInfo } from '../worker/task-runtime.js';
import type { Admission, Shedder } from './admission.js';
import type { Job } from './job.js';

/** What a lane does about overload at the submit. Host thread only; lanes that do nothing have none. */
export class LaneOverload {
  readonly admission: Admission | null;
  /** By slot: the job that may give way when the ring is full. Null where none does. */
  private readonly jobs: (Job | null)[] | null;

  constructor(lane: LaneInfo, capacitySlots: number, admission: Admission | null) {
    this.admission = admission;
    this.jobs = lane.onFull === 'dropOldest' ? new Array<Job | null>(capacitySlots).fill(null) : null;
  }

  /** Told of every job of the lane that was published; `waiting`: behind a barrier. */
  accepted(job: Job, waiting: boolean): void {
    // what was behind a barrier stands in the frame's list, which has room for one job a slot
    if (this.jobs !== null) this.jobs[job.slot] = waiting ? null : job;
    if (this.admission !== null) this.admission.accepted(job.handle.ring, job.slot);
  }

  /** Told before the slot of a job that has ended is given back. */
  ended(job: Job): void {
    if (this.jobs !== null) this.jobs[job.slot] = null;
    if (this.admission !== null) this.admission.ended(job.handle.ring, job.slot);
  }

  /**
   * Ends the job that was submitted first of those that were not started, and returns it; null if there is none.
   */
  dropOldest(ring: JobRing, shedder: Shedder): Job | null {
    const { jobs } = this;
    if (jobs === null) return null;
    for (;;) {
      const slot = oldestReady(ring, jobs);
      if (slot < 0) return null;
      const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE); // acquire
      if (statusOf(state) !== STATUS_READY) continue;
      // false: a worker has begun it meanwhile
      if (shedder.shed(ring, slot, state)) return jobs[slot]!;
    }
  }
}

/** The slot of the ready job that was submitted first, or -1. Positions are compared by their distance from the head: they wrap. */
function oldestReady(ring: JobRing, jobs: readonly (Job | null)[]): number {
  const { i32 } = ring;
  const head = i32[RING_HEAD]!;
  let oldest = -1;
  let oldestAge = 0;
  for (let slot = 0; slot < jobs.length; slot++) {
    if (jobs[slot] === null) continue;
    const base = ring.slotBase(slot);
    const state = Atomics.load(i32, base + SLOT_STATE); // acquire
    if (statusOf(state) !== STATUS_READY) continue;
    const age = (head - i32[base + SLOT_SEQUENCE]!) | 0;
    if (age <= oldestAge) continue;
    oldest = slot;
    oldestAge = age;
  }
  return oldest;
}
