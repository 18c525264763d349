import { createScheduler } from 'frame-deadline';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { loadWork, noThreadIsLeft, quiet, threadCount, track, WORK_URL } from './support.js';

// Each thread reads the clock by itself: on a machine with one monotonic clock their readings agree. What a handler
// reads comes from another clock than the scheduler's own stamps (`hrtime` there, `performance.now` here).

/** The two clocks are compared by a few reads at the start, and stamps are whole microseconds. */
const AGREEMENT_US = 100;

const monotonicUs = (): number => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
};

let threadsBefore = 0;
beforeAll(async () => {
  await (await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork } } })).close();
  threadsBefore = threadCount();
});
afterEach(() => noThreadIsLeft(threadsBefore));

it('submit, start, finish and join are in order on whichever worker', async () => {
  const scheduler = track(
    await createScheduler({
      lanes: { work: { tasks: WORK_URL, load: loadWork } },
      workers: [{ lanes: ['work'], count: 4 }],
    }),
  );
  const { stamp } = scheduler.lanes.work;
  const workers = new Set<number>();
  for (let round = 0; round < 40; round++) {
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const submittedUs: number[] = [];
    const jobs = Array.from({ length: 8 }, () => {
      submittedUs.push(monotonicUs());
      return frame.submit(stamp, { spinUs: 200 });
    });
    expect(frame.joinSync()).toBe(true);
    const joinedUs = monotonicUs();
    jobs.forEach((job, i) => {
      const { output, queueingUs, executionUs, latenessUs } = job;
      workers.add(output.worker);
      expect(queueingUs).toBeGreaterThanOrEqual(0);
      expect(executionUs).toBeGreaterThanOrEqual(199);
      expect(output.monotonicUs).toBeGreaterThan(submittedUs[i]! - AGREEMENT_US);
      expect(output.monotonicUs + 200).toBeLessThan(joinedUs + AGREEMENT_US);
      // the start that the scheduler stamped is the one that the handler saw, or shortly before
      expect(submittedUs[i]! + queueingUs).toBeLessThan(output.monotonicUs + AGREEMENT_US);
      expect(submittedUs[i]! + queueingUs + executionUs).toBeLessThan(joinedUs + AGREEMENT_US);
      expect(latenessUs).toBeLessThan(0);
      expect(output.leftUs).toBeGreaterThan(0);
      expect(output.leftUs).toBeLessThanOrEqual(60_000_000);
    });
  }
  expect(workers.size, 'several workers took part').toBeGreaterThan(1);
  const { work } = (await quiet(scheduler)).lanes;
  expect(work!.executionUs.count).toBe(320);
  expect(work!.queueingUs.count).toBe(320);
  expect(work!.responseUs.count).toBe(320);
  expect(work!.tardinessUs).toMatchObject({ count: 0, p50: null, max: null });
  expect(work!.executionUs.p50).toBeGreaterThanOrEqual(199);
  await scheduler.close();
});

it('time to deadline, lateness and what missed agree', async () => {
  const scheduler = track(
    await createScheduler({
      lanes: { work: { tasks: WORK_URL, load: loadWork } },
      workers: [{ lanes: ['work'] }],
    }),
  );
  const misses: { tardinessUs: number; cause: string; causes: readonly string[]; task: string }[] = [];
  scheduler.onMiss((miss) => misses.push(miss));
  const { spin, stamp } = scheduler.lanes.work;
  const blocker = scheduler.submit(spin, { us: 30_000 }, { deadlineMs: 60_000 });
  const late = scheduler.submit(stamp, { spinUs: 0 }, { deadlineMs: 5 });
  const inTime = scheduler.submit(stamp, { spinUs: 0 }, { deadlineMs: 60_000 });
  await Promise.all([blocker.done, late.done, inTime.done]);
  expect(late.latenessUs).toBe(late.queueingUs + late.executionUs - 5000);
  if (late.outcome === 'late') {
    expect(late.latenessUs).toBeGreaterThan(0);
    expect(late.output.leftUs).toBeLessThan(0);
  }
  const snapshot = await quiet(scheduler);
  const recent = scheduler.recentMisses();
  expect(recent).toHaveLength(snapshot.lanes['work']!.misses);
  for (const miss of recent) {
    expect(miss.causes).toContain(miss.cause);
    expect(miss.tardinessUs).toBe(late.latenessUs);
    const { wakeupUs, waitingBehindUs, gcUs, preemptedUs, onCpuUs, unattributedUs } = miss.segments;
    expect(wakeupUs + waitingBehindUs).toBe(late.queueingUs);
    const executionUs = (gcUs ?? 0) + (preemptedUs ?? 0) + (onCpuUs ?? 0) + unattributedUs;
    expect(Math.abs(executionUs - late.executionUs)).toBeLessThanOrEqual(1);
  }
  await scheduler.close();
  expect(misses.map((miss) => miss.tardinessUs)).toEqual(recent.map((miss) => miss.tardinessUs));
});
