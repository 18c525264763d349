import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createScheduler, type FrameDeadlineError, type Scheduler, type Task } from 'frame-deadline';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quiet, taskUrl } from './support.js';

type Failing = typeof import('./tasks/failing.tasks.js');
const LONG = { deadlineMs: 60_000 };
/** Ways of tasks/failing.tasks.js: what the submitting side is told. */
const TOLD: [number, string, string | RegExp][] = [
  [0, 'DeviceError', 'it broke'],
  [1, 'NonError', 'a string'],
  [2, 'NonError', 'null'],
  [3, 'NonError', 'undefined'],
  [4, 'NonError', '5'],
  [5, 'NonError', 'Symbol(why)'],
  [6, 'NonError', 'a value that cannot be described'],
  [7, 'Error', /^long long /],
  [8, 'NonError', 'a value that cannot be described'],
  [9, 'NonError', 'a value that cannot be described'],
  [10, 'RangeError', /call stack/],
  [11, '7', 'numbers'],
  [12, 'Error', /./],
  [13, 'TypeError', /nosuchInput/],
  [14, 'TypeError', /nosuch/],
  [15, 'FrameDeadlineError', /count/],
  [16, 'TypeError', /promise/],
  [17, 'TypeError', /promise/],
  [18, 'AggregateError', 'several'],
];

describe.each(['threads', 'inline'] as const)('a handler that throws: %s', (mode) => {
  let scheduler: Scheduler<{ work: Failing }>;
  beforeAll(async () => {
    scheduler = await createScheduler({
      lanes: { work: { tasks: taskUrl('failing.tasks.js'), load: () => import('./tasks/failing.tasks.js') } },
      ...(mode === 'inline' ? { mode } : { workers: [{ lanes: ['work'] }] }),
    });
  });
  afterAll(async () => {
    await quiet(scheduler);
    await scheduler.close();
  });

  it('all ways are here', async () => {
    expect(TOLD).toHaveLength((await import('./tasks/failing.tasks.js')).wayCount);
  });

  it.each(TOLD)('way %i is told as %s: %s, and the worker lives on', async (way, name, message) => {
    const { fail, fine } = scheduler.lanes.work;
    const job = scheduler.submit(fail, { way }, LONG);
    const after = scheduler.submit(fine, { x: way }, LONG);
    await job.done;
    await after.done;
    expect(job.outcome).toBe('failed');
    const error = job.error as FrameDeadlineError;
    expect(error.code).toBe('JOB_FAILED');
    expect(error.message).toContain('work.fail threw');
    const cause = error.cause as Error;
    expect(cause).toBeInstanceOf(Error);
    if (way !== 12) {
      expect(cause.name).toBe(name);
      expect(cause.message).toMatch(message);
    }
    expect(cause.message.length).toBeLessThanOrEqual(400);
    expect([after.outcome, after.output.x]).toEqual(['onTime', way]);
    job.release();
    after.release();
  });

  it('name, message, own code and stack arrive', async () => {
    const job = scheduler.submit(scheduler.lanes.work.fail, { way: 0 }, LONG);
    await job.done;
    const cause = job.error!.cause as Error & { code: string };
    expect([cause.name, cause.message, cause.code]).toEqual(['DeviceError', 'it broke', 'E_DEVICE']);
    expect(cause.stack).toMatch(/DeviceError: it broke\n\s+at deep .*failing\.tasks\.js:\d+:\d+/);
    expect(cause.stack!.match(/at deep /g)).toHaveLength(4);
  });

  it('in a frame: behind a barrier jobs go on, the counts tell', async () => {
    const { fail, fine } = scheduler.lanes.work;
    const before = (await quiet(scheduler)).lanes['work']!.outcomes.failed;
    const frame = scheduler.beginFrame(LONG);
    const failing = Array.from({ length: 40 }, () => frame.submit(fail, { way: 0 }));
    frame.barrier();
    const after = frame.submit(fine, { x: 5 });
    expect(frame.joinSync()).toBe(true);
    expect([after.outcome, after.output.x, after.error]).toEqual(['onTime', 5, null]);
    expect(failing.every((job) => job.outcome === 'failed')).toBe(true);
    // the texts of the last sixteen are kept
    expect((failing[39]!.error!.cause as Error).name).toBe('DeviceError');
    expect(failing[0]!.error!.message).toMatch(/overwritten/);
    expect(failing[0]!.error!.cause).toBe(undefined);
    expect((await quiet(scheduler)).lanes['work']!.outcomes.failed).toBe(before + 40);
  });
});

describe('a task module compiled from TypeScript', () => {
  // beside this file, so that it finds the package
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'tasks', 'compiled-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('the stack names the line of the source', async () => {
    const source = [
      `import { task, u32 } from 'frame-deadline';`,
      ``,
      `interface Unused { a: number; b: string }`,
      `interface AlsoUnused { c: Unused }`,
      ``,
      `function inner(x: number): never {`,
      `  throw new RangeError(\`x is \${x}\`);`,
      `}`,
      `export const broken = task({ input: { x: u32 }, run: (input): void => inner(input.x) });`,
    ].join('\n');
    const file = join(folder, 'broken.tasks.js');
    const { outputText, sourceMapText } = ts.transpileModule(source, {
      fileName: join(folder, 'broken.tasks.ts'),
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, sourceMap: true },
    });
    writeFileSync(file, outputText);
    writeFileSync(`${file}.map`, sourceMapText!);
    const scheduler = await createScheduler<{
      work: { broken: Task<{ x: import('frame-deadline').ScalarField<'u32'> }> };
    }>({
      lanes: { work: { tasks: pathToFileURL(file) } },
    });
    const job = scheduler.submit(scheduler.lanes.work.broken, { x: 41 }, LONG);
    await job.done;
    const cause = job.error!.cause as Error;
    expect(cause.message).toBe('x is 41');
    expect(cause.stack).toMatch(/at inner .*broken\.tasks\.ts:7:\d+/);
    await scheduler.close();
  });
});
