import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.js';
import { type Held, TestPage } from './support.js';

/** FRAME_DEADLINE_CYCLES=1000 for a thousand starts and stops. */
const CYCLES = Number(process.env['FRAME_DEADLINE_CYCLES'] ?? 40);
const WARM_UP_CYCLES = 10;
const STEPS = 4;

if (CHROMIUM === undefined)
  console.warn(
    'SKIPPED: no scheduler is started and stopped in a browser, no Chromium is here (apt-get install chromium)',
  );

describe.skipIf(CHROMIUM === undefined)('schedulers that are started and stopped in a page', () => {
  let page: TestPage;
  beforeAll(async () => {
    page = await TestPage.open();
  });
  afterAll(async () => {
    await page?.close();
    expect(page?.complaints).toEqual([]);
  });

  it(`leave nothing behind, ${CYCLES} times`, { timeout: 120_000 + CYCLES * 2000 }, async () => {
    const outcomes = await page.run<Record<string, number>>('startAndStop', { cycles: WARM_UP_CYCLES });
    const helds: Held[] = [await page.held()];
    const perStep = Math.ceil(CYCLES / STEPS);
    for (let step = 0; step < STEPS; step++) {
      const more = await page.run<Record<string, number>>('startAndStop', { cycles: perStep });
      for (const [outcome, count] of Object.entries(more)) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
      helds.push(await page.held());
    }
    console.info(`${perStep * STEPS} starts and stops`, helds);
    expect(outcomes).toEqual({ onTime: WARM_UP_CYCLES + perStep * STEPS });
    const [before, after] = [helds[0]!, helds.at(-1)!];
    expect(after.workers).toBe(0);
    expect(after.listeners).toBeLessThanOrEqual(before.listeners);
    // a scheduler that was kept would be 100 kB of objects and 300 kB of shared memory
    expect(after.heapKb - before.heapKb).toBeLessThan(100 + CYCLES * 4);
    expect(after.residentKb - before.residentKb).toBeLessThan(40_000 + CYCLES * 50);
    expect(after.threads).toBeLessThanOrEqual(before.threads + 2);
  });
});
