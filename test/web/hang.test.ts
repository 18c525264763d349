import { describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.js';
import { TestPages } from './pages.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: no worker hangs in a browser, no Chromium is here (apt-get install chromium)');

describe.skipIf(CHROMIUM === undefined)('workers that hang and crash in a browser', () => {
  const pages = new TestPages({ script: 'hang-main.js' });

  it('the job is lost and a warm spare serves while the browser still ends the hung thread', async () => {
    const told = await pages.run<{ lostMs: number; afterMs: number; endedMs: number; worker: { lastDeath: string } }>(
      'lostEarly',
    );
    console.info('hung', told);
    expect(told).toMatchObject({
      // its thread ran on when the job behind it had been run: nobody waited for its end
      stillRuns: true,
      outcomes: ['lost', 'onTime'],
      y: 42,
      miss: { task: 'hang', outcome: 'lost', cause: 'hung', worker: 'work' },
      worker: { state: 'serving', deaths: 1 },
    });
    expect(told.worker.lastDeath).toMatch(/^ended after its job had run for \d+ ms$/);
    expect(told.lostMs).toBeLessThan(told.endedMs);
    await pages.noWorkers();
  });

  it('an idempotent job is run again when its thread is gone', async () => {
    expect(await pages.run('runAgain')).toEqual({ outcome: 'onTime', starts: 2 });
    await pages.noWorkers();
  });

  it('a spare takes the place of a worker that ends itself, and nothing is lost', async () => {
    expect(await pages.run('crashed')).toEqual({
      outcomes: ['onTime'],
      state: 'serving',
      lastDeath: 'Error: the thread closed itself',
    });
    await pages.noWorkers();
  });

  it('a task that hangs three times is quarantined, others go on, and a reload lifts it', async () => {
    const told = await pages.run<{ quarantined: { lastDeath: string }[] }>('quarantined');
    expect(told).toMatchObject({
      hung: ['lost', 'lost', 'lost'],
      refused: 'quarantined',
      other: 'onTime',
      quarantined: [{ lane: 'work', task: 'hang', deaths: 3 }],
      after: [],
      again: 'onTime',
    });
    expect(told.quarantined[0]!.lastDeath).toMatch(/^ended after its job had run for \d+ ms$/);
    await pages.noWorkers();
  });
});
