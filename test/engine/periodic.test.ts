import { createScheduler } from 'frame-deadline';
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
    const before = scheduler.snapshot();
    await sleep(500);
    const after = scheduler.snapshot();
    const periods = after.lanes['audio']!.submitted - before.lanes['audio']!.submitted;
    const intended = (after.atUs - before.atUs) / 1000 / EVERY_MS;
    // the newest period may be due and its worker not yet awake; inline, this thread was asleep until just now
    expect(periods).toBeGreaterThan(intended * 0.5);
    expect(periods).toBeLessThanOrEqual(intended + 3);
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
    const before = scheduler.snapshot();
    const stall = scheduler.submit(scheduler.lanes.work.spin, { us: 200_000 }, { deadlineMs: 60_000 });
    await stall.done;
    const expired = (): number =>
      scheduler.snapshot().lanes['audio']!.outcomes.expired - before.lanes['audio']!.outcomes.expired;
    const lost = Math.floor(stall.executionUs / 1000 / EVERY_MS);
    await until('the periods of the stall are counted', () => expired() >= lost - 5);
    const after = scheduler.snapshot();
    const intended = (after.atUs - before.atUs) / 1000 / EVERY_MS;
    expect(after.lanes['audio']!.submitted - before.lanes['audio']!.submitted).toBeLessThanOrEqual(intended + 3);
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
  const job = scheduler.submit(scheduler.lanes.bad.exit, { code: 1 }, { deadlineMs: 60_000 });
  await job.done;
  const atDeath = scheduler.snapshot();
  const served = atDeath.lanes['audio']!.outcomes.onTime;
  await until('it runs again', () => scheduler.snapshot().lanes['audio']!.outcomes.onTime > served + 3);
  const after = scheduler.snapshot();
  const periods = after.lanes['audio']!.submitted - atDeath.lanes['audio']!.submitted;
  const intended = (after.atUs - atDeath.atUs) / 1000 / EVERY_MS;
  expect(Math.abs(periods - intended), 'none is skipped silently').toBeLessThan(10);
  expect(after.lanes['audio']!.outcomes.expired).toBeGreaterThan(0);
  await scheduler.close();
  await quiet(scheduler);
});
