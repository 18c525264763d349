import { createScheduler, type Job } from 'frame-deadline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Gate, noThreadIsLeft, quiet, sleep, threadCount, track, WORK_URL, type WorkTasks } from './support.js';

const LONG = { deadlineMs: 60_000 };
let threadsBefore = 0;

beforeAll(async () => {
  await (await createScheduler<{ work: WorkTasks }>({ lanes: { work: { tasks: WORK_URL } } })).close();
  threadsBefore = threadCount();
});
afterEach(() => noThreadIsLeft(threadsBefore));

describe('dropOldest on threads', () => {
  it('workers claim while the host drops: every job has one outcome, what expired did not run', async () => {
    const scheduler = track(
      await createScheduler<{ work: WorkTasks }>({
        lanes: { work: { tasks: WORK_URL, onFull: 'dropOldest', capacitySlots: 4 } },
        workers: [{ lanes: ['work'], count: 2, spinUs: 100 }],
      }),
    );
    const { spin } = scheduler.lanes.work;
    const outcomes: Record<string, number> = {};
    for (let round = 0; round < 300; round++) {
      const jobs: Job[] = [];
      for (let i = 0; i < 40; i++) jobs.push(scheduler.submit(spin, { us: (i * round) % 7 }, LONG) as unknown as Job);
      await Promise.all(jobs.map((job) => job.done));
      for (const job of jobs) {
        outcomes[job.outcome] = (outcomes[job.outcome] ?? 0) + 1;
        job.release();
      }
    }
    const { lanes } = await quiet(scheduler);
    const { work } = lanes;
    expect(work!.submitted).toBe(300 * 40);
    expect(work!.refused).toBe(outcomes['refused'] ?? 0);
    expect(work!.outcomes.expired).toBe(outcomes['expired']);
    expect(work!.outcomes.onTime).toBe(outcomes['onTime']);
    expect(work!.missCauses.shed).toBe(work!.outcomes.expired);
    expect(work!.outcomes.expired).toBeGreaterThan(0);
    await scheduler.close();
  });

  it('a job that was released before it was dropped is given back once', async () => {
    const gate = new Gate();
    const scheduler = track(
      await createScheduler<{ work: WorkTasks }>({
        lanes: {
          work: { tasks: WORK_URL, onFull: 'dropOldest', capacitySlots: 4, shared: { gate: gate.words } },
        },
        workers: [{ lanes: ['work'] }],
      }),
    );
    const { gate: gated, nothing } = scheduler.lanes.work;
    const held = scheduler.submit(gated, { number: 1 }, LONG);
    await gate.arrived(1);
    const released = scheduler.submit(nothing, {}, LONG);
    released.release();
    const others = Array.from({ length: 3 }, () => scheduler.submit(nothing, {}, LONG));
    expect([released.outcome, ...others.map((job) => job.outcome)]).toEqual([
      'expired',
      ...others.map(() => 'pending'),
    ]);
    const last = scheduler.submit(nothing, {}, LONG);
    gate.open();
    await Promise.all([held, ...others, last].map((job) => job.done));
    for (const job of [held, ...others, last]) job.release();
    const { retired } = (scheduler as unknown as { core: { retired: readonly Job[] } }).core;
    expect(retired, 'waits to be given back').toEqual([]);
    // every slot is there again, none of them twice
    const all = Array.from({ length: 4 }, () => scheduler.submit(nothing, {}, LONG));
    expect(all.map((job) => job.refused)).toEqual([false, false, false, false]);
    expect(new Set(all.map((job) => (job as unknown as { slot: number }).slot)).size).toBe(4);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('a frame that drops its own jobs is complete, round after round', async () => {
    const scheduler = track(
      await createScheduler<{ work: WorkTasks }>({
        lanes: { work: { tasks: WORK_URL, onFull: 'dropOldest', capacitySlots: 8 } },
        workers: [{ lanes: ['work'], count: 2 }],
      }),
    );
    const { spin } = scheduler.lanes.work;
    for (let round = 0; round < 200; round++) {
      const frame = scheduler.beginFrame(LONG);
      const jobs = Array.from({ length: 50 }, (_, i) => frame.submit(spin, { us: i % 3 }));
      expect(await frame.join()).toBe(true);
      for (const job of jobs) expect(['onTime', 'expired', 'refused']).toContain(job.outcome);
      // the newest are never the ones to go
      expect(['onTime', 'refused']).toContain(jobs.at(-1)!.outcome);
    }
    await quiet(scheduler);
    await scheduler.close();
  });
});

describe('admission on threads', () => {
  it('twice the work: counts are exact, the important jobs get in before the others', async () => {
    const scheduler = track(
      await createScheduler<{ plain: WorkTasks; vital: WorkTasks }>({
        lanes: {
          plain: { tasks: WORK_URL, admission: 'estimate', capacitySlots: 1024 },
          vital: { tasks: WORK_URL, admission: 'estimate', importance: 10, capacitySlots: 1024 },
        },
        workers: [{ lanes: ['plain', 'vital'], count: 1 }],
      }),
    );
    const { plain, vital } = scheduler.lanes;
    for (let frames = 0; frames < 60; frames++) {
      const frame = scheduler.beginFrame({ deadlineMs: 16 });
      for (let i = 0; i < 48; i++) frame.submit(plain.spin, { us: 500 });
      for (let i = 0; i < 8; i++) frame.submit(vital.spin, { us: 500 });
      await frame.join();
      await sleep(1);
    }
    const { lanes } = await quiet(scheduler);
    expect(lanes.plain!.submitted).toBe(60 * 48);
    expect(lanes.vital!.submitted).toBe(60 * 8);
    expect(lanes.plain!.refusals.admission).toBeGreaterThan(0);
    expect(lanes.plain!.missCauses.shed).toBeGreaterThan(0);
    expect(lanes.vital!.missCauses.shed).toBe(0);
    const share = ({ accepted, submitted }: { accepted: number; submitted: number }): number => accepted / submitted;
    expect(share(lanes.vital!)).toBeGreaterThan(share(lanes.plain!));
    await scheduler.close();
  });
});
