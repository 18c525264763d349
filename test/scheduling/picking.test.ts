import * as fc from 'fast-check';
import { type Frame, type Job, task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { CLOCK_STARTS, expectCounts } from './support.js';

// Random jobs, frames with barriers, cancels and deaths against a model that knows all jobs and checks each claim.

const LANES = ['a', 'b', 'c'] as const;
const RESTART_US = 15;
const GRID_US = 16;
const MAX_DEATHS = 3;

interface Entry {
  readonly id: number;
  readonly lane: number;
  readonly deadlineUs: number;
  readonly submitUs: number;
  readonly durationUs: number;
  readonly frame: FrameModel | null;
  readonly stage: number;
  readonly idempotent: boolean;
  job: Job | null;
  startUs: number;
  worker: number;
  starts: number;
  outcome: string;
}
interface FrameModel {
  readonly entries: Entry[];
}

type Action =
  | { kind: 'single'; lane: number; deadlineUs: number; durationUs: number; idempotent: boolean }
  | { kind: 'frame'; deadlineUs: number; jobs: { lane: number; durationUs: number; barrier: boolean }[] }
  | { kind: 'cancel'; which: number }
  | { kind: 'kill'; worker: number; running: boolean }
  | { kind: 'wait'; us: number };

const duration = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 25 }));
const lane = fc.integer({ min: 0, max: LANES.length - 1 });
const single = fc.record({
  kind: fc.constant('single' as const),
  lane,
  deadlineUs: fc.integer({ min: 1, max: 80 }),
  durationUs: duration,
  idempotent: fc.boolean(),
});
const frame = fc.record({
  kind: fc.constant('frame' as const),
  deadlineUs: fc.integer({ min: 1, max: 120 }),
  jobs: fc.array(fc.record({ lane, durationUs: duration, barrier: fc.boolean() }), { maxLength: 8 }),
});
const cancel = fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(200) });
/** A worker by its index, or the one that runs the job that was started last. */
const kill = fc.record({ kind: fc.constant('kill' as const), worker: fc.nat(3), running: fc.boolean() });
const wait = fc.record({
  kind: fc.constant('wait' as const),
  us: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 8, max: 60 })),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  { arbitrary: single, weight: 5 },
  { arbitrary: frame, weight: 3 },
  { arbitrary: cancel, weight: 1 },
  { arbitrary: kill, weight: 2 },
  { arbitrary: wait, weight: 4 },
);

const scenario = fc.record({
  workers: fc.array(fc.subarray([0, 1, 2], { minLength: 1 }), { minLength: 1, maxLength: 4 }),
  dropping: fc.boolean(),
  capacitySlots: fc.constantFrom(4, 16, 64),
  wakeupUs: fc.constantFrom(0, 0, 3),
  startUs: fc
    .tuple(fc.constantFrom(...CLOCK_STARTS), fc.integer({ min: 0, max: 150 }))
    .map(([at, before]) => Math.max(0, at - before)),
  actions: fc.array(action, { maxLength: 40 }),
});

class Model {
  readonly entries: Entry[] = [];
  readonly faults: string[] = [];
  nowUs: () => number = () => 0;
  /** By worker: lanes, and until when it is dead. */
  readonly lanesOf: number[][] = [];
  readonly deadUntilUs: number[] = [];
  readonly deaths: number[] = [];

  refresh(): void {
    for (const entry of this.entries) {
      if (entry.outcome === 'pending' && entry.job !== null) entry.outcome = entry.job.outcome;
    }
  }

  isReady(entry: Entry): boolean {
    if (entry.outcome !== 'pending' || entry.startUs >= 0) return false;
    if (entry.frame === null) return true;
    return entry.frame.entries.every((other) => other.stage >= entry.stage || other.outcome !== 'pending');
  }

  readyFor(worker: number): Entry[] {
    return this.entries.filter((entry) => this.lanesOf[worker]!.includes(entry.lane) && this.isReady(entry));
  }

  /** Called from the handler: the job was claimed at this moment. */
  claimed(id: number, worker: number): void {
    this.refresh();
    const entry = this.entries[id]!;
    const fault = (what: string): void => void this.faults.push(`${what}: job ${id} on worker ${worker}`);
    if (!this.isReady(entry)) fault(`claimed though not ready (${entry.outcome}, started at ${entry.startUs})`);
    if (!this.lanesOf[worker]!.includes(entry.lane)) fault('claimed by a worker that does not serve its lane');
    for (const other of this.readyFor(worker)) {
      if (other === entry) continue;
      const earlier = other.deadlineUs - entry.deadlineUs;
      if (earlier < 0) fault(`job ${other.id} is due earlier`);
      if (earlier !== 0) continue;
      // ties: submission order within a ring, submit stamps across rings
      if (other.lane === entry.lane ? other.id < entry.id : other.submitUs < entry.submitUs) {
        fault(`job ${other.id} has the same deadline and was submitted earlier`);
      }
    }
    entry.startUs = this.nowUs();
    entry.worker = worker;
    entry.starts++;
  }

  /** No worker idles while a job that it serves is ready. Only where nothing more is due at this moment. */
  checkWorkConserving(): void {
    this.refresh();
    const now = this.nowUs();
    this.lanesOf.forEach((_, worker) => {
      if (this.deadUntilUs[worker]! > now) return;
      const running = this.entries.some((entry) => entry.worker === worker && entry.outcome === 'pending');
      const ready = this.readyFor(worker);
      if (!running && ready.length > 0) {
        this.faults.push(`at ${now} worker ${worker} idles while ${ready.map((entry) => entry.id)} are ready`);
      }
    });
  }

  died(worker: number): void {
    this.deaths[worker] = this.deaths[worker]! + 1;
    const forEver = this.deaths[worker]! > MAX_DEATHS;
    this.deadUntilUs[worker] = forEver ? Number.POSITIVE_INFINITY : this.nowUs() + RESTART_US;
    for (const entry of this.entries) {
      if (entry.worker !== worker || entry.outcome !== 'pending') continue;
      entry.worker = -1;
      if (entry.idempotent && entry.starts === 1) entry.startUs = -1;
      else entry.outcome = 'lost';
    }
  }
}

async function run(given: typeof scenario extends fc.Arbitrary<infer T> ? T : never): Promise<void> {
  const model = new Model();
  const define = (idempotent: boolean) =>
    task({
      input: { id: u32 },
      idempotent,
      run: (input, _output, context) => model.claimed(input.id, context.workerIndex),
    });
  const load = async () => ({ work: define(false), again: define(true) });
  // the last worker serves whatever nobody else does
  const served = given.workers.map((lanes) => [...lanes]);
  for (const one of [0, 1, 2]) if (!served.some((lanes) => lanes.includes(one))) served.at(-1)!.push(one);
  served.sort((a, b) => a.length - b.length);
  const onExpired = given.dropping ? ('drop' as const) : ('run' as const);
  const options = { load, onExpired, capacitySlots: given.capacitySlots };
  const executionUs = (input: { id: number }): number => model.entries[input.id]!.durationUs;
  const scheduler = await createTestScheduler({
    lanes: { a: options, b: options, c: options },
    workers: served.map((lanes) => ({ lanes: lanes.map((one) => LANES[one]!) })),
    framesInFlight: 3,
    executionUs: { work: executionUs, again: executionUs },
    wakeupUs: given.wakeupUs,
    startUs: given.startUs,
    restartUs: RESTART_US,
  });
  model.nowUs = () => scheduler.nowUs();
  for (const lanes of served) {
    model.lanesOf.push(lanes);
    model.deadUntilUs.push(0);
    model.deaths.push(0);
  }
  const enter = (of: Pick<Entry, 'lane' | 'deadlineUs' | 'durationUs' | 'frame' | 'stage' | 'idempotent'>): Entry => {
    const entry: Entry = {
      ...of,
      id: model.entries.length,
      submitUs: scheduler.nowUs(),
      job: null,
      startUs: -1,
      worker: -1,
      starts: 0,
      outcome: 'pending',
    };
    model.entries.push(entry);
    return entry;
  };
  const advance = async (us: number): Promise<void> => {
    await scheduler.advanceUs(0);
    for (let left = us, stepUs = 1; ; stepUs = (stepUs % 4) + 1) {
      if (given.wakeupUs === 0) model.checkWorkConserving();
      if (left === 0) return;
      const now = Math.min(left, stepUs);
      await scheduler.advanceUs(now);
      left -= now;
    }
  };
  // equal deadlines are wanted: they lie on a grid
  const relativeUs = (us: number): number =>
    Math.ceil((scheduler.nowUs() + us) / GRID_US) * GRID_US - scheduler.nowUs();
  for (const step of given.actions) {
    if (step.kind === 'single') {
      const relative = relativeUs(step.deadlineUs);
      const entry = enter({ ...step, deadlineUs: scheduler.nowUs() + relative, frame: null, stage: 0 });
      const handles = scheduler.lanes[LANES[step.lane]!];
      const handle = step.idempotent ? handles.again : handles.work;
      entry.job = scheduler.submit(handle, { id: entry.id }, { deadlineMs: relative / 1000 });
    } else if (step.kind === 'frame') {
      model.refresh();
      const relative = relativeUs(step.deadlineUs);
      const begun: Frame = scheduler.beginFrame({ deadlineMs: relative / 1000 });
      const frameModel: FrameModel = { entries: [] };
      let stage = 0;
      for (const { lane: on, durationUs, barrier } of step.jobs) {
        const deadlineUs = scheduler.nowUs() + relative;
        const entry = enter({ lane: on, durationUs, deadlineUs, frame: frameModel, stage, idempotent: false });
        frameModel.entries.push(entry);
        entry.job = begun.submit(scheduler.lanes[LANES[on]!].work, { id: entry.id });
        if (barrier) {
          begun.barrier();
          stage++;
        }
      }
      begun.poll();
    } else if (step.kind === 'cancel') {
      const entry = model.entries[step.which % Math.max(1, model.entries.length)];
      model.refresh();
      if (entry?.outcome === 'pending') {
        const wasReady = model.isReady(entry);
        expect(entry.job!.cancel()).toBe(wasReady);
        if (wasReady) expect(entry.job!.outcome).toBe('cancelled');
      }
    } else if (step.kind === 'kill') {
      model.refresh();
      const running = model.entries.filter((entry) => entry.worker >= 0 && entry.outcome === 'pending').at(-1);
      const worker = step.running && running !== undefined ? running.worker : step.worker % served.length;
      if (scheduler.inject.killWorker(worker)) model.died(worker);
    } else {
      await advance(step.us);
    }
    model.refresh();
  }
  await scheduler.runUntilIdle();
  model.refresh();
  expect(model.faults).toEqual([]);
  await scheduler.close();
  const snapshot = scheduler.snapshot();
  LANES.forEach((name, index) => {
    const own = model.entries.filter((entry) => entry.lane === index);
    expectCounts(
      snapshot.lanes[name]!,
      own.map((entry) => entry.outcome),
    );
    for (const entry of own) {
      if (entry.outcome !== 'onTime' && entry.outcome !== 'late') continue;
      expect(entry.outcome).toBe(entry.startUs + entry.durationUs > entry.deadlineUs ? 'late' : 'onTime');
    }
  });
}

describe('picking against a model', () => {
  it('claims the earliest deadline, leaves no worker idle, counts each job once', async () => {
    await fc.assert(fc.asyncProperty(scenario, run), { numRuns: Number(process.env['PICKING_RUNS'] ?? 100) });
  });
});
