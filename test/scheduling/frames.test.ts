import { type Frame, task, u32 } from 'frame-deadline';
import { createTestScheduler, type TestSchedulerOptions } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { expectCounts } from './support.js';

type Extra = Partial<
  Pick<
    TestSchedulerOptions<Record<string, unknown>>,
    'framesInFlight' | 'hostHelps' | 'startUs' | 'wakeupUs' | 'signal'
  >
>;

/** One lane, tasks that take what their input says. */
async function render(options: Extra = {}, lane: { onExpired?: 'run' | 'drop'; capacitySlots?: number } = {}) {
  const starts: string[] = [];
  const tile = task({
    input: { id: u32, takesUs: u32 },
    output: { square: u32 },
    run: (input, output, context) => {
      starts.push(`${input.id} on ${context.workerIndex} at ${scheduler.nowUs()}`);
      if (input.id === 99) throw new RangeError('no tile 99');
      output.square = input.id ** 2;
    },
  });
  const scheduler = await createTestScheduler({
    lanes: { render: { load: async () => ({ tile }), ...lane } },
    executionUs: { tile: (input) => input.takesUs },
    ...options,
  });
  return { scheduler, starts, tile: scheduler.lanes.render.tile };
}

describe('slots of frames that are over', () => {
  it('are given back when the next frame is closed, and its jobs are stale from then on', async () => {
    const { scheduler, tile } = await render({}, { capacitySlots: 4 });
    const submit = (frame: Frame, count: number) => {
      const jobs = [];
      for (let i = 0; i < count; i++) jobs.push(frame.submit(tile, { id: i, takesUs: 10 }));
      return jobs;
    };
    const first = scheduler.beginFrame();
    const [old] = submit(first, 2);
    const joined = first.join();
    await scheduler.advanceMs(1);
    expect(await joined).toBe(true);
    const second = scheduler.beginFrame();
    submit(second, 2);
    expect(old!.outcome).toBe('onTime');
    second.poll();
    expect(() => old!.output).toThrow(expect.objectContaining({ code: 'JOB_STALE' }));
    const third = [scheduler.submit(tile, { id: 1, takesUs: 10 }), scheduler.submit(tile, { id: 2, takesUs: 10 })];
    expect(third.map((job) => job.refused)).toEqual([false, false]);
    await scheduler.close();
  });

  it('stay while nobody has seen that the frame is over', async () => {
    const { scheduler, tile } = await render();
    const first = scheduler.beginFrame();
    const job = first.submit(tile, { id: 3, takesUs: 10 });
    const joined = first.join();
    const second = scheduler.beginFrame();
    second.submit(tile, { id: 4, takesUs: 10 });
    await scheduler.advanceMs(1);
    expect(second.poll()).toBe(true);
    expect(await joined).toBe(true);
    expect(job.output.square).toBe(9);
    await scheduler.close();
  });

  it('of a frame that is used again are not given back by one that was left open', async () => {
    const { scheduler, tile } = await render({ framesInFlight: 2 });
    const first = scheduler.beginFrame();
    first.submit(tile, { id: 1, takesUs: 10 });
    void first.join();
    await scheduler.advanceMs(1);
    const open = scheduler.beginFrame();
    // the first one's slot is used for a second life
    const again = scheduler.beginFrame();
    expect(again).toBe(first);
    const job = again.submit(tile, { id: 5, takesUs: 10 });
    again.poll();
    await scheduler.advanceMs(1);
    open.poll();
    expect(job.output.square).toBe(25);
    await scheduler.close();
  });
});

describe('frame loops', () => {
  it('tick at the intended times and count the ticks that a slow callback drops', async () => {
    const { scheduler } = await render();
    const ticks: [number, number][] = [];
    const slow = new Map([
      [1, 25],
      [3, 5],
    ]);
    const looping = scheduler.loop({ hz: 100 }, async (frame) => {
      ticks.push([frame.startUs, scheduler.nowUs()]);
      const ms = slow.get(ticks.length - 1);
      if (ms !== undefined) await scheduler.sleepMs(ms);
    });
    await scheduler.advanceMs(60);
    // the second callback takes from 10 to 35 ms: the tick of 20 ms is dropped, that of 30 ms is served late
    expect(ticks).toEqual([
      [0, 0],
      [10_000, 10_000],
      [30_000, 35_000],
      [40_000, 40_000],
      [50_000, 50_000],
      [60_000, 60_000],
    ]);
    const [loop] = scheduler.snapshot().loops;
    expect(loop).toMatchObject({ hz: 100, intendedTicks: 7, droppedTicks: 1 });
    expect(loop!.tickErrorUs.max).toBeGreaterThanOrEqual(5000);
    await scheduler.close();
    await looping;
  });

  it('a blocked host drops ticks too, and serves them no later in a burst', async () => {
    const { scheduler } = await render();
    const ticks: number[] = [];
    const looping = scheduler.loop({ hz: 100 }, () => {
      ticks.push(scheduler.nowUs());
      if (ticks.length === 2) scheduler.inject.stallHost(42_000);
    });
    await scheduler.advanceMs(79);
    expect(ticks).toEqual([0, 10_000, 52_000, 60_000, 70_000]);
    expect(scheduler.snapshot().loops[0]).toMatchObject({ intendedTicks: 8, droppedTicks: 3 });
    await scheduler.close();
    await looping;
  });

  it('count frames that miss, and keep their deadline counted from the intended tick', async () => {
    const { scheduler, tile } = await render();
    const complete: boolean[] = [];
    const looping = scheduler.loop({ hz: 50, deadlineMs: 16 }, async (frame) => {
      frame.submit(tile, { id: frame.number, takesUs: frame.number === 1 ? 17_000 : 15_000 });
      complete.push(await frame.join({ until: 'deadline' }));
    });
    await scheduler.advanceMs(99);
    expect(complete).toEqual([true, false, true, true, true]);
    await scheduler.close();
    await looping;
    expect(scheduler.snapshot().loops[0]).toMatchObject({ intendedTicks: 5, frames: 5, missedFrames: 1 });
    expectCounts(scheduler.snapshot().lanes.render!, ['onTime', 'late', 'onTime', 'onTime', 'onTime']);
  });

  it('give no frame while framesInFlight frames are unfinished', async () => {
    const { scheduler, tile } = await render({ framesInFlight: 2 });
    const frames: number[] = [];
    const looping = scheduler.loop({ hz: 100 }, (frame) => {
      frames.push(frame.number);
      frame.submit(tile, { id: frame.number, takesUs: 25_000 });
    });
    await scheduler.advanceMs(59);
    // one worker takes 25 ms for each frame: the frames of 0 and 10 ms hold it until 25 and 50 ms,
    // and a job that ends when a tick is due has ended
    expect(frames).toEqual([0, 1, 3, 5]);
    const [loop] = scheduler.snapshot().loops;
    expect(loop).toMatchObject({ intendedTicks: 6, droppedTicks: 2, frames: 4 });
    await scheduler.close();
    await looping;
  });

  it('run side by side, and end by their signal', async () => {
    const { scheduler } = await render();
    const ended: string[] = [];
    const stop = new AbortController();
    const counts = { fast: 0, slow: 0 };
    const fast = scheduler
      .loop({ hz: 200, signal: stop.signal }, () => void counts.fast++)
      .then(() => ended.push('fast'));
    const slow = scheduler.loop({ hz: 60 }, () => void counts.slow++).then(() => ended.push('slow'));
    await scheduler.advanceMs(99);
    expect(counts).toEqual({ fast: 20, slow: 6 });
    stop.abort();
    await scheduler.advanceMs(100);
    expect(ended).toEqual(['fast']);
    expect(counts).toEqual({ fast: 20, slow: 12 });
    await scheduler.close();
    await Promise.all([fast, slow]);
    expect(ended).toEqual(['fast', 'slow']);
  });

  it('reject with what the callback throws', async () => {
    const { scheduler } = await render();
    const looping = scheduler.loop({ hz: 100 }, (frame) => {
      if (frame.number === 2) throw new Error('third frame');
    });
    const rejected = expect(looping).rejects.toThrow('third frame');
    await scheduler.advanceMs(50);
    await rejected;
    await scheduler.close();
  });
});

describe('joins', () => {
  it('until the deadline: false then, and the job goes on', async () => {
    const { scheduler, tile } = await render();
    const frame = scheduler.beginFrame({ deadlineMs: 5 });
    const job = frame.submit(tile, { id: 3, takesUs: 8000 });
    let joinedAtUs = -1;
    const joined = frame.join({ until: 'deadline' }).finally(() => {
      joinedAtUs = scheduler.nowUs();
    });
    await scheduler.advanceMs(7);
    expect(await joined).toBe(false);
    expect(joinedAtUs).toBe(5000);
    expect(job.outcome).toBe('pending');
    await scheduler.advanceMs(1);
    expect(job.outcome).toBe('late');
    expect(job.output.square).toBe(9);
    expect(job.latenessUs).toBe(3000);
    await scheduler.close();
  });

  it('a job that ends at its deadline is in time, for the join as well', async () => {
    const { scheduler, tile } = await render();
    const frame = scheduler.beginFrame({ deadlineMs: 5 });
    const job = frame.submit(tile, { id: 3, takesUs: 5000 });
    const joined = frame.join({ until: 'deadline' });
    await scheduler.advanceMs(5);
    expect(await joined).toBe(true);
    expect(job.outcome).toBe('onTime');
    await scheduler.close();
  });

  it('joinSync lets time go by for workers only', async () => {
    const { scheduler, tile } = await render();
    const ticks: number[] = [];
    const looping = scheduler.loop({ hz: 1000 }, () => void ticks.push(scheduler.nowUs()));
    await scheduler.advanceMs(0);
    const frame = scheduler.beginFrame();
    const job = frame.submit(tile, { id: 5, takesUs: 4200 });
    expect(frame.joinSync()).toBe(true);
    expect(job.output.square).toBe(25);
    expect(scheduler.nowUs()).toBe(4200);
    expect(ticks).toEqual([0]);
    const other = scheduler.beginFrame({ deadlineMs: 1 });
    other.submit(tile, { id: 6, takesUs: 3000 });
    expect(other.joinSync({ until: 'deadline' })).toBe(false);
    expect(scheduler.nowUs()).toBe(5200);
    await scheduler.close();
    await looping;
  });

  it('a helping host runs jobs of its frame beside the worker', async () => {
    const { scheduler, tile, starts } = await render({ hostHelps: true });
    const frame = scheduler.beginFrame();
    for (let id = 0; id < 4; id++) frame.submit(tile, { id, takesUs: 1000 });
    expect(frame.joinSync({ help: true })).toBe(true);
    expect(starts).toEqual(['3 on -1 at 0', '0 on 0 at 0', '1 on 0 at 1000', '2 on -1 at 1000']);
    expect(scheduler.nowUs()).toBe(2000);
    expectCounts(scheduler.snapshot().lanes.render!, ['onTime', 'onTime', 'onTime', 'onTime']);
    await scheduler.close();
  });

  it('of an empty frame resolves at once', async () => {
    const { scheduler } = await render();
    expect(await scheduler.beginFrame().join()).toBe(true);
    expect(scheduler.beginFrame().joinSync()).toBe(true);
    await scheduler.close();
  });
});

describe('frames and jobs', () => {
  it('barriers: each stage begins when the one before has ended', async () => {
    const { scheduler, tile, starts } = await render();
    const frame: Frame = scheduler.beginFrame();
    frame.submit(tile, { id: 1, takesUs: 3000 });
    frame.submit(tile, { id: 2, takesUs: 1000 });
    frame.barrier();
    frame.barrier();
    frame.submit(tile, { id: 3, takesUs: 500 });
    frame.barrier();
    frame.submit(tile, { id: 4, takesUs: 0 });
    const joined = frame.join();
    await scheduler.advanceMs(10);
    expect(await joined).toBe(true);
    expect(starts).toEqual(['1 on 0 at 0', '2 on 0 at 3000', '3 on 0 at 4000', '4 on 0 at 4500']);
    await scheduler.close();
  });

  it('a refused frame refuses its jobs and is complete', async () => {
    const { scheduler, tile } = await render({ framesInFlight: 1 });
    const first = scheduler.beginFrame();
    first.submit(tile, { id: 1, takesUs: 2000 });
    const second = scheduler.beginFrame();
    expect(second.refused).toBe('framesInFlight');
    const job = second.submit(tile, { id: 2, takesUs: 0 });
    second.barrier();
    expect([job.refused, job.outcome]).toEqual(['framesInFlight', 'refused']);
    expect(await second.join()).toBe(true);
    expect(first.poll()).toBe(false);
    await scheduler.advanceMs(2);
    expect(first.poll()).toBe(true);
    expect(scheduler.beginFrame().refused).toBe(false);
    expectCounts(scheduler.snapshot().lanes.render!, ['onTime', 'refused']);
    await scheduler.close();
  });

  it('single jobs resolve when they have ended, with their times', async () => {
    const { scheduler, tile } = await render({ wakeupUs: 30 });
    await scheduler.advanceMs(1);
    const job = scheduler.submit(tile, { id: 4, takesUs: 250 });
    const failed = scheduler.submit(tile, { id: 99, takesUs: 100 });
    const done = Promise.all([job.done, failed.done]);
    await scheduler.advanceMs(1);
    await done;
    expect([job.queueingUs, job.executionUs, job.latenessUs]).toEqual([30, 250, 280 - 16_000]);
    expect([failed.queueingUs, failed.executionUs]).toEqual([280, 100]);
    expect(failed.outcome).toBe('failed');
    expect(failed.error?.cause).toMatchObject({ name: 'RangeError', message: 'no tile 99' });
    await scheduler.close();
  });

  it('cancel: at once before the start, a request afterwards', async () => {
    const { scheduler, tile, starts } = await render();
    const running = scheduler.submit(tile, { id: 1, takesUs: 1000 });
    const waiting = scheduler.submit(tile, { id: 2, takesUs: 1000 });
    await scheduler.advanceUs(1);
    expect([running.cancel(), waiting.cancel()]).toEqual([false, true]);
    const frame = scheduler.beginFrame();
    frame.submit(tile, { id: 3, takesUs: 10 });
    frame.barrier();
    const behind = frame.submit(tile, { id: 4, takesUs: 10 });
    expect(behind.cancel()).toBe(false);
    const joined = frame.join();
    await scheduler.advanceMs(5);
    expect(await joined).toBe(true);
    expect([running, waiting, behind].map((job) => job.outcome)).toEqual(['onTime', 'cancelled', 'cancelled']);
    expect(starts).toEqual(['1 on 0 at 0', '3 on 0 at 1000']);
    await scheduler.close();
  });

  it('expired jobs are dropped where the lane says so', async () => {
    const { scheduler, tile, starts } = await render({}, { onExpired: 'drop' });
    const jobs = [1, 2, 3].map((id) => scheduler.submit(tile, { id, takesUs: 2000 }, { deadlineMs: 3 }));
    await scheduler.advanceMs(10);
    expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'late', 'expired']);
    expect(starts).toHaveLength(2);
    const { render: lane } = scheduler.snapshot().lanes;
    expectCounts(lane!, ['onTime', 'late', 'expired']);
    expect(lane!.misses).toBe(2);
    expect(lane!.missCauses.waitingBehind).toBe(2);
    await scheduler.close();
  });

  it('a full ring refuses and goes on once slots are given back', async () => {
    const { scheduler, tile } = await render({}, { capacitySlots: 4 });
    const outcomes = (): string[] => jobs.map((job) => job.outcome);
    const jobs = [1, 2, 3, 4, 5].map((id) => scheduler.submit(tile, { id, takesUs: 1000 }));
    expect(jobs[4]!.refused).toBe('full');
    await scheduler.advanceMs(2);
    expect(outcomes()).toEqual(['onTime', 'onTime', 'pending', 'pending', 'refused']);
    // those that have ended give way
    expect(scheduler.submit(tile, { id: 6, takesUs: 1000 }).refused).toBe(false);
    await scheduler.runUntilIdle();
    expectCounts(scheduler.snapshot().lanes.render!, ['onTime', 'onTime', 'onTime', 'onTime', 'onTime', 'refused']);
    await scheduler.close();
  });
});

describe('close', () => {
  it('drains: what ends in time is done, what was not started is cancelled, what runs on is lost', async () => {
    const { scheduler, tile, starts } = await render();
    const jobs = [1, 2, 3].map((id) => scheduler.submit(tile, { id, takesUs: id * 20_000 }));
    await scheduler.advanceMs(1);
    const closing = scheduler.close({ drainMs: 30 });
    expect(scheduler.submit(tile, { id: 4, takesUs: 0 }).refused).toBe('closed');
    await closing;
    expect(jobs.map((job) => job.outcome)).toEqual(['late', 'lost', 'cancelled']);
    expect(starts).toHaveLength(2);
    expect(scheduler.nowUs()).toBe(31_000);
    const snapshot = scheduler.snapshot();
    expect(snapshot.closing).toBe(true);
    expectCounts(snapshot.lanes.render!, ['late', 'lost', 'cancelled', 'refused']);
    expect(scheduler.close()).toBe(scheduler.close());
    expect(() => scheduler.beginFrame()).toThrow('SCHEDULER_CLOSED');
  });

  it('ends loops and joins, and comes by an AbortSignal too', async () => {
    const abort = new AbortController();
    const { scheduler, tile } = await render({ signal: abort.signal });
    const looping = scheduler.loop({ hz: 60 }, async (frame) => {
      frame.submit(tile, { id: 1, takesUs: 3000 });
      await frame.join();
    });
    await scheduler.advanceMs(34);
    abort.abort();
    await looping;
    await scheduler.close();
    expectCounts(scheduler.snapshot().lanes.render!, ['onTime', 'onTime', 'onTime']);
  });
});
