import { describe, test } from 'vitest';
import type { Job } from '../../src/scheduler/job.js';
import { type EngineSpec, engine } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin, MUTANT } from './expect.js';
import type { Scenario } from './explore.js';
import { check, run, type Stepping } from './machine.js';
import type { Patch } from './modules.js';

/** Three jobs into two slots while workers claim: the oldest gives way, unless a worker was first. */
function dropping(patches: readonly Patch[] = []): Scenario {
  let runs = 0;
  let jobs: Job[] = [];
  const handler = (): undefined => {
    runs++;
  };
  const spec: EngineSpec = {
    lanes: { work: { slots: 2, onFull: 'dropOldest', handler } },
    workers: [['work'], ['work']],
    patches,
  };
  return engine(
    spec,
    function* ({ core, tasks }): Stepping {
      runs = 0;
      jobs = [];
      for (let i = 0; i < 3; i++) jobs.push(yield* run(core.submitSingle(tasks['work']!, undefined, 100)));
      return undefined;
    },
    () => {
      const ran = jobs.filter(({ outcome }) => outcome === 'onTime').length;
      check(ran === runs, () => `${runs} handlers ran, of jobs that are ${jobs.map(({ outcome }) => outcome)}`);
      check(jobs[2]!.outcome !== 'expired', () => 'the newest was dropped');
    },
  );
}

describe('the oldest gives way to a new job while workers claim: one outcome each', () => {
  test('all schedules with few preemptions', () => {
    expectSoundWithin(dropping(), { preemptions: 1 }, 500);
  });

  test('random schedules', () => {
    expectSoundAtRandom(dropping(), 1000);
  });

  test('is found: it is ended without being taken from the workers', () => {
    const patch: Patch = {
      file: 'worker/job-ender.ts',
      before: '    const before = Atomics.compareExchange(i32, base + SLOT_STATE, state, running);\n',
      after: '    const before = state;\n    Atomics.store(i32, base + SLOT_STATE, running);\n',
    };
    expectFound(dropping([patch]), MUTANT);
  });
});
