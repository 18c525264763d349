import {
  COLUMN_COUNT,
  type ControlLayout,
  FRAME_CALLED_US,
  FRAME_COLUMNS,
  FRAME_EPOCH,
  FRAME_RELATIVE_DEADLINE_US,
  FRAME_SLOT_COUNT,
  FRAME_STAGE_TARGETS,
  FRAME_STAGES_CLOSED,
  FRAME_STAGES_COMPLETE,
  FRAME_TICK_US,
  FRAME_WAITING_LENGTH,
  LANE_SERVERS,
  MAX_OPEN_STAGES,
  OUTCOME_LOST,
  SLOT_FRAME,
  SLOT_STAGE,
  SLOT_STATE,
  STATUS_READY,
  STATUS_WAITING,
  statusOf,
  withStatus,
} from '../memory/layout.js';
import type { Bells } from './bell.js';
import type { JobRing } from './job-ring.js';

/** Ends a job that was just made ready in a lane that nobody serves any more. */
export interface OrphanEnder {
  end(ring: JobRing, slot: number, state: number, outcome: number): boolean;
}

/**
 * Counting a frame's jobs down, and its barriers.
 *
 * Each thread counts the jobs of a frame slot that it ended in a column of its own: a plain sum tells when a stage is
 * complete, no word is contended, and a dead worker's column can be mended by storing the value that it had announced
 * in the slot. Columns, targets and stage numbers only grow and are never reset, so a straggler of an old frame can
 * spoil nothing in the next one that uses the slot. `model/slot.pml` and `model/barrier.pml` check it.
 *
 * A word that was overwritten by mistake spoils its frame's counts, but leads nowhere outside the region and into no
 * endless loop: numbers that are read from shared memory are bounded before they index or count anything.
 */
export class FrameWords {
  /** The calling thread's; set by whoever attaches to the memory. */
  orphanEnder: OrphanEnder | null;
  private readonly control: Int32Array<SharedArrayBuffer>;
  private readonly layout: ControlLayout;
  private readonly rings: readonly JobRing[];
  private readonly laneOfRing: readonly number[];
  private readonly bells: Bells;
  /** Columns that can be other than zero: the workers in use, the host and the supervisor. */
  private readonly columns: readonly number[];
  /** By frame: entries of its waiting list. Host, which alone adds any. */
  private readonly waitingLengths: Int32Array;

  constructor(
    control: Int32Array<SharedArrayBuffer>,
    layout: ControlLayout,
    rings: readonly JobRing[],
    laneOfRing: readonly number[],
    bells: Bells,
    workerCount: number,
  ) {
    this.control = control;
    this.layout = layout;
    this.rings = rings;
    this.laneOfRing = laneOfRing;
    this.bells = bells;
    const columns: number[] = [];
    for (let column = 0; column < workerCount; column++) columns.push(column);
    columns.push(COLUMN_COUNT - 2, COLUMN_COUNT - 1);
    this.columns = columns;
    this.waitingLengths = new Int32Array(FRAME_SLOT_COUNT);
    this.orphanEnder = null;
  }

  epoch(frame: number): number {
    return Atomics.load(this.control, this.layout.frame(frame) + FRAME_EPOCH); // acquire
  }

  /** Word of the epoch in the control region: what a joiner waits on. */
  epochIndex(frame: number): number {
    return this.layout.frame(frame) + FRAME_EPOCH;
  }

  bumpEpoch(frame: number): void {
    const at = this.layout.frame(frame) + FRAME_EPOCH;
    Atomics.add(this.control, at, 1); // release
    Atomics.notify(this.control, at);
  }

  stagesComplete(frame: number): number {
    return Atomics.load(this.control, this.layout.frame(frame) + FRAME_STAGES_COMPLETE); // acquire
  }

  stagesClosed(frame: number): number {
    return Atomics.load(this.control, this.layout.frame(frame) + FRAME_STAGES_CLOSED); // acquire
  }

  /** Value of a column: how many jobs of this frame slot that thread has ended, ever. 0 for a frame slot that there is not. */
  column(frame: number, column: number): number {
    if (frame >>> 0 >= FRAME_SLOT_COUNT) return 0;
    return Atomics.load(this.control, this.layout.frame(frame) + FRAME_COLUMNS + column);
  }

  /** The column's value after its own thread counts one more. That thread only: nobody else writes it, a plain read does. */
  columnAfterNext(frame: number, column: number): number {
    const value = this.control[this.layout.frame(frame) + FRAME_COLUMNS + column]!;
    return (value + 1) | 0;
  }

  /** Counts one ended job; `value` is the column's value after it. Only the column's own thread, or the supervisor for a dead worker. */
  storeColumn(frame: number, column: number, value: number): void {
    if (frame >>> 0 >= FRAME_SLOT_COUNT) return;
    Atomics.store(this.control, this.layout.frame(frame) + FRAME_COLUMNS + column, value); // release
    this.completeStages(frame);
  }

  /** Jobs of this frame slot that have ended, ever: all columns together. Exact once nothing more can end. */
  endedJobs(frame: number): number {
    const base = this.layout.frame(frame) + FRAME_COLUMNS;
    const columns = this.columns;
    let sum = 0;
    for (let i = 0; i < columns.length; i++) {
      const count = Atomics.load(this.control, base + columns[i]!); // acquire
      sum = (sum + count) | 0;
    }
    return sum;
  }

  /** Closes the open stage: `acceptedJobs` is the number of jobs ever accepted in this frame slot. Host. */
  closeStage(frame: number, acceptedJobs: number): void {
    const base = this.layout.frame(frame);
    const closed = Atomics.load(this.control, base + FRAME_STAGES_CLOSED);
    Atomics.store(this.control, base + FRAME_STAGE_TARGETS + (closed & (MAX_OPEN_STAGES - 1)), acceptedJobs);
    Atomics.store(this.control, base + FRAME_STAGES_CLOSED, (closed + 1) | 0); // release
    this.completeStages(frame);
  }

  /** The frame slot is used for another frame: its times, and an empty waiting list. Host, before its first job. */
  openFrame(frame: number, tickUs: number, calledUs: number, deadlineUs: number): void {
    const base = this.layout.frame(frame);
    this.control[base + FRAME_TICK_US] = tickUs;
    this.control[base + FRAME_CALLED_US] = calledUs;
    this.control[base + FRAME_RELATIVE_DEADLINE_US] = (deadlineUs - tickUs) | 0;
    this.waitingLengths[frame] = 0;
    Atomics.store(this.control, base + FRAME_WAITING_LENGTH, 0);
  }

  /** Enters a slot that was just published as waiting for `stage`, and makes it ready if that stage opened meanwhile. Host. */
  addWaiting(frame: number, ringIndex: number, slot: number, stage: number): void {
    const lengthAt = this.layout.frame(frame) + FRAME_WAITING_LENGTH;
    const length = this.waitingLengths[frame]!;
    Atomics.store(this.control, this.layout.waitingList(frame) + length, (ringIndex << 16) | slot);
    this.waitingLengths[frame] = length + 1;
    Atomics.store(this.control, lengthAt, length + 1); // release
    const complete = this.stagesComplete(frame);
    if (((complete - stage) | 0) >= 0) this.makeReady(frame, ringIndex, slot, stage);
  }

  /**
   * Completes every closed stage whose jobs have all ended, opens the next one and wakes the joiner. Any thread, after
   * it stored a column or a target: either the last finisher sees the target, or the host sees the full sum.
   */
  completeStages(frame: number): void {
    const base = this.layout.frame(frame);
    for (;;) {
      const closed = Atomics.load(this.control, base + FRAME_STAGES_CLOSED); // acquire
      // a plain look first, the usual answer: if even an old value equals what was closed, so does the present one
      const completeBefore = this.control[base + FRAME_STAGES_COMPLETE];
      if (completeBefore === closed) return;
      const complete = Atomics.load(this.control, base + FRAME_STAGES_COMPLETE); // acquire
      const open = (closed - complete) | 0;
      // beyond it: the host has closed more since, and looks by itself; more than there can be: overwritten by mistake
      if (open <= 0 || open > MAX_OPEN_STAGES) return;
      // plain: it was stored before `closed`, and stays until the stage is complete
      const target = this.control[base + FRAME_STAGE_TARGETS + (complete & (MAX_OPEN_STAGES - 1))]!;
      if (this.endedJobs(frame) !== target) return;
      const next = (complete + 1) | 0;
      const before = Atomics.compareExchange(this.control, base + FRAME_STAGES_COMPLETE, complete, next); // release
      if (before !== complete) continue;
      this.openStage(frame, next);
      this.bumpEpoch(frame);
    }
  }

  /** Makes the waiting jobs of a stage ready. Idempotent: the supervisor does it again after a death. */
  openStage(frame: number, stage: number): void {
    const given = Atomics.load(this.control, this.layout.frame(frame) + FRAME_WAITING_LENGTH); // acquire
    const length = Math.min(given, this.layout.waitingCapacity);
    const list = this.layout.waitingList(frame);
    for (let i = 0; i < length; i++) {
      const entry = Atomics.load(this.control, list + i);
      this.makeReady(frame, entry >>> 16, entry & 0xffff, stage);
    }
  }

  private makeReady(frame: number, ringIndex: number, slot: number, stage: number): void {
    const ring = this.rings[ringIndex];
    if (ring === undefined || slot >= ring.capacitySlots) return;
    const base = ring.slotBase(slot);
    const state = Atomics.load(ring.i32, base + SLOT_STATE); // acquire
    if (statusOf(state) !== STATUS_WAITING) return;
    // an entry may be older than the slot's present use: frame and stage tell, and the generation guards the exchange
    const slotFrame = Atomics.load(ring.i32, base + SLOT_FRAME);
    if (slotFrame !== frame + 1) return;
    const slotStage = Atomics.load(ring.i32, base + SLOT_STAGE);
    if (slotStage !== stage) return;
    const ready = withStatus(state, STATUS_READY);
    const before = Atomics.compareExchange(ring.i32, base + SLOT_STATE, state, ready); // release
    if (before !== state) return;
    const servers = Atomics.load(this.control, this.layout.lane(this.laneOfRing[ringIndex]!) + LANE_SERVERS);
    // a lane is marked as given up before its ready jobs are ended: either this sees the mark or that sees this job
    if (servers < 0) this.orphanEnder?.end(ring, slot, ready, OUTCOME_LOST);
    else this.bells.ringOne(servers);
  }
}
