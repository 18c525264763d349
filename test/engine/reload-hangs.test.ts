import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createScheduler, type Scheduler, type SchedulerOptions } from 'frame-deadline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isLinux, noThreadIsLeft, quiet, sleep, threadCount, track, until } from './support.js';

type Versioned = typeof import('./tasks/versioned.tasks.js');
type Made = Scheduler<{ render: Versioned }>;

const ENGINE = new URL('../../dist/index.js', import.meta.url).href;
const LONG = { deadlineMs: 60_000 };
const READY_MS = 1500;
const LOOP = 'for (;;);';
let folder = '';
let threadsBefore = 0;
let words: Int32Array;
let pipe = '';

/** A task module whose jobs tell its version. `top`: at its top level; `initialize`: in that function. */
function write(version: number, { top = '', initialize = '' }: { top?: string; initialize?: string } = {}): void {
  writeFileSync(
    join(folder, 'render.tasks.mjs'),
    `import { closeSync, openSync } from 'node:fs';
import { task, u32 } from ${JSON.stringify(ENGINE)};
${top}
export function initialize() { ${initialize} }
export const stamp = task({
  input: { id: u32 }, output: { id: u32, version: u32, count: u32 },
  run(input, output) { output.id = input.id; output.version = ${version}; },
});
export const spin = task({
  input: { us: u32 }, output: { version: u32 },
  run() { ${LOOP} },
});
export const hold = task({
  input: {}, output: { version: u32 },
  run(_, output, context) {
    Atomics.add(context.shared.words, 0, 1);
    closeSync(openSync(${JSON.stringify(pipe)}, 'w'));
    output.version = ${version};
  },
});
export const exit = task({ input: {}, run() { process.exit(3); } });
`,
  );
}

async function create(options: Partial<SchedulerOptions<{ render: Versioned }>> = {}): Promise<Made> {
  words = new Int32Array(new SharedArrayBuffer(8));
  return track(
    await createScheduler<{ render: Versioned }>({
      lanes: { render: { tasks: pathToFileURL(join(folder, 'render.tasks.mjs')), shared: { words } } },
      workers: [{ lanes: ['render'] }],
      readyTimeoutMs: READY_MS,
      spares: 0,
      ...options,
    }),
  );
}

async function versionOf(scheduler: Made): Promise<number> {
  const job = scheduler.submit(scheduler.lanes.render.stamp, { id: 0 }, LONG);
  await job.done;
  expect(job.outcome).toBe('onTime');
  return job.output.version;
}

async function refusal(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  return promise.then(
    () => ({ code: 'none', message: 'it was done' }),
    (error: { code: string; message: string }) => error,
  );
}

/** Whoever opens the pipe for writing hangs in the system until that. */
function letGo(): void {
  closeSync(openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fd-reload-hangs-'));
  pipe = join(folder, 'pipe');
  if (isLinux) execFileSync('mkfifo', [pipe]);
  write(0);
  await (await create({ readyTimeoutMs: 10_000 })).close();
  threadsBefore = threadCount();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  if (isLinux) letGo();
  await noThreadIsLeft(threadsBefore);
});

describe('a reload whose new module does not come up', () => {
  it.each([
    ['a loop at its top level', { top: LOOP }, /had not imported its task modules/],
    ['an initialize that loops', { initialize: LOOP }, /initialize\(\) of its task modules.*was not done/],
    [
      'an initialize that waits for ever',
      { initialize: 'return new Promise(() => {});' },
      /initialize\(\).*was not done/,
    ],
  ])('%s: READY_TIMEOUT, the old code goes on, the next reload works', async (_, how, words) => {
    write(1);
    const scheduler = await create();
    const threads = threadCount();
    write(2, how);
    const { code, message } = await refusal(scheduler.reload('render'));
    expect(code).toBe('READY_TIMEOUT');
    expect(message).toMatch(words);
    expect(await versionOf(scheduler)).toBe(1);
    await until('what was made is gone', () => threadCount() <= threads);
    write(3);
    await scheduler.reload('render');
    expect(await versionOf(scheduler)).toBe(3);
    expect((await scheduler.refresh()).workers[0]!.deaths).toBe(0);
    await scheduler.close();
  });

  it('at the first start: createScheduler rejects too', async () => {
    write(1, { initialize: LOOP });
    const { code, message } = await refusal(create());
    expect(code).toBe('READY_TIMEOUT');
    expect(message).toMatch(/initialize\(\) of its task modules \(lanes render\) was not done/);
  });

  it.runIf(isLinux)(
    'a call into the system that does not return, at its top level: not waited for, nor by close',
    async () => {
      write(1);
      const scheduler = await create();
      write(2, { top: `openSync(${JSON.stringify(pipe)}, 'w');` });
      expect((await refusal(scheduler.reload('render'))).code).toBe('READY_TIMEOUT');
      expect(await versionOf(scheduler)).toBe(1);
      write(3);
      await scheduler.reload('render');
      expect(await versionOf(scheduler)).toBe(3);
      const startMs = performance.now();
      await scheduler.close();
      expect(performance.now() - startMs).toBeLessThan(10_000);
    },
  );

  it.runIf(isLinux)('closing while it is under way ends both', async () => {
    write(1);
    const scheduler = await create({ readyTimeoutMs: 60_000 });
    write(2, { top: `openSync(${JSON.stringify(pipe)}, 'w');` });
    const reloading = refusal(scheduler.reload('render'));
    await sleep(500);
    const startMs = performance.now();
    await scheduler.close();
    expect(performance.now() - startMs).toBeLessThan(15_000);
    expect((await reloading).code).toBe('SCHEDULER_CLOSED');
  });
});

describe('a reload while the old worker does not let go', () => {
  it('in JavaScript: the job is lost as hung, the new code takes over', async () => {
    write(1);
    const scheduler = await create({ hangMs: Number.POSITIVE_INFINITY });
    const job = scheduler.submit(scheduler.lanes.render.spin, { us: 1 }, LONG);
    write(2);
    await scheduler.reload('render', { drainMs: 100 });
    expect(await versionOf(scheduler)).toBe(2);
    expect(job.outcome).toBe('lost');
    await quiet(scheduler);
    await scheduler.close();
  });

  it.runIf(isLinux).each([0, 1])(
    'in native code, with %i spares: it is written off, frames go on, nothing is stuck',
    async (spares) => {
      write(1);
      const scheduler = await create({ spares, hangMs: Number.POSITIVE_INFINITY, readyTimeoutMs: 10_000 });
      const { hold, stamp } = scheduler.lanes.render;
      const held = scheduler.submit(hold, {}, LONG);
      await until('it hangs', () => Atomics.load(words, 0) === 1);
      write(2);
      const reloading = refusal(scheduler.reload('render', { drainMs: 100 }));
      const frame = scheduler.beginFrame(LONG);
      const job = frame.submit(stamp, { id: 1 });
      const { code, message } = await reloading;
      expect(code).toBe('WORKER_DIED');
      expect(message).toMatch(/hangs in native code and cannot be ended: its thread is written off/);
      expect(message).toMatch(spares === 0 ? /no spare/ : /a spare that imports the new code/);
      expect(await frame.join()).toBe(true);
      expect(held.outcome).toBe('lost');
      if (spares === 0) {
        expect(job.outcome).toBe('lost');
        expect(scheduler.submit(stamp, { id: 2 }, LONG).refused).toBe('noWorker');
      } else {
        expect(job.outcome).toBe('onTime');
        expect(job.output.version).toBe(2);
        expect(await versionOf(scheduler)).toBe(2);
        expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', writtenOff: 1, deaths: 1 });
        letGo();
        await until('its thread is gone', () => threadCount() <= threadsBefore + 4, 10_000);
        write(3);
        await scheduler.reload('render');
        expect(await versionOf(scheduler)).toBe(3);
      }
      await quiet(scheduler);
      await scheduler.close();
    },
  );
});
