import { describe, test } from 'vitest';
import type { Job } from '../../src/scheduler/job.js';
import { type EngineSpec, engine, NOW_US } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin, MUTANT } from './expect.js';
import type { Scenario } from './explore.js';
import { check, machine, run, type Stepping } from './machine.js';
import type { Patch } from './modules.js';

const DEADLINE_MS = 1;
const LATE_US = NOW_US + DEADLINE_MS * 1000 + 1;

interface Race {
  /** Jobs may be run again after a death. */
  readonly idempotent?: boolean;
  /** Spares for worker 0, which then takes over from it when it dies. */
  readonly spares?: number;
}

/**
 * Two jobs that one signal cancels while two workers claim them, while their deadline passes, and while worker 0 dies: one
 * outcome each, and the right one.
 */
function racing({ idempotent = false, spares = 0 }: Race, patches: readonly Patch[] = []): Scenario {
  let jobs: Job[] = [];
  let cancelledAtOnce: boolean[] = [];
  let startedThen = 0;
  let started = 0;
  const handler = (): undefined => {
    started++;
    machine.observe(started);
  };
  const spec: EngineSpec = {
    lanes: { work: { slots: 2, idempotent, onExpired: 'drop', handler } },
    workers: [['work'], ['work']],
    mortalWorker: 0,
    spares,
    timesUs: [LATE_US],
    patches,
  };
  return engine(
    spec,
    function* ({ core, tasks }): Stepping {
      jobs = [];
      started = 0;
      // what `scheduler.submit(task, input, { signal })` makes of a signal, without its closures, which cannot be split
      const signal = new AbortController().signal;
      for (let i = 0; i < 2; i++)
        jobs.push(yield* run(core.submitSingle(tasks['work']!, undefined, DEADLINE_MS, signal)));
      const pending = jobs.filter((job) => !job.ended);
      const links = core.aborts as unknown as { abort(signal: AbortSignal): void };
      yield* run(links.abort(signal));
      cancelledAtOnce = pending.map((job) => job.outcome === 'cancelled');
      startedThen = started;
      return undefined;
    },
    () => {
      const outcomes = jobs.map(({ outcome }) => outcome);
      for (const outcome of outcomes) {
        check(['onTime', 'late', 'cancelled', 'expired', 'lost'].includes(outcome), () => `a job is ${outcome}`);
      }
      const ran = outcomes.filter((outcome) => outcome === 'onTime' || outcome === 'late').length;
      const lost = outcomes.filter((outcome) => outcome === 'lost').length;
      const most = ran + lost + (idempotent ? 1 : 0);
      check(started >= ran && started <= most, () => `${started} handlers ran, of jobs that are ${outcomes}`);
      check(lost <= 1, () => 'one death lost two jobs');
      if (cancelledAtOnce.every((yes) => yes) && cancelledAtOnce.length === 2) {
        check(started === startedThen, () => 'a job was started after its cancel');
      }
    },
  );
}

describe('claim against cancel against expiry against death: one outcome each', () => {
  test('all schedules with few preemptions', () => {
    expectSoundWithin(racing({}), { preemptions: 1, kills: 1, maxSchedules: 2000 }, 1500);
  });

  test.each<[string, Race]>([
    ['jobs that may be run again', { idempotent: true }],
    ['a spare takes over', { idempotent: true, spares: 1 }],
    ['a spare takes over, jobs that may not be run again', { spares: 1 }],
  ])('%s: random schedules', (_, race) => {
    expectSoundAtRandom(racing(race), 1000, 1);
  });

  test.each<[string, Race, Patch]>([
    [
      'a cancel is a plain store',
      {},
      {
        file: 'worker/job-ender.ts',
        before: '    const before = Atomics.compareExchange(i32, base + SLOT_STATE, state, running);\n',
        after: `    const before = Atomics.load(i32, base + SLOT_STATE);
    if (before === state) Atomics.store(i32, base + SLOT_STATE, running);
`,
      },
    ],
    [
      'a claim is a plain store',
      {},
      {
        file: 'ring/job-scanner.ts',
        before: '  const before = Atomics.compareExchange(ring.i32, at, ready, running);\n',
        after: `  const before = Atomics.load(ring.i32, at);
  if (before === ready) Atomics.store(ring.i32, at, running);
`,
      },
    ],
    [
      'an expired job is run all the same',
      {},
      {
        file: 'worker/worker-core.ts',
        before: '        this.outcome = OUTCOME_EXPIRED;\n        return;\n',
        after:
          '        this.outcome = OUTCOME_EXPIRED;\n        task.run(null as never, null as never, this);\n        return;\n',
      },
    ],
    [
      'a running job is cancelled as one that is ready',
      {},
      {
        file: 'scheduler/job.ts',
        before: 'if (statusOf(state) === STATUS_READY && this.core',
        after: 'if (this.core',
      },
    ],
    [
      'a job of a dead worker is lost and made ready',
      { idempotent: true },
      {
        file: 'scheduler/dead-worker.ts',
        before: '    Atomics.or(ring.i32, base + SLOT_FLAGS, SLOT_FLAG_REISSUED);\n',
        after:
          '    this.ender.end(ring, slot, state, OUTCOME_LOST, cause);\n    state = Atomics.load(ring.i32, base + SLOT_STATE);\n',
      },
    ],
  ])('is found: %s', (_, race, patch) => {
    expectFound(racing(race, [patch]), { ...MUTANT, kills: 1 });
  });
});
