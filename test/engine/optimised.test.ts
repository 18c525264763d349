import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { childEnd, runNode } from './support.js';
import { type LoggedSite, logFolder, type V8Log } from './v8-log.js';

// The way of a job stays optimised: three lanes, ten tasks of ten schemas, two workers, frames with a barrier, in a
// process whose V8 writes down each inline cache that becomes megamorphic and each deoptimisation.

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const WARM_UP_JOBS = 150_000;
const JOBS = 300_000;

/** What a job of a frame passes through, on the host and on a worker. */
const HOT_FILES = [
  'worker/worker-core.js',
  'worker/idle-loop.js',
  'worker/job-history.js',
  'worker/miss-explainer.js',
  'worker/task-runtime.js',
  'ring/job-scanner.js',
  'ring/job-ring.js',
  'ring/deadline-heap.js',
  'ring/frame-words.js',
  'ring/bell.js',
  'ring/miss-runs.js',
  'telemetry/recorder.js',
  'telemetry/job-trace.js',
  'telemetry/counters.js',
  'telemetry/shared-histogram.js',
  'telemetry/buckets.js',
  'memory/views.js',
  'host/node/clock.js',
  'scheduler/host-core.js',
  'scheduler/frame.js',
  'scheduler/frame-pool.js',
  'scheduler/task-handle.js',
  'scheduler/job.js',
];

/** Where a site is megamorphic by nature, and why that costs a job nothing. */
const ALLOWED: Readonly<Record<string, string>> = {
  'memory/views.js:get': 'all schemas share the accessors; inlined into a handler they take the class from its check',
  'memory/views.js:set': 'as get',
  'memory/views.js:defineViewClass': 'once for a task and ring, at the start',
  'memory/views.js:scalarAccessors': 'as defineViewClass',
};

/** Deoptimisations of one place after the warm-up, on all threads: V8 tries each tier anew, and a thread may learn late. */
const DEOPTIMISATIONS_ALLOWED = 4;

const isHot = ({ place }: LoggedSite): boolean => HOT_FILES.some((file) => place.startsWith(`${file}:`));

async function logOf(repository: string, moreOptions: readonly string[] = []): Promise<V8Log & { warmUs: number }> {
  const folder = logFolder();
  try {
    const child = runNode([...folder.options, ...moreOptions], join(repository, 'test/engine/children/hot-loop.js'), [
      String(WARM_UP_JOBS),
      String(JOBS),
    ]);
    const { code, signal, stdout, stderr } = await childEnd(child, 90_000);
    expect({ code, signal, stderr, done: stdout.includes('DONE') }).toEqual({
      code: 0,
      signal: null,
      stderr,
      done: true,
    });
    const warmUs = Number(/WARM (\d+)/.exec(stdout)?.[1]);
    expect(warmUs).toBeGreaterThan(0);
    return { ...folder.read(pathToFileURL(join(repository, 'dist/')).href), warmUs };
  } finally {
    folder.remove();
  }
}

const megamorphicIn = (log: V8Log): string[] => {
  const sites = log.megamorphic.filter((site) => isHot(site) && ALLOWED[site.place] === undefined);
  return [...new Set(sites.map(({ place, detail }) => `${place}: ${detail}`))];
};

/** Places that were deoptimised again and again after the warm-up. */
function loopsIn(log: V8Log & { warmUs: number }): string[] {
  const counts = new Map<string, number>();
  for (const site of log.deoptimised) {
    if (!isHot(site) || site.atUs < log.warmUs) continue;
    const what = `${site.place}: ${site.detail}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > DEOPTIMISATIONS_ALLOWED).map(([what, n]) => `${n} times ${what}`);
}

/** A copy of the built package in which one file was changed. */
function mutant(file: string, change: (source: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-mutant-'));
  mutants.push(folder);
  cpSync(join(REPOSITORY, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
  for (const name of ['node_modules', 'native']) symlinkSync(join(REPOSITORY, name), join(folder, name));
  mkdirSync(join(folder, 'test/engine'), { recursive: true });
  for (const name of ['children', 'tasks']) {
    cpSync(join(REPOSITORY, 'test/engine', name), join(folder, 'test/engine', name), { recursive: true });
  }
  const path = join(folder, 'dist', file);
  const source = readFileSync(path, 'utf8');
  const changed = change(source);
  expect(changed).not.toBe(source);
  writeFileSync(path, changed);
  return folder;
}
const mutants: string[] = [];
afterAll(() => {
  for (const folder of mutants) rmSync(folder, { recursive: true, force: true });
});

describe('the way of a job', () => {
  test('has no megamorphic access and no deoptimisation loop', async () => {
    const log = await logOf(REPOSITORY);
    // main thread, supervisor, two workers; and their code was seen
    expect(log.threads).toBeGreaterThanOrEqual(4);
    expect(log.transitions).toBeGreaterThan(1000);
    for (const name of ['worker/worker-core.js:settle', 'ring/job-scanner.js:look', 'scheduler/frame.js:submit']) {
      expect([...log.functions]).toContain(name);
    }
    expect(megamorphicIn(log)).toEqual([]);
    expect(loopsIn(log)).toEqual([]);
  });

  test('a planted megamorphic access is found', async () => {
    const folder = mutant(
      'worker/worker-core.js',
      (source) =>
        `${source.replace(/\n {4}settle\(\) \{\n/, '\n    settle() {\n        if (planted(this.jobs) === 1) return;\n')}
const SHAPES = [{ a: 0 }, { b: 1, a: 0 }, { c: 1, a: 0 }, { d: 1, a: 0 }, { e: 1, a: 0 }, { f: 1, a: 0 }];
function planted(jobs) {
    return SHAPES[Math.abs(jobs) % 6].a;
}
`,
    );
    expect(megamorphicIn(await logOf(folder))).toContain('worker/worker-core.js:planted: LoadIC of a');
  });

  test('a planted deoptimisation loop is found', async () => {
    const folder = mutant('worker/worker-core.js', (source) =>
      source.replace(
        /\n {4}settle\(\) \{\n/,
        '\n    settle() {\n        if ((this.jobs & 4095) === 0) %DeoptimizeNow();\n',
      ),
    );
    const loops = loopsIn(await logOf(folder, ['--allow-natives-syntax']));
    expect(loops.some((what) => what.includes('worker/worker-core.js:'))).toBe(true);
  });
});
