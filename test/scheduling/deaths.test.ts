import { task, u32 } from 'frame-deadline';
import { createTestScheduler, type TestSchedulerOptions } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { expectCounts } from './support.js';

/** Lanes a and b with a task that may be run again and one that may not; what starts where and when. */
async function twoLanes(
  workers: { lanes: ('a' | 'b')[] }[],
  options: Pick<TestSchedulerOptions<Record<string, unknown>>, 'wakeupUs' | 'restartUs'> = {},
) {
  const starts: string[] = [];
  const define = (idempotent: boolean) =>
    task({
      input: { id: u32, takesUs: u32 },
      idempotent,
      run: (input, _output, context) => {
        starts.push(`${input.id} on ${context.workerIndex} at ${scheduler.nowUs()}`);
      },
    });
  const load = async () => ({ once: define(false), again: define(true) });
  const scheduler = await createTestScheduler({
    lanes: { a: { load }, b: { load } },
    workers,
    executionUs: { once: (input) => input.takesUs, again: (input) => input.takesUs },
    ...options,
  });
  return { scheduler, starts, a: scheduler.lanes.a, b: scheduler.lanes.b };
}

describe('a worker dies', () => {
  it('its running job is lost, everything else goes on, its successor serves', async () => {
    const { scheduler, starts, a, b } = await twoLanes([{ lanes: ['a'] }, { lanes: ['b'] }]);
    const frame = scheduler.beginFrame({ deadlineMs: 100 });
    const jobs = [
      frame.submit(a.once, { id: 0, takesUs: 1000 }),
      frame.submit(a.once, { id: 1, takesUs: 1000 }),
      frame.submit(a.once, { id: 2, takesUs: 1000 }),
      frame.submit(b.once, { id: 3, takesUs: 5000 }),
    ];
    let joinedAtUs = -1;
    const joined = frame.join().then((complete) => {
      joinedAtUs = scheduler.nowUs();
      return complete;
    });
    await scheduler.advanceUs(1500);
    expect(scheduler.inject.killWorker('a')).toBe(true);
    expect(scheduler.inject.killWorker(0)).toBe(false);
    expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'lost', 'pending', 'pending']);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'restarting', deaths: 1 });
    await scheduler.advanceMs(60);
    expect(await joined).toBe(true);
    expect(joinedAtUs).toBe(52_500);
    expect(starts).toEqual(['0 on 0 at 0', '3 on 1 at 0', '1 on 0 at 1000', '2 on 0 at 51500']);
    expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'lost', 'onTime', 'onTime']);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', deaths: 1 });
    const { lanes } = scheduler.snapshot();
    expectCounts(lanes.a!, ['onTime', 'lost', 'onTime']);
    expectCounts(lanes.b!, ['onTime']);
    expect(lanes.a!.missCauses.crashed).toBe(1);
    expect(scheduler.recentMisses()).toMatchObject([{ outcome: 'lost', cause: 'crashed', lane: 'a', task: 'once' }]);
    await scheduler.close();
  });

  it('an idempotent job is run again by another worker, once', async () => {
    const { scheduler, starts, a } = await twoLanes([{ lanes: ['a', 'b'] }, { lanes: ['a', 'b'] }]);
    const job = scheduler.submit(a.again, { id: 7, takesUs: 1000 }, { deadlineMs: 2 });
    await scheduler.advanceUs(400);
    scheduler.inject.killWorker(0);
    await scheduler.advanceUs(500);
    expect(job.outcome).toBe('pending');
    await scheduler.advanceUs(500);
    expect(starts).toEqual(['7 on 0 at 0', '7 on 1 at 400']);
    expect(job.outcome).toBe('onTime');
    expect(job.executionUs).toBe(1000);

    const unlucky = scheduler.submit(a.again, { id: 8, takesUs: 1000 });
    await scheduler.advanceUs(100);
    scheduler.inject.killWorker(1);
    await scheduler.advanceMs(49.5); // worker 0 serves again from 50.4 ms
    expect(unlucky.outcome).toBe('pending');
    expect(starts.slice(2)).toEqual(['8 on 1 at 1400', '8 on 0 at 50400']);
    scheduler.inject.killWorker(0);
    expect(unlucky.outcome).toBe('lost');
    await scheduler.runUntilIdle();
    expectCounts(scheduler.snapshot().lanes.a!, ['onTime', 'lost']);
    await scheduler.close();
  });

  it('a ring that dies with its worker reaches another', async () => {
    const { scheduler, starts, a } = await twoLanes([{ lanes: ['a', 'b'] }, { lanes: ['a', 'b'] }], { wakeupUs: 100 });
    await scheduler.advanceMs(1);
    const job = scheduler.submit(a.once, { id: 0, takesUs: 10 });
    await scheduler.advanceUs(50);
    scheduler.inject.killWorker(0); // rung and not yet awake
    await scheduler.advanceUs(200);
    expect(starts).toEqual(['0 on 1 at 1150']);
    expect(job.outcome).toBe('onTime');
    await scheduler.close();
  });

  it('a worker that takes another job than it was rung for rings on', async () => {
    const starts: string[] = [];
    const work = task({
      input: { id: u32 },
      run: (input, _output, context) => {
        starts.push(`${input.id} on ${context.workerIndex} at ${scheduler.nowUs()}`);
      },
    });
    const load = async () => ({ work });
    const scheduler = await createTestScheduler({
      lanes: { own: { load }, both: { load }, more: { load } },
      workers: [{ lanes: ['own', 'both'] }, { lanes: ['both', 'more'] }, { lanes: ['more'] }],
      executionUs: { work: 1000 },
      wakeupUs: 100,
    });
    const names = scheduler.describe().workers.map(({ name }) => name);
    await scheduler.advanceMs(1);
    scheduler.submit(scheduler.lanes.both.work, { id: 0 }, { deadlineMs: 10 });
    scheduler.submit(scheduler.lanes.own.work, { id: 1 }, { deadlineMs: 5 });
    await scheduler.advanceMs(1);
    expect(starts).toEqual([`1 on ${names.indexOf('own+both')} at 1100`, `0 on ${names.indexOf('both+more')} at 1200`]);
    await scheduler.close();
  });

  it('a stage whose last job is lost opens the next one', async () => {
    const { scheduler, starts, a, b } = await twoLanes([{ lanes: ['a'] }, { lanes: ['b'] }]);
    const frame = scheduler.beginFrame();
    const before = frame.submit(a.once, { id: 0, takesUs: 3000 });
    frame.barrier();
    const after = frame.submit(b.once, { id: 1, takesUs: 1000 });
    await scheduler.advanceMs(1);
    scheduler.inject.killWorker('a');
    expect(frame.joinSync()).toBe(true);
    expect([before.outcome, after.outcome]).toEqual(['lost', 'onTime']);
    expect(starts).toEqual(['0 on 0 at 0', '1 on 1 at 1000']);
    expect(scheduler.nowUs()).toBe(2000);
    await scheduler.close();
  });

  it('a blocked host gets its frame once the successor serves', async () => {
    const { scheduler, a } = await twoLanes([{ lanes: ['a', 'b'] }], { restartUs: 7000 });
    const frame = scheduler.beginFrame();
    const job = frame.submit(a.once, { id: 0, takesUs: 500 });
    scheduler.inject.killWorker(0);
    expect(frame.joinSync({ until: 'deadline' })).toBe(true);
    expect(scheduler.nowUs()).toBe(7500);
    expect(job.outcome).toBe('onTime');
    await scheduler.close();
  });

  it('a worker that dies four times in ten seconds is given up: its lanes end their jobs and refuse new ones', async () => {
    const { scheduler, a, b } = await twoLanes([{ lanes: ['a'] }, { lanes: ['b'] }]);
    for (let death = 0; death < 3; death++) {
      scheduler.inject.killWorker('a');
      await scheduler.advanceMs(51);
    }
    const running = scheduler.submit(a.once, { id: 0, takesUs: 1000 });
    const waiting = scheduler.submit(a.again, { id: 1, takesUs: 1000 });
    await scheduler.advanceUs(500);
    scheduler.inject.killWorker('a');
    expect([running.outcome, waiting.outcome]).toEqual(['lost', 'lost']);
    const refused = scheduler.submit(a.once, { id: 2, takesUs: 0 });
    expect(refused.refused).toBe('noWorker');
    const other = scheduler.submit(b.once, { id: 3, takesUs: 10 });
    await scheduler.advanceMs(100);
    expect(other.outcome).toBe('onTime');
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'gone', deaths: 4 });
    expectCounts(scheduler.snapshot().lanes.a!, ['lost', 'lost', 'refused']);
    await scheduler.close();
  });

  it('periods in which nobody could serve the lane are counted, and blamed on the crash', async () => {
    const served: number[] = [];
    const block = task({ input: {}, run: (_input, _output, context) => void served.push(context.period) });
    const scheduler = await createTestScheduler({
      lanes: { audio: { load: async () => ({ block }), periodic: { task: 'block', everyMs: 10 } } },
      executionUs: { block: 1000 },
      restartUs: 45_000,
    });
    await scheduler.advanceMs(20.5);
    scheduler.inject.killWorker(0); // in the middle of period 2
    await scheduler.advanceMs(55);
    expect(served).toEqual([0, 1, 2, 6, 7]);
    const { audio } = scheduler.snapshot().lanes;
    expect(audio).toMatchObject({ submitted: 8, accepted: 8, inFlight: 0 });
    expect(audio!.outcomes).toMatchObject({ onTime: 4, lost: 1, expired: 3 });
    expect(audio!.missCauses.crashed).toBe(4);
    await scheduler.close();
  });
});
