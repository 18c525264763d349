import { execFileSync, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createScheduler, type Description } from 'frame-deadline';
import { describe, expect, it } from 'vitest';
import { noteOf } from '../../src/host/node/niceness-scope.js';
import { isRoot, skipsBecause } from '../native/support.js';
import { isLinux, loadWork, runChild, threadNames, WORK_URL } from './support.js';

interface Told {
  readonly threads: { id: number; name: string; niceness: number; cpus: string }[];
  readonly workers: Description['workers'];
  readonly allowedCpus: number[];
  readonly words: string;
}
const notRoot = skipsBecause('niceness of threads', isRoot ? null : 'not root');

async function told(args: string[], options: SpawnOptions = {}): Promise<Told> {
  const { code, stdout, stderr } = await runChild('priority.js', args, options);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as Told;
}

describe.runIf(isLinux)('threads as Linux sees them', () => {
  it('carry names', async () => {
    const scheduler = await createScheduler({
      lanes: { audio: { tasks: WORK_URL, load: loadWork }, render: { tasks: WORK_URL, load: loadWork } },
      workers: [{ lanes: ['audio'] }, { lanes: ['render'], count: 2 }, { lanes: ['audio', 'render'], name: 'both' }],
    });
    const ours = threadNames().filter((name) => name.startsWith('fd-'));
    expect(ours.sort()).toEqual(['fd-audio', 'fd-both', 'fd-render-0', 'fd-render-1', 'fd-supervisor']);
    await scheduler.close();
    expect(threadNames().filter((name) => name.startsWith('fd-'))).toEqual([]);
  });

  it.skipIf(notRoot)('as root: niceness per thread, as described', async () => {
    const { threads, workers, words } = await told([]);
    const nicenessOf = (name: string): number | undefined => threads.find((thread) => thread.name === name)?.niceness;
    for (const name of ['fd-render-0', 'fd-render-1', 'fd-supervisor']) expect(nicenessOf(name), name).toBeLessThan(0);
    expect(nicenessOf('fd-a-name-that-'), 'normal').toBe(0);
    const owned = threads.filter((thread) => thread.name.startsWith('fd-'));
    expect(owned).toHaveLength(workers.length + 1);
    for (const thread of threads) {
      if (!owned.includes(thread)) expect(thread.niceness, 'the threads of the app are left alone').toBe(0);
    }
    expectTruth(workers, threads);
    const priorityOf = (name: string) => workers.find((worker) => worker.name === name)!.thread!.priority;
    const niceness = nicenessOf('fd-render-0');
    expect(priorityOf('render-0')).toEqual({
      requested: 'high',
      effective: 'high',
      mechanism: `setpriority ${niceness}`,
      reason: null,
      ...noteOf('high'),
    });
    // no budget was declared, and perhaps there is no addon: less than was asked, and it says why
    expect(priorityOf('audio')).toMatchObject({ requested: 'realtime', effective: 'high' });
    expect(priorityOf('audio').reason).toMatch(/addon|budget/);
    expect(words).toContain(`priority high by setpriority ${niceness}`);
  });

  it('an ordinary user is told the reason by the name of the error', async (context) => {
    const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    const { threads, workers } = await told([], user).catch((error: unknown) => {
      console.warn('SKIPPED: no ordinary user can run this checkout here', error);
      return context.skip('no ordinary user can run this checkout here');
    });
    expectTruth(workers, threads);
    const granted = workers.find((worker) => worker.name === 'render-0')!.thread!.priority;
    if (!isRoot && granted.effective === 'high') {
      console.warn('SKIPPED: this user may raise priorities');
      context.skip('this user may raise priorities');
    }
    expect(granted).toMatchObject({ requested: 'high', effective: 'normal', mechanism: null });
    expect(granted.reason).toMatch(/setpriority.*EACCES/);
    const realtime = workers.find((worker) => worker.name === 'audio')!.thread!.priority;
    expect(realtime).toMatchObject({ requested: 'realtime', effective: 'normal', mechanism: null });
    expect(realtime.reason).toMatch(/EACCES|EPERM/);
    expect(threads.every((thread) => thread.niceness >= 0)).toBe(true);
  });

  it.each(['1', '0'])(
    'a normal worker keeps nothing of the thread that made it, FRAME_DEADLINE_ADDON=%s',
    async (addon) => {
      const { workers } = await told([], { env: { ...process.env, FRAME_DEADLINE_ADDON: addon } });
      const find = (name: string) => workers.find((worker) => worker.name.startsWith(name))!.thread!;
      // as the thread itself reads it: no other may
      const own = Number(readFileSync(`/proc/${process.pid}/timerslack_ns`, 'latin1'));
      expect(find('a-name').timerSlackNs).toEqual({ requested: null, effective: own, mechanism: null, reason: null });
      // the thread that made it is high too
      expect(find('render-0').timerSlackNs).toMatchObject({ requested: 1, effective: 1, reason: null });
      expect(find('a-name').niceness).toBe(0);
    },
  );

  it.skipIf(notRoot)('normal is what the process began with, also without the addon', async () => {
    const script = fileURLToPath(new URL('./children/priority.js', import.meta.url));
    const env = { ...process.env, FRAME_DEADLINE_ADDON: '0' };
    const printed = execFileSync('nice', ['-n', '7', process.execPath, script], { env, encoding: 'utf8' });
    const { threads, workers } = JSON.parse(printed) as Told;
    const normal = workers.find((worker) => worker.name.startsWith('a-name'))!.thread!;
    expect(normal).toMatchObject({ niceness: 7, priority: { effective: 'normal', reason: null } });
    expect(workers.find((worker) => worker.name === 'render-0')!.thread!.niceness).toBe(-11);
    // the pool of libuv, and Node's own threads
    for (const thread of threads.filter(({ name }) => !name.startsWith('fd-'))) expect(thread.niceness).toBe(7);
  });

  it('CPUs are answered with what is in force, and why', async () => {
    const { allowedCpus } = await told([]);
    const wanted = allowedCpus.slice(0, 1);
    const { workers, threads, words } = await told([JSON.stringify(wanted)]);
    expectTruth(workers, threads);
    const { cpus } = workers.find((worker) => worker.name === 'render-0')!.thread!;
    expect(cpus.requested).toEqual(wanted);
    if (cpus.effective!.length === 1) {
      expect(cpus).toMatchObject({ effective: wanted, reason: null });
    } else {
      expect(cpus).toMatchObject({ effective: allowedCpus, mechanism: null });
      expect(cpus.reason).toMatch(/addon/);
      expect(words).toContain(`asked ${wanted[0]};`);
    }
    const free = workers.find((worker) => worker.name === 'audio')!.thread!.cpus;
    if (allowedCpus.length < 3) {
      expect(free).toEqual({ requested: null, effective: allowedCpus, mechanism: null, reason: null });
    } else {
      // it asked for realtime: a set without the CPU of the host
      expect(free.requested).not.toContain(allowedCpus[0]);
      if (free.reason === null) expect(free.effective).toEqual(free.requested);
    }
    const normal = workers.find((worker) => worker.name.startsWith('a-name'))!;
    expect(normal.thread!.cpus).toEqual({ requested: null, effective: allowedCpus, mechanism: null, reason: null });
    expect(words).toContain(`CPUs ${allowedCpus.join(', ')} (${normal.cpusReason})`);
  });
});

/** What is told of each worker is what the kernel's own files say. */
function expectTruth(workers: Told['workers'], threads: Told['threads']): void {
  for (const { thread, name } of workers) {
    const seen = threads.find(({ id }) => id === thread!.threadId)!;
    expect(seen.name).toBe(`fd-${name}`.slice(0, 15));
    expect(thread!.niceness).toBe(seen.niceness);
    const cpus = seen.cpus.split(',').flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number) as [number, number?];
      return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
    });
    expect(thread!.cpus.effective).toEqual(cpus);
    const less = thread!.priority.effective !== thread!.priority.requested;
    expect(thread!.priority.reason !== null, 'less is explained, and only less').toBe(less);
  }
}

it('workers are derived where none are given, and it is told', async () => {
  const scheduler = await createScheduler({
    lanes: {
      audio: { tasks: WORK_URL, load: loadWork, periodic: { task: 'nothing', everyMs: 50 } },
      render: { tasks: WORK_URL, load: loadWork },
    },
  });
  const { lanes, workers, mode, warnings } = scheduler.describe();
  expect(mode).toBe('threads');
  expect(lanes.map(({ name, everyMs, onExpired }) => ({ name, everyMs, onExpired }))).toEqual([
    { name: 'audio', everyMs: 50, onExpired: 'drop' },
    { name: 'render', everyMs: null, onExpired: 'run' },
  ]);
  for (const lane of lanes) expect(lane.workers.length, `workers of ${lane.name}`).toBeGreaterThan(0);
  const alone = workers.some((worker) => worker.lanes.length === 1 && worker.lanes[0] === 'audio');
  expect(warnings.length).toBe(alone ? 0 : 1);
  expect(String(scheduler.describe())).toMatch(/workers derived from lanes and CPUs/);
  await scheduler.close();
});
