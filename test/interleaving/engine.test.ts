import { describe, test } from 'vitest';
import {
  ownerOf,
  SLOT_FRAME,
  SLOT_STAGE,
  SLOT_STATE,
  STATUS_READY,
  STATUS_RUNNING,
  STATUS_WAITING,
  statusOf,
} from '../../src/memory/layout.js';
import type { Job } from '../../src/scheduler/job.js';
import type { JobContext } from '../../src/worker/task.js';
import { type EngineSpec, engine, type Host } from './engine.js';
import { expectFound, expectSound, randomSeed } from './expect.js';
import { type Bounds, explore, exploreRandomly, type Scenario } from './explore.js';
import { check, machine, run, type Stepping } from './machine.js';
import type { Patch } from './modules.js';

const DEADLINE_US = 20_000;

/** The search of a spoilt system, which should find its fault before this. */
const MUTANT: Bounds = { preemptions: 2, maxSchedules: 20_000 };

const swap = (file: string, first: string, second: string): Patch[] => [
  { file, before: first + second, after: second + first },
];

// ------------------------------------------------- bells and parking
/** Two jobs of one lane that both have to be running before either ends: a worker that sleeps on is noticed. */
function meeting(patches: readonly Patch[] = []): Scenario {
  let begun = 0;
  const handler = function* (): Stepping {
    begun++;
    yield* machine.until(() => begun === 2);
    return undefined;
  };
  const spec: EngineSpec = {
    lanes: { input: { slots: 2, handler }, render: { slots: 2 } },
    workers: [['input'], ['input', 'render']],
    patches,
  };
  return engine(spec, function* ({ core, tasks }): Stepping {
    begun = 0;
    yield* run(core.submitSingle(tasks['render']!, undefined, 100));
    yield* run(core.submitSingle(tasks['input']!, undefined, 100));
    yield* run(core.submitSingle(tasks['input']!, undefined, 100));
    return undefined;
  });
}

describe('bells and parking: no worker sleeps while a job of its lanes is ready', () => {
  test('all schedules with few preemptions', () => {
    expectSound(explore(meeting(), { preemptions: 1 }), 500);
  });

  test('random schedules', () => {
    expectSound(exploreRandomly(meeting(), randomSeed(), 1000), 1000);
  });

  const SINGLE_PUBLISH = `    const sequence = handle.producer.publish(slot, STATUS_READY, handle.info.index, 0, 0, -1, nowUs, nowUs, deadlineUs);
`;
  const SINGLE_RING = `    this.single.push(job);
    this.accepted(handle);
    this.ring(handle, slot);
`;
  test.each<[string, readonly Patch[]]>([
    [
      'no second look before the wait',
      [
        {
          file: 'worker/idle-loop.ts',
          before: `    if (core.claimNext()) {
      bells.cancelPark(core.workerIndex);
      return true;
    }
`,
          after: '',
        },
      ],
    ],
    [
      'the park is announced after the second look',
      [
        {
          file: 'worker/idle-loop.ts',
          before: '    if (!bells.announcePark(core.workerIndex)) return false;\n',
          after: '',
        },
        {
          file: 'worker/idle-loop.ts',
          before: '    core.parked();\n',
          after: '    if (!bells.announcePark(core.workerIndex)) return false;\n    core.parked();\n',
        },
      ],
    ],
    ['no notification', [{ file: 'ring/bell.ts', before: '    Atomics.notify(this.control, at, 1);\n', after: '' }]],
    [
      'the ring before the publish',
      [
        {
          file: 'scheduler/host-core.ts',
          before: SINGLE_RING,
          after: SINGLE_RING.replace('    this.ring(handle, slot);\n', ''),
        },
        {
          file: 'scheduler/host-core.ts',
          before: SINGLE_PUBLISH,
          after: `    this.ring(handle, slot);\n${SINGLE_PUBLISH}`,
        },
      ],
    ],
  ])('is found: %s', (_, patches) => {
    expectFound(meeting(patches), MUTANT);
  });
});

// ------------------------------------------------- frames
/** Nothing of a later stage of the frame starts before all of the earlier ones has ended. */
function* afterEarlierStages({ memory }: Host, worker: number): Stepping {
  const slots = memory.rings.flatMap((ring) =>
    Array.from({ length: ring.capacitySlots }, (_, slot) =>
      ring.i32.subarray(ring.slotBase(slot), ring.slotBase(slot + 1)),
    ),
  );
  const own = slots.find(
    (slot) => statusOf(slot[SLOT_STATE]!) === STATUS_RUNNING && ownerOf(slot[SLOT_STATE]!) === worker,
  )!;
  const early = slots.find((slot) => {
    const status = statusOf(slot[SLOT_STATE]!);
    const isLive = status === STATUS_WAITING || status === STATUS_READY || status === STATUS_RUNNING;
    return isLive && slot[SLOT_FRAME] === own[SLOT_FRAME] && slot[SLOT_STAGE]! < own[SLOT_STAGE]!;
  });
  check(
    early === undefined,
    () => `a job of stage ${own[SLOT_STAGE]} started before one of stage ${early![SLOT_STAGE]} had ended`,
  );
  yield* machine.until(() => true);
  return undefined;
}

/** Two frames in one frame slot, the second one with two barriers. */
const TWO_FRAMES = [['front'], ['front', 'behind', 'front']];
const ONE_FRAME = [['front', 'behind']];

/** Frames in one frame slot, by the lanes of their jobs; a barrier lies between any two jobs. */
function barriers(stagesOfFrames: readonly string[][], patches: readonly Patch[] = []): Scenario {
  let host: Host | null = null;
  const handler = ({ workerIndex }: JobContext): Stepping => afterEarlierStages(host!, workerIndex);
  const spec: EngineSpec = {
    lanes: { front: { slots: 2, handler }, behind: { slots: 1, handler } },
    workers: [['front'], ['front', 'behind']],
    patches,
  };
  return engine(spec, function* (present): Stepping {
    host = present;
    const { frames, tasks } = present;
    for (const stages of stagesOfFrames) {
      const frame = yield* run(frames.begin(0, DEADLINE_US));
      const jobs: Job[] = [];
      for (const [index, lane] of stages.entries()) {
        if (index > 0) yield* run(frame.barrier());
        jobs.push((yield* run(frame.submit(tasks[lane]!))) as Job);
      }
      check(yield* run(frame.joinSync()), () => 'the join came back without the jobs');
      for (const job of jobs) check(job.outcome === 'onTime', () => `a joined job is ${job.outcome}`);
    }
    return undefined;
  });
}

describe('frames: barriers open and joins return', () => {
  test('all schedules with few preemptions', () => {
    expectSound(explore(barriers(TWO_FRAMES), { preemptions: 1, maxSchedules: 5000 }), 5000);
  });

  test('random schedules', () => {
    expectSound(exploreRandomly(barriers(TWO_FRAMES), randomSeed(), 1000), 1000);
  });

  test.each<[string, readonly Patch[]]>([
    [
      'the stages are looked at before the column is stored',
      swap(
        'ring/frame-words.ts',
        '    Atomics.store(this.control, this.layout.frame(frame) + FRAME_COLUMNS + column, value); // release\n',
        '    this.completeStages(frame);\n',
      ),
    ],
    [
      'a job is entered as waiting and the stage not looked at again',
      [
        {
          file: 'ring/frame-words.ts',
          before: '    if (((complete - stage) | 0) >= 0) this.makeReady(frame, ringIndex, slot, stage);\n',
          after: '',
        },
      ],
    ],
    [
      'a waiting job is made ready by a plain store',
      [
        {
          file: 'ring/frame-words.ts',
          before: '    const before = Atomics.compareExchange(ring.i32, base + SLOT_STATE, state, ready); // release\n',
          after: '    const before = state;\n    Atomics.store(ring.i32, base + SLOT_STATE, ready);\n',
        },
      ],
    ],
    [
      'the joiner reads the epoch after it looked',
      swap(
        'scheduler/frame.ts',
        `      const epoch = core.memory.frames.epoch(this.index);
`,
        `      if (this.isComplete()) return true;
`,
      ),
    ],
    [
      'waiting jobs are made ready whatever their stage',
      [{ file: 'ring/frame-words.ts', before: '    if (slotStage !== stage) return;\n', after: '' }],
    ],
    [
      'the joiner is woken before the stage is complete',
      [
        {
          file: 'ring/frame-words.ts',
          before: '      const next = (complete + 1) | 0;\n',
          after: '      const next = (complete + 1) | 0;\n      this.bumpEpoch(frame);\n',
        },
        {
          file: 'ring/frame-words.ts',
          before: '      this.openStage(frame, next);\n      this.bumpEpoch(frame);\n',
          after: '      this.openStage(frame, next);\n',
        },
      ],
    ],
  ])('is found: %s', (what, patches) => {
    expectFound(barriers(what.includes('whatever') ? TWO_FRAMES : ONE_FRAME, patches), MUTANT);
  });
});

// ------------------------------------------------- deaths and cancels
/** Which jobs there are: one that may not be run again, one that may (behind a barrier if there are both), and whether that is cancelled. */
type Jobs = 'once' | 'once, again' | 'once, again, cancel' | 'again, cancel';

/** Worker 0 may die at any of its accesses. */
function dying(jobs: Jobs, patches: readonly Patch[] = []): Scenario {
  let started: Record<string, number> = {};
  const handlerOf = (lane: string) => (): undefined => {
    started[lane] = (started[lane] ?? 0) + 1;
  };
  const spec: EngineSpec = {
    lanes: {
      once: { slots: 2, handler: handlerOf('once') },
      again: { slots: 2, idempotent: true, handler: handlerOf('again') },
    },
    workers: [
      ['once', 'again'],
      ['once', 'again'],
    ],
    mortalWorker: 0,
    patches,
  };
  let cancelled = false;
  let startedBefore = 0;
  let once: Job | null = null;
  let again: Job | null = null;
  return engine(
    spec,
    function* ({ frames, tasks }): Stepping {
      started = {};
      cancelled = false;
      startedBefore = 0;
      const frame = yield* run(frames.begin(0, DEADLINE_US));
      once = null;
      again = null;
      if (jobs.includes('once')) once = (yield* run(frame.submit(tasks['once']!))) as Job;
      if (jobs.includes('once, again')) yield* run(frame.barrier());
      if (jobs.includes('again')) again = (yield* run(frame.submit(tasks['again']!))) as Job;
      if (jobs.includes('cancel')) cancelled = yield* run(again!.cancel());
      startedBefore = started['again'] ?? 0;
      check(yield* run(frame.joinSync()), () => 'the join came back without the jobs');
      check(once?.ended !== false && again?.ended !== false, () => 'joined jobs have not ended');
      return undefined;
    },
    () => {
      const onceStarted = started['once'] ?? 0;
      const againStarted = started['again'] ?? 0;
      check(onceStarted <= 1, () => `a job that may not be run again was started ${onceStarted} times`);
      check(againStarted <= 2, () => `a job was started ${againStarted} times`);
      if (once !== null) {
        const { outcome } = once;
        check(outcome === 'onTime' || outcome === 'lost', () => `the first job is ${outcome}`);
        if (outcome === 'onTime') check(onceStarted === 1, () => 'a job is onTime and was not started');
      }
      if (again === null) return;
      const { outcome } = again;
      const isDue = outcome === 'onTime' || (jobs.includes('cancel') && outcome === 'cancelled');
      check(isDue, () => `the idempotent job is ${outcome}`);
      if (cancelled) {
        check(outcome === 'cancelled', () => `a cancelled job is ${outcome}`);
        check(againStarted === startedBefore, () => 'a job was started after its cancel');
      }
      if (outcome === 'onTime') check(againStarted >= 1, () => 'a job is onTime and was not started');
    },
  );
}

describe('deaths and cancels: one outcome, counted once', () => {
  test('worker 0 dies anywhere, with a barrier', () => {
    expectSound(explore(dying('once, again'), { preemptions: 0, kills: 1 }), 300);
  });

  test('worker 0 dies anywhere, one preemption', () => {
    expectSound(explore(dying('once'), { preemptions: 1, kills: 1, maxSchedules: 4000 }), 3000);
  });

  test('worker 0 dies anywhere, a job is cancelled, one preemption', () => {
    expectSound(explore(dying('once, again, cancel'), { preemptions: 1, kills: 1, maxSchedules: 4000 }), 3000);
  });

  test('random schedules', () => {
    expectSound(exploreRandomly(dying('once, again, cancel'), randomSeed(), 1500, 1), 1500);
  });

  test.each<[string, Jobs, readonly Patch[]]>([
    [
      'an ended job of a dead worker is not counted for it',
      'once',
      [
        {
          file: 'scheduler/dead-worker.ts',
          before: '        else if (status === STATUS_DONE) this.finishCounting(ring, base, state, worker, dead);\n',
          after: '',
        },
      ],
    ],
    [
      'a stage is closed before its target is stored',
      'once',
      swap(
        'ring/frame-words.ts',
        '    Atomics.store(this.control, base + FRAME_STAGE_TARGETS + (closed & (MAX_OPEN_STAGES - 1)), acceptedJobs);\n',
        '    Atomics.store(this.control, base + FRAME_STAGES_CLOSED, (closed + 1) | 0); // release\n',
      ),
    ],
    [
      'the stages are not looked at after a death',
      'once',
      [{ file: 'scheduler/dead-worker.ts', before: '      memory.frames.completeStages(frame);\n', after: '' }],
    ],
    [
      'the open stage is not opened again after a death',
      'once, again',
      [
        {
          file: 'scheduler/dead-worker.ts',
          before: '      memory.frames.openStage(frame, memory.frames.stagesComplete(frame));\n',
          after: '',
        },
      ],
    ],
    [
      'the joiner is not woken after a death',
      'once',
      [{ file: 'scheduler/dead-worker.ts', before: '      memory.frames.bumpEpoch(frame);\n', after: '' }],
    ],
    [
      'the workers are not rung after a death',
      'once',
      [
        {
          file: 'scheduler/dead-worker.ts',
          before: '    for (let other = 0; other < memory.workerCount; other++) memory.bells.ringAlways(other);\n',
          after: '',
        },
      ],
    ],
    [
      'no new epoch for a job that is issued again',
      'once, again',
      [
        {
          file: 'scheduler/dead-worker.ts',
          before: '    Atomics.add(ring.i32, RING_RESCAN_EPOCH, 1); // release\n',
          after: '',
        },
      ],
    ],
    [
      'the job is counted before it is done',
      'once',
      [
        {
          file: 'worker/worker-core.ts',
          before: '    const running = this.running;\n',
          after: '    recorder.count(taskIndex, counter);\n    const running = this.running;\n',
        },
        {
          file: 'worker/worker-core.ts',
          before: '    recorder.count(taskIndex, counter);\n    this.explainer',
          after: '    this.explainer',
        },
      ],
    ],
    [
      'a cancel is a plain store',
      'again, cancel',
      [
        {
          file: 'worker/job-ender.ts',
          before: '    const before = Atomics.compareExchange(i32, base + SLOT_STATE, state, running);\n',
          after: `    const before = Atomics.load(i32, base + SLOT_STATE);
    if (before === state) Atomics.store(i32, base + SLOT_STATE, running);
`,
        },
      ],
    ],
  ])('is found: %s', (_, jobs, patches) => {
    expectFound(dying(jobs, patches), { ...MUTANT, kills: 1 });
  });
});

// ------------------------------------------------- waits for single jobs
/** Waits for two jobs one by one, as `await job.done` does, and gives their slots back. */
function awaiting(patches: readonly Patch[] = []): Scenario {
  let resolved = 0;
  const spec: EngineSpec = { lanes: { work: { slots: 2 } }, workers: [['work'], ['work']], patches };
  return engine(
    spec,
    function* ({ core, tasks }): Stepping {
      resolved = 0;
      for (let i = 0; i < 2; i++) {
        const job = yield* run(core.submitSingle(tasks['work']!, undefined, 100));
        const resolve = (): void => {
          check(job.outcome === 'onTime', () => `a job that was waited for is ${job.outcome}`);
          resolved++;
        };
        if (job.ended) resolve();
        else yield* run(core.completions.add(job, resolve));
        yield* run(core.release(job));
      }
      return undefined;
    },
    () => {
      check(resolved === 2, () => `${resolved} of 2 waits were resolved`);
    },
  );
}

describe('waits for single jobs: none is forgotten', () => {
  test('all schedules with few preemptions', () => {
    expectSound(explore(awaiting(), { preemptions: 1 }), 1000);
  });

  test('random schedules', () => {
    expectSound(exploreRandomly(awaiting(), randomSeed(), 1000), 1000);
  });

  test.each<[string, readonly Patch[]]>([
    [
      'the epoch is read after the jobs were looked at',
      swap(
        'scheduler/completions.ts',
        '      const epoch = Atomics.load(control, CONTROL_COMPLETION_EPOCH); // acquire\n',
        '      this.settle();\n      if (this.waiters.length === 0) break;\n',
      ),
    ],
    [
      'the host says that it waits only after it looked',
      [
        {
          file: 'scheduler/completions.ts',
          before: '    Atomics.store(control, CONTROL_HOST_WAITING, 1); // release\n',
          after: '',
        },
        {
          file: 'scheduler/completions.ts',
          before: '      const wait = this',
          after: '      Atomics.store(control, CONTROL_HOST_WAITING, 1);\n      const wait = this',
        },
      ],
    ],
    [
      'a finisher tells before the job is done',
      [
        { file: 'worker/worker-core.ts', before: '    this.signalCompletion();\n', after: '' },
        {
          file: 'worker/worker-core.ts',
          before: '    const running = this.running;\n',
          after: '    this.signalCompletion();\n    const running = this.running;\n',
        },
      ],
    ],
    [
      'a slot is given back before its job is counted',
      [{ file: 'scheduler/host-core.ts', before: '      if (!job.isCounted()) return true;\n', after: '' }],
    ],
  ])('is found: %s', (_, patches) => {
    expectFound(awaiting(patches), MUTANT);
  });
});
