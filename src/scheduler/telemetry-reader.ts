import { type Clock, momentOf, unixMs } from '../base/time.js';
import type { ThreadReport } from '../host/thread-control.js';
import {
  LANE_NEXT_PERIOD,
  LANE_PAUSED_PERIODS,
  LANE_PAUSES,
  RING_HEAD,
  SLOT_SEQUENCE,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_FREE,
  STATUS_WRITING,
  statusOf,
  WORKER_CURRENT_START_US,
  WORKER_CURRENT_TASK,
  WORKER_JOB_COUNT,
  WORKER_SLACK_FULL,
  WORKER_SLACK_MS,
  WORKER_SLACK_YOUNG,
} from '../memory/layout.js';
import type { JobRing } from '../ring/job-ring.js';
import { readMissRuns } from '../ring/miss-runs.js';
import {
  FRAME_DROPPED,
  FRAME_LATE,
  FRAME_RECORD_CALLED_US,
  FRAME_RECORD_CAPACITY,
  FRAME_RECORD_DEADLINE_US,
  FRAME_RECORD_FINISHED_US,
  FRAME_RECORD_JOBS,
  FRAME_RECORD_LOOP,
  FRAME_RECORD_MISSES,
  FRAME_RECORD_NUMBER,
  FRAME_RECORD_OUTCOME,
  FRAME_RECORD_SUBMITTED_US,
  FRAME_RECORD_TICK_US,
  FRAME_RECORD_TICKS,
  FRAME_RECORD_WORDS,
} from '../telemetry/frame-record.js';
import { MISS_CAPACITY, MISS_RECORD_WORDS } from '../telemetry/miss-record.js';
import { RecordRingReader } from '../telemetry/record-ring.js';
import type {
  Environment,
  FrameRecord,
  LaneTelemetry,
  Miss,
  MissRuns,
  Pauses,
  Telemetry,
  WorkerTelemetry,
} from '../telemetry/telemetry-data.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';
import { LoopReader } from './loop-reader.js';
import { MAIN, MissDecoder } from './miss-decoder.js';
import type { WorkerState } from './protocol.js';
import { TaskReader } from './task-reader.js';

/** What a reader needs to know beside the shared memory. */
export interface TelemetrySetup {
  readonly memory: AttachedMemory;
  readonly clock: Clock;
  readonly lanes: readonly LaneInfo[];
  readonly tasks: readonly TaskInfo[];
  readonly workers: readonly { readonly name: string; readonly lanes: readonly number[] }[];
  readonly environment: Environment;
  /** How the workers are, as far as it is known. */
  states(): readonly WorkerState[];
}

export function missDecoderOf({ memory, lanes, tasks, workers, clock }: TelemetrySetup): MissDecoder {
  const nameOf = (column: number): string | null => {
    if (column >= 0 && column < memory.workerCount) return workers[memory.placeOf(column)]?.name ?? null;
    return column === memory.workerCount ? MAIN : null;
  };
  return new MissDecoder(lanes, tasks, nameOf, clock);
}

/**
 * Reads all telemetry of one scheduler from its shared memory, on any thread: without locks, without disturbing the
 * writers or other readers, and whether or not the main thread is blocked. Reading allocates.
 *
 * `total`: since the scheduler's start, each time. `window`: since the reader's last reading, at first since it was made.
 */
export class TelemetryReader {
  private readonly setup: TelemetrySetup;
  private readonly isWindow: boolean;
  private readonly decoder: MissDecoder;
  private readonly tasks: readonly TaskReader[];
  private readonly loops: LoopReader;
  /** By lane: of a window, up to its beginning. */
  private readonly pausesBefore: Pauses[];
  private misses: readonly RecordRingReader[];
  private frames: RecordRingReader;
  private fromUs: number;

  constructor(setup: TelemetrySetup, span: 'total' | 'window') {
    this.setup = setup;
    this.isWindow = span === 'window';
    const { memory, lanes, tasks } = setup;
    this.decoder = missDecoderOf(setup);
    this.tasks = tasks.map((task) => new TaskReader(memory, task, lanes[task.lane]!));
    this.loops = new LoopReader(memory);
    this.pausesBefore = lanes.map(() => ({ count: 0, totalMs: 0 }));
    this.misses = this.missReaders();
    this.frames = this.frameReader();
    this.fromUs = 0;
    if (this.isWindow) {
      this.read();
      for (const reader of this.misses) reader.skip();
      this.frames.skip();
    }
  }

  read(): Telemetry {
    const { setup, isWindow } = this;
    const { clock } = setup;
    if (!isWindow) {
      this.misses = this.missReaders();
      this.frames = this.frameReader();
    }
    const misses = this.readMisses();
    const frames = this.readFrames();
    const lanes = setup.lanes.map((lane) => this.laneOf(lane));
    const loops = this.loops.read(isWindow);
    const workers = this.readWorkers();
    const fromUs = this.fromUs;
    const toUs = Math.round(clock.nowPreciseUs());
    if (isWindow) this.fromUs = toUs;
    return {
      schemaVersion: 1,
      fromUs,
      toUs,
      toUnixMs: unixMs(),
      environment: setup.environment,
      lanes,
      loops,
      workers,
      misses: misses.records,
      missesOverwritten: misses.overwritten,
      frames: frames.records,
      framesOverwritten: frames.overwritten,
    };
  }

  private laneOf(lane: LaneInfo): LaneTelemetry {
    const { isWindow } = this;
    return {
      name: lane.name,
      periodUs: lane.periodic?.periodUs ?? null,
      tasks: this.tasks.filter((task) => task.info.lane === lane.index).map((task) => task.read(isWindow)),
      missRuns: this.missRunsOf(lane),
      ...this.pausesOf(lane),
    };
  }

  private pausesOf({ index, periodic }: LaneInfo): Pick<LaneTelemetry, 'pauses'> {
    // whatever its words hold
    if (periodic === null) return {};
    const { control, layout } = this.setup.memory;
    const count = Atomics.load(control, layout.lane(index) + LANE_PAUSES) >>> 0;
    if (count === 0) return {};
    const periods = Atomics.load(control, layout.lane(index) + LANE_PAUSED_PERIODS) >>> 0;
    const totalMs = (periods * periodic.periodUs) / 1000;
    if (!this.isWindow) return { pauses: { count, totalMs } };
    const before = this.pausesBefore[index]!;
    this.pausesBefore[index] = { count, totalMs };
    return { pauses: { count: count - before.count, totalMs: totalMs - before.totalMs } };
  }

  private missRunsOf(lane: LaneInfo): MissRuns {
    const { memory } = this.setup;
    let runs = 0;
    let longest = 0;
    let met = 0;
    let of = 0;
    memory.ringHandles.forEach((handle, index) => {
      if (handle.lane !== lane.index) return;
      const ring = memory.rings[index]!;
      const end = ring.periodic
        ? Atomics.load(memory.control, memory.layout.lane(lane.index) + LANE_NEXT_PERIOD)
        : oldestLive(ring);
      const reading = readMissRuns(ring.i32, end);
      runs += reading.runs;
      longest = Math.max(longest, reading.longest);
      // a periodic lane is judged by its periods
      if ((lane.periodic !== null) === ring.periodic) ({ met, of } = reading);
    });
    return { runs, longest, met, of };
  }

  private readWorkers(): WorkerTelemetry[] {
    const { memory, lanes, tasks, workers, clock } = this.setup;
    const states = this.setup.states();
    return workers.map(({ name, lanes: served }, index) => {
      const base = memory.layout.worker(memory.columnOf(index));
      const current = Atomics.load(memory.control, base + WORKER_CURRENT_TASK); // acquire
      const startUs = Atomics.load(memory.control, base + WORKER_CURRENT_START_US);
      const task = tasks[current - 1] ?? null;
      const state = states[index];
      const report = state?.report ?? null;
      return {
        name,
        lanes: served.map((lane) => lanes[lane]!.name),
        state: state?.state ?? 'serving',
        jobs: jobsOf(memory, index),
        running:
          task === null
            ? null
            : {
                lane: lanes[task.lane]!.name,
                task: task.name,
                forUs: Math.max(0, (clock.nowUs() - startUs) | 0),
              },
        priority: report?.priority.effective ?? null,
        cpus: report?.cpus.effective ?? null,
        policy: report?.policy ?? null,
        niceness: report?.niceness ?? null,
        probes: state?.probes ?? NO_PROBES,
        ...slackCollectionsOf(memory, base, report),
      };
    });
  }

  private readMisses(): { records: Miss[]; overwritten: number } {
    const records: Miss[] = [];
    let overwritten = 0;
    for (const reader of this.misses) {
      overwritten += reader.drain((words) => records.push(this.decoder.decode(words))).overwritten;
    }
    records.sort((a, b) => a.finishAtUs - b.finishAtUs);
    return { records, overwritten };
  }

  private readFrames(): { records: FrameRecord[]; overwritten: number } {
    const { clock } = this.setup;
    const records: FrameRecord[] = [];
    const { overwritten } = this.frames.drain((words) => records.push(frameOf(words, clock)));
    return { records, overwritten };
  }

  private missReaders(): readonly RecordRingReader[] {
    const { telemetry, telemetryLayout: layout } = this.setup.memory;
    return Array.from(
      { length: layout.rowCount },
      (_, row) => new RecordRingReader(telemetry, layout.missRing(row), MISS_CAPACITY, MISS_RECORD_WORDS),
    );
  }

  private frameReader(): RecordRingReader {
    const { telemetry, telemetryLayout: layout } = this.setup.memory;
    return new RecordRingReader(telemetry, layout.frameRing, FRAME_RECORD_CAPACITY, FRAME_RECORD_WORDS);
  }
}

/** Jobs that the worker has ended, in all columns that it had. */
function jobsOf(memory: AttachedMemory, worker: number): number {
  let jobs = 0;
  for (let column = 0; column < memory.workerCount; column++) {
    if (memory.placeOf(column) !== worker) continue;
    jobs += Atomics.load(memory.control, memory.layout.worker(column) + WORKER_JOB_COUNT) >>> 0;
  }
  return jobs;
}

const UNKNOWN_PROBE = { source: null, reason: 'the worker has not reported yet' };
const NO_PROBES = { preempted: UNKNOWN_PROBE, gc: UNKNOWN_PROBE, onCpu: UNKNOWN_PROBE };

/** Number of the oldest job that has not ended, or of the next one: what is before it has ended. */
function oldestLive(ring: JobRing): number {
  const head = Atomics.load(ring.i32, RING_HEAD); // acquire
  let oldest = head;
  for (let slot = 0; slot < ring.capacitySlots; slot++) {
    const base = ring.slotBase(slot);
    const status = statusOf(Atomics.load(ring.i32, base + SLOT_STATE));
    if (status === STATUS_FREE || status === STATUS_WRITING || status === STATUS_DONE) continue;
    const number = Atomics.load(ring.i32, base + SLOT_SEQUENCE);
    if (((number - oldest) | 0) < 0) oldest = number;
  }
  return oldest;
}

function frameOf(words: Int32Array, clock: Clock): FrameRecord {
  const outcome = words[FRAME_RECORD_OUTCOME]!;
  const dropped = outcome === FRAME_DROPPED;
  const jobs = words[FRAME_RECORD_JOBS]!;
  return {
    loop: words[FRAME_RECORD_LOOP]!,
    number: words[FRAME_RECORD_NUMBER]!,
    outcome: dropped ? 'dropped' : outcome === FRAME_LATE ? 'late' : 'onTime',
    tickAtUs: momentOf(words[FRAME_RECORD_TICK_US]!, clock),
    calledAtUs: dropped ? null : momentOf(words[FRAME_RECORD_CALLED_US]!, clock),
    submittedAtUs: dropped ? null : momentOf(words[FRAME_RECORD_SUBMITTED_US]!, clock),
    finishedAtUs: dropped || jobs === 0 ? null : momentOf(words[FRAME_RECORD_FINISHED_US]!, clock),
    deadlineAtUs: momentOf(words[FRAME_RECORD_DEADLINE_US]!, clock),
    jobs,
    misses: words[FRAME_RECORD_MISSES]!,
    ticks: words[FRAME_RECORD_TICKS]!,
  };
}

function slackCollectionsOf(
  { control }: AttachedMemory,
  base: number,
  report: ThreadReport | null,
): Pick<WorkerTelemetry, 'slackCollections'> {
  if (report?.gc?.effective !== 'inSlack') return {};
  return {
    slackCollections: {
      young: Atomics.load(control, base + WORKER_SLACK_YOUNG),
      full: Atomics.load(control, base + WORKER_SLACK_FULL),
      totalMs: Atomics.load(control, base + WORKER_SLACK_MS),
    },
  };
}
