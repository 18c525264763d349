import { describe, test } from 'vitest';
import { type EngineSpec, engine } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin, MUTANT } from './expect.js';
import type { Scenario } from './explore.js';
import { machine, run, type Stepping } from './machine.js';
import type { Patch } from './modules.js';

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
    expectSoundWithin(meeting(), { preemptions: 1 }, 500);
  });

  test('random schedules', () => {
    expectSoundAtRandom(meeting(), 1000);
  });

  const SINGLE_PUBLISH = `    const sequence = handle.producer.publish(
      slot,
      STATUS_READY,
      handle.info.index,
      0,
      0,
      -1,
      nowUs,
      nowUs,
      deadlineUs,
      flags,
    );
`;
  const SINGLE_RING = `    if (overload !== null) overload.accepted(job, false);
    this.ring(handle, slot);
    if (signal`;
  test.each<[string, readonly Patch[]]>([
    [
      'no second look before the wait',
      [
        {
          file: 'worker/idle-loop.ts',
          before: `    if (core.claimNext()) {
      bells.cancelPark(core.column);
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
          before: '    if (!bells.announcePark(core.column)) return false;\n',
          after: '',
        },
        {
          file: 'worker/idle-loop.ts',
          before: '    core.parked();\n',
          after: '    if (!bells.announcePark(core.column)) return false;\n    core.parked();\n',
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
