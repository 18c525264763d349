import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScheduler } from 'frame-deadline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CpuProfile, cutProfile, type HotFunction, hotFunctions } from '../../src/telemetry/cpu-profile.js';

/** What Chrome DevTools needs of a `.cpuprofile` (Profiler.Profile of its protocol). */
function expectWholeProfile(profile: CpuProfile): void {
  expect(profile.endTime).toBeGreaterThan(profile.startTime);
  expect(profile.samples).toHaveLength(profile.timeDeltas.length);
  const ids = profile.nodes.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const sample of profile.samples) expect(ids).toContain(sample);
  for (const delta of profile.timeDeltas) expect(delta).toBeGreaterThanOrEqual(0);
  const total = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  expect(profile.startTime + total).toBeLessThanOrEqual(profile.endTime);
  // one tree: every node but the root has one parent, which is there
  const children = profile.nodes.flatMap((node) => node.children ?? []);
  expect(new Set(children).size).toBe(children.length);
  for (const child of children) expect(ids).toContain(child);
  const roots = ids.filter((id) => !children.includes(id));
  expect(roots).toEqual([profile.nodes[0]!.id]);
  expect(profile.nodes[0]!.callFrame.functionName).toBe('(root)');
  for (const { id, hitCount, callFrame } of profile.nodes) {
    expect(hitCount).toBe(profile.samples.filter((sample) => sample === id).length);
    expect(Object.keys(callFrame).sort()).toEqual(['columnNumber', 'functionName', 'lineNumber', 'scriptId', 'url']);
  }
}

describe('flight recorder of CPU profiles', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fd-profiles-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const lanes = {
    lane: { tasks: new URL('./tasks/hot.tasks.js', import.meta.url), load: () => import('./tasks/hot.tasks.js') },
  };

  it('writes a profile after a job that overran, with the functions that took its time', async () => {
    await using scheduler = await createScheduler({
      lanes,
      workers: [{ lanes: ['lane'], name: 'worker' }],
      profile: { folder: join(folder, 'deep'), sampleUs: 500, everyS: 0 },
    });
    // on a busy machine the system may be what made the first ones late
    const overruns = () => scheduler.recentMisses().filter(({ cause }) => cause === 'overrun').length;
    for (let i = 0; i < 2 || (overruns() < 2 && i < 40); i++) {
      const job = scheduler.submit(scheduler.lanes.lane.slow, { ms: 60 });
      await job.done;
      job.release();
    }
    // the file is written after the completion was signalled, so before the next job begins
    const last = scheduler.submit(scheduler.lanes.lane.slow, { ms: 0 });
    await last.done;
    const misses = scheduler.recentMisses().filter(({ cause }) => cause === 'overrun');
    expect(misses.length).toBeGreaterThan(0);
    const files = readdirSync(join(folder, 'deep'));
    expect(files.length).toBeGreaterThan(0);
    expect(files).toContain(`fd-worker-lane.slow-${misses[0]!.job}.cpuprofile`);
    for (const file of files) {
      const profile = JSON.parse(readFileSync(join(folder, 'deep', file), 'utf8'));
      expectWholeProfile(profile);
      const { frameDeadline } = profile as { frameDeadline: { hotFunctions: HotFunction[]; executionUs: number } };
      expect(frameDeadline).toMatchObject({ worker: 'fd-worker', lane: 'lane', task: 'slow', frame: null });
      expect(frameDeadline.hotFunctions.map(({ name }) => name)).toContain('hotLoop');
      const hot = frameDeadline.hotFunctions.find(({ name }) => name === 'hotLoop')!;
      expect(hot.place).toMatch(/hot\.tasks\.js:\d+$/);
      const total = frameDeadline.hotFunctions.reduce((sum, { selfMs }) => sum + selfMs, 0);
      expect(total).toBeLessThanOrEqual(frameDeadline.executionUs / 1000 + 1);
    }
  }, 60_000);

  it('at most one in the time that was asked for, and none without the option', async () => {
    for (const [profile, files] of [
      [{ folder, everyS: 3600 }, 1],
      [undefined, 1],
    ] as const) {
      await using scheduler = await createScheduler({ lanes, ...(profile === undefined ? {} : { profile }) });
      for (let i = 0; i < 5; i++) {
        const job = scheduler.submit(scheduler.lanes.lane.slow, { ms: 20 });
        await job.done;
        job.release();
      }
      await scheduler.close();
      expect(readdirSync(folder)).toHaveLength(files);
    }
  }, 60_000);

  it.each([
    [{ folder: '' }, /profile.folder is ""/],
    [{ sampleUs: 10 }, /profile.sampleUs is 10, expected a whole number from 50 to 100000/],
    [{ everyS: -1 }, /profile.everyS is -1/],
    [{ foldr: 'x' }, /foldr/],
    [7, /profile is 7, expected true, false or an object/],
  ])('refuses %j', async (profile, message) => {
    await expect(createScheduler({ lanes, profile: profile as never })).rejects.toThrow(message);
  });
});

describe('cutting a profile', () => {
  const callFrame = (functionName: string) => ({
    functionName,
    scriptId: '1',
    url: 'file:///a.js',
    lineNumber: 4,
    columnNumber: 0,
  });
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: callFrame('(root)'), hitCount: 0, children: [2, 4] },
      { id: 2, callFrame: callFrame('a'), hitCount: 2, children: [3] },
      { id: 3, callFrame: callFrame('b'), hitCount: 2 },
      { id: 4, callFrame: callFrame('c'), hitCount: 1 },
    ],
    startTime: 1000,
    endTime: 2000,
    samples: [4, 2, 3, 3, 2],
    timeDeltas: [100, 100, 200, 200, 200],
  };

  it('keeps what lies between the moments, and the way to the root', () => {
    const cut = cutProfile(profile, 1300, 1700);
    expectWholeProfile(cut);
    expect(cut).toMatchObject({ startTime: 1300, endTime: 1700, samples: [3, 3], timeDeltas: [100, 200] });
    expect(cut.nodes.map(({ id, hitCount }) => [id, hitCount])).toEqual([
      [1, 0],
      [2, 0],
      [3, 2],
    ]);
  });

  it('keeps all of it when asked for more', () => {
    const cut = cutProfile(profile, 0, 1e9);
    expectWholeProfile(cut);
    expect(cut.samples).toEqual(profile.samples);
    expect(cut.timeDeltas).toEqual(profile.timeDeltas);
  });

  it('is a profile also without any sample', () => {
    expect(cutProfile(profile, 1850, 1900)).toMatchObject({ nodes: [{ id: 1, children: [] }], samples: [] });
  });

  it('counts each function’s own time, the longest first', () => {
    expect(hotFunctions(profile, 1300, 1900)).toEqual([
      { name: 'b', place: 'file:///a.js:5', selfMs: 0.4 },
      { name: 'a', place: 'file:///a.js:5', selfMs: 0.2 },
    ]);
    expect(hotFunctions(profile, 1300, 1900, 1)).toHaveLength(1);
  });
});
