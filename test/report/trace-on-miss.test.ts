import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type TraceOnMissOptions, writeTraceOnMiss } from '../../src/report/trace-on-miss.js';
import type { Miss } from '../../src/telemetry/telemetry-data.js';
import { readTrace } from './trace-checker.js';
import { makeJobTrace } from './trace-fixture.js';

const LONG_MS = 60_000;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trace-on-miss-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** A scheduler that misses when told. */
function fakeScheduler() {
  const trace = makeJobTrace();
  const listeners = new Set<(miss: Miss) => void>();
  return {
    trace,
    listeners,
    jobTrace: vi.fn(() => trace),
    onMiss(listener: (miss: Miss) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    miss(finishAtUs: number) {
      for (const listener of listeners) listener({ ...trace.misses[0]!, finishAtUs });
    },
  };
}

const files = async (): Promise<string[]> => (await readdir(folder)).sort();

/** Misses once and stops: each writes one file. */
async function missOnce(options: Partial<TraceOnMissOptions> = {}): Promise<void> {
  const scheduler = fakeScheduler();
  const stop = writeTraceOnMiss(scheduler, { folder, aftermathMs: LONG_MS, ...options });
  scheduler.miss(1e6);
  await stop();
  expect(scheduler.listeners.size).toBe(0);
}

test('writes the last seconds after the aftermath, with what set it off', async () => {
  const scheduler = fakeScheduler();
  const nested = join(folder, 'a', 'b');
  const stop = writeTraceOnMiss(scheduler, { folder: nested, lastSeconds: 0.1, aftermathMs: 1 });
  expect(scheduler.jobTrace).not.toHaveBeenCalled();
  scheduler.miss(900_000);
  expect(scheduler.jobTrace).not.toHaveBeenCalled();
  await vi.waitFor(async () => expect(await readdir(nested)).toEqual(['trace-1.json']), { timeout: 20_000 });
  await stop();
  const read = readTrace(await readFile(join(nested, 'trace-1.json'), 'utf8'));
  const jobs = read.slices.filter(({ category }) => category.startsWith('job'));
  const fromUs = scheduler.trace.toUs - 100_000;
  expect(jobs.length).toBeGreaterThan(10);
  expect(jobs.every(({ endUs }) => endUs >= fromUs)).toBe(true);
  const { lane, task, cause, deadlineAtUs } = scheduler.trace.misses[0]!;
  expect(read.instants).toContainEqual(
    expect.objectContaining({
      track: 'why this trace was written',
      name: `${lane} ${task}: ${cause}`,
      atUs: deadlineAtUs,
    }),
  );
});

test('misses during the aftermath or too soon after the last file write no other', async () => {
  const scheduler = fakeScheduler();
  const stop = writeTraceOnMiss(scheduler, { folder, aftermathMs: 0, atMostEveryMs: 10_000 });
  scheduler.miss(1e6);
  scheduler.miss(1.2e6);
  await vi.waitFor(async () => expect(await files()).toEqual(['trace-1.json']), { timeout: 20_000 });
  scheduler.miss(10.9e6);
  scheduler.miss(11e6);
  await stop();
  scheduler.miss(99e6);
  expect(await files()).toEqual(['trace-1.json', 'trace-2.json']);
  expect(scheduler.jobTrace).toHaveBeenCalledTimes(2);
});

test('deletes its oldest files, those of earlier runs too, and no other’s', async () => {
  await writeFile(join(folder, 'trace-1.json'), '{"traceEvents":[]}');
  await mkdir(join(folder, 'trace-2.json'));
  await writeFile(join(folder, 'trace-9.json.bak'), '');
  for (let i = 0; i < 4; i++) await missOnce({ atMostFiles: 2 });
  expect(await files()).toEqual(['trace-1.json', 'trace-2.json', 'trace-5.json', 'trace-6.json', 'trace-9.json.bak']);
  expect(await readFile(join(folder, 'trace-1.json'), 'utf8')).toBe('{"traceEvents":[]}');
});

test('without a miss it writes nothing', async () => {
  const scheduler = fakeScheduler();
  await writeTraceOnMiss(scheduler, { folder })();
  expect(await files()).toEqual([]);
});

test('an error of the disk is told once and the app goes on', async () => {
  await writeFile(join(folder, 'file'), '');
  const scheduler = fakeScheduler();
  const onError = vi.fn();
  const options = { folder: join(folder, 'file', 'below'), aftermathMs: 0, atMostEveryMs: 0, onError };
  const stop = writeTraceOnMiss(scheduler, options);
  for (let i = 1; i <= 3; i++) {
    scheduler.miss(i * 1e6);
    await vi.waitFor(() => expect(scheduler.jobTrace).toHaveBeenCalledTimes(i), { timeout: 20_000 });
  }
  await stop();
  expect(onError).toHaveBeenCalledTimes(1);
  expect(onError.mock.calls[0]![0]).toMatchObject({ code: 'ENOTDIR' });
});

test('by default the error is a warning of the process', async () => {
  const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  await writeFile(join(folder, 'file'), '');
  await missOnce({ folder: join(folder, 'file') });
  expect(warning.mock.calls.map(([text, name]) => [text, name])).toEqual([
    [expect.stringMatching(/^no trace was written: EEXIST/), 'FrameDeadlineWarning'],
  ]);
});

test('a scheduler that can give no trace any more is an error like the disk’s', async () => {
  const scheduler = fakeScheduler();
  const onError = vi.fn();
  scheduler.jobTrace.mockImplementation(() => {
    throw new Error('closed');
  });
  const stop = writeTraceOnMiss(scheduler, { folder, aftermathMs: LONG_MS, onError });
  scheduler.miss(1e6);
  await stop();
  expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'closed' }));
});

test.each<[string, object]>([
  ['folder', { folder: '' }],
  ['folder', {}],
  ['lastSeconds', { folder: 'x', lastSeconds: 0 }],
  ['atMostEveryMs', { folder: 'x', atMostEveryMs: -1 }],
  ['atMostFiles', { folder: 'x', atMostFiles: 0 }],
  ['aftermathMs', { folder: 'x', aftermathMs: Number.NaN }],
  ['onError', { folder: 'x', onError: 'ignore' }],
  ['unknown option "dir"', { folder: 'x', dir: 'y' }],
])('a wrong %s is refused', (what, options) => {
  const scheduler = fakeScheduler();
  const make = () => writeTraceOnMiss(scheduler, options as TraceOnMissOptions);
  expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(what) }));
  expect(scheduler.listeners.size).toBe(0);
});
