import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createScheduler, type Scheduler, type SchedulerOptions } from 'frame-deadline';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, Gate, noThreadIsLeft, quiet, taskUrl, threadCount, track, until } from './support.js';

type Fatal = typeof import('./tasks/fatal.tasks.js');

const FATAL_URL = taskUrl('fatal.tasks.js');
const LONG = { deadlineMs: 60_000 };
let threadsBefore = 0;
let gate: Gate;
let starts: Int32Array;

const lane = () => ({ tasks: FATAL_URL, shared: { gate: gate.words, starts } });
async function create(options: Partial<SchedulerOptions<{ work: Fatal }>>): Promise<Scheduler<{ work: Fatal }>> {
  return track(await createScheduler<{ work: Fatal }>({ lanes: { work: lane() }, ...options }));
}

beforeAll(async () => {
  gate = new Gate();
  starts = new Int32Array(new SharedArrayBuffer(4096));
  await (await create({})).close();
  threadsBefore = threadCount();
});
beforeEach(() => {
  gate = new Gate();
  starts = new Int32Array(new SharedArrayBuffer(4096));
});
afterEach(() => noThreadIsLeft(threadsBefore));

describe('a worker that dies', () => {
  it('its running job is lost, what it had not started is run, another worker takes over', async () => {
    const scheduler = await create({ workers: [{ lanes: ['work'] }] });
    const { exit, fine, hold } = scheduler.lanes.work;
    const frame = scheduler.beginFrame(LONG);
    const holding = frame.submit(hold, { id: 1 });
    const dying = frame.submit(exit, { code: 3 });
    const after = [10, 11, 12].map((id) => frame.submit(fine, { id }));
    frame.barrier();
    const behind = frame.submit(fine, { id: 13 });
    const single = scheduler.submit(fine, { id: 14 }, LONG);
    gate.open();
    expect(await frame.join()).toBe(true);
    await single.done;
    expect(holding.outcome).toBe('onTime');
    expect(dying.outcome).toBe('lost');
    expect([...after, behind, single].map((job) => [job.outcome, job.output.id])).toEqual(
      [10, 11, 12, 13, 14].map((id) => ['onTime', id]),
    );
    expect([10, 11, 12, 13, 14].map((id) => starts[id])).toEqual([1, 1, 1, 1, 1]);
    const counts = (await quiet(scheduler)).lanes['work']!;
    expect(counts.outcomes).toMatchObject({ lost: 1, onTime: 6 });
    expect([counts.misses, counts.missCauses.crashed]).toEqual([1, 1]);
    const [miss] = scheduler.recentMisses();
    expect(miss).toMatchObject({ lane: 'work', task: 'exit', outcome: 'lost', cause: 'crashed', causes: ['crashed'] });
    const described = await scheduler.refresh();
    expect(described.workers[0]).toMatchObject({ state: 'serving', deaths: 1, lastDeath: 'exit code 3' });
    await scheduler.close();
  });

  it('while main is blocked the death is settled and the frame goes on', async () => {
    const scheduler = await create({ workers: [{ lanes: ['work'] }] });
    const { exit, fine } = scheduler.lanes.work;
    const frame = scheduler.beginFrame(LONG);
    const dying = frame.submit(exit, { code: 1 });
    frame.barrier();
    const after = frame.submit(fine, { id: 1 });
    // no event loop turn of this thread from here to the end
    expect(frame.joinSync()).toBe(true);
    expect([dying.outcome, after.outcome]).toEqual(['lost', 'onTime']);
    const single = scheduler.submit(exit, { code: 1 }, LONG);
    const end = performance.now() + 20_000;
    while (!single.ended && performance.now() < end) Atomics.wait(starts, 1000, 0, 10);
    expect(single.outcome).toBe('lost');
    await quiet(scheduler);
    await scheduler.close();
  });

  it('an idempotent job is run again, once', async () => {
    const scheduler = await create({ workers: [{ lanes: ['work'], count: 2 }] });
    const { exitOnce, exitAlways } = scheduler.lanes.work;
    const frame = scheduler.beginFrame(LONG);
    const again = frame.submit(exitOnce, { id: 1 });
    expect(frame.joinSync()).toBe(true);
    expect([again.outcome, again.output.id, starts[1]]).toEqual(['onTime', 1, 2]);
    const never = scheduler.submit(exitAlways, { id: 2 }, LONG);
    await never.done;
    expect([never.outcome, starts[2]]).toEqual(['lost', 2]);
    expect((await quiet(scheduler)).lanes['work']!.outcomes).toMatchObject({ onTime: 1, lost: 1 });
    await scheduler.close();
  });

  it('the other workers go on', async () => {
    const scheduler = await create({ workers: [{ lanes: ['work'], count: 3 }] });
    const { exit, fine, hold } = scheduler.lanes.work;
    const holding = [1, 2].map((id) => scheduler.submit(hold, { id }, LONG));
    await gate.arrived(2);
    const dying = scheduler.submit(exit, { code: 0 }, LONG);
    await dying.done;
    const jobs = Array.from({ length: 50 }, (_, i) => scheduler.submit(fine, { id: 10 + i }, LONG));
    await Promise.all(jobs.map((job) => job.done));
    expect(holding.map((job) => job.outcome)).toEqual(['pending', 'pending']);
    gate.open();
    await Promise.all(holding.map((job) => job.done));
    expect([...holding, ...jobs].every((job) => job.outcome === 'onTime')).toBe(true);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('out of memory within its limits: only that job is lost', async () => {
    const scheduler = await create({
      workers: [{ lanes: ['work'], resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } }],
    });
    const { exhaust, fine } = scheduler.lanes.work;
    const dying = scheduler.submit(exhaust, {}, LONG);
    const after = scheduler.submit(fine, { id: 1 }, LONG);
    await after.done;
    expect([dying.outcome, after.outcome]).toEqual(['lost', 'onTime']);
    expect((await scheduler.refresh()).workers[0]!.lastDeath).toMatch(/memory/i);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('many deaths with other jobs beside them: counts stay exact', async () => {
    const scheduler = await create({ workers: [{ lanes: ['work'], count: 4 }] });
    const { exitOnce, exit, fine } = scheduler.lanes.work;
    let lost = 0;
    let id = 100;
    for (let round = 0; round < 1; round++) {
      const frame = scheduler.beginFrame(LONG);
      const jobs = Array.from({ length: 40 }, (_, i) => {
        if (i % 13 === 5) frame.barrier();
        if (i === 7 || i === 30) {
          lost++;
          return frame.submit(exit, { code: 1 });
        }
        return i === 20 ? frame.submit(exitOnce, { id: id++ }) : frame.submit(fine, { id: id++ });
      });
      expect(round === 0 ? await frame.join() : frame.joinSync()).toBe(true);
      expect(jobs.filter((job) => job.outcome === 'lost').length).toBe(2);
      expect(jobs.filter((job) => job.outcome === 'onTime').length).toBe(38);
    }
    const { lanes } = await quiet(scheduler);
    expect(lanes['work']!.outcomes).toMatchObject({ lost, onTime: 40 - lost });
    expect(lanes['work']!.missCauses.crashed).toBe(lost);
    for (let n = 100; n < id; n++) expect(starts[n], `starts of ${n}`).toBeLessThanOrEqual(2);
    await scheduler.close();
  });
});

describe('a task that ends its worker time after time', () => {
  it.each([0, 2])('is quarantined, the other tasks of its lane go on (spares: %i)', async (spares) => {
    const scheduler = await create({ workers: [{ lanes: ['work'] }], spares });
    const { exit, fine } = scheduler.lanes.work;
    const kills = Array.from({ length: 5 }, () => scheduler.submit(exit, { code: 9 }, LONG));
    const frame = scheduler.beginFrame(LONG);
    const inFrame = frame.submit(fine, { id: 1 });
    frame.barrier();
    const behind = frame.submit(fine, { id: 2 });
    expect(frame.joinSync()).toBe(true);
    await Promise.all(kills.map((job) => job.done));
    expect(kills.map((job) => job.outcome)).toEqual(['lost', 'lost', 'lost', 'failed', 'failed']);
    expect(kills[4]!.error!.message).toMatch(/work\.exit is quarantined: it ended its worker 3 times/);
    expect([inFrame, behind].map((job) => job.outcome)).toEqual(['onTime', 'onTime']);
    const refused = scheduler.submit(exit, { code: 9 }, LONG);
    expect(refused.refused).toBe('quarantined');
    const described = await scheduler.refresh();
    expect(described.workers[0]).toMatchObject({ state: 'serving', deaths: 3 });
    expect(described.quarantined).toEqual([{ lane: 'work', task: 'exit', deaths: 3, lastDeath: 'exit code 9' }]);
    expect(String(described)).toMatch(/task work\.exit is quarantined: it ended its worker 3 times, last: exit code 9/);
    const after = scheduler.submit(fine, { id: 3 }, LONG);
    await after.done;
    expect(after.outcome).toBe('onTime');
    expect((await quiet(scheduler)).lanes['work']!.refusals.quarantined).toBe(1);
    await scheduler.close();
  });
});

describe('a worker that is given up', () => {
  it('by a thing that ends it between jobs: its lane is abandoned, nothing hangs', async () => {
    const tasks = taskUrl('hang.tasks.js');
    const dying = { tasks, shared: { starts }, eventLoop: true };
    type Hang = typeof import('./tasks/hang.tasks.js');
    const scheduler = track(
      await createScheduler<{ work: Hang; other: Hang }>({
        lanes: { work: dying, other: { tasks, shared: { starts } } },
        workers: [{ lanes: ['work'] }, { lanes: ['other'] }],
      }),
    );
    const { throwLater, rejectLater, fine } = scheduler.lanes.work;
    await until(
      'submits are refused',
      () => {
        const job = scheduler.submit(starts[500]!++ % 2 === 0 ? throwLater : rejectLater, {}, LONG);
        const { refused } = job;
        while (!job.ended) Atomics.wait(starts, 1000, 0, 1);
        job.release();
        return refused === 'noWorker';
      },
      20_000,
    );
    const frame = scheduler.beginFrame();
    expect(frame.submit(fine, { id: 3 }).refused).toBe('noWorker');
    expect(frame.joinSync()).toBe(true);
    const other = scheduler.submit(scheduler.lanes.other.fine, { id: 4 }, LONG);
    await other.done;
    expect(other.outcome).toBe('onTime');
    const described = await scheduler.refresh();
    expect(described.workers.map((worker) => [worker.name, worker.state])).toEqual([
      ['work', 'gone'],
      ['other', 'serving'],
    ]);
    expect(String(described)).toMatch(
      /gone.*died 4 times, last: Error: (thrown by a timer|rejected by nobody awaited)/,
    );
    expect(described.quarantined).toEqual([]);
    await quiet(scheduler);
    await scheduler.close();
  });

  it('its module cannot be imported again: the lane is abandoned after a few tries', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
    process.env['FATAL_IMPORTS'] = join(folder, 'imports');
    process.env['FATAL_GOOD_IMPORTS'] = '1';
    try {
      const scheduler = await create({ workers: [{ lanes: ['work'] }] });
      const { exit, fine } = scheduler.lanes.work;
      const dying = scheduler.submit(exit, { code: 1 }, LONG);
      const waiting = scheduler.submit(fine, { id: 1 }, LONG);
      await Promise.all([dying.done, waiting.done]);
      expect([dying.outcome, waiting.outcome]).toEqual(['lost', 'lost']);
      expect(scheduler.submit(fine, { id: 2 }, LONG).refused).toBe('noWorker');
      const [worker] = (await scheduler.refresh()).workers;
      expect(worker).toMatchObject({ state: 'gone', deaths: 1 });
      expect(worker!.lastDeath).toMatch(/no second import/);
      expect(readFileSync(join(folder, 'imports'), 'utf8')).toBe('4');
      await quiet(scheduler);
      await scheduler.close();
    } finally {
      process.env['FATAL_IMPORTS'] = '';
      rmSync(folder, { recursive: true });
    }
  });

  it('close right after a death, and while its place is taken', async () => {
    for (const pauseMs of [0, 5, 40, 90]) {
      const scheduler = await create({ workers: [{ lanes: ['work'] }] });
      const job = scheduler.submit(scheduler.lanes.work.exit, { code: 1 }, LONG);
      const after = scheduler.submit(scheduler.lanes.work.fine, { id: 1 }, LONG);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await scheduler.close({ drainMs: 0 });
      expect(job.outcome).toMatch(/lost|cancelled/);
      expect(after.outcome).toMatch(/cancelled|onTime/);
      await quiet(scheduler);
      expect(await codeOf(() => scheduler.beginFrame())).toBe('SCHEDULER_CLOSED');
    }
  });
});
