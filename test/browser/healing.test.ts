import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.js';
import { TestPage } from './support.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: no worker is killed in a browser, no Chromium is here (apt-get install chromium)');

interface Frames {
  frames: number;
  p50Ms: number;
  p99Ms: number;
  longestMs: number;
  loopFrames: number;
  droppedTicks: number;
}
interface Healing {
  undisturbed: Frames;
  disturbed: Frames;
  healed: { fault: string; outcome: string; settledMs: number; healedMs: number }[];
  outcomes: Record<string, number>;
  wrong: number;
  counted: Record<string, { accepted: number; ended: number; outcomes: Record<string, number> }>;
  workers: { state: string; deaths: number; lastDeath: string | null }[];
}

describe.skipIf(CHROMIUM === undefined)('workers that die and hang while a page draws', () => {
  let page: TestPage;
  beforeAll(async () => {
    page = await TestPage.open();
  });
  afterAll(async () => {
    await page?.close();
    expect(page?.complaints).toEqual([]);
  });

  it('are replaced; every job ends, and the page goes on with its frames', async () => {
    const faults = ['quit', 'hang', 'die', 'hang', 'quit'];
    const result = await page.run<Healing>('healing', { undisturbedMs: 3000, faults });
    console.info('healing', JSON.stringify(result));
    const { undisturbed, disturbed, healed, outcomes, wrong, counted, workers } = result;
    expect(healed.map(({ fault, outcome }) => [fault, outcome])).toEqual(
      // one that returns has done its job
      faults.map((fault) => [fault, fault === 'quit' ? 'onTime' : 'lost']),
    );
    expect(workers.map(({ state }) => state)).toEqual(Array(4).fill('serving'));
    const deaths = workers.map((worker) => worker.deaths);
    expect([deaths[0]! + deaths[1]!, deaths[2]! + deaths[3]!]).toEqual([3, 2]);
    expect(wrong).toBe(0);
    for (const { accepted, ended } of Object.values(counted)) expect(ended).toBe(accepted);
    expect(outcomes['failed'] ?? 0).toBe(0);
    expect([counted['dying']!.outcomes['lost'], counted['hanging']!.outcomes['lost']]).toEqual([1, 2]);
    // as often as before, on a machine that may be busy: a page that waited for a dead worker would stand for 2 s
    expect(disturbed.frames).toBeGreaterThan(100);
    expect(disturbed.p50Ms).toBeLessThan(undisturbed.p50Ms * 1.5 + 2);
    expect(disturbed.loopFrames).toBeGreaterThan(disturbed.frames / 2);
    expect(disturbed.longestMs).toBeLessThan(Math.max(1500, undisturbed.longestMs * 3));
  });
});
