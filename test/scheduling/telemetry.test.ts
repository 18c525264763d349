import fc from 'fast-check';
import { type HistogramData, type Telemetry, task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { CLOCK_STARTS } from './support.js';

const tasks = {
  work: task({ input: { us: u32 }, run: () => {} }),
  rest: task({ input: {}, run: () => {} }),
};
const load = async (): Promise<typeof tasks> => tasks;

const COUNTS = ['submitted', 'accepted', 'refused', 'misses'] as const;

function sumOf(parts: readonly HistogramData[]): Map<number, number> {
  const sum = new Map<number, number>();
  for (const part of parts) {
    for (const [index, count] of part.buckets) sum.set(index, (sum.get(index) ?? 0) + count);
  }
  return sum;
}

/** Windows that follow on one another have, together, what was counted in all. */
function expectWhole(windows: readonly Telemetry[], total: Telemetry): void {
  total.lanes.forEach((lane, l) => {
    lane.tasks.forEach((expected, t) => {
      const parts = windows.map((window) => window.lanes[l]!.tasks[t]!);
      for (const key of COUNTS)
        expect(
          parts.reduce((sum, part) => sum + part[key], 0),
          key,
        ).toBe(expected[key]);
      for (const outcome of Object.keys(expected.outcomes) as (keyof typeof expected.outcomes)[]) {
        expect(
          parts.reduce((sum, part) => sum + part.outcomes[outcome], 0),
          outcome,
        ).toBe(expected.outcomes[outcome]);
      }
      expect(parts.at(-1)!.inFlight).toBe(expected.inFlight);
      for (const name of Object.keys(expected.histograms) as (keyof typeof expected.histograms)[]) {
        expect(sumOf(parts.map((part) => part.histograms[name])), name).toEqual(sumOf([expected.histograms[name]]));
      }
    });
  });
  const misses = windows.flatMap((window) => window.misses);
  expect(misses).toEqual(total.misses);
  expect(windows.flatMap((window) => window.frames)).toEqual(total.frames);
}

describe('telemetry', () => {
  it('windows of any readers, at any times, have together what the total has', async () => {
    const step = fc.record({
      jobs: fc.array(fc.nat({ max: 30_000 }), { maxLength: 4 }),
      advanceUs: fc.nat({ max: 40_000 }),
      reads: fc.subarray([0, 1]),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.constantFrom(...CLOCK_STARTS), async (steps, startUs) => {
        const scheduler = await createTestScheduler({
          lanes: { render: { load, capacitySlots: 4 }, audio: { load, periodic: { task: 'rest', everyMs: 10 } } },
          workers: [{ lanes: ['render', 'audio'] }],
          executionUs: { work: ({ us }: { us: number }) => us, rest: 500 },
          startUs,
        });
        const readers = [scheduler.telemetryWindow(), scheduler.telemetryWindow()];
        const windows: Telemetry[][] = [[], []];
        for (const { jobs, advanceUs, reads } of steps) {
          const frame = scheduler.beginFrame();
          for (const us of jobs) frame.submit(scheduler.lanes.render.work, { us });
          frame.poll();
          await scheduler.advanceUs(advanceUs);
          for (const reader of reads) windows[reader]!.push(readers[reader]!.read());
        }
        for (const [i, reader] of readers.entries()) windows[i]!.push(reader.read());
        const total = scheduler.telemetry();
        for (const of of windows) expectWhole(of, total);
        await scheduler.close();
      }),
      { numRuns: 25 },
    );
  });

  it.each(CLOCK_STARTS)('tells runs of misses, and how many of the last were met (clock at %d)', async (startUs) => {
    const late = [0, 1, 1, 0, 1, 0, 0, 1, 1, 1];
    const scheduler = await createTestScheduler({
      lanes: { render: { load, deadlineMs: 5 } },
      executionUs: { work: ({ us }: { us: number }) => us },
      startUs,
    });
    for (const isLate of late) {
      scheduler.submit(scheduler.lanes.render.work, { us: isLate === 1 ? 6000 : 1000 }).release();
      await scheduler.advanceMs(10);
    }
    expect(scheduler.telemetry().lanes[0]!.missRuns).toEqual({ runs: 3, longest: 3, met: 4, of: 10 });
    expect(scheduler.snapshot().lanes.render.missRuns.longest).toBe(3);
    await scheduler.close();
  });

  it('counts skipped periods in the runs of a periodic lane', async () => {
    const scheduler = await createTestScheduler({
      lanes: { render: { load }, audio: { load, periodic: { task: 'rest', everyMs: 10 } } },
      workers: [{ lanes: ['audio', 'render'] }],
      executionUs: { work: 37_000, rest: 100 },
    });
    await scheduler.advanceMs(3);
    scheduler.submit(scheduler.lanes.render.work, { us: 0 });
    await scheduler.advanceMs(62);
    // periods 1 to 3 found the worker busy
    expect(scheduler.telemetry().lanes[1]).toMatchObject({
      name: 'audio',
      periodUs: 10_000,
      missRuns: { runs: 1, longest: 3, met: 4, of: 7 },
    });
    await scheduler.close();
  });

  it.each(CLOCK_STARTS)(
    'the host is a lane too: ticks that it could not serve are told, with what held it (%d)',
    async (startUs) => {
      const scheduler = await createTestScheduler({
        lanes: { render: { load } },
        executionUs: { work: 2000 },
        startUs,
      });
      const end = new AbortController();
      let calls = 0;
      const loop = scheduler.loop({ hz: 100, signal: end.signal }, async (frame) => {
        calls++;
        frame.submit(scheduler.lanes.render.work, { us: 0 });
        if (calls === 3) scheduler.inject.stallHost(27_000);
        await frame.join();
      });
      await scheduler.advanceMs(95);
      end.abort();
      await scheduler.advanceMs(10);
      await loop;
      const { loops, misses, frames } = scheduler.telemetry();
      expect(loops).toMatchObject([
        {
          id: 0,
          hz: 100,
          running: false,
          intendedTicks: 10,
          droppedTicks: 1,
          frames: 9,
          droppedCauses: { waitingBehind: 1 },
        },
      ]);
      expect(misses.filter((miss) => miss.lane === 'main')).toMatchObject([
        {
          worker: 'main',
          cause: 'waitingBehind',
          periods: 1,
          releaseAtUs: startUs + 30_000,
          startAtUs: null,
          culprit: { kind: 'mainThread', task: 'frame callback', executionUs: 27_000 },
        },
      ]);
      expect(frames.filter((frame) => frame.outcome === 'dropped')).toMatchObject([
        { loop: 0, ticks: 1, tickAtUs: startUs + 30_000, calledAtUs: null },
      ]);
      expect(frames.filter((frame) => frame.outcome !== 'dropped')).toHaveLength(9);
      expect(frames[0]).toMatchObject({
        number: 0,
        outcome: 'onTime',
        tickAtUs: startUs,
        calledAtUs: startUs,
        submittedAtUs: startUs,
        finishedAtUs: startUs + 2000,
        deadlineAtUs: startUs + 10_000,
        jobs: 1,
        misses: 0,
      });
      await scheduler.close();
    },
  );

  it('a loop takes the row of one that ended, and begins with nothing counted', async () => {
    const scheduler = await createTestScheduler({ lanes: { render: { load } } });
    const window = scheduler.telemetryWindow();
    for (let id = 0; id < 10; id++) {
      const end = new AbortController();
      const loop = scheduler.loop({ hz: 100, signal: end.signal }, () => {});
      await scheduler.advanceMs(10 * id + 5);
      end.abort();
      await loop;
      const { loops } = scheduler.telemetry();
      expect(loops.at(-1)).toMatchObject({ id, frames: id + 1, droppedTicks: 0 });
      expect(loops).toHaveLength(Math.min(id + 1, 8));
      expect(window.read().loops).toMatchObject([{ id, frames: id + 1 }]);
    }
    await scheduler.close();
  });
});
