import { afterEach, describe, expect, it, vi } from 'vitest';
import { newEpochUs } from '../../dist/host/node/clock.js';
import { nodePlatform } from '../../dist/host/node/platform.js';
import { createSchedulerOn } from '../../dist/scheduler/create.js';
import { sleep, track, until, WORK_URL } from './support.js';

// Real threads whose clock passes 2^31 and 2^32 microseconds, and a system clock that is set.

const supervisorUrl = new URL('../../dist/node-supervisor.js', import.meta.url);

const options = {
  hangMs: 2000,
  lanes: {
    ticks: { tasks: WORK_URL, periodic: { task: 'nothing' as never, everyMs: 5 } },
    work: { tasks: WORK_URL, deadlineMs: 60_000 },
  },
  workers: [{ lanes: ['ticks'] as const }, { lanes: ['work'] as const }],
};

const running = async (startUs: number) => {
  const platform = { ...nodePlatform(supervisorUrl), newEpochUs: () => newEpochUs() - startUs };
  return track(await createSchedulerOn(platform, options));
};

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the clock passes', () => {
  it.each([2 ** 31, 2 ** 32])(
    '%d microseconds while loops, frames, jobs and periods go on',
    { timeout: 30_000 },
    async (wrapUs) => {
      const scheduler = await running(wrapUs - 1_500_000);
      const { nothing, spin } = (scheduler.lanes as unknown as Record<'work', Record<string, never>>).work;
      const startsUs: number[] = [];
      const numbers: number[] = [];
      let wrong = 0;
      const end = new AbortController();
      const loop = scheduler.loop({ hz: 100, deadlineMs: 10_000, signal: end.signal }, async (frame) => {
        startsUs.push(frame.startUs);
        numbers.push(frame.number);
        const job = frame.submit(nothing!, {} as never);
        if (!(await frame.join()) || job.outcome !== 'onTime') wrong++;
        if (Math.abs(job.queueingUs) > 5e6 || job.latenessUs > 0) wrong++;
      });
      // one that runs over it
      await until('shortly before', () => scheduler.telemetry().toUs > wrapUs - 300_000);
      const over = scheduler.submit(spin!, { us: 600_000 } as never);
      await over.done;
      expect(over.outcome).toBe('onTime');
      expect(over.executionUs).toBeGreaterThan(590_000);
      expect(over.executionUs).toBeLessThan(20_000_000);
      await until('after it', () => scheduler.telemetry().toUs > wrapUs + 700_000);
      end.abort();
      await loop;
      expect(wrong).toBe(0);
      expect(startsUs.some((us) => us < wrapUs) && startsUs.some((us) => us > wrapUs)).toBe(true);
      for (let i = 1; i < startsUs.length; i++) {
        expect(Math.abs(startsUs[i]! - startsUs[i - 1]! - (numbers[i]! - numbers[i - 1]!) * 10_000)).toBeLessThan(3);
      }
      const { loops, lanes } = scheduler.telemetry();
      expect(loops[0]!.pauses).toBeUndefined();
      const periods = lanes[0]!.tasks.find(({ name }) => name === 'nothing')!;
      const spanUs = scheduler.telemetry().toUs - (wrapUs - 1_500_000);
      expect(periods.submitted).toBeLessThanOrEqual(spanUs / 5000 + 2);
      expect(periods.submitted).toBeGreaterThan((spanUs / 5000) * 0.5);
      expect(scheduler.describe().workers.map(({ deaths }: { deaths: number }) => deaths)).toEqual([0, 0]);
      await scheduler.close();
      expect(scheduler.snapshot().lanes['work']!.misses).toBe(0);
    },
  );
});

describe('the system clock', () => {
  it('may be set back and forward by hours: only what is told in milliseconds since 1970 jumps', async () => {
    const scheduler = await running(0);
    const { nothing } = (scheduler.lanes as unknown as Record<'work', Record<string, never>>).work;
    const real = Date.now.bind(Date);
    let byMs = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => real() + byMs);
    const outcomes = new Set<string>();
    let calls = 0;
    const end = new AbortController();
    const startsUs: number[] = [];
    const numbers: number[] = [];
    const loop = scheduler.loop({ hz: 50, deadlineMs: 10_000, signal: end.signal }, async (frame) => {
      startsUs.push(frame.startUs);
      numbers.push(frame.number);
      byMs = [0, 7, -7, 5000][calls++ % 4]! * 3_600_000;
      const job = frame.submit(nothing!, {} as never);
      await frame.join();
      outcomes.add(job.outcome);
    });
    await sleep(1000);
    end.abort();
    await loop;
    const { pauses } = scheduler.telemetry().loops[0]!;
    // ticks keep their distance, and no time was skipped
    for (let i = 1; i < startsUs.length; i++) {
      expect(Math.abs(startsUs[i]! - startsUs[0]! - (numbers[i]! - numbers[0]!) * 20_000)).toBeLessThan(3);
    }
    expect(numbers.at(-1)!).toBeGreaterThan(10);
    expect(numbers.at(-1)!).toBeLessThan(500);
    expect(outcomes).toEqual(new Set(['onTime']));
    expect(pauses).toBeUndefined();
    byMs = 7 * 3_600_000;
    expect(Math.abs(scheduler.telemetry().toUnixMs - real() - byMs)).toBeLessThan(1000);
    await scheduler.close();
  });
});
