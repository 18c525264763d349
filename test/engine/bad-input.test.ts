import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createScheduler, FrameDeadlineError, f32, type Scheduler, task, u8, u32 } from 'frame-deadline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  codeOf,
  Gate,
  loadWork,
  quiet,
  sleep,
  taskUrl,
  threadCount,
  threadsBackTo,
  WORK_URL,
  type WorkTasks,
} from './support.js';

type Options = Parameters<typeof createScheduler>[0];
/** As JavaScript would call it: nothing is checked by the compiler. */
const create = (options: unknown): Promise<Scheduler<Record<string, WorkTasks>>> =>
  createScheduler(options as Options) as unknown as Promise<Scheduler<Record<string, WorkTasks>>>;
const lanes = { work: { tasks: WORK_URL, load: loadWork } };
const withModule = (tasks: unknown, more: object = {}): unknown => ({ lanes: { work: { tasks, ...more } } });

let threadsBefore = 0;
beforeAll(async () => {
  await (await create({ lanes })).close();
  threadsBefore = threadCount();
});
afterEach(() => threadsBackTo(threadsBefore));

describe('options', () => {
  const hour = 3_600_000;
  const badDeadlines = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, hour, '5', null, 5n];
  const cases: [string, unknown, string][] = [
    ['nothing', undefined, 'OPTION_INVALID'],
    ['a number', 5, 'OPTION_INVALID'],
    ['no lanes', {}, 'OPTION_INVALID'],
    ['empty lanes', { lanes: {} }, 'OPTION_INVALID'],
    ['lanes null', { lanes: null }, 'OPTION_INVALID'],
    ['a lane that is null', { lanes: { work: null } }, 'OPTION_INVALID'],
    ['a lane that is a URL', { lanes: { work: WORK_URL } }, 'OPTION_INVALID'],
    [
      '65 lanes',
      { lanes: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, lanes.work])) },
      'OPTION_INVALID',
    ],
    ['a misspelt option', { lanes, framesinFlight: 2 }, 'OPTION_INVALID'],
    ['a misspelt lane option', withModule(WORK_URL, { deadlineMS: 5 }), 'OPTION_INVALID'],
    ['a misspelt worker option', { lanes, workers: [{ lanes: ['work'], spinUS: 5 }] }, 'OPTION_INVALID'],
    [
      'a misspelt periodic option',
      withModule(WORK_URL, { periodic: { task: 'nothing', everyMS: 5 } }),
      'OPTION_INVALID',
    ],
    ['periodic null', withModule(WORK_URL, { periodic: null }), 'OPTION_INVALID'],
    ['an unknown mode', { lanes, mode: 'processes' }, 'OPTION_INVALID'],
    ['no tasks', { lanes: { work: { load: loadWork } } }, 'OPTION_INVALID'],
    ['tasks that is a path', withModule('./tasks/work.tasks.js'), 'OPTION_INVALID'],
    ['tasks that is a number', withModule(5), 'OPTION_INVALID'],
    ['load that is no function', withModule(WORK_URL, { load: 5 }), 'OPTION_INVALID'],
    ['inline without load', { lanes: { work: { tasks: WORK_URL } }, mode: 'inline' }, 'OPTION_INVALID'],
    ['hostHelps without load', { lanes: { work: { tasks: WORK_URL } }, hostHelps: true }, 'OPTION_INVALID'],
    ['hostHelps that is no boolean', { lanes, hostHelps: 'yes' }, 'OPTION_INVALID'],
    ['a signal that is none', { lanes, signal: {} }, 'OPTION_INVALID'],
    ...[0, 4, 1.5, Number.NaN, '2'].map((n): [string, unknown, string] => [
      `framesInFlight ${n}`,
      { lanes, framesInFlight: n },
      'OPTION_INVALID',
    ]),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5'].map((n): [string, unknown, string] => [
      `readyTimeoutMs ${n}`,
      { lanes, readyTimeoutMs: n },
      'OPTION_INVALID',
    ]),
    ...[3, 100, 8192, -4, Number.NaN, 4.5].map((n): [string, unknown, string] => [
      `capacitySlots ${n}`,
      withModule(WORK_URL, { capacitySlots: n }),
      'OPTION_INVALID',
    ]),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, hour, '5'].map((n): [string, unknown, string] => [
      `everyMs ${n}`,
      withModule(WORK_URL, { periodic: { task: 'nothing', everyMs: n } }),
      'OPTION_INVALID',
    ]),
    ...badDeadlines
      .filter((n) => n !== null)
      .map((n): [string, unknown, string] => [
        `deadlineMs ${String(n)} of a lane`,
        withModule(WORK_URL, { deadlineMs: n }),
        'DEADLINE_INVALID',
      ]),
    ['onExpired', withModule(WORK_URL, { onExpired: 'forget' }), 'OPTION_INVALID'],
    ['shared that cannot be cloned', withModule(WORK_URL, { shared: { callback() {} } }), 'OPTION_INVALID'],
    ['shared that is no object', withModule(WORK_URL, { shared: 5 }), 'OPTION_INVALID'],
    [
      'a periodic task that is not there',
      withModule(WORK_URL, { periodic: { task: 'nosuch', everyMs: 5 } }),
      'TASK_UNKNOWN',
    ],
    ['no workers', { lanes, workers: [] }, 'OPTION_INVALID'],
    ['workers null', { lanes, workers: null }, 'OPTION_INVALID'],
    ['a worker null', { lanes, workers: [null] }, 'OPTION_INVALID'],
    ['a worker without lanes', { lanes, workers: [{}] }, 'WORKER_WITHOUT_LANE'],
    ['a worker with no lane', { lanes, workers: [{ lanes: ['work'] }, { lanes: [] }] }, 'WORKER_WITHOUT_LANE'],
    ['an unknown lane', { lanes, workers: [{ lanes: ['work', 'wrok'] }] }, 'LANE_UNKNOWN'],
    ['an unserved lane', { lanes: { ...lanes, more: lanes.work }, workers: [{ lanes: ['work'] }] }, 'LANE_UNSERVED'],
    ['too many workers', { lanes, workers: [{ lanes: ['work'], count: 31 }] }, 'OPTION_INVALID'],
    [
      'too many workers together',
      { lanes, workers: [20, 20].map((count) => ({ lanes: ['work'], count })) },
      'OPTION_INVALID',
    ],
    ['half a worker', { lanes, workers: [{ lanes: ['work'], count: 0.5 }] }, 'OPTION_INVALID'],
    ['priority', { lanes, workers: [{ lanes: ['work'], priority: 'urgent' }] }, 'OPTION_INVALID'],
    ['spinUs', { lanes, workers: [{ lanes: ['work'], spinUs: -1 }] }, 'OPTION_INVALID'],
    ['name', { lanes, workers: [{ lanes: ['work'], name: 5 }] }, 'OPTION_INVALID'],
    ['no CPU', { lanes, workers: [{ lanes: ['work'], cpus: [] }] }, 'OPTION_INVALID'],
    ['a CPU that does not exist', { lanes, workers: [{ lanes: ['work'], cpus: [0, 4096] }] }, 'CPU_NOT_ALLOWED'],
    ['a negative CPU', { lanes, workers: [{ lanes: ['work'], cpus: [-1] }] }, 'CPU_NOT_ALLOWED'],
    ['a CPU that is a string', { lanes, workers: [{ lanes: ['work'], cpus: ['0'] }] }, 'CPU_NOT_ALLOWED'],
  ];
  it.each(cases)('%s', async (_what, options, code) => {
    expect(await codeOf(() => create(options).then((made) => made.close()))).toBe(code);
  });

  it('a deadline that is wrong, wherever one can be given', async () => {
    const scheduler = await create({ lanes });
    const { nothing } = scheduler.lanes['work']!;
    for (const deadlineMs of badDeadlines as number[]) {
      const what = String(deadlineMs);
      expect(await codeOf(() => task({ input: {}, deadlineMs, run() {} })), what).toBe('DEADLINE_INVALID');
      expect(await codeOf(() => scheduler.submit(nothing, {}, { deadlineMs })), what).toBe('DEADLINE_INVALID');
      if (deadlineMs !== null)
        expect(await codeOf(() => scheduler.beginFrame({ deadlineMs })), what).toBe('DEADLINE_INVALID');
      expect(await codeOf(() => scheduler.loop({ deadlineMs }, () => {})), what).toBe('DEADLINE_INVALID');
    }
    for (const hz of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1001, 0.01, '60'] as number[]) {
      expect(await codeOf(() => scheduler.loop({ hz }, () => {})), String(hz)).toBe('OPTION_INVALID');
    }
    for (const drainMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 3_600_000, '5'] as number[]) {
      expect(await codeOf(() => scheduler.close({ drainMs })), String(drainMs)).toBe('OPTION_INVALID');
    }
    expect((await scheduler.submit(nothing, {}).done).outcome).toMatch(/onTime|late/);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('a loop, a listener or a close that is wrong', async () => {
    const scheduler = await create({ lanes });
    const loose = scheduler as unknown as Record<
      'loop' | 'onMiss' | 'close' | 'beginFrame',
      (...args: unknown[]) => unknown
    >;
    expect(await codeOf(() => loose.loop({}))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose.loop(() => {}))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose.loop(undefined, () => {}))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose.loop({ HZ: 60 }, () => {}))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose.loop({ signal: {} }, () => {}))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose.onMiss())).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose.close({ drainMS: 5 }))).toBe('OPTION_INVALID');
    await scheduler.close();
  });

  it('task() is told what is wrong where it is written', async () => {
    const loose = task as unknown as (definition: unknown) => unknown;
    const run = (): void => {};
    expect(await codeOf(() => loose(undefined))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose({ input: {} }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose({ run }))).toBe('SCHEMA_INVALID');
    expect(await codeOf(() => loose({ input: { x: 'f32' }, run }))).toBe('SCHEMA_INVALID');
    expect(await codeOf(() => loose({ input: { 'a b': f32 }, run }))).toBe('SCHEMA_INVALID');
    expect(await codeOf(() => loose({ input: {}, output: [f32], run }))).toBe('SCHEMA_INVALID');
    expect(await codeOf(() => loose({ input: {}, budgetUs: -1, run }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose({ input: {}, budgetUs: '5', run }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => loose({ input: {}, deadlineMS: 5, run }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => u8.array(0))).toBe('SCHEMA_INVALID');
    expect(await codeOf(() => u32.array(1.5))).toBe('SCHEMA_INVALID');
  });
});

describe('task modules', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const cases: [string, URL | string, string, RegExp][] = [
    ['does not exist', taskUrl('nosuch.tasks.js'), 'TASK_MODULE_NOT_FOUND', /nosuch\.tasks\.js/],
    ['is a directory', taskUrl('bad'), 'TASK_MODULE_FAILED', /bad/],
    ['is on a web server', 'https://localhost:1/x.js', 'TASK_MODULE_FAILED', /https/],
    ['throws at import', taskUrl('bad/throws.tasks.js'), 'TASK_MODULE_FAILED', /RangeError: no luck at import/],
    ['throws null at import', taskUrl('bad/throws-null.tasks.js'), 'TASK_MODULE_FAILED', /null/],
    ['throws what cannot be printed', taskUrl('bad/throws-bare.tasks.js'), 'TASK_MODULE_FAILED', /throws-bare/],
    [
      'imports what is not there',
      taskUrl('bad/imports-nothing.tasks.js'),
      'TASK_MODULE_FAILED',
      /there-is-no-such-file/,
    ],
    ['exports no task', taskUrl('bad/no-task.tasks.js'), 'TASK_MODULE_EMPTY', /answer, tile/],
    ['declares a wrong schema', taskUrl('bad/schema.tasks.js'), 'SCHEMA_INVALID', /"x"/],
    ['declares a wrong deadline', taskUrl('bad/deadline.tasks.js'), 'DEADLINE_INVALID', /NaN/],
    ['needs more than 64 KiB a job', taskUrl('bad/large.tasks.js'), 'PAYLOAD_TOO_LARGE', /80000/],
    ['ends the thread', taskUrl('bad/exits.tasks.js'), 'WORKER_DIED', /exit code 7/],
    ['rejects outside', taskUrl('bad/rejects-later.tasks.js'), 'WORKER_DIED', /nobody caught this/],
  ];
  it.each(cases)('%s', async (_what, url, code, message) => {
    const error = await create(withModule(url)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FrameDeadlineError);
    expect((error as FrameDeadlineError).code, String(error)).toBe(code);
    expect((error as FrameDeadlineError).message).toMatch(message);
    expect((error as FrameDeadlineError).message.match(/\[[A-Z_]+\]/g), 'one code').toHaveLength(1);
  });

  it('ends the thread when it has been imported, while others still are', async () => {
    const options = {
      lanes: { dying: { tasks: taskUrl('bad/dies-later.tasks.js') }, slow: { tasks: taskUrl('bad/slow.tasks.js') } },
      workers: [{ lanes: ['dying'] }, { lanes: ['slow'] }],
    };
    const error = await create(options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'WORKER_DIED', message: expect.stringMatching(/dying ended.*exit code 7/) });
  });

  it('has a syntax error', async () => {
    const file = join(folder, 'syntax.mjs');
    writeFileSync(file, 'export const tile = task({ input: {');
    const error = await create(withModule(pathToFileURL(file))).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'TASK_MODULE_FAILED' });
    expect((error as Error).message).toMatch(/SyntaxError/);
  });

  it.each(['never', 'loops'])('never finishes importing: %s', async (name) => {
    const error = await create({
      ...(withModule(taskUrl(`bad/${name}.tasks.js`)) as object),
      readyTimeoutMs: 1000,
    }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'READY_TIMEOUT' });
    expect((error as Error).message).toMatch(/1000 ms/);
  });

  it('one of several workers fails: no thread is left', async () => {
    const options = {
      lanes: { work: lanes.work, bad: { tasks: taskUrl('bad/throws.tasks.js') } },
      workers: [{ lanes: ['work'], count: 3 }, { lanes: ['bad'] }],
    };
    expect(await codeOf(() => create(options))).toBe('TASK_MODULE_FAILED');
  });

  it('differs from what load gives', async () => {
    const other = async (module: Record<string, unknown>): Promise<string> =>
      codeOf(() => create({ lanes: { work: { tasks: WORK_URL, load: async () => module } }, hostHelps: true }));
    const work = await loadWork();
    expect(await other({ ...work, more: work.nothing })).toBe('TASK_MODULE_MISMATCH');
    expect(await other({ nothing: work.nothing })).toBe('TASK_MODULE_MISMATCH');
    expect(await other({ ...work, spin: task({ input: { us: f32 }, output: work.spin.output, run() {} }) })).toBe(
      'TASK_MODULE_MISMATCH',
    );
    expect(await other({ ...work, spin: task({ input: work.spin.input, run() {} }) })).toBe('TASK_MODULE_MISMATCH');
    expect(await other({})).toBe('TASK_MODULE_EMPTY');
  });

  it('load() fails', async () => {
    const failing = (load: () => unknown): Promise<string> =>
      codeOf(() => create({ lanes: { work: { tasks: WORK_URL, load } }, hostHelps: true }));
    expect(await failing(() => Promise.reject(new Error('no')))).toBe('TASK_MODULE_FAILED');
    expect(
      await failing(() => {
        throw new Error('at once');
      }),
    ).toBe('TASK_MODULE_FAILED');
    expect(await failing(() => Promise.resolve(undefined))).toBe('TASK_MODULE_EMPTY');
  });

  it('serves two lanes', async () => {
    const scheduler = await create({
      lanes: { one: lanes.work, two: lanes.work },
      workers: [{ lanes: ['one', 'two'] }],
    });
    const jobs = ['one', 'two'].map((lane) =>
      scheduler.submit(scheduler.lanes[lane]!.told, {}, { deadlineMs: 60_000 }),
    );
    for (const job of jobs) await job.done;
    expect(jobs.map((job) => new TextDecoder().decode(job.output.lane.copy()))).toEqual(['one', 'two']);
    expect(scheduler.describe().workers.map((worker) => worker.lanes)).toEqual([['one', 'two']]);
    const { lanes: counts } = await quiet(scheduler);
    expect([counts['one']!.submitted, counts['two']!.submitted]).toEqual([1, 1]);
    await scheduler.close();
  });
});

describe('wrong use', () => {
  let scheduler: Scheduler<{ work: WorkTasks; small: WorkTasks }>;
  const gate = new Gate();
  beforeAll(async () => {
    scheduler = await createScheduler({
      lanes: {
        work: { ...lanes.work, shared: { gate: gate.words } },
        small: { ...lanes.work, capacitySlots: 4, shared: { gate: gate.words } },
      },
      workers: [{ lanes: ['work', 'small'] }],
      // one that comes while a test runs would count as a thread that was left
      spares: 0,
    });
    threadsBefore = threadCount();
  });
  beforeEach(() => gate.shut());
  afterAll(async () => {
    await quiet(scheduler);
    await scheduler.close();
  });
  const loose = (): {
    submit(...args: unknown[]): { refused: unknown };
    lanes: Record<string, Record<string, unknown>>;
  } => scheduler as never;

  it('unknown lane, unknown task, something else', async () => {
    expect(await codeOf(() => loose().lanes['wrok'])).toBe('LANE_UNKNOWN');
    expect(await codeOf(() => loose().lanes['work']!['tyle'])).toBe('TASK_UNKNOWN');
    const frame = scheduler.beginFrame();
    for (const other of [undefined, null, 5, {}, 'work.spin', await loadWork().then((work) => work.spin)]) {
      expect(await codeOf(() => loose().submit(other, {}))).toBe('TASK_UNKNOWN');
      expect(await codeOf(() => frame.submit(other as never, {}))).toBe('TASK_UNKNOWN');
    }
    const another = await create({ lanes, mode: 'inline' });
    expect(await codeOf(() => loose().submit(another.lanes['work']!.nothing, {}))).toBe('TASK_UNKNOWN');
    await another.close();
    expect(frame.joinSync(), 'a frame without jobs').toBe(true);
  });

  it('payloads that do not fit', async () => {
    const { echo, spin, nothing } = scheduler.lanes.work;
    const good = { data: new Uint8Array(3), small: 1, whole: -1, values: [1, 2, 3, 4] };
    const before = scheduler.snapshot().lanes['work']!.submitted;
    const bad: unknown[] = [
      null,
      5,
      {},
      { ...good, extra: 1 },
      { ...good, small: Number.NaN },
      { ...good, small: 256 },
      { ...good, small: -1 },
      { ...good, small: 1.5 },
      { ...good, small: '1' },
      { ...good, small: 1n },
      { ...good, whole: 2 ** 31 },
      { ...good, whole: undefined },
      { ...good, values: [1, 2, 3] },
      { ...good, values: [1, 2, 3, 4, 5] },
      { ...good, values: [1, 2, 3, Number.NaN] },
      { ...good, values: 4 },
      { ...good, values: new Float64Array([1, 2, 3, 0.5]) },
      { ...good, data: new Uint8Array(65) },
      { ...good, data: 'text' },
    ];
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    for (const input of bad) {
      expect(await codeOf(() => scheduler.submit(echo, input as never)), JSON.stringify(input, printable)).toBe(
        'PAYLOAD_INVALID',
      );
      expect(await codeOf(() => frame.submit(echo, input as never))).toBe('PAYLOAD_INVALID');
    }
    expect(await codeOf(() => scheduler.submit(spin)), 'no input at all').toBe('PAYLOAD_INVALID');
    expect(await codeOf(() => (spin.input.us = -1))).toBe('PAYLOAD_INVALID');
    expect(await codeOf(() => ((spin.input as unknown as Record<string, number>)['uss'] = 1))).toMatch(
      /no code: TypeError/,
    );
    const job = frame.submit(echo, good);
    expect(frame.submit(nothing).refused, 'an empty input need not be given').toBe(false);
    expect(frame.joinSync()).toBe(true);
    expect([job.output.small, job.output.whole, ...job.output.values, job.output.data.length]).toEqual([
      1, -1, 1, 2, 3, 4, 3,
    ]);
    expect((await quiet(scheduler)).lanes['work']!.submitted, 'what threw was not submitted').toBe(before + 2);
  });

  it('more wrong payloads than slots: no slot is lost', async () => {
    const { echo, nothing } = scheduler.lanes.small;
    for (let i = 0; i < 20; i++)
      expect(await codeOf(() => scheduler.submit(echo, {} as never))).toBe('PAYLOAD_INVALID');
    const jobs = Array.from({ length: 4 }, () => scheduler.submit(nothing, {}));
    expect(jobs.map((job) => job.refused)).toEqual([false, false, false, false]);
    for (const job of jobs) {
      await job.done;
      job.release();
    }
  });

  it('a full ring refuses and later accepts again', async () => {
    const { gate: gated, nothing } = scheduler.lanes.small;
    const jobs = [1, 2, 3, 4].map((number) => scheduler.submit(gated, { number }, { deadlineMs: 60_000 }));
    const refused = scheduler.submit(gated, { number: 5 });
    expect([refused.refused, refused.outcome, refused.ended]).toEqual(['full', 'refused', true]);
    expect(await refused.done).toBe(refused);
    expect(refused.cancel()).toBe(false);
    expect(refused.error).toBe(null);
    refused.release();
    expect(await codeOf(() => refused.output)).toBe('JOB_REFUSED');
    expect(await codeOf(() => scheduler.submit(gated, { number: -1 })), 'wrong input when there is no room').toBe(
      'PAYLOAD_INVALID',
    );
    // the input goes nowhere: to nobody's slot
    gated.input.number = 99;
    expect(scheduler.submit(gated).refused).toBe('full');
    gate.open();
    for (const job of jobs) await job.done;
    expect(jobs.map((job) => job.output.number)).toEqual([1, 2, 3, 4]);
    // nobody released them: the oldest give way, in either form
    for (let i = 0; i < 12; i++) {
      if (i % 2 === 0) gated.input.number = i;
      const job = i % 2 === 0 ? scheduler.submit(gated) : scheduler.submit(gated, { number: i });
      expect(job.refused, `job ${i}`).toBe(false);
      await job.done;
      await quiet(scheduler);
      expect(job.output.number).toBe(i);
    }
    expect(await codeOf(() => jobs[0]!.output)).toBe('JOB_STALE');
    expect(jobs[0]!.outcome, 'the outcome stays').toMatch(/onTime|late/);
    // a frame finds room as well
    const frame = scheduler.beginFrame();
    expect([1, 2, 3, 4].map(() => frame.submit(nothing).refused)).toEqual([false, false, false, false]);
    expect(frame.joinSync()).toBe(true);
    scheduler.beginFrame().poll();
    scheduler.beginFrame().poll();
  });

  it('more frames open than framesInFlight', async () => {
    const { gate: gated, nothing } = scheduler.lanes.work;
    const open = [1, 2].map((number) => {
      const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
      expect(frame.refused).toBe(false);
      frame.submit(gated, { number });
      return frame;
    });
    const third = scheduler.beginFrame();
    expect(third.refused).toBe('framesInFlight');
    nothing.input;
    const job = third.submit(nothing);
    third.barrier();
    expect([job.refused, job.outcome]).toEqual(['framesInFlight', 'refused']);
    expect(await third.join()).toBe(true);
    third.cancel();
    gate.open();
    for (const frame of open) expect(await frame.join()).toBe(true);
    const fourth = scheduler.beginFrame();
    expect(fourth.refused).toBe(false);
    expect(fourth.joinSync()).toBe(true);
    expect((await quiet(scheduler)).lanes['work']!.refusals.framesInFlight).toBe(1);
  });

  it('reading what is not there yet, or no more', async () => {
    const { gate: gated, nothing } = scheduler.lanes.work;
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const job = frame.submit(gated, { number: 7 });
    expect(await codeOf(() => job.output)).toBe('JOB_PENDING');
    expect([job.outcome, job.ended, job.error, job.queueingUs, job.executionUs, job.latenessUs]).toEqual([
      'pending',
      false,
      null,
      0,
      0,
      0,
    ]);
    expect(frame.poll()).toBe(false);
    expect(await codeOf(() => frame.submit(nothing))).toBe('FRAME_CLOSED');
    expect(await codeOf(() => frame.barrier())).toBe('FRAME_CLOSED');
    gate.open();
    expect(frame.joinSync()).toBe(true);
    expect(frame.joinSync()).toBe(true);
    expect(await frame.join()).toBe(true);
    expect(job.output.number).toBe(7);
    for (let i = 0; i < 2; i++) expect(scheduler.beginFrame().poll()).toBe(true);
    expect(await codeOf(() => job.output)).toBe('JOB_STALE');
    expect(job.outcome).toMatch(/onTime|late/);
  });

  it('join({ until: "deadline" }) that comes too early', async () => {
    const { gate: gated } = scheduler.lanes.work;
    for (const way of ['sync', 'async'] as const) {
      gate.shut();
      const frame = scheduler.beginFrame({ deadlineMs: 20 });
      const job = frame.submit(gated, { number: 7 });
      await gate.arrived(1);
      const complete = way === 'sync' ? frame.joinSync({ until: 'deadline' }) : await frame.join({ until: 'deadline' });
      expect(complete).toBe(false);
      expect(frame.timeToDeadlineMs()).toBeLessThanOrEqual(0);
      expect(job.outcome).toBe('pending');
      gate.open();
      expect(way === 'sync' ? frame.joinSync() : await frame.join()).toBe(true);
      expect(job.outcome).toBe('late');
      expect(job.output.number).toBe(7);
      expect(job.latenessUs).toBeGreaterThan(0);
    }
    const frame = scheduler.beginFrame();
    expect(await codeOf(() => frame.join({ until: 'dedline' } as never))).toBe('OPTION_INVALID');
    expect(await codeOf(() => frame.joinSync({ until: 5 } as never))).toBe('OPTION_INVALID');
    expect(frame.poll()).toBe(true);
  });

  it('help without the modules', async () => {
    const frame = scheduler.beginFrame();
    expect(await codeOf(() => frame.joinSync({ help: true }))).toBe('HELP_UNAVAILABLE');
    frame.poll();
  });

  it('more than 62 barriers', async () => {
    const { gate: gated } = scheduler.lanes.work;
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    frame.submit(gated, { number: 1 });
    let barriers = 0;
    const code = await codeOf(() => {
      for (; barriers < 100; barriers++) frame.barrier();
    });
    expect([code, barriers]).toEqual(['OPTION_INVALID', 62]);
    gate.open();
    expect(frame.joinSync()).toBe(true);
  });

  it('loops: more than there are frame slots, aborted ones, ones that throw', async () => {
    const ends: AbortController[] = [];
    const loops: Promise<void>[] = [];
    let code = '';
    for (let i = 0; i < 17 && code === ''; i++) {
      const end = new AbortController();
      const loop = scheduler.loop({ hz: 10, signal: end.signal }, () => {});
      const quick = await Promise.race([codeOf(() => loop), sleep(0).then(() => '')]);
      if (quick !== '') code = quick;
      else loops.push(loop);
      ends.push(end);
    }
    expect(code).toBe('OPTION_INVALID');
    for (const end of ends) end.abort();
    await Promise.all(loops);
    // none of them keeps a frame slot
    for (let i = 0; i < 40; i++) {
      await scheduler.loop({ signal: AbortSignal.abort() }, () => {
        throw new Error('called although aborted');
      });
      await expect(
        scheduler.loop({ hz: 1000 }, () => {
          throw new Error('mine');
        }),
      ).rejects.toThrow('mine');
    }
  });
});

describe('after close', () => {
  it('submits are refused, frames and loops are errors, close gives the same promise', async () => {
    for (const mode of ['threads', 'inline']) {
      const scheduler = await create({ lanes, mode });
      const { nothing, spin } = scheduler.lanes['work']!;
      const openFrame = scheduler.beginFrame();
      const closed = scheduler.close();
      expect(scheduler.submit(nothing, {}).refused, 'while closing').toBe('closed');
      expect(scheduler.close()).toBe(closed);
      await closed;
      await scheduler.close({ drainMs: 5 });
      await scheduler[Symbol.asyncDispose]();
      expect(scheduler.submit(nothing).refused).toBe('closed');
      spin.input.us = 1;
      expect(scheduler.submit(spin).refused).toBe('closed');
      expect(openFrame.submit(nothing).refused).toBe('closed');
      expect(openFrame.joinSync()).toBe(true);
      expect(await codeOf(() => scheduler.beginFrame())).toBe('SCHEDULER_CLOSED');
      expect(await codeOf(() => scheduler.loop({}, () => {}))).toBe('SCHEDULER_CLOSED');
      const { lanes: counts, closing } = await quiet(scheduler);
      expect([counts['work']!.submitted, counts['work']!.refusals.closed, closing]).toEqual([4, 4, true]);
      expect(String(scheduler.describe())).toMatch(/lane work/);
      expect((await scheduler.refresh()).mode).toBe(mode);
      expect(scheduler.recentMisses()).toEqual([]);
    }
  });

  it('close while jobs wait, run, sit behind a barrier and are joined', async () => {
    const gate = new Gate();
    const scheduler = await create({
      lanes: { work: { ...lanes.work, shared: { gate: gate.words } } },
      workers: [{ lanes: ['work'] }],
    });
    const { untilCancelled, nothing } = scheduler.lanes['work']!;
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const running = frame.submit(untilCancelled);
    await gate.arrived(1);
    const waiting = frame.submit(nothing);
    frame.barrier();
    const behind = frame.submit(nothing);
    const single = scheduler.submit(nothing, {}, { deadlineMs: 60_000 });
    const joined = frame.join();
    const done = single.done;
    await scheduler.close({ drainMs: 50 });
    expect(await joined).toBe(true);
    expect(await done).toBe(single);
    expect([running, waiting, behind, single].map((job) => job.outcome)).toEqual([
      'lost',
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    const counts = (await quiet(scheduler)).lanes['work']!;
    expect(counts.outcomes).toMatchObject({ lost: 1, cancelled: 3 });
  });

  it('close lets accepted jobs end', async () => {
    const gate = new Gate();
    const scheduler = await create({
      lanes: { work: { ...lanes.work, shared: { gate: gate.words } } },
      workers: [{ lanes: ['work'] }],
    });
    const { gate: gated } = scheduler.lanes['work']!;
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const first = frame.submit(gated, { number: 1 });
    frame.barrier();
    const second = frame.submit(gated, { number: 2 });
    frame.poll();
    const single = scheduler.submit(gated, { number: 3 }, { deadlineMs: 60_000 });
    const closed = scheduler.close({ drainMs: 60_000 });
    gate.open();
    await closed;
    expect([first, second, single].map((job) => [job.outcome, job.output.number])).toEqual([
      ['onTime', 1],
      ['onTime', 2],
      ['onTime', 3],
    ]);
  });

  it('close in a loop: at its start, in its callback, in its join', async () => {
    for (const when of ['start', 'callback', 'join']) {
      const scheduler = await create({ lanes });
      const { nothing } = scheduler.lanes['work']!;
      let ticks = 0;
      const loop = scheduler.loop({ hz: 200 }, async (frame) => {
        ticks++;
        const job = frame.submit(nothing);
        if (when === 'join') void scheduler.close();
        await frame.join();
        expect(job.ended).toBe(true);
        if (when === 'callback' && ticks === 3) await scheduler.close();
      });
      if (when === 'start') await scheduler.close();
      await loop;
      await scheduler.close();
      await quiet(scheduler);
      expect(ticks).toBe(when === 'start' ? 0 : when === 'callback' ? 3 : 1);
    }
  });
});

const printable = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
