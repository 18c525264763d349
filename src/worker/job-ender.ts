import { type Clock, latenessUs } from '../base/time.js';
import {
  HOST_COLUMN,
  OUTCOME_EXPIRED,
  OUTCOME_LOST,
  ownerOf,
  SLOT_DEADLINE_US,
  SLOT_ERROR,
  SLOT_FINISH_US,
  SLOT_FLAG_RETIRED,
  SLOT_FLAGS,
  SLOT_FRAME,
  SLOT_FRAME_NUMBER,
  SLOT_RECORD_COUNTER,
  SLOT_RECORD_FRAME,
  SLOT_RECORD_VALUE,
  SLOT_RELEASE_US,
  SLOT_SEQUENCE,
  SLOT_START_US,
  SLOT_STATE,
  SLOT_SUBMIT_US,
  STATUS_DONE,
  STATUS_RUNNING,
  SUPERVISOR_COLUMN,
  statusOf,
  withStatus,
} from '../memory/layout.js';
import type { JobRing } from '../ring/job-ring.js';
import { COUNTER_WORDS } from '../telemetry/counters.js';
import type { JobTraceWriter } from '../telemetry/job-trace.js';
import { CAUSE_CRASHED, CAUSE_UNKNOWN, COUNTER_COUNT, outcomeCounter } from '../telemetry/outcomes.js';
import { Recorder } from '../telemetry/recorder.js';
import type { AttachedMemory } from './attached-memory.js';
import { MissExplainer } from './miss-explainer.js';

/**
 * Ends jobs whose handler does not: cancelled, lost with their worker, or left in a lane that nobody serves. Counts in
 * the column of the thread that it belongs to, in the same order as a worker that ends its own job.
 */
export class JobEnder {
  private readonly memory: AttachedMemory;
  private readonly clock: Clock;
  private readonly column: number;
  private readonly recorder: Recorder;
  private readonly explainer: MissExplainer;
  private readonly trace: JobTraceWriter;

  constructor(memory: AttachedMemory, clock: Clock, column: number) {
    this.memory = memory;
    this.clock = clock;
    this.column = column;
    this.recorder = new Recorder(memory.telemetry, memory.telemetryLayout, column);
    this.explainer = new MissExplainer(memory, column);
    this.trace = memory.jobTrace(column);
  }

  /**
   * Ends one job from the state that was read of it: ready, or running on a thread that is gone. A waiting job must not
   * be ended, or its stage would be counted before the one in front of it. `missCause`: why, if it is lost or expires (CAUSE_*).
   * `retire`: its thread still runs it and may write to the slot, which is not to be used again before that thread is gone;
   * supervisor only. Returns false if the state has changed.
   */
  end(
    ring: JobRing,
    slot: number,
    state: number,
    outcome: number,
    missCause: number = CAUSE_CRASHED,
    retire = false,
  ): boolean {
    const { i32 } = ring;
    const base = ring.slotBase(slot);
    const started = statusOf(state) === STATUS_RUNNING;
    // taken first, as by a claim: what is written to the slot below is then nobody else's
    const running = withStatus(state, STATUS_RUNNING, 0, this.column);
    const before = Atomics.compareExchange(i32, base + SLOT_STATE, state, running);
    if (before !== state) return false;
    const task = this.memory.taskOf(i32, base);
    const frame = i32[base + SLOT_FRAME]!;
    const finishUs = this.clock.nowUs();
    // never done, so it missed, also where its deadline is yet to come
    const isMiss = outcome === OUTCOME_LOST || outcome === OUTCOME_EXPIRED;
    const missed = isMiss || latenessUs(finishUs, i32[base + SLOT_DEADLINE_US]!) > 0;
    const cause = isMiss ? missCause : missed ? CAUSE_UNKNOWN : -1;
    const counter = outcomeCounter(outcome, cause);
    const columnAfter = frame === 0 ? 0 : (this.memory.frames.column(frame - 1, this.column) + 1) | 0;
    i32[base + SLOT_FINISH_US] = finishUs;
    if (!started) i32[base + SLOT_START_US] = finishUs;
    i32[base + SLOT_ERROR] = 0;
    Atomics.store(i32, base + SLOT_RECORD_COUNTER, counter);
    Atomics.store(i32, base + SLOT_RECORD_VALUE, this.recorder.valueAfterCount(task, counter));
    Atomics.store(i32, base + SLOT_RECORD_FRAME, columnAfter);
    if (missed) {
      this.explainer.ended(i32, base, task, outcome, cause, finishUs, started, started ? ownerOf(state) : -1);
      ring.markMissed(base);
    }
    this.trace.record(
      task,
      started ? ownerOf(state) : -1,
      i32[base + SLOT_SEQUENCE]!,
      i32[base + SLOT_FRAME_NUMBER]!,
      i32[base + SLOT_SUBMIT_US]!,
      i32[base + SLOT_RELEASE_US]!,
      i32[base + SLOT_START_US]!,
      finishUs,
      i32[base + SLOT_DEADLINE_US]!,
      outcome,
      cause,
      0,
    );
    if (retire) Atomics.or(i32, base + SLOT_FLAGS, SLOT_FLAG_RETIRED);
    // nobody counts for the supervisor, and what it announces may be overwritten by the thread that it gave up
    const isCountedFirst = this.column === SUPERVISOR_COLUMN;
    if (isCountedFirst) this.recorder.count(task, counter);
    Atomics.store(i32, base + SLOT_STATE, withStatus(running, STATUS_DONE, outcome, this.column)); // release
    if (!isCountedFirst) this.recorder.count(task, counter);
    if (frame !== 0) this.memory.frames.storeColumn(frame - 1, this.column, columnAfter);
    return true;
  }
}

/**
 * Whether the thread that ended a job has counted it. Before that its slot must not be freed, or the count would be lost
 * if the thread died now. (Jobs of a frame need no look: a frame is complete only when all are counted.)
 */
export function isCounted(memory: AttachedMemory, ring: JobRing, base: number, owner: number): boolean {
  // the host's own jobs are asked about by itself; the supervisor counts before a job is done
  if (owner >= HOST_COLUMN) return true;
  const { telemetry, telemetryLayout } = memory;
  const task = memory.taskOf(ring.i32, base);
  const counter = ring.i32[base + SLOT_RECORD_COUNTER]!;
  const announced = ring.i32[base + SLOT_RECORD_VALUE]!;
  // no such thread or counter: overwritten by mistake, nothing will ever be counted there
  if (telemetryLayout.rowOf(owner) >= telemetryLayout.rowCount || counter >>> 0 >= COUNTER_COUNT) return true;
  const counterBase = telemetryLayout.counters(telemetryLayout.rowOf(owner), task) + counter * COUNTER_WORDS;
  const low = Atomics.load(telemetry, counterBase);
  return ((low - announced) | 0) >= 0;
}
