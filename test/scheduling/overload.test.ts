import * as fc from 'fast-check';
import { type Job, task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { CLOCK_STARTS, expectCounts } from './support.js';

// Twice the work that the workers can do, then half of it. On time is judged by the deadline that the app has for a job,
// which under FIFO the scheduler is not told.

interface Load {
  readonly workers: number;
  readonly shortestUs: number;
  /** Longest execution, as a multiple of the shortest. */
  readonly spread: number;
  readonly deadlineUs: number;
  readonly seed: number;
}
type Rule = 'admission' | 'edf' | 'fifo';

const OVERLOAD_US = 300_000;
const RECOVERY_US = 100_000;
/** From one submit to the next. */
const LONGEST_PAUSE_US = 10_000;

function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    state = Math.imul(state ^ (state >>> 12), 0x297a2d39);
    state ^= state >>> 15;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Runs the load under a rule; everything in microseconds from the start. */
async function overload({ workers, shortestUs, spread, deadlineUs, seed }: Load, rule: Rule, startUs = 0) {
  const random = randomFrom(seed);
  const costs: number[] = [];
  const scheduler = await createTestScheduler({
    lanes: {
      work: {
        load: async () => ({ run: task({ input: { id: u32 }, run: () => {} }) }),
        capacitySlots: 1024,
        ...(rule === 'admission' ? { admission: 'estimate' as const } : {}),
      },
    },
    workers: [{ lanes: ['work'], count: workers }],
    executionUs: { run: ({ id }: { id: number }) => costs[id]! },
    startUs,
  });
  const meanUs = (shortestUs * (1 + spread)) / 2;
  const jobs: { job: Job; releaseUs: number; deadlineUs: number; outcome: string; onTime: boolean }[] = [];
  const submitting = (async () => {
    while (scheduler.nowUs() - startUs < OVERLOAD_US + RECOVERY_US) {
      const nowUs = scheduler.nowUs() - startUs;
      const relativeUs = Math.round(deadlineUs * (0.75 + 0.5 * random()));
      const id = costs.length;
      costs.push(Math.round(shortestUs * (1 + (spread - 1) * random())));
      const deadlineMs = rule === 'fifo' ? 60_000 : relativeUs / 1000;
      const job = scheduler.submit(scheduler.lanes.work.run, { id }, { deadlineMs });
      const entry = { job, releaseUs: nowUs, deadlineUs: nowUs + relativeUs, outcome: 'pending', onTime: false };
      void job.done.then(() => {
        entry.outcome = job.outcome;
        entry.onTime =
          job.refused === false && scheduler.nowUs() - startUs <= entry.deadlineUs && job.outcome !== 'expired';
        job.release();
      });
      jobs.push(entry);
      const load = nowUs < OVERLOAD_US ? 2 : 0.5;
      await scheduler.sleepUs(Math.max(1, Math.round((meanUs / workers / load) * (0.5 + random()))));
    }
  })();
  await scheduler.advanceUs(OVERLOAD_US + RECOVERY_US + LONGEST_PAUSE_US);
  await submitting;
  await scheduler.runUntilIdle();
  expectCounts(
    scheduler.snapshot().lanes.work!,
    jobs.map(({ outcome }) => outcome),
  );
  await scheduler.close();
  const started = jobs.filter(({ outcome }) => outcome === 'onTime' || outcome === 'late');
  const goodUs = jobs.reduce(
    (sum, { onTime, deadlineUs: at }, id) => sum + (onTime && at <= OVERLOAD_US ? costs[id]! : 0),
    0,
  );
  const late = jobs.filter(({ job, onTime }) => job.refused === false && !onTime);
  const lastMissUs = late.reduce((last, miss) => Math.max(last, miss.deadlineUs), 0);
  return {
    onTimeShare: started.filter(({ onTime }) => onTime).length / Math.max(started.length, 1),
    goodput: goodUs / (OVERLOAD_US * workers),
    lastMissUs,
    refusedAfter: jobs.filter(({ job, releaseUs }) => job.refused !== false && releaseUs > OVERLOAD_US + 2 * deadlineUs)
      .length,
  };
}

const loads = fc.record({
  workers: fc.integer({ min: 1, max: 3 }),
  shortestUs: fc.integer({ min: 200, max: 800 }),
  spread: fc.double({ min: 1, max: 3, noNaN: true }),
  deadlineUs: fc.integer({ min: 8000, max: 32_000 }),
  seed: fc.integer(),
});
const REPORTED = { numRuns: 30, endOnFailure: true };

describe('twice the work that the workers can do', () => {
  it('admission: what runs is on time, nothing of the capacity is lost, and it is over with the overload', async () => {
    await fc.assert(
      fc.asyncProperty(loads, async (load) => {
        const result = await overload(load, 'admission');
        expect(result.onTimeShare).toBeGreaterThanOrEqual(0.99);
        expect(result.goodput).toBeGreaterThanOrEqual(0.9);
        expect(result.lastMissUs).toBeLessThanOrEqual(OVERLOAD_US + 2 * load.deadlineUs);
        expect(result.refusedAfter).toBe(0);
      }),
      REPORTED,
    );
  });

  it.each(CLOCK_STARTS)('with stamps that wrap: the clock starts before %i', async (wrapsAtUs) => {
    const load = { workers: 2, shortestUs: 300, spread: 2, deadlineUs: 16_000, seed: 7 };
    const startUs = Math.max(0, wrapsAtUs - OVERLOAD_US / 2);
    const { onTimeShare, goodput } = await overload(load, 'admission', startUs);
    expect(onTimeShare).toBeGreaterThanOrEqual(0.99);
    expect(goodput).toBeGreaterThanOrEqual(0.9);
  });

  it.each(['edf', 'fifo'] as const)('%s collapses: nearly all that runs is late', async (rule) => {
    const load = { workers: 2, shortestUs: 300, spread: 2, deadlineUs: 16_000, seed: 7 };
    const { onTimeShare, goodput, lastMissUs } = await overload(load, rule);
    expect(onTimeShare).toBeLessThan(0.5);
    expect(goodput).toBeLessThan(0.3);
    expect(lastMissUs).toBeGreaterThan(OVERLOAD_US + 2 * load.deadlineUs);
  });
});

describe('frames with twice the work', () => {
  it('each frame is over by its deadline, and its workers were busy', async () => {
    const random = randomFrom(3);
    const scheduler = await createTestScheduler({
      lanes: { render: { load: async () => ({ tile: task({ input: {}, run: () => {} }) }), admission: 'estimate' } },
      workers: [{ lanes: ['render'], count: 2 }],
      executionUs: { tile: () => Math.round(450 + 100 * random()) },
    });
    let busyUs = 0;
    for (let number = 0; number < 60; number++) {
      const frame = scheduler.beginFrame({ deadlineMs: 16 });
      const jobs = Array.from({ length: 128 }, () => frame.submit(scheduler.lanes.render.tile, {}));
      const joined = frame.join({ until: 'deadline' });
      await scheduler.advanceMs(16);
      // the very first jobs are of unknown length
      if (number > 0) expect(await joined).toBe(true);
      await scheduler.runUntilIdle();
      if (number > 0) for (const job of jobs) busyUs += job.outcome === 'onTime' ? job.executionUs : 0;
    }
    const { outcomes, refusals } = scheduler.snapshot().lanes.render!;
    expect(outcomes.late / (outcomes.onTime + outcomes.late)).toBeLessThan(0.01);
    expect(refusals.admission).toBeGreaterThan(0);
    expect(busyUs / (59 * 16_000 * 2)).toBeGreaterThanOrEqual(0.9);
    await scheduler.close();
  });

  it('jobs behind a barrier are let in by what must be done before them', async () => {
    const scheduler = await createTestScheduler({
      lanes: {
        render: {
          load: async () => ({ tile: task({ input: {}, run: () => {}, budgetUs: 1000 }) }),
          admission: 'estimate',
        },
      },
      workers: [{ lanes: ['render'], count: 2 }],
      executionUs: { tile: 1000 },
    });
    const frame = scheduler.beginFrame({ deadlineMs: 4.5 });
    const { tile } = scheduler.lanes.render;
    // 2 rounds of 2, then a barrier after an odd job: 3 ms are gone when the second stage begins
    const before = Array.from({ length: 5 }, () => frame.submit(tile, {}));
    frame.barrier();
    const behind = Array.from({ length: 3 }, () => frame.submit(tile, {}));
    const joined = frame.join();
    await scheduler.runUntilIdle();
    expect(await joined).toBe(true);
    expect(before.map(({ outcome }) => outcome)).toEqual(Array(5).fill('onTime'));
    expect(behind.map(({ outcome }) => outcome)).toEqual(['onTime', 'onTime', 'refused']);
    expect(behind[2]!.refused).toBe('admission');
    await scheduler.close();
  });
});

describe('importance', () => {
  it('in overload the important jobs run and the others give way; every job has one outcome', async () => {
    const random = randomFrom(11);
    const load = async () => ({ run: task({ input: {}, run: () => {} }) });
    const scheduler = await createTestScheduler({
      lanes: {
        plain: { load, admission: 'estimate', importance: 1, deadlineMs: 16, capacitySlots: 1024 },
        vital: { load, admission: 'estimate', importance: 10, deadlineMs: 12, capacitySlots: 1024 },
      },
      workers: [{ lanes: ['plain', 'vital'], count: 2 }],
      executionUs: { run: () => Math.round(300 + 400 * random()) },
    });
    const { plain, vital } = scheduler.lanes;
    const seen: Record<'plain' | 'vital', string[]> = { plain: [], vital: [] };
    const submit = (lane: 'plain' | 'vital') => {
      const job = scheduler.submit((lane === 'plain' ? plain : vital).run, {});
      void job.done.then(() => {
        seen[lane].push(job.outcome);
        job.release();
      });
    };
    const submitting = (async () => {
      // 0.5 ms each on two workers: 1.5 times the capacity of plain jobs, half of it of vital ones, these in bursts
      for (let tick = 0; tick < 600; tick++) {
        for (let i = 0; i < 6; i++) submit('plain');
        if (tick % 4 === 0) for (let i = 0; i < 8; i++) submit('vital');
        await scheduler.sleepUs(1000);
      }
    })();
    await scheduler.advanceMs(700);
    await submitting;
    await scheduler.runUntilIdle();
    const { lanes } = scheduler.snapshot();
    expectCounts(lanes.plain!, seen.plain);
    expectCounts(lanes.vital!, seen.vital);
    expect(lanes.vital!.outcomes.onTime / lanes.vital!.submitted).toBeGreaterThanOrEqual(0.99);
    expect(lanes.plain!.missCauses.shed).toBeGreaterThan(0);
    expect(lanes.plain!.missCauses.shed).toBe(lanes.plain!.outcomes.expired);
    expect(lanes.plain!.outcomes.late + lanes.vital!.outcomes.late).toBeLessThan(10);
    const misses = scheduler.recentMisses();
    expect(
      misses.every(({ cause, startAtUs, lane }) => cause !== 'shed' || (startAtUs === null && lane === 'plain')),
    ).toBe(true);
    await scheduler.close();
  });

  it('nothing is shed in vain: a job that fits nowhere displaces nobody', async () => {
    const load = async () => ({ run: task({ input: {}, run: () => {}, budgetUs: 4000 }) });
    const scheduler = await createTestScheduler({
      lanes: { plain: { load, admission: 'estimate' }, vital: { load, admission: 'estimate', importance: 2 } },
      workers: [{ lanes: ['plain', 'vital'] }],
      executionUs: { run: 4000 },
    });
    const [first, second] = [1, 2].map(() => scheduler.submit(scheduler.lanes.plain.run, {}));
    await scheduler.advanceUs(100);
    // the running job is not over in time, whatever else goes
    const vital = scheduler.submit(scheduler.lanes.vital.run, {}, { deadlineMs: 5 });
    expect(vital.refused).toBe('admission');
    const fits = scheduler.submit(scheduler.lanes.vital.run, {}, { deadlineMs: 9 });
    expect(fits.refused).toBe(false);
    await scheduler.runUntilIdle();
    expect([first!.outcome, second!.outcome, fits.outcome]).toEqual(['onTime', 'onTime', 'onTime']);
    await scheduler.close();
  });
});

describe('estimates', () => {
  it('a task that became faster is let in again, one that never fits is tried now and then', async () => {
    let costUs = 50_000;
    const scheduler = await createTestScheduler({
      lanes: { work: { load: async () => ({ run: task({ input: {}, run: () => {} }) }), admission: 'estimate' } },
      workers: [{ lanes: ['work'] }],
      executionUs: { run: () => costUs },
    });
    const refusals: boolean[] = [];
    const second = async () => {
      refusals.length = 0;
      for (let i = 0; i < 60; i++) {
        const job = scheduler.submit(scheduler.lanes.work.run, {});
        refusals.push(job.refused !== false);
        void job.done.then(() => job.release());
        await scheduler.sleepUs(16_000);
      }
    };
    const run = async () => {
      const ran = second();
      await scheduler.advanceMs(1000);
      await ran;
    };
    await run();
    await run();
    const tried = refusals.filter((refused) => !refused).length;
    expect(tried).toBeGreaterThanOrEqual(0);
    expect(tried).toBeLessThanOrEqual(3);
    costUs = 1000;
    for (let i = 0; i < 60; i++) await run();
    expect(refusals.filter((refused) => refused).length).toBe(0);
    await scheduler.close();
  });
});

describe('onFull: dropOldest', () => {
  const make = () =>
    createTestScheduler({
      lanes: {
        work: {
          load: async () => ({
            run: task({
              input: { id: u32 },
              output: { id: u32 },
              run: (input, output) => {
                output.id = input.id;
              },
            }),
          }),
          onFull: 'dropOldest',
          capacitySlots: 4,
          deadlineMs: 100,
        },
      },
      workers: [{ lanes: ['work'] }],
      executionUs: { run: 1000 },
    });

  it('the oldest that was not started ends expired, with its cause, and its slot goes to the new one', async () => {
    const scheduler = await make();
    const { run } = scheduler.lanes.work;
    const jobs = [scheduler.submit(run, { id: 0 })];
    await scheduler.advanceUs(10);
    for (let id = 1; id <= 6; id++) jobs.push(scheduler.submit(run, { id }));
    await scheduler.runUntilIdle();
    expect(jobs.map(({ outcome }) => outcome)).toEqual([
      'onTime',
      'expired',
      'expired',
      'expired',
      'onTime',
      'onTime',
      'onTime',
    ]);
    expect(jobs.slice(4).map(({ output }) => output.id)).toEqual([4, 5, 6]);
    expect(() => jobs[1]!.output).toThrow(/JOB_STALE|given back/);
    expectCounts(
      scheduler.snapshot().lanes.work!,
      jobs.map(({ outcome }) => outcome),
    );
    expect(scheduler.recentMisses()).toMatchObject(
      Array(3).fill({ outcome: 'expired', cause: 'shed', startAtUs: null }),
    );
    await scheduler.close();
  });

  it('jobs of frames too: the frame is complete, and counts what was dropped', async () => {
    const scheduler = await make();
    const { run } = scheduler.lanes.work;
    const frame = scheduler.beginFrame({ deadlineMs: 50 });
    const jobs = Array.from({ length: 9 }, (_, id) => frame.submit(run, { id }));
    const joined = frame.join();
    await scheduler.runUntilIdle();
    expect(await joined).toBe(true);
    expect(jobs.map(({ outcome }) => outcome)).toEqual([...Array(5).fill('expired'), ...Array(4).fill('onTime')]);
    expect(jobs.slice(5).map(({ output }) => output.id)).toEqual([5, 6, 7, 8]);
    scheduler.beginFrame({ deadlineMs: 50 }).poll();
    scheduler.beginFrame({ deadlineMs: 50 }).poll();
    expect(scheduler.telemetry().frames[0]).toMatchObject({ jobs: 9, misses: 5, outcome: 'late' });
    await scheduler.close();
  });

  it('an input that was begun while the ring was full is kept, and nothing is dropped before the submit', async () => {
    const scheduler = await make();
    const { run } = scheduler.lanes.work;
    const jobs = Array.from({ length: 4 }, (_, id) => scheduler.submit(run, { id }));
    run.input.id = 77;
    expect(jobs.map(({ outcome }) => outcome)).toEqual(Array(4).fill('pending'));
    const last = scheduler.submit(run);
    await scheduler.runUntilIdle();
    expect(jobs[0]!.outcome).toBe('expired');
    expect(last.output.id).toBe(77);
    await scheduler.close();
  });

  it('what waits behind a barrier is never dropped: then the submit is refused', async () => {
    const scheduler = await make();
    const { run } = scheduler.lanes.work;
    const frame = scheduler.beginFrame({ deadlineMs: 50 });
    const first = frame.submit(run, { id: 0 });
    frame.barrier();
    const behind = Array.from({ length: 3 }, (_, id) => frame.submit(run, { id }));
    await scheduler.advanceUs(10);
    const refused = frame.submit(run, { id: 9 });
    expect(refused.refused).toBe('full');
    const joined = frame.join();
    await scheduler.runUntilIdle();
    expect(await joined).toBe(true);
    expect([first, ...behind].map(({ outcome }) => outcome)).toEqual(Array(4).fill('onTime'));
    await scheduler.close();
  });
});

describe('options', () => {
  const load = async () => ({ run: task({ input: {}, run: () => {} }) });
  it.each([
    [{ onFull: 'wait' }, /onFull is "wait", expected 'refuse' or 'dropOldest'/],
    [{ admission: true }, /admission is true, expected 'off' or 'estimate'/],
    [{ importance: 3 }, /importance is 3, expected none, or admission/],
    [{ admission: 'estimate', importance: -1 }, /importance is -1, expected a number from 0 to 1000/],
  ])('%o', async (options, message) => {
    await expect(createTestScheduler({ lanes: { a: { load, ...options } } } as never)).rejects.toThrow(message);
  });

  it('describe tells them', async () => {
    const scheduler = await createTestScheduler({
      lanes: { a: { load, admission: 'estimate', importance: 5, onFull: 'dropOldest' } },
    });
    expect(scheduler.describe().lanes[0]).toMatchObject({
      admission: 'estimate',
      importance: 5,
      onFull: 'dropOldest',
      onExpired: 'drop',
    });
    expect(String(scheduler.describe())).toContain('admission by estimate (importance 5)');
    await scheduler.close();
  });
});
