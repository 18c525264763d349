import {
  ControlLayout,
  LANE_SERVERS,
  SLOT_TASK,
  WORKER_COLUMN,
  WORKER_CURRENT_TASK,
  WORKER_PLACE,
} from '../memory/layout.js';
import { Bells } from '../ring/bell.js';
import { FrameWords } from '../ring/frame-words.js';
import { JobRing, type JobRingHandle } from '../ring/job-ring.js';
import { ERROR_RING_WORDS } from '../telemetry/error-ring.js';
import { JobTraceWriter } from '../telemetry/job-trace.js';
import { TelemetryLayout } from '../telemetry/recorder.js';

export interface RingHandle extends JobRingHandle {
  readonly lane: number;
}

/** All shared memory of one scheduler: survives structured cloning, the buffers are shared. */
export interface MemoryHandle {
  readonly control: SharedArrayBuffer;
  readonly telemetry: SharedArrayBuffer;
  readonly errors: SharedArrayBuffer;
  readonly rings: readonly RingHandle[];
  /** Columns of the workers and their spares. */
  readonly workerCount: number;
  readonly taskCount: number;
  /** Jobs that the trace keeps per thread. */
  readonly traceJobs: number;
}

export const slotsOf = (rings: readonly RingHandle[]): number =>
  rings.reduce((sum, ring) => sum + ring.capacitySlots, 0);

/** The memory as one thread sees it. Attaching allocates; the accessors do not. */
export class AttachedMemory {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly layout: ControlLayout;
  readonly rings: readonly JobRing[];
  readonly ringHandles: readonly RingHandle[];
  readonly bells: Bells;
  readonly frames: FrameWords;
  readonly telemetry: Int32Array<SharedArrayBuffer>;
  readonly telemetryLayout: TelemetryLayout;
  readonly errors: Int32Array<SharedArrayBuffer>;
  /** Columns of the workers and their spares. */
  readonly workerCount: number;

  constructor(handle: MemoryHandle) {
    this.control = new Int32Array(handle.control);
    this.layout = new ControlLayout(slotsOf(handle.rings), handle.taskCount);
    this.rings = handle.rings.map((ring, index) => new JobRing(ring, index));
    this.ringHandles = handle.rings;
    this.bells = new Bells(this.control, this.layout);
    this.frames = new FrameWords(
      this.control,
      this.layout,
      this.rings,
      handle.rings.map((ring) => ring.lane),
      this.bells,
      handle.workerCount,
    );
    this.telemetry = new Int32Array(handle.telemetry);
    this.telemetryLayout = new TelemetryLayout(handle.taskCount, handle.workerCount, handle.traceJobs);
    this.errors = new Int32Array(handle.errors);
    this.workerCount = handle.workerCount;
  }

  /** Index of the task of a slot's job; that of some task where the word is none: it then counts there. Any thread. */
  taskOf(i32: Int32Array, base: number): number {
    const task = i32[base + SLOT_TASK]!;
    return task >>> 0 < this.telemetryLayout.taskCount ? task : 0;
  }

  /** Mask of the workers that serve the lane now. */
  serversOf(lane: number): number {
    return Atomics.load(this.control, this.layout.lane(lane) + LANE_SERVERS);
  }

  /** Index of the worker that the column's thread is, or was last. */
  placeOf(column: number): number {
    const place = Atomics.load(this.control, this.layout.worker(column) + WORKER_PLACE);
    // one that there is not: overwritten by mistake
    return place >>> 0 < this.workerCount ? place : column;
  }

  /** Index of the task that the column's thread runs; -1: none. */
  runningTask(column: number): number {
    return Atomics.load(this.control, this.layout.worker(column) + WORKER_CURRENT_TASK) - 1; // acquire
  }

  /** The column whose thread serves as that worker. */
  columnOf(place: number): number {
    const column = Atomics.load(this.control, this.layout.worker(place) + WORKER_COLUMN);
    return column >>> 0 < this.workerCount ? column : place;
  }

  /** Writes the trace of a column's thread. That thread only; allocates. */
  jobTrace(column: number): JobTraceWriter {
    const { telemetryLayout: layout } = this;
    return new JobTraceWriter(this.telemetry, layout.jobTrace(layout.rowOf(column)), layout.traceJobs);
  }

  /** First word of the error texts of a column's thread. */
  errorBase(column: number): number {
    return this.telemetryLayout.rowOf(column) * ERROR_RING_WORDS;
  }
}
