import type { Clock } from '../base/time.js';
import {
  CONTROL_COMPLETION_EPOCH,
  FRAME_SLOT_COUNT,
  LANE_RELEASED,
  type OUTCOME_CANCELLED,
  OUTCOME_LOST,
  ownerOf,
  RING_RESCAN_EPOCH,
  SLOT_DEADLINE_US,
  SLOT_FINISH_US,
  SLOT_FLAG_REISSUED,
  SLOT_FLAGS,
  SLOT_FRAME,
  SLOT_RECORD_COUNTER,
  SLOT_RECORD_FRAME,
  SLOT_RECORD_VALUE,
  SLOT_STAGE,
  SLOT_START_US,
  SLOT_STATE,
  SLOT_TASK,
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
import { CAUSE_CRASHED, CAUSE_UNKNOWN, outcomeCounter } from '../telemetry/outcomes.js';
import { Recorder } from '../telemetry/recorder.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { MissExplainer } from '../worker/miss-explainer.js';
import type { TaskInfo } from '../worker/task-runtime.js';

/**
 * Settles jobs on behalf of threads that no longer can. Runs on the supervisor, whose column and counters it uses.
 * `settleDead` only after the thread is truly gone (its `exit` event): a zombie may still write.
 */
export class Undertaker {
  private readonly memory: AttachedMemory;
  private readonly tasks: readonly TaskInfo[];
  private readonly clock: Clock;
  private readonly column: number;
  private readonly recorder: Recorder;
  private readonly explainer: MissExplainer;

  constructor(memory: AttachedMemory, tasks: readonly TaskInfo[], clock: Clock, column: number = SUPERVISOR_COLUMN) {
    this.memory = memory;
    this.tasks = tasks;
    this.clock = clock;
    this.column = column;
    this.recorder = new Recorder(memory.telemetry, memory.telemetryLayout, column);
    this.explainer = new MissExplainer(memory, column);
  }

  /** Ends or issues again what the dead worker ran, and finishes the counting of what it had just ended. */
  settleDead(worker: number): void {
    const { memory } = this;
    const dead = new Recorder(memory.telemetry, memory.telemetryLayout, worker);
    memory.rings.forEach((ring, ringIndex) => {
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const base = ring.slotBase(slot);
        const state = Atomics.load(ring.i32, base + SLOT_STATE); // acquire
        if (ownerOf(state) !== worker) continue;
        const status = statusOf(state);
        if (status === STATUS_RUNNING) this.settleRunning(ring, ringIndex, slot, state);
        else if (status === STATUS_DONE) this.finishCounting(ring, base, worker, dead);
      }
    });
    this.finishReleases();
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

  /** Ends every live job of a lane's rings (-1: of all): `lost` if it was started, else `unstarted`. No worker may serve them. */
  settleAll(lane: number, unstarted: typeof OUTCOME_CANCELLED | typeof OUTCOME_LOST): void {
    const { memory } = this;
    memory.rings.forEach((ring, ringIndex) => {
      if (lane >= 0 && memory.ringHandles[ringIndex]!.lane !== lane) return;
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE); // acquire
        const status = statusOf(state);
        if (status === STATUS_RUNNING) this.end(ring, slot, state, OUTCOME_LOST);
        else if (status === STATUS_READY || status === STATUS_WAITING) this.end(ring, slot, state, unstarted);
      }
    });
    this.wakeHost();
  }

  /** A dead worker may have published a period and not counted its release. */
  private finishReleases(): void {
    const { control, layout, rings, ringHandles } = this.memory;
    ringHandles.forEach((handle, index) => {
      if (!handle.periodic) return;
      const at = layout.lane(handle.lane) + LANE_RELEASED;
      const ring = rings[index]!;
      for (let slot = 0; slot < ring.capacitySlots; slot++) {
        const base = ring.slotBase(slot);
        const status = statusOf(Atomics.load(ring.i32, base + SLOT_STATE));
        if (status === STATUS_FREE || status === STATUS_WRITING) continue;
        const released = Atomics.load(control, at);
        if (ring.i32[base + SLOT_STAGE] === ((released + 1) | 0)) Atomics.store(control, at, (released + 1) | 0);
      }
    });
  }

  private settleRunning(ring: JobRing, ringIndex: number, slot: number, state: number): void {
    const base = ring.slotBase(slot);
    const task = this.tasks[ring.i32[base + SLOT_TASK]!]!;
    const flags = Atomics.load(ring.i32, base + SLOT_FLAGS);
    if (!task.idempotent || (flags & SLOT_FLAG_REISSUED) !== 0) {
      this.end(ring, slot, state, OUTCOME_LOST);
      return;
    }
    Atomics.or(ring.i32, base + SLOT_FLAGS, SLOT_FLAG_REISSUED);
    const before = Atomics.compareExchange(ring.i32, base + SLOT_STATE, state, withStatus(state, STATUS_READY)); // release
    if (before !== state) return;
    // after the slot is ready: a worker that sees the new epoch sees the job
    Atomics.add(ring.i32, RING_RESCAN_EPOCH, 1); // release
    this.memory.bells.ringOne(this.memory.serversOf(this.memory.ringHandles[ringIndex]!.lane));
  }

  /** Ends one job from the state that was read of it. Returns false if that has changed meanwhile. */
  end(ring: JobRing, slot: number, state: number, outcome: number): boolean {
    const { i32 } = ring;
    const base = ring.slotBase(slot);
    const started = statusOf(state) === STATUS_RUNNING;
    const taskIndex = i32[base + SLOT_TASK]!;
    const frame = i32[base + SLOT_FRAME]!;
    const finishUs = this.clock.nowUs();
    const missed = outcome === OUTCOME_LOST || ((finishUs - i32[base + SLOT_DEADLINE_US]!) | 0) > 0;
    const cause = outcome === OUTCOME_LOST ? CAUSE_CRASHED : missed ? CAUSE_UNKNOWN : -1;
    const counter = outcomeCounter(outcome, cause);
    const columnAfter = frame === 0 ? 0 : (this.memory.frames.column(frame - 1, this.column) + 1) | 0;
    const before = Atomics.compareExchange(
      i32,
      base + SLOT_STATE,
      state,
      withStatus(state, STATUS_DONE, outcome, this.column),
    ); // release
    if (before !== state) return false;
    i32[base + SLOT_FINISH_US] = finishUs;
    if (!started) i32[base + SLOT_START_US] = finishUs;
    this.recorder.count(taskIndex, counter);
    if (missed) this.explainer.ended(i32, base, taskIndex, outcome, cause, finishUs, started);
    if (frame !== 0) this.memory.frames.storeColumn(frame - 1, this.column, columnAfter);
    return true;
  }

  /** Whether a thread that announced this count in a slot has made it. */
  isCounted(column: number, task: number, counter: number, announced: number): boolean {
    const owner = new Recorder(this.memory.telemetry, this.memory.telemetryLayout, column);
    return ((owner.valueAfterCount(task, counter) - 1 - announced) | 0) >= 0;
  }

  /** The dead worker had ended this job and may have died before it counted it. */
  private finishCounting(ring: JobRing, base: number, worker: number, dead: Recorder): void {
    const { i32 } = ring;
    dead.redoCount(i32[base + SLOT_TASK]!, i32[base + SLOT_RECORD_COUNTER]!, i32[base + SLOT_RECORD_VALUE]!);
    const frame = i32[base + SLOT_FRAME]!;
    if (frame === 0) return;
    const recorded = i32[base + SLOT_RECORD_FRAME]!;
    const column = this.memory.frames.column(frame - 1, worker);
    if (column === ((recorded - 1) | 0)) this.memory.frames.storeColumn(frame - 1, worker, recorded);
  }

  private wakeHost(): void {
    Atomics.add(this.memory.control, CONTROL_COMPLETION_EPOCH, 1); // release
    Atomics.notify(this.memory.control, CONTROL_COMPLETION_EPOCH);
  }
}
