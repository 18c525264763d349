import { task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';

/** A lane of four slots, jobs that take what their input says. */
async function fourSlots() {
  const tile = task({ input: { takesUs: u32 }, run() {} });
  const scheduler = await createTestScheduler({
    lanes: { render: { load: async () => ({ tile }), capacitySlots: 4 } },
    executionUs: { tile: (input) => input.takesUs },
  });
  return { scheduler, tile: scheduler.lanes.render.tile };
}

describe('slots come back', () => {
  it('of jobs that were released before they ended, also where nothing but frames follows', async () => {
    const { scheduler, tile } = await fourSlots();
    for (let i = 0; i < 4; i++) scheduler.submit(tile, { takesUs: 1000 }).release();
    await scheduler.advanceMs(10);
    const frame = scheduler.beginFrame();
    const jobs = Array.from({ length: 4 }, () => frame.submit(tile, { takesUs: 10 }));
    expect(jobs.map((job) => job.refused)).toEqual([false, false, false, false]);
    expect(frame.submit(tile, { takesUs: 10 }).refused).toBe('full');
    const joined = frame.join();
    await scheduler.advanceMs(1);
    expect(await joined).toBe(true);
    await scheduler.close();
  });

  it('of a frame whose jobs ran on when its loop ended, also where no other loop follows', async () => {
    const { scheduler, tile } = await fourSlots();
    const end = new AbortController();
    const loop = scheduler.loop({ hz: 100, signal: end.signal }, (frame) => {
      for (let i = 0; i < 4; i++) frame.submit(tile, { takesUs: 5000 });
      end.abort();
    });
    await scheduler.advanceMs(1);
    await loop;
    expect(scheduler.submit(tile, { takesUs: 10 }).refused).toBe('full');
    await scheduler.advanceMs(100);
    expect(scheduler.snapshot().lanes.render!.inFlight).toBe(0);
    const jobs = Array.from({ length: 4 }, () => scheduler.submit(tile, { takesUs: 10 }));
    expect(jobs.map((job) => job.refused)).toEqual([false, false, false, false]);
    await scheduler.close();
  });
});
