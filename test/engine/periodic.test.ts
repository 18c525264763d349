import { createScheduler, type Snapshot } from 'frame-deadline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  codeOf,
  Gate,
  loadWork,
  noThreadIsLeft,
  quiet,
  sleep,
  threadCount,
  track,
  until,
  WORK_URL,
} from './support.js';

let threadsBefore = 0;
const lane = { tasks: WORK_URL, load: loadWork };
beforeAll(async () => {
  await (await createScheduler({ lanes: { work: lane } })).close();
  threadsBefore = threadCount();
});
afterEach(() => noThreadIsLeft(threadsBefore));

const EVERY_MS = 4;
const EVERY_US = EVERY_MS * 1000;

/**
 * Periods against the clock, however late threads run. With n periods counted at a time t, the first was due at
 * t - (n - 1) periods or before: each look narrows the start from above. From it follows how many must have been counted.
 */
class Periods {
  private latestStartUs = Number.POSITIVE_INFINITY;
  private readonly scheduler: { snapshot(): Snapshot };
  constructor(scheduler: { snapshot(): Snapshot }) {
    this.scheduler = scheduler;
  }
  /** Not one too many. Returns the time of the look. */
  look(): number {
    const { submitted } = this.scheduler.snapshot().lanes['audio']!;
    const { atUs } = this.scheduler.snapshot();
    expect(submitted).toBeLessThanOrEqual(atUs / EVERY_US + 1);
    this.latestStartUs = Math.min(this.latestStartUs, atUs - (submitted - 1) * EVERY_US);
    return atUs;
  }
  /** Not one too few, once the worker has come to it. */
  async all(): Promise<void> {
    const dueUs = this.look();
    const due = Math.floor((dueUs - this.latestStartUs) / EVERY_US);
    await until(`${due} periods are counted`, () => this.scheduler.snapshot().lanes['audio']!.submitted >= due);
  }
}

describe.each(['threads', 'inline'] as const)('a periodic lane: %s', (mode) => {
  const start = async (task: 'told' | 'nothing' | 'spin' = 'told', shared: Record<string, unknown> = {}) =>
    track(
      await createScheduler({
        lanes: { audio: { ...lane, periodic: { task, everyMs: EVERY_MS }, shared }, work: { ...lane, shared } },
        ...(mode === 'inline' ? { mode } : { workers: [{ lanes: ['audio', 'work'] as const }] }),
      }),
    );

  it('each period whose time came is counted, served or not', async () => {
    const scheduler = await start();
    const periods = new Periods(scheduler);
    for (let i = 0; i < 50; i++) {
      await sleep(10);
      periods.look();
    }
    await periods.all();
    await scheduler.close();
    const { audio } = (await quiet(scheduler)).lanes;
    const { onTime, late, expired, cancelled, lost, failed } = audio!.outcomes;
    expect(onTime).toBeGreaterThan(0);
    expect(failed + lost).toBe(0);
    expect(audio!.submitted).toBe(onTime + late + expired + cancelled);
    // all periods from the start to the last one that was released
    expect(audio!.tasks['told']!.submitted).toBe(audio!.submitted);
    expect(audio!.refused).toBe(0);
    expect(await codeOf(() => scheduler.submit(scheduler.lanes.audio.told))).toBe('TASK_UNKNOWN');
  });

  it('a stall: the periods in it expire, are counted and explained, and are not replayed', async () => {
    const scheduler = await start();
    await until('it runs', () => scheduler.snapshot().lanes['audio']!.outcomes.onTime > 3);
    const periods = new Periods(scheduler);
    const before = scheduler.snapshot().lanes['audio']!;
    periods.look();
    const stall = scheduler.submit(scheduler.lanes.work.spin, { us: 200_000 }, { deadlineMs: 60_000 });
    await stall.done;
    const lost = Math.floor(stall.executionUs / EVERY_US);
    await periods.all();
    const after = scheduler.snapshot().lanes['audio']!;
    expect(after.outcomes.expired - before.outcomes.expired).toBeGreaterThanOrEqual(lost - 5);
    const misses = scheduler.recentMisses().filter((miss) => miss.lane === 'audio');
    const told = misses.reduce((sum, miss) => sum + miss.periods, 0);
    expect(told).toBeGreaterThanOrEqual(lost - 5);
    const behind = misses.filter((miss) => miss.cause === 'waitingBehind' && miss.culprit?.task === 'spin');
    expect(behind.length, 'the culprit is named').toBeGreaterThan(0);
    await scheduler.close();
    const { audio } = (await quiet(scheduler)).lanes;
    expect(audio!.misses).toBeGreaterThanOrEqual(audio!.outcomes.expired);
  });

  it('a job of another lane runs beside it', async () => {
    const scheduler = await start();
    for (let i = 0; i < 20; i++) {
      const job = scheduler.submit(scheduler.lanes.work.nothing, {}, { deadlineMs: 60_000 });
      await job.done;
      expect(job.outcome).toBe('onTime');
      job.release();
    }
    await scheduler.close();
    await quiet(scheduler);
  });
});

it('a worker that serves a periodic lane and dies goes on with it; what it missed is counted', async () => {
  const fatal = new URL('./tasks/fatal.tasks.js', import.meta.url);
  type Fatal = typeof import('./tasks/fatal.tasks.js');
  const gate = new Gate();
  const scheduler = track(
    await createScheduler<{ audio: Awaited<ReturnType<typeof loadWork>>; bad: Fatal }>({
      lanes: {
        audio: { ...lane, periodic: { task: 'nothing', everyMs: EVERY_MS } },
        bad: { tasks: fatal, shared: { gate: gate.words } },
      },
      workers: [{ lanes: ['audio', 'bad'] }],
    }),
  );
  await until('it runs', () => scheduler.snapshot().lanes['audio']!.outcomes.onTime > 3);
  const periods = new Periods(scheduler);
  periods.look();
  const job = scheduler.submit(scheduler.lanes.bad.exit, { code: 1 }, { deadlineMs: 60_000 });
  await job.done;
  const served = scheduler.snapshot().lanes['audio']!.outcomes.onTime;
  await until('it runs again', () => scheduler.snapshot().lanes['audio']!.outcomes.onTime > served + 3);
  await periods.all();
  expect(scheduler.snapshot().lanes['audio']!.outcomes.expired).toBeGreaterThan(0);
  await scheduler.close();
  await quiet(scheduler);
});
