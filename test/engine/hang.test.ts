import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScheduler, type Scheduler, type SchedulerOptions } from 'frame-deadline';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isLinux, noThreadIsLeft, quiet, sleep, taskUrl, threadCount, track, until } from './support.js';

type Hang = typeof import('./tasks/hang.tasks.js');

const HANG_MS = 60;
const LONG = { deadlineMs: 60_000 };
let threadsBefore = 0;
let starts: Int32Array;

async function create(
  options: Partial<SchedulerOptions<{ work: Hang }>> = {},
  shared: Record<string, unknown> = {},
): Promise<Scheduler<{ work: Hang }>> {
  const lanes = { work: { tasks: taskUrl('hang.tasks.js'), shared: { starts, ...shared } } };
  const workers = [{ lanes: ['work' as const] }];
  return track(await createScheduler<{ work: Hang }>({ lanes, workers, hangMs: HANG_MS, spares: 1, ...options }));
}

/** Waits until the first worker has so many warm spares. */
async function sparesReady(scheduler: Scheduler<{ work: Hang }>, count: number): Promise<void> {
  const end = performance.now() + 20_000;
  while ((await scheduler.refresh()).workers[0]!.spares < count) {
    expect(performance.now(), `waits for ${count} spares`).toBeLessThan(end);
    await sleep(5);
  }
}

beforeAll(async () => {
  starts = new Int32Array(new SharedArrayBuffer(4096));
  await (await create()).close();
  threadsBefore = threadCount();
});
beforeEach(() => {
  starts = new Int32Array(new SharedArrayBuffer(4096));
});
afterEach(() => noThreadIsLeft(threadsBefore));

describe('a job that does not end', () => {
  it('is lost as hung, a warm spare runs what follows, the lane goes on', async () => {
    const scheduler = await create();
    await sparesReady(scheduler, 1);
    const { loop0, fine } = scheduler.lanes.work;
    const frame = scheduler.beginFrame(LONG);
    const hanging = frame.submit(loop0, {});
    frame.barrier();
    const behind = frame.submit(fine, { id: 1 });
    expect(await frame.join()).toBe(true);
    expect([hanging.outcome, behind.outcome, behind.output.id, behind.output.worker]).toEqual(['lost', 'onTime', 1, 0]);
    const [miss] = scheduler.recentMisses();
    expect(miss).toMatchObject({ lane: 'work', task: 'loop0', outcome: 'lost', cause: 'hung', worker: 'work' });
    const { workers } = await scheduler.refresh();
    expect(workers[0]).toMatchObject({ state: 'serving', deaths: 1, writtenOff: 0 });
    expect(workers[0]!.lastDeath).toMatch(/^ended after its job had run for \d+ ms$/);
    expect(scheduler.telemetry().workers.map(({ name }) => name)).toEqual(['work']);
    await quiet(scheduler);
    await sparesReady(scheduler, 1);
    await scheduler.close();
  });

  it('as often in a row as there are spares, and once more', async () => {
    const scheduler = await create({ spares: 2 });
    await sparesReady(scheduler, 2);
    const { loop0, loop1, loop2, fine } = scheduler.lanes.work;
    const hanging = [loop0, loop1, loop2].map((task) => scheduler.submit(task, {}, LONG));
    const after = scheduler.submit(fine, { id: 1 }, LONG);
    await after.done;
    expect(hanging.map((job) => job.outcome)).toEqual(['lost', 'lost', 'lost']);
    expect([after.outcome, after.output.worker]).toEqual(['onTime', 0]);
    const { lanes } = await quiet(scheduler);
    expect(lanes['work']!.missCauses.hung).toBe(3);
    await sparesReady(scheduler, 2);
    expect((await scheduler.refresh()).workers[0]!.deaths).toBe(3);
    await scheduler.close();
  });

  it('without spares a new thread takes its place', async () => {
    const scheduler = await create({ spares: 0 });
    const { loop0, fine } = scheduler.lanes.work;
    const hanging = scheduler.submit(loop0, {}, LONG);
    const after = scheduler.submit(fine, { id: 1 }, LONG);
    await after.done;
    expect([hanging.outcome, after.outcome]).toEqual(['lost', 'onTime']);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('is found when it is the first of a worker that took the place of a dead one', async () => {
    // nothing runs while the thread starts, so the watch goes to sleep
    const scheduler = await create({ spares: 0, hangMs: 20 });
    const { exit, loop0 } = scheduler.lanes.work;
    const dying = scheduler.submit(exit, {}, LONG);
    const hanging = scheduler.submit(loop0, {}, LONG);
    await until('both have ended', () => dying.ended && hanging.ended);
    const counts = (await quiet(scheduler)).lanes['work']!;
    expect([counts.missCauses.crashed, counts.missCauses.hung]).toEqual([1, 1]);
    await scheduler.close();
  });

  it.each(['busy', 'waiting'])('is found while the main thread is blocked (%s)', async (how) => {
    const scheduler = await create();
    await sparesReady(scheduler, 1);
    const { wait, fine } = scheduler.lanes.work;
    const hanging = scheduler.submit(wait, {}, LONG);
    const after = scheduler.submit(fine, { id: 1 }, LONG);
    // no event loop turn of this thread from here to the end
    const end = performance.now() + 20_000;
    const leastMs = performance.now() + 3 * HANG_MS;
    while ((!after.ended || performance.now() < leastMs) && performance.now() < end) {
      if (how === 'waiting') Atomics.wait(starts, 1000, 0, 10);
    }
    expect([hanging.outcome, after.outcome, after.output.id]).toEqual(['lost', 'onTime', 1]);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('and is idempotent is run again, once, when its thread is gone', async () => {
    const scheduler = await create();
    await sparesReady(scheduler, 1);
    const job = scheduler.submit(scheduler.lanes.work.hangOnce, { id: 5 }, LONG);
    await job.done;
    expect([job.outcome, job.output.id, starts[5]]).toEqual(['onTime', 5, 2]);
    expect((await quiet(scheduler)).lanes['work']!.outcomes).toMatchObject({ onTime: 1, lost: 0 });
    await scheduler.close();
  });

  it('the other workers miss nothing', async () => {
    const scheduler = await create({ workers: [{ lanes: ['work'], count: 2 }], hangMs: 100 });
    await sparesReady(scheduler, 1);
    const { loop0, fine } = scheduler.lanes.work;
    const hanging = scheduler.submit(loop0, {}, LONG);
    const outcomes: string[] = [];
    while (!hanging.ended) {
      const job = scheduler.submit(fine, { id: 2 }, LONG);
      await job.done;
      outcomes.push(job.outcome);
      job.release();
    }
    expect(outcomes.length).toBeGreaterThan(0);
    expect(outcomes.filter((outcome) => outcome !== 'onTime')).toEqual([]);
    // a spare of several workers serves as the one whose place it takes
    const seen = new Set<number>();
    await until('both workers serve', () => {
      const jobs = Array.from({ length: 8 }, () => scheduler.submit(fine, { id: 3 }, LONG));
      const waited = performance.now() + 1000;
      while (!jobs.every((job) => job.ended) && performance.now() < waited);
      for (const job of jobs) {
        if (job.outcome === 'onTime') seen.add(job.output.worker);
        job.release();
      }
      return seen.size === 2;
    });
    expect([...seen].sort()).toEqual([0, 1]);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('a periodic lane goes on in the hands of the spare', async () => {
    const lanes = {
      work: {
        tasks: taskUrl('hang.tasks.js'),
        shared: { starts },
        periodic: { task: 'tick' as const, everyMs: 5 },
      },
    };
    const scheduler = await create({ lanes });
    await sparesReady(scheduler, 1);
    Atomics.store(starts, 50, 1);
    await until('the hang', () => scheduler.snapshot().lanes.work.missCauses.hung > 0);
    const before = Atomics.load(starts, 51);
    await until('periods after the hang', () => Atomics.load(starts, 51) > before + 5);
    expect(scheduler.snapshot().lanes.work.outcomes.lost).toBe(1);
    await scheduler.close();
  });

  it('a worker that comes back after it was given up takes no job, and its slot is not used before it is gone', async () => {
    // it comes back while its thread is being ended: what it writes then must reach nobody's job
    for (let round = 0; round < 5; round++) {
      const scheduler = await create({ hangMs: 20 }, {});
      await sparesReady(scheduler, 1);
      const { comeBack, fine } = scheduler.lanes.work;
      const id = 10 + round;
      const hanging = scheduler.submit(comeBack, { id }, LONG);
      await until('it has begun', () => Atomics.load(starts, id) === 1);
      await sleep(round * 6);
      Atomics.store(starts, 100 + id, 1);
      await hanging.done;
      expect(hanging.outcome).toMatch(/^(onTime|lost)$/);
      hanging.release();
      const jobs = Array.from({ length: 200 }, (_, i) => scheduler.submit(fine, { id: 200 + (i % 50) }, LONG));
      await Promise.all(jobs.map((job) => job.done));
      const ran = jobs.filter((job) => job.refused === false);
      expect(ran.length).toBe(200);
      for (const [i, job] of jobs.entries()) {
        if (job.refused === false && job.outcome === 'onTime') expect(job.output.id).toBe(200 + (i % 50));
      }
      await quiet(scheduler);
      await scheduler.close();
    }
  });

  it.runIf(isLinux)(
    'in native code: reported, its thread written off, the lane goes on, close does not wait',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
      const pipe = join(folder, 'pipe');
      execFileSync('mkfifo', [pipe]);
      try {
        const scheduler = await create({
          lanes: { work: { tasks: taskUrl('hang.tasks.js'), shared: { starts, pipe } } },
        });
        await sparesReady(scheduler, 1);
        const tasks = scheduler.lanes.work;
        const hanging = scheduler.submit(tasks.pipe, {}, LONG);
        const after = scheduler.submit(tasks.fine, { id: 1 }, LONG);
        await after.done;
        expect([hanging.outcome, after.outcome]).toEqual(['lost', 'onTime']);
        const end = performance.now() + 10_000;
        while ((await scheduler.refresh()).workers[0]!.writtenOff === 0) {
          expect(performance.now(), 'until it is written off').toBeLessThan(end);
          await sleep(20);
        }
        const described = await scheduler.refresh();
        expect(described.workers[0]).toMatchObject({ state: 'serving', writtenOff: 1, spares: 0 });
        expect(String(described)).toMatch(/1 thread hangs in native code/);
        const started = performance.now();
        await scheduler.close({ drainMs: 0 });
        expect(performance.now() - started).toBeLessThan(5000);
      } finally {
        closeSync(openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK));
        rmSync(folder, { recursive: true });
      }
    },
  );

  it.runIf(isLinux)('in native code, without spares: its lane ends what waits and refuses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    try {
      const lanes = { work: { tasks: taskUrl('hang.tasks.js'), shared: { starts, pipe } } };
      const scheduler = await create({ lanes, spares: 0 });
      const tasks = scheduler.lanes.work;
      const hanging = scheduler.submit(tasks.pipe, {}, LONG);
      const waiting = scheduler.submit(tasks.fine, { id: 1 }, LONG);
      await Promise.all([hanging.done, waiting.done]);
      expect([hanging.outcome, waiting.outcome]).toEqual(['lost', 'lost']);
      expect(scheduler.submit(tasks.fine, { id: 1 }, LONG).refused).toBe('noWorker');
      expect((await scheduler.refresh()).workers[0]!.lastDeath).toMatch(/hangs in native code/);
      await scheduler.close({ drainMs: 0 });
    } finally {
      closeSync(openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK));
      rmSync(folder, { recursive: true });
    }
  });
});
