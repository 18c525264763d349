import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createScheduler, type Scheduler, type SchedulerOptions } from 'frame-deadline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, Gate, noThreadIsLeft, quiet, sleep, threadCount, track, until } from './support.js';

type Versioned = typeof import('./tasks/versioned.tasks.js');
type Options = SchedulerOptions<{ render: Versioned }>;

const ENGINE = new URL('../../dist/index.js', import.meta.url).href;
const LONG = { deadlineMs: 60_000 };
let folder = '';
let threadsBefore = 0;
let gate: Gate;
/** Word 0: modules that were imported; 1: initialised. */
let lives: Int32Array;

const fileOf = (name = 'render') => join(folder, `${name}.tasks.mjs`);
const urlOf = (name = 'render') => pathToFileURL(fileOf(name));

/** A task module whose jobs tell which version of it ran them. */
function write(
  version: number,
  changes: { name?: string; more?: string; input?: string; options?: string } = {},
): void {
  const { name, more = '', input = 'id: u32', options = '' } = changes;
  writeFileSync(
    fileOf(name),
    `import { f64, task, u32 } from ${JSON.stringify(ENGINE)};
export let started = 0;
export function initialize({ shared }) {
  if (shared.lives) Atomics.add(shared.lives, 1, 1);
}
export const stamp = task({
  input: { ${input} }, output: { id: u32, version: u32, count: u32 }, ${options}
  run(input, output, context) {
    started++;
    output.id = input.id; output.version = ${version}; output.count = started;
    if (context.shared.runs && input.id !== undefined) Atomics.add(context.shared.runs, input.id, 1);
  },
});
export const spin = task({
  input: { us: u32 }, output: { version: u32 },
  run(input, output) { const end = performance.now() + input.us / 1000; while (performance.now() < end); output.version = ${version}; },
});
export const hold = task({
  input: {}, output: { version: u32 },
  run(_, output, context) {
    Atomics.add(context.shared.gate, 0, 1);
    while (Atomics.load(context.shared.gate, 1) === 0) Atomics.wait(context.shared.gate, 1, 0, 100);
    output.version = ${version};
  },
});
export const exit = task({ input: {}, run() { process.exit(3); } });
${more}
`,
  );
}

async function create(options: Partial<Options> = {}, shared: Record<string, unknown> = {}) {
  return track(
    await createScheduler<{ render: Versioned }>({
      lanes: { render: { tasks: urlOf(), shared: { gate: gate.words, lives, ...shared } } },
      ...options,
    }),
  );
}

async function versionOf(scheduler: Scheduler<{ render: Versioned }>): Promise<number> {
  const job = scheduler.submit(scheduler.lanes.render.stamp, { id: 0 }, LONG);
  await job.done;
  expect(job.outcome).toBe('onTime');
  return job.output.version;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing was thrown',
    (error: Error) => error.message,
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fd-reload-'));
  gate = new Gate();
  lives = new Int32Array(new SharedArrayBuffer(8));
  write(0);
  await (await create()).close();
  threadsBefore = threadCount();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  gate = new Gate();
  lives = new Int32Array(new SharedArrayBuffer(8));
  write(1);
});
afterEach(async () => {
  gate.open();
  await noThreadIsLeft(threadsBefore);
});

describe('reload', () => {
  it('serves the changed module, with module variables begun anew, and tells what it did', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] });
    expect(await versionOf(scheduler)).toBe(1);
    write(2, { more: 'export const added = stamp;' });
    const result = await scheduler.reload('render');
    expect(result).toMatchObject({
      lane: 'render',
      lanes: ['render'],
      workers: ['render-0', 'render-1'],
      addedTasks: ['render.added'],
    });
    expect(result.ms).toBeGreaterThanOrEqual(result.loadMs + result.switchMs);
    expect(structuredClone(result)).toEqual(result);
    const first = scheduler.submit(scheduler.lanes.render.stamp, { id: 7 }, LONG);
    await first.done;
    expect([first.output.version, first.output.count]).toEqual([2, 1]);
    expect(Atomics.load(lives, 1), 'initialize ran in each thread').toBe(4);
    const described = await scheduler.refresh();
    expect(described.workers.map(({ state, deaths }) => [state, deaths])).toEqual([
      ['serving', 0],
      ['serving', 0],
    ]);
    expect(described.workers[0]!.thread).not.toBeNull();
    expect(described.lanes[0]!.module).toBe(urlOf().href);
    await quiet(scheduler);
  });

  it('under load: no job lost, each run once, no frame by two versions', async () => {
    const RELOADS = 50;
    const runs = new Int32Array(new SharedArrayBuffer(4 << 16));
    const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] }, { runs });
    const { stamp, spin } = scheduler.lanes.render;
    const stop = new AbortController();
    const mixed: string[] = [];
    const order: number[] = [];
    let id = 0;
    let frames = 0;
    const loop = scheduler.loop({ hz: 100, signal: stop.signal, deadlineMs: 5000 }, async (frame) => {
      const jobs = Array.from({ length: 4 }, () => frame.submit(stamp, { id: id++ }));
      jobs.push(frame.submit(spin, { us: 200 }) as never);
      frame.barrier();
      jobs.push(frame.submit(stamp, { id: id++ }));
      const single = scheduler.submit(stamp, { id: id++ }, LONG);
      await frame.join();
      if (frame.refused !== false) return;
      frames++;
      for (const job of jobs) expect(job.outcome, 'a job of a frame').toBe('onTime');
      const versions = new Set(jobs.map((job) => job.output.version));
      if (versions.size !== 1) mixed.push([...versions].join(' and '));
      order.push(jobs[0]!.output.version);
      await single.done;
      expect(single.outcome).toBe('onTime');
      single.release();
    });
    let last = 1;
    for (let i = 0; i < RELOADS; i++) {
      last = i + 2;
      write(last);
      await scheduler.reload('render');
      expect(await versionOf(scheduler)).toBe(last);
    }
    stop.abort();
    await loop;
    const snapshot = await quiet(scheduler);
    expect(mixed).toEqual([]);
    expect(frames).toBeGreaterThan(RELOADS);
    expect(order, 'versions only go up').toEqual([...order].sort((a, b) => a - b));
    expect(snapshot.lanes.render.outcomes.lost).toBe(0);
    for (let i = 1; i < id; i++) expect(runs[i], `job ${i}`).toBeLessThanOrEqual(1);
    const { onTime, late } = snapshot.lanes.render.tasks['stamp']!.outcomes;
    // job 0 also stands for those of `versionOf`
    expect(runs.reduce((sum, n) => sum + n, 0)).toBe(onTime + late);
    expect(snapshot.lanes.render.missCauses.crashed).toBe(0);
    await scheduler.close();
    await noThreadIsLeft(threadsBefore);
  }, 240_000);

  it('frames that always overlap: one is held until those in front have ended', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] });
    const { spin, stamp } = scheduler.lanes.render;
    const versions: number[][] = [];
    let front = scheduler.beginFrame(LONG);
    let jobs = [front.submit(spin, { us: 4000 }), front.submit(stamp, { id: 1 })];
    let done = false;
    write(2);
    const reloading = scheduler.reload('render').finally(() => {
      done = true;
    });
    for (let i = 0; i < 3 || !done; i++) {
      const next = scheduler.beginFrame(LONG);
      const nextJobs = [next.submit(spin, { us: 4000 }), next.submit(stamp, { id: 1 })];
      expect(await front.join()).toBe(true);
      versions.push(jobs.map((job) => job.output.version));
      front = next;
      jobs = nextJobs;
    }
    await front.join();
    await reloading;
    for (const [a, b] of versions) expect(a).toBe(b);
    expect(await versionOf(scheduler)).toBe(2);
  });

  it('goes on while the main thread is blocked in joinSync', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] });
    const { spin } = scheduler.lanes.render;
    write(2);
    const reloading = scheduler.reload('render');
    await sleep(5);
    const end = performance.now() + 20_000;
    let version = 1;
    // no turn of the event loop in here
    while (version === 1 && performance.now() < end) {
      const frame = scheduler.beginFrame(LONG);
      const jobs = [frame.submit(spin, { us: 500 }), frame.submit(spin, { us: 500 })];
      expect(frame.joinSync()).toBe(true);
      expect(jobs[0]!.output.version).toBe(jobs[1]!.output.version);
      version = jobs[0]!.output.version;
    }
    expect(version).toBe(2);
    await reloading;
  });

  it('a job that runs ends on the old code, a queued one runs on the new', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }], hangMs: Number.POSITIVE_INFINITY });
    const { hold, stamp } = scheduler.lanes.render;
    const held = scheduler.submit(hold, {}, LONG);
    await gate.arrived(1);
    write(2);
    const reloading = scheduler.reload('render', { drainMs: 60_000 });
    // long enough for the spare to be there, and no matter if not
    await sleep(1000);
    const queued = scheduler.submit(stamp, { id: 1 }, LONG);
    gate.open();
    await reloading;
    await held.done;
    await queued.done;
    expect(held.output.version).toBe(1);
    expect([held.outcome, queued.outcome]).toEqual(['onTime', 'onTime']);
    expect(await versionOf(scheduler)).toBe(2);
    await quiet(scheduler);
  });

  it('a hung worker is ended after drainMs, its job is lost', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    const { hold } = scheduler.lanes.render;
    const frame = scheduler.beginFrame(LONG);
    const hung = frame.submit(hold, {});
    await gate.arrived(1);
    write(2);
    const result = await scheduler.reload('render', { drainMs: 50 });
    expect(result.workers).toEqual(['render']);
    expect(await frame.join()).toBe(true);
    expect(hung.outcome).toBe('lost');
    expect(await versionOf(scheduler)).toBe(2);
    const snapshot = await quiet(scheduler);
    expect(snapshot.lanes.render.missCauses.hung).toBe(1);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', deaths: 1 });
  });

  it('a frame that is left open does not hold it for ever, nor later frames', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    const open = scheduler.beginFrame(LONG);
    const before = open.submit(scheduler.lanes.render.stamp, { id: 1 });
    write(2);
    await scheduler.reload('render', { drainMs: 50 });
    const after = open.submit(scheduler.lanes.render.stamp, { id: 2 });
    expect(await open.join()).toBe(true);
    expect([before.output.version, after.output.version]).toEqual([1, 2]);
  });
});

describe('a reload that is refused', () => {
  const bad: readonly [string, string, () => void, RegExp][] = [
    ['a syntax error', 'TASK_MODULE_FAILED', () => writeFileSync(fileOf(), 'export const = 3;'), /SyntaxError/],
    [
      'a module that throws',
      'TASK_MODULE_FAILED',
      () => write(2, { more: 'throw new Error("broken on purpose");' }),
      /broken on purpose/,
    ],
    [
      'an initialize that throws',
      'TASK_MODULE_FAILED',
      () =>
        writeFileSync(fileOf(), `${'export function initialize() { throw new Error("not ready"); }'}\n${sourceOf(2)}`),
      /not ready/,
    ],
    ['no task', 'TASK_MODULE_EMPTY', () => writeFileSync(fileOf(), 'export const x = 1;'), /exports no task/],
    ['no module', 'TASK_MODULE_NOT_FOUND', () => rmSync(fileOf()), /there is no task module/],
    [
      'another input',
      'TASK_MODULE_MISMATCH',
      () => write(2, { input: 'id: f64' }),
      /another input of task stamp: \{ id: f64 \}, \{ id: u32 \} expected; the old code stays.*create it anew/,
    ],
    ['a task less', 'TASK_MODULE_MISMATCH', () => write(2, { more: '', name: 'less' }), /no task \w+ any more/],
    [
      'another deadline',
      'TASK_MODULE_MISMATCH',
      () => write(2, { options: 'deadlineMs: 5,' }),
      /another deadlineMs of task stamp: 5, null expected/,
    ],
  ];

  /** What `write` writes, without `initialize`. */
  function sourceOf(version: number): string {
    return `import { task, u32 } from ${JSON.stringify(ENGINE)};
const none = { input: {}, output: { version: u32 }, run() {} };
export const stamp = task({ input: { id: u32 }, output: { id: u32, version: u32, count: u32 }, run(_, o) { o.version = ${version}; } });
export const spin = task({ ...none, input: { us: u32 } });
export const hold = task(none);
export const exit = task({ input: {}, run() {} });`;
  }

  it.each(bad)('%s: %s', async (what, code, change, words) => {
    const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] });
    const threads = threadCount();
    change();
    if (what === 'a task less') writeFileSync(fileOf(), sourceOf(2).replace(/export const exit.*/, ''));
    const failed = scheduler.reload('render');
    const message = await messageOf(failed);
    expect(await codeOf(() => failed)).toBe(code);
    expect(message).toMatch(words);
    expect(message).toContain('render');
    expect(await versionOf(scheduler)).toBe(1);
    await until('the spares are gone', () => threadCount() <= threads);
    write(3);
    await scheduler.reload('render');
    expect(await versionOf(scheduler)).toBe(3);
    expect((await scheduler.refresh()).workers.map(({ deaths }) => deaths)).toEqual([0, 0]);
  });

  it('a module that is never done', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }], readyTimeoutMs: 3000 });
    write(2, { more: 'await new Promise(() => { setInterval(() => {}, 1000); });' });
    const failed = scheduler.reload('render');
    expect(await codeOf(() => failed)).toBe('READY_TIMEOUT');
    expect(await messageOf(failed)).toMatch(/had not imported its task modules after 3000 ms.*top-level await/);
    expect(await versionOf(scheduler)).toBe(1);
  });

  it('a module that ends its thread', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    write(2, { more: 'process.exit(5);' });
    expect(await codeOf(() => scheduler.reload('render'))).toBe('WORKER_DIED');
    expect(await versionOf(scheduler)).toBe(1);
  });

  it('unknown lanes and wrong options, inline mode and hostHelps', async () => {
    const load = () => import(urlOf().href) as Promise<Versioned>;
    const threads = await create();
    expect(await codeOf(() => threads.reload('nobody' as 'render'))).toBe('LANE_UNKNOWN');
    expect(await codeOf(() => threads.reload('render', { drainMs: -1 }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => threads.reload('render', { tasks: './x.js' }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => threads.reload('render', { drain: 3 } as never))).toBe('OPTION_INVALID');
    const inline = await create({ mode: 'inline', lanes: { render: { load } } });
    expect(await codeOf(() => inline.reload('render'))).toBe('RELOAD_UNAVAILABLE');
    const helping = await create({ hostHelps: true, lanes: { render: { tasks: urlOf(), load } } });
    const message = await messageOf(helping.reload('render'));
    expect(message).toMatch(/hostHelps.*cannot import a module anew; create the scheduler.*\[RELOAD_UNAVAILABLE\]/);
    const once = new ArrayBuffer(8);
    const transferring = await create({
      lanes: { render: { tasks: urlOf(), transfer: { once } } },
      workers: [{ lanes: ['render'] }],
    });
    expect(await messageOf(transferring.reload('render'))).toMatch(
      /lane render: once was transferred.*RELOAD_UNAVAILABLE/,
    );
  });
});

describe('reloads and other events', () => {
  it('a reload during a reload sees what was written meanwhile; a third shares with the second', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    write(2);
    const first = scheduler.reload('render');
    await Promise.resolve();
    await sleep(1);
    write(3);
    const second = scheduler.reload('render');
    const third = scheduler.reload('render');
    const results = await Promise.all([first, second, third]);
    expect(results[2]).toEqual(results[1]);
    expect(await versionOf(scheduler)).toBe(3);
    expect(Atomics.load(lives, 1), 'three threads in all').toBe(3);
  });

  it('a reload does not share the fate of one with another URL that waits in front of it', async () => {
    const scheduler = await create();
    write(2);
    const first = scheduler.reload('render');
    const elsewhere = scheduler.reload('render', { tasks: new URL('./nowhere.tasks.js', import.meta.url) });
    const failure = expect(elsewhere).rejects.toThrow(/nowhere\.tasks\.js/);
    const same = scheduler.reload('render');
    await first;
    await failure;
    await same;
    expect(await versionOf(scheduler)).toBe(2);
  });

  it('close during a reload', async () => {
    for (const waitMs of [0, 5, 50, 200, 400]) {
      const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] });
      write(2);
      const reloading = codeOf(() => scheduler.reload('render'));
      await sleep(waitMs);
      await scheduler.close();
      // it may have been done before
      expect(['SCHEDULER_CLOSED', 'nothing was thrown']).toContain(await reloading);
      await noThreadIsLeft(threadsBefore);
      expect(await codeOf(() => scheduler.reload('render'))).toBe('SCHEDULER_CLOSED');
    }
  });

  it('close while the spare is never done', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    write(2, { more: 'await new Promise(() => { setInterval(() => {}, 1000); });' });
    const reloading = codeOf(() => scheduler.reload('render'));
    await sleep(300);
    const start = performance.now();
    await scheduler.close();
    expect(performance.now() - start).toBeLessThan(5000);
    expect(await reloading).toBe('SCHEDULER_CLOSED');
  });

  it('a worker that dies during a reload', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'], count: 2 }] });
    const { exit, stamp } = scheduler.lanes.render;
    for (let version = 2; version < 8; version++) {
      write(version);
      const reloading = scheduler.reload('render');
      await sleep((version - 2) * 60);
      const dying = scheduler.submit(exit, {}, LONG);
      const others = Array.from({ length: 8 }, (_, id) => scheduler.submit(stamp, { id }, LONG));
      await dying.done;
      expect(dying.outcome).toBe('lost');
      await reloading;
      await Promise.all(others.map((job) => job.done));
      expect(others.map((job) => job.outcome)).toEqual(others.map(() => 'onTime'));
      expect(await versionOf(scheduler)).toBe(version);
      for (const job of [dying, ...others]) job.release();
    }
    await quiet(scheduler);
    const { workers } = await scheduler.refresh();
    expect(workers.reduce((sum, worker) => sum + worker.deaths, 0)).toBe(6);
  });

  it('a worker that dies when its module has changed its fields is not started with the wrong ones', async () => {
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    write(2, { input: 'id: f64' });
    const dying = scheduler.submit(scheduler.lanes.render.exit, {}, LONG);
    await dying.done;
    await until(
      'it is given up',
      () => scheduler.submit(scheduler.lanes.render.stamp, { id: 1 }).refused === 'noWorker',
      20_000,
    );
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'gone' });
    expect((await scheduler.refresh()).workers[0]!.lastDeath).toMatch(/another input of task stamp/);
    expect(await codeOf(() => scheduler.reload('render'))).toBe('WORKER_DIED');
  });

  it('lanes that share workers are replaced together, others are left alone', async () => {
    for (const name of ['sound', 'alone']) write(1, { name });
    const scheduler = track(
      await createScheduler<{ render: Versioned; sound: Versioned; alone: Versioned }>({
        lanes: { render: { tasks: urlOf() }, sound: { tasks: urlOf('sound') }, alone: { tasks: urlOf('alone') } },
        workers: [{ lanes: ['render', 'sound'] }, { lanes: ['sound'], name: 'second' }, { lanes: ['alone'] }],
      }),
    );
    for (const name of ['render', 'sound', 'alone']) write(2, { name });
    const result = await scheduler.reload('render');
    expect(result.lanes).toEqual(['render', 'sound']);
    expect([...result.workers].sort()).toEqual(['render+sound', 'second']);
    const versions = await Promise.all(
      (['render', 'sound', 'alone'] as const).map(async (lane) => {
        const job = scheduler.submit(scheduler.lanes[lane].stamp, { id: 1 }, LONG);
        await job.done;
        return job.output.version;
      }),
    );
    expect(versions).toEqual([2, 2, 1]);
  });

  it('a periodic lane goes on: each period is counted, none is lost to a crash', async () => {
    const words = new Int32Array(new SharedArrayBuffer(4096));
    const source = (version: number) => `import { task } from ${JSON.stringify(ENGINE)};
export const tick = task({ input: {}, run(_, __, context) {
  const { words } = context.shared;
  Atomics.add(words, 0, 1);
  Atomics.store(words, 1, ${version});
  if (context.period < Atomics.load(words, 2)) Atomics.add(words, 3, 1);
  Atomics.store(words, 2, context.period);
} });`;
    writeFileSync(fileOf('tick'), source(1));
    const scheduler = track(
      await createScheduler({
        lanes: { audio: { tasks: urlOf('tick'), periodic: { task: 'tick' as never, everyMs: 10 }, shared: { words } } },
      }),
    );
    for (let version = 2; version < 8; version++) {
      await until('periods', () => Atomics.load(words, 0) > version * 4);
      writeFileSync(fileOf('tick'), source(version));
      await scheduler.reload('audio');
      await until('the new code', () => Atomics.load(words, 1) === version);
    }
    const { audio } = scheduler.snapshot().lanes;
    expect(audio.outcomes.lost).toBe(0);
    expect(audio.missCauses.crashed).toBe(0);
    expect(words[3], 'periods in order').toBe(0);
  });

  it('another URL is used from then on', async () => {
    write(5, { name: 'other' });
    const scheduler = await create({ workers: [{ lanes: ['render'] }] });
    await scheduler.reload('render', { tasks: urlOf('other') });
    expect(await versionOf(scheduler)).toBe(5);
    write(6, { name: 'other' });
    await scheduler.reload('render');
    expect(await versionOf(scheduler)).toBe(6);
  });
});
