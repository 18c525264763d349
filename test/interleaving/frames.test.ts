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
import { type EngineSpec, engine, FRAME_DEADLINE_US, type Host } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin, MUTANT } from './expect.js';
import type { Scenario } from './explore.js';
import { check, machine, run, type Stepping } from './machine.js';
import { type Patch, swap } from './modules.js';

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
      const frame = yield* run(frames.begin(0, FRAME_DEADLINE_US));
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
    expectSoundWithin(barriers(TWO_FRAMES), { preemptions: 1, maxSchedules: 2500 }, 2500);
  });

  test('random schedules', () => {
    expectSoundAtRandom(barriers(TWO_FRAMES), 1000);
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
        `      if (this.isComplete()) {
        this.noteOver();
        return true;
      }
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
