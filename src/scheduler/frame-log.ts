import { FrameDeadlineError } from '../base/errors.js';
import type { StampUs } from '../base/time.js';
import {
  CONTROL_MISS_EPOCH,
  CONTROL_MISS_LISTENING,
  HOST_COLUMN,
  OUTCOME_EXPIRED,
  WORKER_CURRENT_START_US,
  WORKER_CURRENT_TASK,
} from '../memory/layout.js';
import {
  FRAME_DROPPED,
  FRAME_LATE,
  FRAME_ON_TIME,
  FRAME_RECORD_CAPACITY,
  FRAME_RECORD_WORDS,
  writeFrameRecord,
} from '../telemetry/frame-record.js';
import {
  LOOP_COUNT_FRAMES,
  LOOP_COUNT_MISSED_FRAMES,
  LOOP_FRAME,
  LOOP_ID,
  LOOP_ROWS,
  LOOP_RUNNING,
  LOOP_SUBMITTING,
  LoopRow,
} from '../telemetry/loop-row.js';
import * as record from '../telemetry/miss-record.js';
import { CAUSE_GC, CAUSE_PREEMPTED, CAUSE_WAITING_BEHIND, CAUSE_WAKEUP } from '../telemetry/outcomes.js';
import { RecordRingWriter } from '../telemetry/record-ring.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { Frame } from './frame.js';

/** What held the main thread when ticks came too late. */
export type MainThreadHolder = 'frameCallback' | 'eventLoop';

/** The host's own telemetry: its frames and loops, written to shared memory. Host thread only. */
export class FrameLog {
  readonly memory: AttachedMemory;
  /** Of frames that belong to no loop. */
  readonly hostFrames: LoopLog;
  private readonly frames: RecordRingWriter;
  private readonly misses: RecordRingWriter;
  private nextId: number;
  /** @internal What `longestRunning` found. */
  runningTask: number;

  constructor(memory: AttachedMemory) {
    this.memory = memory;
    const { telemetry, telemetryLayout: layout } = memory;
    this.frames = new RecordRingWriter(telemetry, layout.frameRing, FRAME_RECORD_CAPACITY, FRAME_RECORD_WORDS);
    this.misses = new RecordRingWriter(
      telemetry,
      layout.missRing(layout.rowOf(HOST_COLUMN)),
      record.MISS_CAPACITY,
      record.MISS_RECORD_WORDS,
    );
    this.nextId = 0;
    this.runningTask = 0;
    this.hostFrames = new LoopLog(this, -1, null, 0);
  }

  /**
   * Takes a row for a loop that begins, the one unused for longest. Allocates.
   * @throws OPTION_INVALID if LOOP_ROWS loops run
   */
  beginLoop(hz: number, deadlineUs: number, byDisplay: boolean): LoopLog {
    const { telemetry, telemetryLayout } = this.memory;
    let oldest = -1;
    let oldestId = Number.POSITIVE_INFINITY;
    for (let row = 0; row < LOOP_ROWS; row++) {
      const base = telemetryLayout.loopRow(row);
      if (telemetry[base + LOOP_RUNNING] === 1 || telemetry[base + LOOP_ID]! >= oldestId) continue;
      oldest = base;
      oldestId = telemetry[base + LOOP_ID]!;
    }
    if (oldest < 0) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `${LOOP_ROWS} loops run already, expected fewer at once; end one by its signal, or use beginFrame`,
      );
    }
    const id = this.nextId++;
    return new LoopLog(this, id, new LoopRow(telemetry, oldest, id, hz, deadlineUs, byDisplay), deadlineUs);
  }

  /** @internal */
  writeFrame(
    loop: number,
    frame: Frame,
    outcome: number,
    submittedUs: StampUs,
    finishedUs: StampUs,
    jobs: number,
    misses: number,
  ): void {
    writeFrameRecord(
      this.frames,
      loop,
      frame.number,
      outcome,
      frame.startStampUs,
      frame.calledUs,
      submittedUs,
      finishedUs,
      frame.deadlineUs,
      jobs,
      misses,
      1,
    );
  }

  /** @internal */
  dropped(loop: number, number: number, tickUs: StampUs, nowUs: StampUs, deadlineUs: StampUs, ticks: number): void {
    writeFrameRecord(this.frames, loop, number, FRAME_DROPPED, tickUs, nowUs, nowUs, nowUs, deadlineUs, 0, 0, ticks);
  }

  /**
   * @internal How long the job that runs longest on a lane's workers has run, 0 if none does; `runningTask` is its task + 1.
   */
  longestRunning(lane: number, nowUs: StampUs): number {
    const { memory } = this;
    const servers = memory.serversOf(lane);
    let longestUs = 0;
    for (let worker = 0; worker < memory.workerCount; worker++) {
      if ((servers & (1 << worker)) === 0) continue;
      const base = memory.layout.worker(worker);
      const task = Atomics.load(memory.control, base + WORKER_CURRENT_TASK); // acquire
      const startUs = Atomics.load(memory.control, base + WORKER_CURRENT_START_US);
      const ranUs = (nowUs - startUs) | 0;
      if (task === 0 || ranUs <= longestUs) continue;
      longestUs = ranUs;
      this.runningTask = task;
    }
    return longestUs;
  }

  /** @internal A miss of the main thread: ticks that got no frame. */
  missedTicks(
    number: number,
    tickUs: StampUs,
    nowUs: StampUs,
    deadlineUs: StampUs,
    ticks: number,
    cause: number,
    culprit: number,
    heldUs: number,
    gcUs: number,
    preemptedUs: number,
    culpritFrame: number,
  ): void {
    const body = this.misses.words;
    const at = this.misses.begin();
    const responseUs = (nowUs - tickUs) | 0;
    // both were read around the stall: cut to it, the overlap counts as preempted
    const preemptedPartUs = Math.min(preemptedUs, responseUs);
    const gcPartUs = Math.min(gcUs, responseUs - Math.max(preemptedPartUs, 0));
    const restUs = responseUs - Math.max(preemptedPartUs, 0) - Math.max(gcPartUs, 0);
    const waitingUs = cause === CAUSE_WAKEUP ? 0 : Math.min(heldUs, restUs);
    body[at + record.MISS_SEQUENCE] = -1;
    body[at + record.MISS_TASK] = -1;
    body[at + record.MISS_COLUMN] = this.memory.workerCount;
    body[at + record.MISS_FRAME_NUMBER] = number;
    body[at + record.MISS_OUTCOME] = OUTCOME_EXPIRED;
    body[at + record.MISS_CAUSE] = cause;
    body[at + record.MISS_CAUSE_MASK] = 1 << cause;
    body[at + record.MISS_SUBMIT_US] = tickUs;
    body[at + record.MISS_RELEASE_US] = tickUs;
    body[at + record.MISS_DEADLINE_US] = deadlineUs;
    body[at + record.MISS_START_US] = nowUs;
    body[at + record.MISS_FINISH_US] = nowUs;
    body[at + record.MISS_WAITING_US] = waitingUs;
    body[at + record.MISS_WAKEUP_US] = restUs - waitingUs;
    body[at + record.MISS_CULPRIT_TASK] = culprit;
    body[at + record.MISS_CULPRIT_EXECUTION_US] = heldUs;
    body[at + record.MISS_CULPRIT_SEQUENCE] = -1;
    body[at + record.MISS_CULPRIT_FRAME_NUMBER] = culpritFrame;
    if (culprit > 0) body[at + record.MISS_FLAGS] = record.MISS_FLAG_BACKLOG;
    body[at + record.MISS_GC_US] = gcPartUs;
    body[at + record.MISS_PREEMPTED_US] = preemptedPartUs;
    body[at + record.MISS_ON_CPU_US] = record.MISS_NO_SIGNAL;
    body[at + record.MISS_PERIODS] = ticks;
    this.misses.publish();
    const { control } = this.memory;
    if (Atomics.load(control, CONTROL_MISS_LISTENING) === 0) return;
    Atomics.add(control, CONTROL_MISS_EPOCH, 1); // release
    Atomics.notify(control, CONTROL_MISS_EPOCH);
  }
}

/** Telemetry of one loop (or of the frames outside loops): counts its frames and ticks. Allocates nothing per frame. */
export class LoopLog {
  readonly id: number;
  readonly row: LoopRow | null;
  private readonly log: FrameLog;
  private deadlineUs: number;

  /** @internal */
  constructor(log: FrameLog, id: number, row: LoopRow | null, deadlineUs: number) {
    this.log = log;
    this.id = id;
    this.row = row;
    this.deadlineUs = deadlineUs;
  }

  /** The loop goes on at another rate. */
  setRate(hz: number, deadlineUs: number): void {
    this.deadlineUs = deadlineUs;
    this.row?.setRate(hz, deadlineUs);
  }

  begun(): void {
    this.row?.count(LOOP_COUNT_FRAMES);
  }

  /** A frame is over. `lastFinishUs` is meaningless without jobs. */
  over(frame: Frame, jobs: number, misses: number, lastFinishUs: StampUs): void {
    const submittedUs = frame.submittedUs;
    const tookUs = (lastFinishUs - frame.startStampUs) | 0;
    this.row?.record(LOOP_SUBMITTING, (submittedUs - frame.startStampUs) | 0);
    if (misses > 0) this.row?.count(LOOP_COUNT_MISSED_FRAMES);
    if (jobs > 0) this.row?.record(LOOP_FRAME, tookUs);
    this.log.writeFrame(
      this.id,
      frame,
      misses > 0 ? FRAME_LATE : FRAME_ON_TIME,
      submittedUs,
      lastFinishUs,
      jobs,
      misses,
    );
  }

  /** A frame that is past its deadline and that nobody will wait for any more. */
  unfinished(frame: Frame): void {
    this.row?.count(LOOP_COUNT_MISSED_FRAMES);
    this.log.writeFrame(this.id, frame, FRAME_LATE, frame.calledUs, frame.deadlineUs, 0, 1);
  }

  /** Ticks, the first `number` at `tickUs`, that got no frame because the main thread was held. Since when, and by what, is told. */
  dropped(
    number: number,
    tickUs: StampUs,
    nowUs: StampUs,
    ticks: number,
    holder: MainThreadHolder,
    heldUs: number,
    gcUs: number,
    preemptedUs: number,
  ): void {
    const halfUs = ((nowUs - tickUs) | 0) / 2;
    // while the system ran something else nothing was collected: what was collected meanwhile took that long for it
    const isPreempted = preemptedUs > halfUs;
    const own = holder === 'eventLoop' ? CAUSE_WAKEUP : CAUSE_WAITING_BEHIND;
    const cause = isPreempted ? CAUSE_PREEMPTED : gcUs > halfUs ? CAUSE_GC : own;
    const culprit = isPreempted ? 0 : CULPRITS[holder];
    const deadlineUs = (tickUs + this.deadlineUs) | 0;
    this.row?.dropped(cause, ticks);
    this.log.dropped(this.id, number, tickUs, nowUs, deadlineUs, ticks);
    this.log.missedTicks(number, tickUs, nowUs, deadlineUs, ticks, cause, culprit, heldUs, gcUs, preemptedUs, -1);
  }

  /** A tick that got no frame because the jobs of an earlier one still run. */
  refused(number: number, tickUs: StampUs, nowUs: StampUs, unfinished: Frame): void {
    const deadlineUs = (tickUs + this.deadlineUs) | 0;
    const job = unfinished.unfinishedJob();
    let culprit = 0;
    let heldUs = (nowUs - unfinished.startStampUs) | 0;
    let frame = -1;
    if (job !== null) {
      // what its lane's workers run now stands in its way, if it is not the job itself
      const running = this.log.longestRunning(job.handle.info.lane, nowUs);
      culprit = running > 0 ? this.log.runningTask : job.handle.info.index + 1;
      if (running > 0) heldUs = running;
      else frame = unfinished.number;
    }
    this.row?.dropped(CAUSE_WAITING_BEHIND, 1);
    this.log.dropped(this.id, number, tickUs, nowUs, deadlineUs, 1);
    const none = record.MISS_NO_SIGNAL;
    this.log.missedTicks(
      number,
      tickUs,
      nowUs,
      deadlineUs,
      1,
      CAUSE_WAITING_BEHIND,
      culprit,
      heldUs,
      none,
      none,
      frame,
    );
  }
}

const CULPRITS: Readonly<Record<MainThreadHolder, number>> = {
  frameCallback: record.CULPRIT_FRAME_CALLBACK,
  eventLoop: record.CULPRIT_EVENT_LOOP,
};
