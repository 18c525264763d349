import { describe, test } from 'vitest';
import { type EngineSpec, engine } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin, MUTANT } from './expect.js';
import type { Scenario } from './explore.js';
import { check, run, type Stepping } from './machine.js';
import { type Patch, swap } from './modules.js';

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
    expectSoundWithin(awaiting(), { preemptions: 1 }, 1000);
  });

  test('random schedules', () => {
    expectSoundAtRandom(awaiting(), 1000);
  });

  test.each<[string, readonly Patch[]]>([
    [
      'the epoch is read after the jobs were looked at',
      swap(
        'scheduler/completions.ts',
        '      const epoch = Atomics.load(control, CONTROL_COMPLETION_EPOCH); // acquire\n',
        '      this.look();\n      if (this.waiters.length === 0) break;\n',
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
      [
        {
          file: 'scheduler/host-core.ts',
          before: '      if (job.isCounted()) this',
          after: '      if (kept === 0) this',
        },
      ],
    ],
  ])('is found: %s', (_, patches) => {
    expectFound(awaiting(patches), MUTANT);
  });
});
