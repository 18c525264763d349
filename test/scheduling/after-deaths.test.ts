import { task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';

describe('after a death', () => {
  it('a worker that has come back is rung for what the one that was rung leaves', async () => {
    const starts: string[] = [];
    const work = task({
      input: { takesUs: u32 },
      run: (_input, _output, context) => {
        starts.push(`${context.laneName} on ${context.workerIndex} at ${scheduler.nowUs()}`);
      },
    });
    const load = async () => ({ work });
    const scheduler = await createTestScheduler({
      lanes: { x: { load }, y: { load }, z: { load } },
      workers: [{ lanes: ['x', 'y'] }, { lanes: ['x', 'z'] }],
      executionUs: { work: (input) => input.takesUs },
      restartUs: 1000,
    });
    const { x, y } = scheduler.lanes;
    scheduler.inject.killWorker(1);
    // worker 0 is alone now, and sees it
    scheduler.submit(y.work, { takesUs: 10 });
    await scheduler.advanceMs(5);
    starts.length = 0;
    // the first rings worker 0, which then takes the second
    scheduler.submit(x.work, { takesUs: 10 }, { deadlineMs: 50 });
    scheduler.submit(y.work, { takesUs: 20_000 }, { deadlineMs: 25 });
    await scheduler.advanceMs(1);
    expect(starts).toEqual(['y on 0 at 5000', 'x on 1 at 5000']);
    await scheduler.close();
  });

  it('periods go on at once on a worker that is never idle', async () => {
    const periods: number[] = [];
    const block = task({
      input: {},
      run: (_input, _output, context) => {
        periods.push(context.workerIndex);
      },
    });
    const draw = task({ input: {}, run() {} });
    const scheduler = await createTestScheduler({
      lanes: {
        audio: { load: async () => ({ block }), periodic: { task: 'block', everyMs: 20 } },
        render: { load: async () => ({ draw }), deadlineMs: 10_000 },
      },
      workers: [{ lanes: ['audio'] }, { lanes: ['audio', 'render'] }],
      executionUs: { block: 100, draw: 5000 },
      restartUs: 1000,
    });
    for (let death = 0; death < 3; death++) {
      expect(scheduler.inject.killWorker(0)).toBe(true);
      await scheduler.advanceMs(2);
    }
    for (let i = 0; i < 200; i++) scheduler.submit(scheduler.lanes.render.draw, {});
    await scheduler.advanceMs(10);
    expect(scheduler.inject.killWorker(0)).toBe(true);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'gone' });
    periods.length = 0;
    await scheduler.advanceMs(400);
    expect(scheduler.snapshot().lanes.render!.inFlight).toBeGreaterThan(100);
    // 20 periods, less those before it looked
    expect(periods.length).toBeGreaterThan(12);
    expect(new Set(periods)).toEqual(new Set([1]));
    await scheduler.close();
  });
});
