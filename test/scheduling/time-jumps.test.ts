import { task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualClock } from '../../src/base/time.js';
import { CONTROL_WATCH_ASLEEP, WORKER_CURRENT_START_US, WORKER_CURRENT_TASK } from '../../src/memory/layout.js';
import { HangWatch } from '../../src/scheduler/hang-watch.js';
import { normalizeOptions } from '../../src/scheduler/options.js';
import { makePlan } from '../../src/scheduler/plan.js';
import { AttachedMemory } from '../../src/worker/attached-memory.js';
import { CLOCK_STARTS } from './support.js';

// Everything stands still for a while, from seconds to hours: SIGSTOP, a frozen container, a machine that sleeps.

const SECOND_US = 1_000_000;
const HOUR_US = 3600 * SECOND_US;
/** Around half the range of a stamp (35.8 minutes) and all of it (71.6 minutes), and beyond. */
const GAPS_US = [
  3 * SECOND_US,
  600 * SECOND_US,
  2 ** 31 - 50_000,
  2 ** 31 + 50_000,
  HOUR_US,
  2 ** 32 - 5_000,
  2 ** 32 + 5_000,
  7.3 * HOUR_US,
];

describe('a loop that a timer drives', () => {
  async function ticking(startUs: number) {
    const tile = task({ input: { id: u32 }, run() {} });
    const scheduler = await createTestScheduler({
      lanes: { render: { load: async () => ({ tile }) } },
      executionUs: { tile: 1000 },
      startUs,
    });
    const end = new AbortController();
    const calls: number[] = [];
    const numbers: number[] = [];
    const misses: string[] = [];
    scheduler.onMiss((miss) => misses.push(`${miss.lane} ${miss.outcome}`));
    const loop = scheduler.loop({ hz: 100, signal: end.signal }, async (frame) => {
      calls.push(scheduler.nowUs() - startUs);
      numbers.push(frame.number);
      frame.submit(scheduler.lanes.render.tile, { id: 1 });
      await frame.join();
    });
    await scheduler.advanceMs(95);
    return { scheduler, calls, numbers, misses, end, loop };
  }

  it.each(GAPS_US)('a standstill of %d µs is one gap: a pause and one dropped tick, no burst', async (gapUs) => {
    for (const at of CLOCK_STARTS) {
      const { scheduler, calls, numbers, misses, end, loop } = await ticking(Math.max(0, at - 60_000));
      expect(calls).toHaveLength(10);
      scheduler.inject.standStill(gapUs);
      await scheduler.advanceMs(100);
      // what was missed is not replayed, and the ticks keep their phase
      expect(calls).toHaveLength(21);
      for (const [i, atUs] of calls.entries()) if (i !== 10) expect(atUs % 10_000).toBe(0);
      expect(calls.slice(11).map((atUs) => Math.floor((atUs - 95_000 - gapUs) / 10_000))).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      ]);
      expect(numbers[10]).toBe(11);
      const { loops } = scheduler.telemetry();
      expect(loops[0]).toMatchObject({ droppedTicks: 1, missedFrames: 0, frames: 21 });
      expect(loops[0]!.pauses).toMatchObject({ count: 1, now: null });
      expect(Math.abs(loops[0]!.pauses!.totalMs - gapUs / 1000)).toBeLessThan(30);
      expect(misses).toEqual(['main expired']);
      expect(scheduler.snapshot().lanes.render!.misses).toBe(0);
      end.abort();
      await scheduler.advanceMs(20);
      await loop;
      await scheduler.close();
    }
  });

  it('a thread that is held up is not taken for a standstill, nor is a short one', async () => {
    const { scheduler, calls, end, loop } = await ticking(0);
    scheduler.inject.stallHost(3 * SECOND_US);
    await scheduler.advanceMs(5);
    expect(scheduler.telemetry().loops[0]).toMatchObject({ droppedTicks: 299 });
    expect(scheduler.telemetry().loops[0]!.pauses).toBeUndefined();
    scheduler.inject.standStill(SECOND_US / 2);
    await scheduler.advanceMs(5);
    expect(scheduler.telemetry().loops[0]).toMatchObject({ droppedTicks: 348 });
    expect(scheduler.telemetry().loops[0]!.pauses).toBeUndefined();
    // nothing of it is kept for the next stall
    scheduler.inject.stallHost(3 * SECOND_US);
    await scheduler.advanceMs(5);
    expect(scheduler.telemetry().loops[0]!.pauses).toBeUndefined();
    expect(calls.length).toBeLessThan(20);
    end.abort();
    await scheduler.advanceMs(20);
    await loop;
  });
});

describe('a periodic lane', () => {
  it.each(GAPS_US)(
    'a standstill of %d µs is one gap: a pause and one expired period, and the next ones are on time',
    async (gapUs) => {
      for (const at of CLOCK_STARTS) {
        const startUs = Math.max(0, at - 60_000);
        const periods: number[] = [];
        const block = task({ input: {}, run: (_input, _output, context) => void periods.push(context.period) });
        const scheduler = await createTestScheduler({
          lanes: { audio: { load: async () => ({ block }), periodic: { task: 'block', everyMs: 10 } } },
          executionUs: { block: 500 },
          startUs,
        });
        await scheduler.advanceMs(95);
        expect(periods).toHaveLength(10);
        scheduler.inject.standStill(gapUs);
        await scheduler.advanceMs(95);
        const skipped = periods[10]! - 10;
        // what was due in the gap, but for the newest
        expect(Math.abs(skipped - gapUs / 10_000)).toBeLessThan(3);
        const after = periods.slice(10);
        expect(after).toEqual(after.map((_, i) => after[0]! + i));
        expect(after.length).toBeLessThanOrEqual(11);
        expect(after.length).toBeGreaterThanOrEqual(9);
        const { audio } = scheduler.snapshot().lanes;
        expect(audio!.submitted).toBe(11 + after.length);
        expect(audio!.outcomes.expired).toBe(1);
        expect(audio!.misses).toBeLessThanOrEqual(2);
        expect(audio!.missRuns.longest).toBeLessThanOrEqual(2);
        // periods that were not due are no jobs
        expect(audio!.missRuns.of).toBe(skipped < 800 ? 11 + after.length : after.length);
        expect(audio!.pauses).toEqual({ count: 1, totalMs: (skipped - 1) * 10 });
        const misses = scheduler.recentMisses();
        expect(misses[0]).toMatchObject({ periods: 1, outcome: 'expired', cause: 'wakeup', culprit: null });
        expect(misses.length).toBeLessThanOrEqual(2);
        expect(misses[0]!.tardinessUs).toBeGreaterThan(Math.min(gapUs, 1_800_000_000) - 20_000);
        await scheduler.close();
      }
    },
  );

  it('a worker that is held up is not taken for a standstill, nor is a short one', async () => {
    const stall = task({ input: {}, run() {} });
    const block = task({ input: {}, run() {} });
    const scheduler = await createTestScheduler({
      lanes: {
        audio: { load: async () => ({ block }), periodic: { task: 'block', everyMs: 10 } },
        work: { load: async () => ({ stall }) },
      },
      workers: [{ lanes: ['audio', 'work'] }],
      executionUs: { block: 500, stall: 3 * SECOND_US },
    });
    await scheduler.advanceMs(95);
    scheduler.submit(scheduler.lanes.work.stall, {});
    await scheduler.advanceMs(3000);
    scheduler.inject.standStill(SECOND_US / 2);
    await scheduler.advanceMs(100);
    const { audio } = scheduler.snapshot().lanes;
    expect(audio!.pauses).toBeUndefined();
    expect(audio!.outcomes.expired).toBeGreaterThan(345);
    // a window tells its own
    const window = scheduler.telemetryWindow();
    scheduler.inject.standStill(2 * SECOND_US);
    await scheduler.advanceMs(100);
    expect(window.read().lanes[0]!.pauses).toMatchObject({ count: 1 });
    await scheduler.advanceMs(100);
    expect(window.read().lanes[0]!.pauses).toEqual({ count: 0, totalMs: 0 });
    await scheduler.close();
  });

  it('with deadlines longer than the standstill: nothing expired, and no burst', async () => {
    const periods: number[] = [];
    const block = task({ input: {}, run: (_input, _output, context) => void periods.push(context.period) });
    const scheduler = await createTestScheduler({
      lanes: {
        audio: { load: async () => ({ block }), periodic: { task: 'block', everyMs: 1000 }, deadlineMs: 60_000 },
      },
      executionUs: { block: 500 },
    });
    await scheduler.advanceMs(3500);
    scheduler.inject.standStill(5 * SECOND_US);
    await scheduler.advanceMs(1000);
    expect(periods).toEqual([0, 1, 2, 3, 8, 9]);
    const { audio } = scheduler.snapshot().lanes;
    expect(audio).toMatchObject({ misses: 0, pauses: { count: 1, totalMs: 4000 } });
    await scheduler.close();
  });
});

describe('jobs', () => {
  it.each(GAPS_US.filter((us) => us < 61 * 60 * SECOND_US))(
    'one that ran, one that was ready and one of a frame over a standstill of %d µs are late; later ones are not',
    async (gapUs) => {
      for (const at of CLOCK_STARTS) {
        const job = task({ input: {}, run() {} });
        const scheduler = await createTestScheduler({
          lanes: {
            work: { load: async () => ({ job }) },
            firm: { load: async () => ({ job }), onExpired: 'drop' },
          },
          workers: [{ lanes: ['work', 'firm'] }],
          executionUs: { job: 1000 },
          startUs: Math.max(0, at - 60_000),
        });
        const { work, firm } = scheduler.lanes;
        const running = scheduler.submit(work.job, {});
        await scheduler.advanceUs(500);
        const ready = scheduler.submit(work.job, {});
        const dropped = scheduler.submit(firm.job, {});
        const frame = scheduler.beginFrame();
        const inFrame = frame.submit(work.job, {});
        const joined = frame.join();
        scheduler.inject.standStill(gapUs);
        await scheduler.runUntilIdle();
        expect([running, ready, dropped, inFrame].map(({ outcome }) => outcome)).toEqual([
          'late',
          'late',
          'expired',
          'late',
        ]);
        expect(await joined).toBe(true);
        const later = scheduler.submit(work.job, {});
        await scheduler.runUntilIdle();
        expect(later.outcome).toBe('onTime');
        expect(scheduler.recentMisses()).toHaveLength(4);
        await scheduler.close();
      }
    },
  );

  it('end, however long everything stood still', async () => {
    for (const gapUs of GAPS_US) {
      const job = task({ input: {}, run() {} });
      const scheduler = await createTestScheduler({
        lanes: { work: { load: async () => ({ job }), capacitySlots: 8 } },
        executionUs: { job: 1000 },
      });
      const jobs = Array.from({ length: 8 }, () => scheduler.submit(scheduler.lanes.work.job, {}));
      await scheduler.advanceUs(1500);
      scheduler.inject.standStill(gapUs);
      await scheduler.runUntilIdle();
      expect(jobs.every(({ outcome }) => outcome === 'onTime' || outcome === 'late')).toBe(true);
      for (const ended of jobs) ended.release();
      const next = scheduler.submit(scheduler.lanes.work.job, {});
      await scheduler.runUntilIdle();
      expect(next.outcome).toBe('onTime');
      await scheduler.close();
    }
  });

  it('a worker that was idle for long tells the wake-up of its next job', async () => {
    for (const idleMs of [10, 40 * 60_000, 55 * 60_000]) {
      const job = task({ input: {}, run() {} });
      const scheduler = await createTestScheduler({
        lanes: { work: { load: async () => ({ job }) } },
        executionUs: { job: 100 },
        wakeupUs: 700,
      });
      await scheduler.advanceMs(idleMs);
      scheduler.submit(scheduler.lanes.work.job, {});
      await scheduler.runUntilIdle();
      const { wakeupUs } = scheduler.snapshot().lanes.work!;
      expect([wakeupUs.count, Math.round(wakeupUs.max! / 20)]).toEqual([1, 35]);
      await scheduler.close();
    }
  });
});

describe('the hang watch', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends a job that runs too long, and none that stood still with everything else', () => {
    for (const at of CLOCK_STARTS) {
      const { watch, clock, hung, begin } = watched(Math.max(0, at - 900_000));
      watch.start();
      begin();
      pass(clock, 800);
      expect(hung).toEqual([]);
      // stopped: the clock goes on, and afterwards the timer that was due comes at once
      clock.advanceUs(HOUR_US);
      pass(clock, 50);
      expect(hung).toEqual([]);
      clock.advanceUs(2 ** 32);
      pass(clock, 50);
      expect(hung).toEqual([]);
      // this one hangs indeed
      pass(clock, 1500);
      expect(hung.length).toBeGreaterThan(0);
      expect(hung[0]).toBeGreaterThan(1000);
      expect(hung[0]).toBeLessThan(2500);
      watch.stop();
    }
  });

  it('finds a hang in hangMs and two looks', () => {
    const { watch, clock, hung, begin } = watched(0);
    watch.start();
    pass(clock, 130);
    begin();
    pass(clock, 1000);
    expect(hung).toEqual([]);
    pass(clock, 500);
    expect(hung).not.toEqual([]);
    watch.stop();
  });

  it('a job that began while it slept counts from its start', () => {
    const { watch, clock, hung, begin } = watched(0);
    clock.advanceUs(2 * HOUR_US);
    begin();
    watch.start();
    pass(clock, 1000);
    expect(hung).toEqual([]);
    pass(clock, 500);
    expect(hung).not.toEqual([]);
    watch.stop();
  });

  function watched(startUs: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const clock = new VirtualClock(startUs);
    const options = normalizeOptions({ lanes: { a: { tasks: 'file:///a.js' } }, workers: [{ lanes: ['a'] }] }, [0, 1]);
    const description = {
      name: 't',
      input: [],
      output: [],
      deadlineMs: null,
      budgetUs: null,
      idempotent: false,
    } as unknown as Parameters<typeof makePlan>[2][number][number];
    const plan = makePlan(options.lanes, options.workers!, [[description]], startUs, true, options.traceJobs, 0);
    const memory = new AttachedMemory(plan.memory);
    const hung: number[] = [];
    const watch = new HangWatch(memory, clock, 1000, (_worker: number, forMs: number) => void hung.push(forMs));
    const base = memory.layout.worker(0);
    const begin = (): void => {
      Atomics.store(memory.control, base + WORKER_CURRENT_START_US, clock.nowUs());
      Atomics.store(memory.control, base + WORKER_CURRENT_TASK, 1);
    };
    expect(Atomics.load(memory.control, CONTROL_WATCH_ASLEEP)).toBe(0);
    return { watch, clock, hung, begin };
  }

  /** Lets both clocks go on together. */
  function pass(clock: VirtualClock, ms: number): void {
    for (let i = 0; i < ms; i++) {
      clock.advanceUs(1000);
      vi.advanceTimersByTime(1);
    }
  }
});
