import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createScheduler, type Miss } from 'frame-deadline';
import { describe, expect, it } from 'vitest';
import { loadWork, WORK_URL } from './support.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Runs a loop whose tenth callback does something, and gives the misses of the main thread. */
async function missesOf(tenth: () => void): Promise<readonly Miss[]> {
  await using scheduler = await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork } } });
  const end = new AbortController();
  let calls = 0;
  await scheduler.loop({ hz: 1000, signal: end.signal }, () => {
    calls++;
    if (calls === 10) tenth();
    if (calls === 20) end.abort();
  });
  return scheduler.telemetry().misses.filter((miss) => miss.lane === 'main');
}

describe('a held-up main thread', () => {
  it('by its own callback: named, with how long', async () => {
    const misses = await missesOf(() => {
      const until = performance.now() + 100;
      while (performance.now() < until);
    });
    const longest = misses.reduce((a, b) => (a.periods > b.periods ? a : b));
    // on a machine that is busy enough it is the system's doing after all
    if (longest.cause === 'preempted') expect(longest.culprit).toBeNull();
    else {
      const culprit = { kind: 'mainThread', task: 'frame callback' };
      expect(longest).toMatchObject({ task: 'frame', cause: 'waitingBehind', culprit });
      expect(longest.culprit!.executionUs).toBeGreaterThanOrEqual(100_000);
    }
    const { wakeupUs, waitingBehindUs, gcUs, preemptedUs, unattributedUs } = longest.segments;
    expect(wakeupUs + waitingBehindUs + (gcUs ?? 0) + (preemptedUs ?? 0) + unattributedUs).toBe(
      longest.finishAtUs - longest.releaseAtUs,
    );
  });

  it('by the garbage collector: told as such', async () => {
    const kept = Array.from({ length: 400_000 }, (_, i) => ({ i, name: `thing ${i}` }));
    const misses = await missesOf(() => collect());
    expect(kept).toHaveLength(400_000);
    const longest = misses.reduce((a, b) => (a.segments.gcUs! > b.segments.gcUs! ? a : b));
    // the collector's own threads, and whatever else runs, take turns with this one
    expect(['gc', 'preempted']).toContain(longest.cause);
    expect(longest.segments.gcUs! + longest.segments.preemptedUs!).toBeGreaterThan(longest.segments.waitingBehindUs);
    const { wakeupUs, waitingBehindUs, gcUs, preemptedUs, unattributedUs } = longest.segments;
    expect(wakeupUs + waitingBehindUs + gcUs! + (preemptedUs ?? 0) + unattributedUs).toBe(
      longest.finishAtUs - longest.releaseAtUs,
    );
  });
});
