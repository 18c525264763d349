import type { Clock } from '../base/time.js';
import {
  CONTROL_COMPLETION_EPOCH,
  FRAME_SLOT_COUNT,
  LANE_NEXT_PERIOD,
  LANE_PAUSED_PERIODS,
  LANE_RELEASED,
  LANE_RELEASER,
  type OUTCOME_CANCELLED,
  OUTCOME_LOST,
  ownerOf,
  RING_RESCAN_EPOCH,
  SLOT_FLAG_REISSUED,
  SLOT_FLAG_RETIRED,
  SLOT_FLAGS,
  SLOT_FRAME,
  SLOT_FRAME_NUMBER,
  SLOT_RECORD_COUNTER,
  SLOT_RECORD_FRAME,
  SLOT_RECORD_VALUE,
  SLOT_STAGE,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_FREE,
  STATUS_READY,
  STATUS_RUNNING,
  STATUS_WAITING,
  STATUS_WRITING,
  SUPERVISOR_COLUMN,
  statusOf,
  withStatus,
} from '../memory/layout.js';
import type { JobRing } from '../ring/job-ring.js';
import { COUNTER_WORDS } from '../telemetry/counters.js';
import { CAUSE_CRASHED, COUNT_SKIPPED, COUNTER_COUNT } from '../telemetry/outcomes.js';
import { Recorder } from '../telemetry/recorder.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { JobEnder } from '../worker/job-ender.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';

/** A slot that a thread may still write to. */
export interface RetiredSlot {
  readonly ring: JobRing;
  readonly slot: number;
}

/**
 * Settles jobs on behalf of threads that no longer can. Runs on the supervisor, whose column and counters it uses.
 * `settleDead` only after the thread is truly gone (its `exit` event): a zombie may still write. `retire` before that.
 */
export class Undertaker {
  private readonly memory: AttachedMemory;
  private readonly lanes: readonly LaneInfo[];
  private readonly tasks: readonly TaskInfo[];
  private readonly recorder: Recorder;
  private readonly ender: JobEnder;

  constructor(
    memory: AttachedMemory,
    lanes: readonly LaneInfo[],
    tasks: readonly TaskInfo[],
    clock: Clock,
    column: number = SUPERVISOR_COLUMN,
  ) {
    this.memory = memory;
    this.lanes = lanes;
    this.tasks = tasks;
    this.recorder = new Recorder(memory.telemetry, memory.telemetryLayout, column);
    this.ender = new JobEnder(memory, clock, column);
    memory.frames.orphanEnder = this.ender;
  }

  /**
   * Ends or issues again what the dead worker ran, and finishes the counting of what it had just ended. `cause`: why a
   * job that it ran is lost (CAUSE_*).
   */
  settleDead(worker: number, cause: number = CAUSE_CRASHED): void {
    const { memory } = this;
    const dead = new Recorder(memory.telemetry, memory.telemetryLayout, worker);
    memory.rings.forEach((ring, ringIndex) => {
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const base = ring.slotBase(slot);
        const state = Atomics.load(ring.i32, base + SLOT_STATE); // acquire
        if (ownerOf(state) !== worker) continue;
        const status = statusOf(state);
        if (status === STATUS_RUNNING) this.settleRunning(ring, ringIndex, slot, state, cause);
        else if (status === STATUS_DONE) this.finishCounting(ring, base, state, worker, dead);
      }
    });
    this.finishReleases(worker);
    for (let frame = 0; frame < FRAME_SLOT_COUNT; frame++) {
      // it may have died between completing a stage and opening the next one, or waking the joiner
      memory.frames.completeStages(frame);
      memory.frames.openStage(frame, memory.frames.stagesComplete(frame));
      memory.frames.bumpEpoch(frame);
    }
    this.wakeHost();
    // its own ring may have died with it
    for (let other = 0; other < memory.workerCount; other++) memory.bells.ringAlways(other);
  }

  /**
   * Ends what a thread runs that is taken out of service and may still write: `lost`, and the slots are not used again
   * until `release`. A job that is to be run again waits for the thread's end, unless that will not come (`isFinal`).
   */
  retire(worker: number, cause: number, isFinal: boolean): RetiredSlot[] {
    const { memory } = this;
    const retired: RetiredSlot[] = [];
    for (const ring of memory.rings) {
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const base = ring.slotBase(slot);
        const state = Atomics.load(ring.i32, base + SLOT_STATE); // acquire
        if (ownerOf(state) !== worker || statusOf(state) !== STATUS_RUNNING) continue;
        if (!isFinal && this.mayReissue(ring, base)) continue;
        if (this.ender.end(ring, slot, state, OUTCOME_LOST, cause, true)) retired.push({ ring, slot });
      }
    }
    this.wakeHost();
    return retired;
  }

  /** Whether the thread runs a job, by the states of the slots. */
  runsJob(worker: number): boolean {
    for (const ring of this.memory.rings) {
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE); // acquire
        if (ownerOf(state) === worker && statusOf(state) === STATUS_RUNNING) return true;
      }
    }
    return false;
  }

  /** The thread that could write to them is gone. */
  release(retired: readonly RetiredSlot[]): void {
    for (const { ring, slot } of retired) {
      Atomics.and(ring.i32, ring.slotBase(slot) + SLOT_FLAGS, ~SLOT_FLAG_RETIRED); // release
    }
  }

  private mayReissue(ring: JobRing, base: number): boolean {
    const task = this.tasks[this.memory.taskOf(ring.i32, base)]!;
    const flags = Atomics.load(ring.i32, base + SLOT_FLAGS);
    return task.idempotent && (flags & SLOT_FLAG_REISSUED) === 0;
  }

  /**
   * Ends the jobs of a lane that nobody serves any more: `lost`. Those behind a barrier are ended by whoever opens their
   * stage.
   */
  settleLane(lane: number): void {
    this.endLive(lane, OUTCOME_LOST);
    this.wakeHost();
  }

  /** Ends every live job: `lost` if it was started, else `unstarted`. No thread runs jobs any more. */
  settleAll(unstarted: typeof OUTCOME_CANCELLED | typeof OUTCOME_LOST): void {
    // jobs behind a barrier become ready when the stage in front of them has ended: stage by stage
    while (this.endLive(-1, unstarted));
    // what still waits then waits for a stage whose words were overwritten by mistake
    this.endLive(-1, unstarted, STATUS_WAITING);
    this.wakeHost();
  }

  /** Ends what is ready (or what else `unstartedStatus` says) or running in a lane (-1: in all). Returns whether there was anything. */
  private endLive(lane: number, unstarted: number, unstartedStatus: number = STATUS_READY): boolean {
    const { memory } = this;
    let any = false;
    memory.rings.forEach((ring, ringIndex) => {
      if (lane >= 0 && memory.ringHandles[ringIndex]!.lane !== lane) return;
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE); // acquire
        const status = statusOf(state);
        if (status !== STATUS_RUNNING && status !== unstartedStatus) continue;
        if (this.end(ring, slot, state, status === STATUS_RUNNING ? OUTCOME_LOST : unstarted)) any = true;
      }
    });
    return any;
  }

  /**
   * The dead worker may have published or given up a period and not counted that. Only lanes whose periods it released: the
   * words of others have a writer.
   */
  private finishReleases(worker: number): void {
    const { control, layout, rings } = this.memory;
    for (const { index, periodic } of this.lanes) {
      if (periodic === null) continue;
      const lane = layout.lane(index);
      const releaser = Atomics.load(control, lane + LANE_RELEASER);
      if (releaser !== worker + 1) continue;
      const ring = rings[periodic.ring]!;
      for (let slot = 0; slot < ring.capacitySlots; slot++) this.finishRelease(ring, ring.slotBase(slot), lane);
      this.countSkipped(periodic.task, lane);
    }
  }

  /** Of the last period that it published: counts it, and goes on to the next one. */
  private finishRelease(ring: JobRing, base: number, lane: number): void {
    const { control } = this.memory;
    const status = statusOf(Atomics.load(ring.i32, base + SLOT_STATE)); // acquire
    if (status === STATUS_FREE || status === STATUS_WRITING) return;
    const released = (Atomics.load(control, lane + LANE_RELEASED) + 1) | 0;
    if (ring.i32[base + SLOT_STAGE] === released) Atomics.store(control, lane + LANE_RELEASED, released);
    const next = Atomics.load(control, lane + LANE_NEXT_PERIOD);
    if (ring.i32[base + SLOT_FRAME_NUMBER] === next) Atomics.store(control, lane + LANE_NEXT_PERIOD, (next + 1) | 0);
  }

  /** Periods that it passed over and had not counted yet: all that are neither released, counted as skipped nor of a pause. */
  private countSkipped(task: number, lane: number): void {
    const { control, telemetry, telemetryLayout } = this.memory;
    const next = Atomics.load(control, lane + LANE_NEXT_PERIOD);
    const released = Atomics.load(control, lane + LANE_RELEASED);
    const paused = Atomics.load(control, lane + LANE_PAUSED_PERIODS);
    let uncounted = (next - released - paused) | 0;
    for (let row = 0; row < telemetryLayout.rowCount; row++) {
      const counters = telemetryLayout.counters(row, task);
      for (let counter = COUNT_SKIPPED; counter < COUNTER_COUNT; counter++) {
        const skipped = Atomics.load(telemetry, counters + counter * COUNTER_WORDS);
        uncounted = (uncounted - skipped) | 0;
      }
    }
    if (uncounted > 0) this.recorder.countMany(task, COUNT_SKIPPED + CAUSE_CRASHED, uncounted);
    // it died before it went on to what is behind a pause: that is judged anew
    if (uncounted < 0) Atomics.store(control, lane + LANE_PAUSED_PERIODS, (paused + uncounted) | 0);
  }

  private settleRunning(ring: JobRing, ringIndex: number, slot: number, state: number, cause: number): void {
    const base = ring.slotBase(slot);
    if (!this.mayReissue(ring, base)) {
      this.ender.end(ring, slot, state, OUTCOME_LOST, cause);
      return;
    }
    Atomics.or(ring.i32, base + SLOT_FLAGS, SLOT_FLAG_REISSUED);
    const before = Atomics.compareExchange(ring.i32, base + SLOT_STATE, state, withStatus(state, STATUS_READY)); // release
    if (before !== state) return;
    // after the slot is ready: a worker that sees the new epoch sees the job
    Atomics.add(ring.i32, RING_RESCAN_EPOCH, 1); // release
    this.memory.bells.ringOne(this.memory.serversOf(this.memory.ringHandles[ringIndex]!.lane));
  }

  /** See `JobEnder.end`. */
  end(ring: JobRing, slot: number, state: number, outcome: number, missCause?: number): boolean {
    return this.ender.end(ring, slot, state, outcome, missCause);
  }

  /** The dead worker had ended this job and may have died before it counted it. */
  private finishCounting(ring: JobRing, base: number, state: number, worker: number, dead: Recorder): void {
    const { i32 } = ring;
    const task = this.memory.taskOf(i32, base);
    const counter = Atomics.load(i32, base + SLOT_RECORD_COUNTER);
    const value = Atomics.load(i32, base + SLOT_RECORD_VALUE);
    const frame = Atomics.load(i32, base + SLOT_FRAME);
    const columnAfter = Atomics.load(i32, base + SLOT_RECORD_FRAME);
    // the host may have freed the slot, and another worker ended another job in it: then this is not the dead one's
    const stateAfter = Atomics.load(i32, base + SLOT_STATE);
    if (stateAfter !== state) return;
    if (counter >>> 0 < COUNTER_COUNT) dead.redoCount(task, counter, value);
    if (frame === 0) return;
    const column = this.memory.frames.column(frame - 1, worker);
    if (column === ((columnAfter - 1) | 0)) this.memory.frames.storeColumn(frame - 1, worker, columnAfter);
  }

  private wakeHost(): void {
    Atomics.add(this.memory.control, CONTROL_COMPLETION_EPOCH, 1); // release
    Atomics.notify(this.memory.control, CONTROL_COMPLETION_EPOCH);
  }
}
