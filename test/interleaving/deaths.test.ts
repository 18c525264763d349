import { describe, test } from 'vitest';
import type { Job } from '../../src/scheduler/job.js';
import { type EngineSpec, engine, FRAME_DEADLINE_US } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin, MUTANT } from './expect.js';
import type { Scenario } from './explore.js';
import { check, run, type Stepping } from './machine.js';
import { type Patch, swap } from './modules.js';

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
      const frame = yield* run(frames.begin(0, FRAME_DEADLINE_US));
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
    expectSoundWithin(dying('once, again'), { preemptions: 0, kills: 1, maxSchedules: 1500 }, 1000);
  });

  test('worker 0 dies anywhere, one preemption', () => {
    expectSoundWithin(dying('once'), { preemptions: 1, kills: 1, maxSchedules: 2500 }, 2000);
  });

  test('worker 0 dies anywhere, a job is cancelled, one preemption', () => {
    expectSoundWithin(dying('once, again, cancel'), { preemptions: 1, kills: 1, maxSchedules: 2500 }, 2000);
  });

  test('random schedules', () => {
    expectSoundAtRandom(dying('once, again, cancel'), 1000, 1);
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
          before: '    recorder.count(taskIndex, counter);\n    if (missed)',
          after: '    if (missed)',
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
