import { describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.js';
import { sleep, TestPages } from './pages.js';

if (CHROMIUM === undefined) console.warn('SKIPPED: no page is frozen, no Chromium is here (apt-get install chromium)');

interface Paused {
  readonly count: number;
  readonly totalMs: number;
}
interface Told {
  readonly ticks: { submitted: number; expired: number; pauses: Paused | null; atOnce: number };
  /** Periods that each miss record of the periodic lane stands for. */
  readonly records: readonly number[];
  readonly loop: { frames: number; droppedTicks: number; pauses: Paused; atOnce: number };
  readonly inWorker: { frames: number; droppedTicks: number; pauses: Paused | null };
  readonly deaths: readonly number[];
}
interface Opened {
  opened: { tell(): Promise<Told>; close(): Promise<void> };
}

const GAP_MS = 2500;
/** Periods, ticks and frames that a busy machine may miss around the gap, which has 250 periods. */
const BUSY = 60;

describe.skipIf(CHROMIUM === undefined)('a page that stands still with its workers', () => {
  // playwright's own flags would have no page kept
  const pages = new TestPages({
    script: 'standstill.js',
    launch: { ignoreDefaultArgs: ['--disable-back-forward-cache'] },
  });
  const tell = () => pages.page.evaluate(() => (globalThis as unknown as Opened).opened.tell());

  /** What is told before and after a gap, once all goes on. */
  async function over(standStill: () => Promise<void>): Promise<{ before: Told; after: Told }> {
    await pages.run('open');
    await sleep(1000);
    const before = await tell();
    await standStill();
    await sleep(1000);
    const after = await tell();
    console.info('stood still', JSON.stringify({ before, after }));
    expect(after.deaths).toEqual([0, 0]);
    return { before, after };
  }

  function expectPause({ before, after }: { before: Told; after: Told }): void {
    const { ticks, records } = after;
    // one pause, one period that tells of it
    expect(ticks.pauses?.count).toBe(1);
    expect(ticks.pauses!.totalMs).toBeGreaterThan(GAP_MS - 1000);
    expect(ticks.expired - before.ticks.expired).toBeLessThan(BUSY);
    expect(ticks.expired).toBeGreaterThan(before.ticks.expired);
    expect(Math.max(...records)).toBeLessThan(BUSY);
    // nothing is replayed: 10 are due in a tenth of a second
    expect(ticks.atOnce).toBeLessThan(30);
    expect(ticks.submitted - before.ticks.submitted).toBeGreaterThan(50);
    // loops the same: that of the page, unless the gap met its callback; that of a worker
    expect(after.loop.atOnce).toBeLessThan(30);
    expect(after.loop.frames).toBeGreaterThan(before.loop.frames + 5);
    expect(after.inWorker.pauses?.count).toBe(1);
    expect(after.inWorker.pauses!.totalMs).toBeGreaterThan(GAP_MS - 1000);
    expect(after.inWorker.droppedTicks - before.inWorker.droppedTicks).toBeLessThan(BUSY);
    expect(after.inWorker.frames).toBeGreaterThan(before.inWorker.frames + 10);
  }

  it('in the back-forward cache: a pause is told, no period is replayed, and none expired in it', async () => {
    const told = await over(async () => {
      await pages.page.goto(`${pages.served.isolated}test/web/page/empty.html`);
      await sleep(GAP_MS);
      await pages.page.goBack({ waitUntil: 'commit' });
    });
    expectPause(told);
    expect(told.after.loop.pauses.count).toBeGreaterThanOrEqual(1);
    expect(told.after.loop.droppedTicks - told.before.loop.droppedTicks).toBeLessThan(BUSY);
    await pages.page.evaluate(() => (globalThis as unknown as Opened).opened.close());
  });

  it.skipIf(process.platform !== 'linux')('stopped as by a sleep of the machine: the same', async () => {
    const told = await over(async () => {
      const renderers = await pages.renderers();
      for (const id of renderers) process.kill(id, 'SIGSTOP');
      await sleep(GAP_MS);
      for (const id of renderers) process.kill(id, 'SIGCONT');
    });
    expectPause(told);
  });

  it('workers that go on while only the page is held up: no pause, no period missed for it', async () => {
    const { before, after } = await over(async () => {
      await pages.page.evaluate((ms) => {
        for (const end = performance.now() + ms; performance.now() < end; );
      }, GAP_MS);
    });
    expect(after.ticks.pauses).toBeNull();
    expect(after.ticks.submitted - before.ticks.submitted).toBeGreaterThan((GAP_MS / 10) * 0.9);
    expect(after.inWorker.pauses).toBeNull();
  });
});
