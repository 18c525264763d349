import { VirtualClock } from '../../src/base/time.js';
import {
  FRAME_CALLED_US,
  FRAME_RELATIVE_DEADLINE_US,
  FRAME_TICK_US,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_READY,
  statusOf,
} from '../../src/memory/layout.js';
import { JobRingProducer } from '../../src/ring/job-ring.js';
import { describeTasks } from '../../src/scheduler/load-tasks.js';
import { MissDecoder } from '../../src/scheduler/miss-decoder.js';
import { normalizeOptions } from '../../src/scheduler/options.js';
import { makePlan } from '../../src/scheduler/plan.js';
import { MISS_CAPACITY, MISS_RECORD_WORDS } from '../../src/telemetry/miss-record.js';
import { RecordRingReader } from '../../src/telemetry/record-ring.js';
import type { Miss } from '../../src/telemetry/telemetry-data.js';
import { AttachedMemory } from '../../src/worker/attached-memory.js';
import type { ExplainerSetup } from '../../src/worker/miss-explainer.js';
import { type Task, task } from '../../src/worker/task.js';
import { NO_SIGNAL, type ProbeReports, type ThreadProbe } from '../../src/worker/thread-probe.js';
import { WorkerCore } from '../../src/worker/worker-core.js';

export type Signal = 'preempted' | 'gc' | 'onCpu';

/** A thread on a virtual clock that says what happens to it: its signals are exactly that. */
export class ScriptedThread implements ThreadProbe {
  readonly clock: VirtualClock;
  readonly reports: ProbeReports;
  preemptedUs = NO_SIGNAL;
  gcUs = NO_SIGNAL;
  onCpuUs = NO_SIGNAL;
  marks = 0;
  timesMarks = 0;
  reads = 0;
  private readonly has: ReadonlySet<Signal>;
  private readonly now = { preempted: 0, gc: 0, onCpu: 0 };
  private readonly marked = { preempted: 0, gc: 0, onCpu: 0 };

  constructor(clock: VirtualClock, signals: readonly Signal[] = ['preempted', 'gc', 'onCpu']) {
    this.clock = clock;
    this.has = new Set(signals);
    const report = (signal: Signal) =>
      this.has.has(signal) ? { source: 'script', reason: null } : { source: null, reason: 'not in the script' };
    this.reports = { preempted: report('preempted'), gc: report('gc'), onCpu: report('onCpu') };
  }
  /** On a CPU. */
  compute(us: number): void {
    this.clock.advanceUs(us);
    this.now.onCpu += us;
  }
  /** The system runs something else. */
  preempt(us: number): void {
    this.clock.advanceUs(us);
    this.now.preempted += us;
  }
  /** Collects garbage, on a CPU. */
  collect(us: number): void {
    this.compute(us);
    this.now.gc += us;
  }
  /** Waits in a call. */
  block(us: number): void {
    this.clock.advanceUs(us);
  }
  mark(): void {
    this.marks++;
    Object.assign(this.marked, this.now);
  }
  markTimes(): void {
    this.timesMarks++;
    this.marked.preempted = this.now.preempted;
    this.marked.onCpu = this.now.onCpu;
  }
  read(): void {
    this.reads++;
    const since = (signal: Signal) => (this.has.has(signal) ? this.now[signal] - this.marked[signal] : NO_SIGNAL);
    this.preemptedUs = since('preempted');
    this.gcUs = since('gc');
    this.onCpuUs = since('onCpu');
    Object.assign(this.marked, this.now);
  }
}

export interface Submission {
  readonly name?: string;
  /** What happens while the handler runs. */
  readonly run: (thread: ScriptedThread) => void;
  /** Relative to the submit; default: what is left of the frame, or 16 ms. */
  readonly deadlineUs?: number;
  /** Slot of the frame that it belongs to. */
  readonly frame?: number;
  /** When its barrier opens, relative to the submit. */
  readonly releaseUs?: number;
}

interface FrameTimes {
  readonly tickUs: number;
  readonly relativeUs: number;
}

/** One worker's core on a scripted thread, with one lane of the tasks `render` and `other`. */
export class Stage {
  readonly clock: VirtualClock;
  readonly thread: ScriptedThread;
  private readonly core: WorkerCore;
  private readonly producer: JobRingProducer;
  private readonly reader: RecordRingReader;
  private readonly decoder: MissDecoder;
  private readonly memory: AttachedMemory;
  private readonly scripts: ((thread: ScriptedThread) => void)[] = [];
  private readonly taskNames: readonly string[];
  private readonly frames = new Map<number, FrameTimes>();

  constructor(
    options: {
      startUs?: number;
      signals?: readonly Signal[];
      budgetUs?: number;
      wakeupFloorUs?: number;
      replaces?: boolean;
      onExpired?: 'run' | 'drop';
    } = {},
  ) {
    this.clock = new VirtualClock(options.startUs ?? 0);
    this.thread = new ScriptedThread(this.clock, options.signals);
    const run = () => this.scripts.shift()!(this.thread);
    const made = {
      render: task({ input: {}, ...(options.budgetUs === undefined ? {} : { budgetUs: options.budgetUs }), run }),
      other: task({ input: {}, run }),
    };
    const { lanes } = normalizeOptions(
      { lanes: { lane: { tasks: 'file:///lane.js', onExpired: options.onExpired ?? 'run' } } },
      [0],
    );
    const worker = {
      name: 'worker',
      lanes: [0],
      priority: 'high',
      cpus: null,
      spinUs: 0,
      resourceLimits: null,
    } as const;
    const plan = makePlan(lanes, [worker], [describeTasks(made, 'lane', 'the test')], 0, true, 64);
    this.memory = new AttachedMemory(plan.memory);
    this.taskNames = plan.tasks.map((info) => info.name);
    const explainer: ExplainerSetup = {
      probe: this.thread,
      wakeupFloorUs: options.wakeupFloorUs ?? 60,
      replacesSinceUs: options.replaces === true ? this.clock.nowUs() : null,
    };
    this.core = new WorkerCore(this.memory, this.clock, {
      column: 0,
      workerIndex: 0,
      lanes: plan.lanes,
      tasks: plan.tasks.map((info) => ({ info, task: made[info.name as keyof typeof made] as unknown as Task })),
      explainer,
    });
    this.producer = new JobRingProducer(this.memory.rings[0]!);
    const { telemetry, telemetryLayout } = this.memory;
    this.reader = new RecordRingReader(telemetry, telemetryLayout.missRing(0), MISS_CAPACITY, MISS_RECORD_WORDS);
    this.decoder = new MissDecoder(
      plan.lanes,
      plan.tasks,
      (column) => (column === 0 ? 'worker' : column === 1 ? 'main' : null),
      this.clock,
    );
  }

  /** Begins a frame whose tick is now; the callback is called `calledLateUs` after. */
  frame(slot: number, relativeUs: number, calledLateUs = 0): number {
    const tickUs = this.clock.nowUs();
    const { control, layout } = this.memory;
    const base = layout.frame(slot);
    control[base + FRAME_TICK_US] = tickUs;
    control[base + FRAME_CALLED_US] = (tickUs + calledLateUs) | 0;
    control[base + FRAME_RELATIVE_DEADLINE_US] = relativeUs;
    this.frames.set(slot, { tickUs, relativeUs });
    this.clock.advanceUs(calledLateUs);
    return slot;
  }

  submit({ name = 'render', run, deadlineUs, frame, releaseUs = 0 }: Submission): void {
    this.free();
    const slot = this.producer.reserve();
    const submitUs = this.clock.nowUs();
    const times = frame === undefined ? undefined : this.frames.get(frame)!;
    const frameDeadlineUs = times === undefined ? submitUs + 16_000 : times.tickUs + times.relativeUs;
    const deadline = (deadlineUs === undefined ? frameDeadlineUs : submitUs + deadlineUs) | 0;
    const index = this.taskNames.indexOf(name);
    this.scripts.push(run);
    const release = (submitUs + releaseUs) | 0;
    this.producer.publish(slot, STATUS_READY, index, (frame ?? -1) + 1, 0, frame ?? -1, submitUs, release, deadline);
  }

  /** The worker wakes up now and runs all that is ready. */
  wakeAndRun(): void {
    while (this.core.claimNext()) {
      this.core.execute();
      this.core.settle();
    }
    this.core.parked();
  }

  misses(): Miss[] {
    const misses: Miss[] = [];
    this.reader.drain((words) => misses.push(this.decoder.decode(words)));
    return misses;
  }

  private free(): void {
    const { ring } = this.producer;
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      if (statusOf(ring.i32[ring.slotBase(slot) + SLOT_STATE]!) === STATUS_DONE) this.producer.free(slot);
    }
  }
}

/** What a miss's parts add up to, and what they should. */
export function sums({ segments, finishAtUs, releaseAtUs }: Miss): { parts: number; responseUs: number } {
  const { wakeupUs, waitingBehindUs, gcUs, preemptedUs, onCpuUs, unattributedUs } = segments;
  const parts = wakeupUs + waitingBehindUs + (gcUs ?? 0) + (preemptedUs ?? 0) + (onCpuUs ?? 0) + unattributedUs;
  return { parts, responseUs: Math.max(0, finishAtUs - releaseAtUs) };
}
