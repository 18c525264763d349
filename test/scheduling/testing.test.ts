import { f64, task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it, vi } from 'vitest';
import { expectCounts } from './support.js';

// The testing entry itself: its clock, its options, what it injects, and that it does the same each time.

const work = task({
  input: { n: u32 },
  output: { twice: f64 },
  run(input, output) {
    output.twice = input.n * 2;
  },
});
const rest = task({ input: {}, run: () => {} });
const load = async () => ({ work, rest });

describe('virtual time', () => {
  it('jobs take what executionUs says and joins end at their virtual times', async () => {
    const scheduler = await createTestScheduler({
      lanes: { render: { load } },
      executionUs: { work: (input, jobNumber) => input.n * 1000 + jobNumber, 'render.rest': 10 },
    });
    const { work: handle, rest: other } = scheduler.lanes.render;
    const frame = scheduler.beginFrame({ deadlineMs: 16 });
    const jobs = [1, 2, 3].map((n) => frame.submit(handle, { n }));
    const short = frame.submit(other);
    let joinedAtUs = -1;
    const joined = frame.join().then((complete) => {
      joinedAtUs = scheduler.nowUs();
      return complete;
    });
    await scheduler.advanceMs(3.5);
    expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'onTime', 'pending']);
    await scheduler.advanceMs(10);
    expect(await joined).toBe(true);
    expect(joinedAtUs).toBe(1000 + 2001 + 3002 + 10);
    expect(jobs.map((job) => job.output.twice)).toEqual([2, 4, 6]);
    expect([...jobs, short].map((job) => job.executionUs)).toEqual([1000, 2001, 3002, 10]);
    await scheduler.close();
  });

  it('stands still unless moved, and rounds to whole microseconds', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load } }, startUs: 2 ** 32 - 10 });
    expect(scheduler.nowUs()).toBe(2 ** 32 - 10);
    scheduler.submit(scheduler.lanes.render.rest);
    expect(scheduler.snapshot().lanes.render!.inFlight).toBe(1);
    await scheduler.advanceMs(0);
    expect(scheduler.snapshot().lanes.render!.inFlight).toBe(0);
    await scheduler.advanceMs(0.0126);
    expect(scheduler.nowUs()).toBe(2 ** 32 + 3);
    scheduler.inject.stallHost(7);
    expect(scheduler.nowUs()).toBe(2 ** 32 + 10);
    await scheduler.close();
  });

  it('sleeps are woken in the order of their times, and advances queue up', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load } } });
    const woken: [string, number][] = [];
    const sleep = async (name: string, us: number): Promise<void> => {
      await scheduler.sleepUs(us);
      woken.push([name, scheduler.nowUs()]);
    };
    const sleeping = [sleep('late', 900), sleep('early', 100), sleep('same', 900), sleep('far', 5000)];
    await Promise.all([scheduler.advanceUs(500), scheduler.advanceMs(1)]);
    expect(woken).toEqual([
      ['early', 100],
      ['late', 900],
      ['same', 900],
    ]);
    expect(scheduler.nowUs()).toBe(1500);
    await scheduler.advanceMs(4);
    await Promise.all(sleeping);
    await scheduler.close();
  });

  it('runUntilIdle ends when the last job has, periodic lanes or not', async () => {
    const scheduler = await createTestScheduler({
      lanes: { render: { load }, audio: { load, periodic: { task: 'rest', everyMs: 2 } } },
      workers: [{ lanes: ['render'] }, { lanes: ['audio'] }],
      executionUs: { work: 7300, rest: 100 },
    });
    scheduler.submit(scheduler.lanes.render.work, { n: 1 });
    scheduler.submit(scheduler.lanes.render.work, { n: 2 });
    await scheduler.runUntilIdle();
    expect(scheduler.nowUs()).toBe(14_600);
    await scheduler.close();
  });

  it('wake-up latency counts as such, and can be the cause of a miss', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load } }, wakeupUs: 500 });
    await scheduler.advanceMs(1);
    const job = scheduler.submit(scheduler.lanes.render.work, { n: 1 }, { deadlineMs: 0.3 });
    await scheduler.advanceMs(1);
    expect([job.outcome, job.queueingUs]).toEqual(['late', 500]);
    expect(scheduler.recentMisses()).toMatchObject([
      { cause: 'wakeup', tardinessUs: 200, segments: { wakeupUs: 500 } },
    ]);
    await scheduler.close();
  });

  it('asks a function for the latency of each wake-up', async () => {
    const latencies = [100, 250];
    const scheduler = await createTestScheduler({
      lanes: { render: { load } },
      wakeupUs: () => latencies.shift() ?? 0,
    });
    const { work } = scheduler.lanes.render;
    const waited: (number | null)[] = [];
    for (let n = 0; n < 3; n++) {
      await scheduler.advanceMs(1);
      const job = scheduler.submit(work, { n });
      await scheduler.advanceMs(1);
      waited.push(job.queueingUs);
    }
    expect(waited).toEqual([100, 250, 0]);
    await scheduler.close();
    await expect(
      createTestScheduler({ lanes: { render: { load } }, wakeupUs: () => Number.NaN }).then(async (broken) => {
        await broken.advanceMs(1);
        broken.submit(broken.lanes.render.work, { n: 1 });
        await broken.advanceMs(1);
      }),
    ).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('works beside the fake timers of a test runner', async () => {
    vi.useFakeTimers();
    try {
      const scheduler = await createTestScheduler({ lanes: { render: { load } }, executionUs: { work: 500 } });
      const job = scheduler.submit(scheduler.lanes.render.work, { n: 4 });
      await scheduler.advanceMs(1);
      expect(job.output.twice).toBe(8);
      await scheduler.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('derives workers from usableCpus', async () => {
    const names = async (usableCpus: number): Promise<string[]> => {
      const scheduler = await createTestScheduler({
        lanes: { render: { load }, audio: { load, periodic: { task: 'rest', everyMs: 10 } } },
        usableCpus,
      });
      await scheduler.close();
      return scheduler.describe().workers.map(({ name }) => name);
    };
    expect(await names(1)).toEqual(['audio+render']);
    expect(await names(4)).toEqual(['audio', 'render-0', 'render-1']);
  });

  it('does the same each time', async () => {
    const once = async (): Promise<string> => {
      const log: string[] = [];
      const note = task({
        input: { id: u32 },
        run: (input, _output, context) => void log.push(`${input.id}/${context.workerIndex}@${scheduler.nowUs()}`),
      });
      const scheduler = await createTestScheduler({
        lanes: { a: { load: async () => ({ note }) }, b: { load: async () => ({ note }) } },
        workers: [{ lanes: ['a'] }, { lanes: ['a', 'b'], count: 2 }],
        executionUs: { note: (input) => (input.id * 7919) % 1500 },
        wakeupUs: 20,
      });
      scheduler.onMiss((miss) => log.push(`missed by ${miss.tardinessUs} because of ${miss.cause}`));
      const looping = scheduler.loop({ hz: 250 }, async (frame) => {
        for (let i = 0; i < 9; i++) {
          const { note: handle } = i % 3 === 0 ? scheduler.lanes.a : scheduler.lanes.b;
          frame.submit(handle, { id: frame.number * 9 + i });
          if (i === 5) frame.barrier();
        }
        log.push(`joined ${await frame.join({ until: 'deadline' })} @${scheduler.nowUs()}`);
      });
      await scheduler.advanceMs(41);
      scheduler.inject.killWorker(1);
      await scheduler.advanceMs(100);
      await scheduler.close();
      await looping;
      return JSON.stringify([log, scheduler.snapshot()]);
    };
    const first = await once();
    expect(first).toContain('missed by');
    expect(await once()).toBe(first);
  });
});

describe('injected faults', () => {
  it('a miss: the next job of the task ends a millisecond after its deadline', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load } }, executionUs: { work: 100, rest: 50 } });
    const { render } = scheduler.lanes;
    const misses: string[] = [];
    scheduler.onMiss((miss) => misses.push(`${miss.task} by ${miss.tardinessUs}: ${miss.cause}`));
    scheduler.inject.miss(render.work);
    const jobs = [
      scheduler.submit(render.rest),
      scheduler.submit(render.work, { n: 1 }, { deadlineMs: 5 }),
      scheduler.submit(render.work, { n: 2 }, { deadlineMs: 30 }),
    ];
    await scheduler.advanceMs(20);
    expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'late', 'onTime']);
    expect(jobs[1]!.latenessUs).toBe(1000);
    expect(misses).toEqual(['work by 1000: overrun']);
    scheduler.inject.miss('render.rest', 2);
    scheduler.inject.miss();
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i++) {
      const job = scheduler.submit(render.rest);
      await scheduler.runUntilIdle();
      outcomes.push(job.outcome);
    }
    expect(outcomes).toEqual(['late', 'late', 'late', 'onTime']);
    await scheduler.close();
  });

  it('refusals: of the lane and number that were asked for, in frames and outside', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load }, other: { load } } });
    const { render, other } = scheduler.lanes;
    scheduler.inject.refuse('render', 'full', 2);
    scheduler.inject.refuse('render', 'noWorker');
    const frame = scheduler.beginFrame();
    render.work.input.n = 5;
    const jobs = [
      frame.submit(render.work),
      frame.submit(other.rest),
      frame.submit(render.rest),
      scheduler.submit(render.rest),
      scheduler.submit(render.work, { n: 6 }),
    ];
    expect(jobs.map((job) => job.refused)).toEqual(['full', false, 'full', 'noWorker', false]);
    await scheduler.runUntilIdle();
    expect(frame.poll()).toBe(true);
    expectCounts(scheduler.snapshot().lanes.render!, ['refused', 'refused', 'refused', 'onTime']);
    expectCounts(scheduler.snapshot().lanes.other!, ['onTime']);
    expect(scheduler.snapshot().lanes.render!.refusals).toMatchObject({ full: 2, noWorker: 1 });
    await scheduler.close();
  });
});

describe('wrong use', () => {
  it('of options gets an error with its code', async () => {
    const lanes = { render: { load } };
    await expect(createTestScheduler({ lanes: {} })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(createTestScheduler({ lanes, usableCpus: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(createTestScheduler({ lanes, wakeupUs: -1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(createTestScheduler({ lanes, startUs: Number.NaN })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(createTestScheduler({ lanes, executionUs: { work: Number.NaN } })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    // @ts-expect-error no such task
    await expect(createTestScheduler({ lanes, executionUs: { wrok: 1 } })).rejects.toMatchObject({
      code: 'TASK_UNKNOWN',
    });
    await expect(createTestScheduler({ lanes: { render: { load: async () => ({}) } } })).rejects.toMatchObject({
      code: 'TASK_MODULE_EMPTY',
    });
    const aborted = AbortSignal.abort();
    await expect(createTestScheduler({ lanes, signal: aborted })).rejects.toMatchObject({ code: 'SCHEDULER_CLOSED' });
  });

  it('of methods gets an error with its code', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load } } });
    const code = (expected: string) => expect.objectContaining({ code: expected });
    expect(() => scheduler.advanceMs(-1)).toThrow(code('OPTION_INVALID'));
    expect(() => scheduler.advanceUs(Number.NaN)).toThrow(code('OPTION_INVALID'));
    expect(() => scheduler.sleepMs(Number.POSITIVE_INFINITY)).toThrow(code('OPTION_INVALID'));
    expect(() => scheduler.inject.miss('nobody')).toThrow(code('TASK_UNKNOWN'));
    expect(() => scheduler.inject.miss('work', 0)).toThrow(code('OPTION_INVALID'));
    expect(() => scheduler.inject.killWorker('nobody')).toThrow(code('OPTION_INVALID'));
    expect(() => scheduler.inject.killWorker(5)).toThrow(code('OPTION_INVALID'));
    // @ts-expect-error no such lane
    expect(() => scheduler.inject.refuse('rendre', 'full')).toThrow(code('LANE_UNKNOWN'));
    // @ts-expect-error no such reason
    expect(() => scheduler.inject.refuse('render', 'bored')).toThrow(code('OPTION_INVALID'));
    await scheduler.close();
  });

  it('a handler may neither move time nor wait', async () => {
    const thrown: unknown[] = [];
    const attempt = (what: () => unknown): void => {
      try {
        what();
      } catch (error) {
        thrown.push((error as { code?: string }).code);
      }
    };
    const meddling = task({
      input: {},
      run() {
        attempt(() => scheduler.advanceMs(1));
        attempt(() => scheduler.inject.killWorker(0));
        attempt(() => scheduler.inject.stallHost(1));
        const frame = scheduler.beginFrame();
        frame.submit(scheduler.lanes.render.work, { n: 1 });
        attempt(() => frame.joinSync());
      },
    });
    const scheduler = await createTestScheduler({ lanes: { render: { load: async () => ({ meddling, work }) } } });
    scheduler.submit(scheduler.lanes.render.meddling);
    await scheduler.advanceMs(1);
    expect(thrown).toEqual(Array(4).fill('BLOCKING_NOT_ALLOWED'));
    await scheduler.close();
  });

  it('an endless chain of jobs that take no time is found out', async () => {
    const again = task({ input: {}, run: () => void scheduler.submit(scheduler.lanes.render.again).release() });
    const scheduler = await createTestScheduler({ lanes: { render: { load: async () => ({ again }) } } });
    scheduler.submit(scheduler.lanes.render.again).release();
    await expect(scheduler.advanceMs(1)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});
