import type { Schema } from '../memory/fields.js';
import { layoutSchema } from '../memory/schema-layout.js';
import { ViewFactory } from '../memory/views.js';
import type { JobRing } from '../ring/job-ring.js';
import { BUCKET_COUNT, highestValueNs } from '../telemetry/buckets.js';
import type { Task } from './task.js';
import { watchedRun } from './watched-task.js';

/** What a task needs to be known by on every thread. Survives structured cloning. */
export interface TaskInfo {
  readonly index: number;
  readonly lane: number;
  readonly name: string;
  readonly deadlineUs: number;
  readonly budgetUs: number;
  readonly idempotent: boolean;
  /** Where the output begins in the payload, in bytes. */
  readonly outputOffset: number;
  /** Handlers work on private copies: see `watchedRun`. */
  readonly development?: boolean;
}

/** Rules of a lane. Survives structured cloning. */
export interface LaneInfo {
  readonly index: number;
  readonly name: string;
  /** Whether a job past its deadline is still started. */
  readonly onExpired: 'run' | 'drop';
  readonly onFull: 'refuse' | 'dropOldest';
  readonly admission: 'off' | 'estimate';
  readonly importance: number;
  readonly periodic: null | {
    readonly task: number;
    readonly ring: number;
    readonly periodUs: number;
    readonly deadlineUs: number;
    /** Release of period 0, in microseconds since the epoch (does not wrap). */
    readonly startUs: number;
  };
  readonly shared: Readonly<Record<string, unknown>>;
}

/** Views of one task in the slots of one ring, made on first use and kept. */
export class SlotViews {
  private readonly ring: JobRing;
  private readonly inputs: unknown[];
  private readonly outputs: unknown[];
  private readonly inputFactory: ViewFactory<Schema>;
  private readonly outputFactory: ViewFactory<Schema>;
  private readonly outputOffset: number;
  constructor(task: Pick<Task, 'input' | 'output'>, outputOffset: number, ring: JobRing, name: string) {
    this.ring = ring;
    this.inputFactory = new ViewFactory(layoutSchema(task.input, `input of ${name}`));
    this.outputFactory = new ViewFactory(layoutSchema(task.output, `output of ${name}`));
    this.outputOffset = outputOffset;
    this.inputs = new Array(ring.capacitySlots).fill(null);
    this.outputs = new Array(ring.capacitySlots).fill(null);
  }
  input(slot: number): unknown {
    const made = this.inputs[slot];
    if (made !== null) return made;
    const view = this.inputFactory.create(this.ring.views, this.ring.payloadByte(slot));
    this.inputs[slot] = view;
    return view;
  }
  /** The output as a handler gets it: lengths of bytes fields are zero, the rest is undefined. */
  freshOutput(slot: number): unknown {
    const view = this.output(slot);
    if (this.outputFactory.hasBytes) this.outputFactory.clearLengths(view as never);
    return view;
  }
  /** The input as a submitter gets it to fill: lengths of bytes fields are zero, the rest is undefined. */
  freshInput(slot: number): unknown {
    const view = this.input(slot);
    if (this.inputFactory.hasBytes) this.inputFactory.clearLengths(view as never);
    return view;
  }
  /** The input that was begun there is submitted, or given up. */
  submitted(_slot: number): void {}
  /** The slot was given back. */
  freed(_slot: number): void {}
  output(slot: number): unknown {
    const made = this.outputs[slot];
    if (made !== null) return made;
    const view = this.outputFactory.create(this.ring.views, this.ring.payloadByte(slot) + this.outputOffset);
    this.outputs[slot] = view;
    return view;
  }
}

/** A task on one worker: its handler, its views and its measured execution times. */
export class TaskRuntime {
  readonly info: TaskInfo;
  readonly lane: LaneInfo;
  readonly run: (input: unknown, output: unknown, context: unknown) => unknown;
  /** By index of the ring; only of the lane's rings. */
  readonly views: readonly (SlotViews | undefined)[];
  /** Measured on this worker, refreshed now and then; 0 until the first job. */
  p90ExecutionUs: number;
  p99ExecutionUs: number;
  /** A failure of it, as a periodic task, was told. */
  failureTold: boolean;
  private executed: number;
  private refreshAt: number;

  constructor(info: TaskInfo, lane: LaneInfo, task: Task, rings: readonly JobRing[]) {
    this.info = info;
    this.lane = lane;
    const name = `${lane.name}.${info.name}`;
    this.run = (info.development === true ? watchedRun(task, name) : task.run) as typeof this.run;
    const views: (SlotViews | undefined)[] = new Array(1 + Math.max(...rings.map((ring) => ring.index))).fill(
      undefined,
    );
    for (const ring of rings) {
      views[ring.index] = new SlotViews(task, info.outputOffset, ring, name);
    }
    this.views = views;
    this.p90ExecutionUs = 0;
    this.p99ExecutionUs = 0;
    this.failureTold = false;
    this.executed = 0;
    this.refreshAt = 1;
  }

  /** Counts an execution; refreshes the estimates from this worker's own histogram at 1, 2, 4 ... 64 jobs and then with every sixteenth more, at least 64. */
  executedOnce(words: Int32Array, histogramBase: number): void {
    this.executed++;
    if (this.executed < this.refreshAt) return;
    // each time a sixteenth more is known: the scan reads the whole histogram
    this.refreshAt = this.executed < 64 ? this.executed * 2 : this.executed + Math.max(64, this.executed >>> 4);
    let total = 0;
    for (let i = 0; i < BUCKET_COUNT; i++) total += words[histogramBase + i]! >>> 0;
    const above90 = total * 0.1;
    const above99 = total * 0.01;
    let above = 0;
    let found99 = false;
    for (let i = BUCKET_COUNT - 1; i >= 0; i--) {
      above += words[histogramBase + i]! >>> 0;
      if (!found99 && above > above99) {
        this.p99ExecutionUs = highestValueNs(i) / 1000;
        found99 = true;
      }
      if (above > above90) {
        this.p90ExecutionUs = highestValueNs(i) / 1000;
        return;
      }
    }
  }
}
