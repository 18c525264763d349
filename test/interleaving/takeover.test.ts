import { describe, test } from 'vitest';
import { SLOT_SEQUENCE } from '../../src/memory/layout.js';
import type { JobRing } from '../../src/ring/job-ring.js';
import type { Job } from '../../src/scheduler/job.js';
import type { JobContext } from '../../src/worker/task.js';
import { type EngineSpec, engine, FRAME_DEADLINE_US, type Host } from './engine.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin } from './expect.js';
import type { Scenario } from './explore.js';
import { check, machine, run, type Stepping } from './machine.js';
import type { Patch } from './modules.js';

interface Hangs {
  /** Jobs that run too long, one after the other: each may be run again (`again`) or not (`once`). */
  readonly hanging: readonly ('once' | 'again')[];
  readonly spares: number;
  /** Workers of the lane. */
  readonly workers?: number;
  /** Worker 0 may die at any step besides. */
  readonly dies?: boolean;
}

/**
 * The first jobs run until they are found to run too long, by place 0: a spare takes it, the late thread goes on or dies at
 * any step. The jobs behind them are run by whoever serves, in the slots that are free.
 */
function hanging({ hanging, spares, workers = 1, dies = false }: Hangs, patches: readonly Patch[] = []): Scenario {
  let host: Host | null = null;
  let started: Record<string, number> = {};
  let running: Record<string, number> = {};
  // what is thrown in a handler makes its job fail, of which nobody hears if it has ended already
  let trouble: string | null = null;
  const handlerOf =
    (lane: string) =>
    (context: JobContext): Stepping =>
      (function* (): Stepping {
        const { ring, base } = context as unknown as { ring: JobRing; base: number };
        const sequence = machine.load(ring.i32, base + SLOT_SEQUENCE);
        started[lane] = (started[lane] ?? 0) + 1;
        const turn = Object.values(started).reduce((sum, n) => sum + n, 0);
        running[lane] = (running[lane] ?? 0) + 1;
        // while it may be run again nobody else is given it
        if (lane === 'again' && running[lane] > 1) trouble = 'two threads run one job';
        // told by the watch; whoever is not expected to hang goes on at once
        if (turn <= hanging.length) yield* machine.until(() => host!.told() >= turn);
        running[lane]!--;
        // the handler's last write
        if (machine.point(machine.siteOf('a late write'), ring.i32, base + SLOT_SEQUENCE)) yield;
        const now = machine.load(ring.i32, base + SLOT_SEQUENCE);
        if (now !== sequence) trouble = `the slot of a job (${lane}) was used again while its thread could write to it`;
        return undefined;
      })();
  const spec: EngineSpec = {
    lanes: {
      once: { slots: 2, handler: handlerOf('once') },
      again: { slots: 2, idempotent: true, handler: handlerOf('again') },
    },
    workers: Array.from({ length: workers }, () => ['once', 'again']),
    spares,
    hangs: hanging.length,
    ...(dies ? { mortalWorker: 0 } : {}),
    patches,
  };
  return engine(
    spec,
    function* (present): Stepping {
      host = present;
      started = {};
      running = {};
      trouble = null;
      const { frames, tasks } = present;
      for (const lane of hanging) {
        const frame = yield* run(frames.begin(0, FRAME_DEADLINE_US));
        const job = (yield* run(frame.submit(tasks[lane]!))) as Job;
        check(yield* run(frame.joinSync()), () => 'the join came back without the jobs');
        check(job.outcome === 'onTime' || job.outcome === 'lost', () => `a job that hung is ${job.outcome}`);
      }
      const frame = yield* run(frames.begin(0, FRAME_DEADLINE_US));
      const behind = (yield* run(frame.submit(tasks['once']!))) as Job;
      // takes the slot of a job that hung, if that is free
      const last = (yield* run(frame.submit(tasks['once']!))) as Job;
      check(yield* run(frame.joinSync()), () => 'the join came back without the jobs');
      check(behind.refused === false, () => 'the job behind those that hang was refused');
      for (const { outcome } of [behind, last]) {
        const isRight = outcome === 'onTime' || outcome === 'refused' || (outcome === 'lost' && dies);
        check(isRight, () => `a job behind those that hang is ${outcome}`);
      }
      return undefined;
    },
    () => {
      check(trouble === null, () => trouble!);
      const most = 2 * hanging.filter((lane) => lane === 'again').length;
      check((started['again'] ?? 0) <= most, () => `jobs were started ${started['again']} times`);
    },
  );
}

describe('a worker hangs: a spare takes its place, the late thread does no harm', () => {
  test('one job, all schedules with few preemptions', () => {
    const bounds = { preemptions: 1, kills: 1, maxSchedules: 1500 };
    expectSoundWithin(hanging({ hanging: ['once'], spares: 1 }), bounds, 1000);
  });

  test('one that may be run again, all schedules with few preemptions', () => {
    const bounds = { preemptions: 1, kills: 1, maxSchedules: 1200 };
    expectSoundWithin(hanging({ hanging: ['again'], spares: 1 }), bounds, 1000);
  });

  test.each<[string, Hangs, number]>([
    ['two in a row', { hanging: ['once', 'again'], spares: 2 }, 2],
    ['one that hangs again', { hanging: ['again', 'again'], spares: 2 }, 2],
    ['another worker beside it', { hanging: ['once'], spares: 1, workers: 2 }, 1],
    ['its place may die besides', { hanging: ['once'], spares: 2, dies: true }, 2],
  ])('%s: random schedules', (_, hangs, kills) => {
    expectSoundAtRandom(hanging(hangs), 800, kills);
  });

  const ONCE: Hangs = { hanging: ['once'], spares: 1 };
  const AGAIN: Hangs = { hanging: ['again'], spares: 1 };
  test.each<[string, Hangs, Patch]>([
    [
      'the slot is not kept from use',
      ONCE,
      {
        file: 'worker/job-ender.ts',
        before: '    if (retire) Atomics.or(i32, base + SLOT_FLAGS, SLOT_FLAG_RETIRED);\n',
        after: '',
      },
    ],
    [
      'the slot is kept from use after its job is done',
      ONCE,
      {
        file: 'scheduler/dead-worker.ts',
        before: 'OUTCOME_LOST, cause, true)) retired.push({ ring, slot });',
        after: `OUTCOME_LOST, cause, false)) {
          Atomics.or(ring.i32, base + SLOT_FLAGS, SLOT_FLAG_RETIRED);
          retired.push({ ring, slot });
        }`,
      },
    ],
    [
      'the host frees it all the same',
      ONCE,
      { file: 'ring/job-ring.ts', before: '      this.retired.push(slot);\n      return;\n', after: '' },
    ],
    [
      'the worker is not told to stop',
      ONCE,
      {
        file: 'scheduler/lane-service.ts',
        before: 'Atomics.compareExchange(control, base + WORKER_COMMAND, COMMAND_RUN, COMMAND_STOP);',
        after: 'Atomics.load(control, base + WORKER_COMMAND);',
      },
    ],
    [
      'it is taken out of service without a second look at its job',
      ONCE,
      {
        file: 'scheduler/lane-service.ts',
        before: 'if (!runs || task === 0 || startUs !== seen.startUs || jobs !== seen.jobs) {',
        after: 'if (jobs < 0) {',
      },
    ],
    [
      'a job is run again while its thread lives',
      AGAIN,
      {
        file: 'scheduler/dead-worker.ts',
        before: '        if (!isFinal && this.mayReissue(ring, base)) continue;\n',
        after:
          '        if (this.mayReissue(ring, base)) {\n          this.settleRunning(ring, 0, slot, state, cause);\n          continue;\n        }\n',
      },
    ],
    [
      'what it left is not settled',
      AGAIN,
      { file: 'scheduler/hung-workers.ts', before: '    this.service.settle(column, CAUSE_HUNG);\n', after: '' },
    ],
    [
      'its slot is kept from use for ever',
      ONCE,
      { file: 'scheduler/hung-workers.ts', before: '    this.undertaker.release(retired);\n', after: '' },
    ],
    [
      'the spare is not given its turn',
      ONCE,
      { file: 'scheduler/supervisor.ts', before: '      endLife(this.memory!, spare.column);\n', after: '' },
    ],
  ])('is found: %s', (_, hangs, patch) => {
    expectFound(hanging(hangs, [patch]), { preemptions: 2, kills: 1, maxSchedules: 10_000 });
  });
});
