import { stat } from 'node:fs/promises';
import { createScheduler, type Scheduler } from 'frame-deadline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, loadWork, quiet, threadCount, until, type WorkTasks } from './support.js';

// `mode: 'inline'`: the same interface and the same results, in the calling thread.

const LONG = { deadlineMs: 60_000 };
let scheduler: Scheduler<{ work: WorkTasks }>;
let threads = 0;
beforeEach(async () => {
  // libuv makes the threads of its pool on first use: they are none of ours
  await stat('.');
  threads = threadCount();
  scheduler = await createScheduler({ lanes: { work: { load: loadWork, shared: {} } }, mode: 'inline' });
});
afterEach(async () => {
  await scheduler.close();
  expect(threadCount(), 'no thread was made').toBeLessThanOrEqual(threads);
});

const input = { data: new Uint8Array([1, 2]), small: 255, whole: -5, values: [1, 2, 3, 4] };

it('every way of waiting', async () => {
  const { echo, stamp, nothing } = scheduler.lanes.work;
  const single = scheduler.submit(echo, input, LONG);
  expect(single.outcome).toBe('pending');
  await single.done;
  expect([single.outcome, single.output.whole, ...single.output.data.copy()]).toEqual(['onTime', -5, 1, 2]);
  for (const way of ['join', 'joinSync', 'help', 'poll'] as const) {
    const frame = scheduler.beginFrame(LONG);
    const first = frame.submit(stamp, { spinUs: 0 });
    frame.barrier();
    const second = frame.submit(stamp, { spinUs: 0 });
    expect([first.outcome, second.outcome], 'nothing runs within submit').toEqual(['pending', 'pending']);
    if (way === 'join') expect(await frame.join()).toBe(true);
    else if (way === 'poll') await until('poll', () => frame.poll());
    else expect(frame.joinSync({ help: way === 'help' })).toBe(true);
    expect([first.outcome, second.outcome]).toEqual(['onTime', 'onTime']);
    expect(second.output.monotonicUs).toBeGreaterThan(first.output.monotonicUs);
  }
  const left = scheduler.submit(nothing, {}, LONG);
  await until('it runs although nobody waits for it', () => left.ended);
  await quiet(scheduler);
});

it('loops, cancels, misses', async () => {
  const { nothing, spin } = scheduler.lanes.work;
  const misses: string[] = [];
  scheduler.onMiss((miss) => misses.push(`${miss.task} ${miss.outcome}`));
  const end = new AbortController();
  let ticks = 0;
  await scheduler.loop({ hz: 200, signal: end.signal }, async (frame) => {
    frame.submit(nothing);
    expect(await frame.join()).toBe(true);
    if (++ticks === 5) end.abort();
  });
  const cancelled = scheduler.submit(nothing);
  expect([cancelled.cancel(), cancelled.outcome]).toEqual([true, 'cancelled']);
  const late = scheduler.submit(spin, { us: 2000 }, { deadlineMs: 1 });
  await late.done;
  expect(late.outcome).toBe('late');
  await until('the listener hears of it', () => misses.includes('spin late'));
  const { lanes, loops } = await quiet(scheduler);
  expect(lanes['work']!.outcomes.cancelled).toBe(1);
  expect(loops[0]).toMatchObject({ hz: 200, frames: 5 });
  expect(loops[0]!.intendedTicks).toBe(loops[0]!.frames + loops[0]!.droppedTicks);
});

it('it is told', async () => {
  const described = scheduler.describe();
  expect(described.mode).toBe('inline');
  expect(described.workers).toMatchObject([{ name: 'main', state: 'inline', thread: null }]);
  expect(String(described)).toMatch(/handlers run in the calling thread/);
  expect((await scheduler.refresh()).mode).toBe('inline');
  const histogram = await scheduler.histogram('work', 'executionUs');
  expect(histogram.totalCount).toBe(0);
});

describe('a handler that joins a frame', () => {
  /** Runs a frame of the task `outer`, whose handler calls `inner`, and tells the codes of what that threw. */
  async function withinHandler(
    make: (nested: Awaited<ReturnType<typeof create>>) => () => unknown,
  ): Promise<{ codes: string[]; onTime: number }> {
    const codes: string[] = [];
    let inner: () => unknown = () => undefined;
    const nested = await create(() => {
      try {
        inner();
        codes.push('none');
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    });
    inner = make(nested);
    const frame = nested.beginFrame(LONG);
    const job = frame.submit(nested.lanes.work.outer);
    expect(frame.joinSync({ help: true })).toBe(true);
    expect(job.outcome).toBe('onTime');
    const { work } = (await quiet(nested)).lanes;
    await nested.close();
    return { codes, onTime: work!.outcomes.onTime };
  }

  async function create(run: () => void) {
    const { task } = await import('frame-deadline');
    const module = { ...(await loadWork()), outer: task({ input: {}, run }) };
    return createScheduler({ lanes: { work: { load: async () => module, shared: {} } }, mode: 'inline' });
  }

  it('is refused without help, and nothing is spoilt', async () => {
    const { codes, onTime } = await withinHandler((nested) => {
      const within = nested.beginFrame(LONG);
      within.submit(nested.lanes.work.nothing);
      return () => within.joinSync();
    });
    expect(codes).toEqual(['BLOCKING_NOT_ALLOWED']);
    expect(onTime).toBe(2);
  });

  it('may help with another frame, one level deep', async () => {
    const { codes, onTime } = await withinHandler((nested) => {
      const within = nested.beginFrame(LONG);
      const job = within.submit(nested.lanes.work.nothing);
      return () => {
        expect(within.joinSync({ help: true })).toBe(true);
        expect(job.outcome).toBe('onTime');
      };
    });
    expect(codes).toEqual(['none']);
    expect(onTime).toBe(2);
  });

  it('may not help a second level deep', async () => {
    let entered = 0;
    const { codes, onTime } = await withinHandler((nested) => {
      const first = nested.beginFrame(LONG);
      first.submit(nested.lanes.work.outer);
      return () => {
        entered++;
        first.joinSync({ help: true });
      };
    });
    // the inner of the two handlers is the first to end
    expect(codes).toEqual(['BLOCKING_NOT_ALLOWED', 'none']);
    expect(entered).toBe(2);
    expect(onTime).toBe(2);
  });
});

it('closes with jobs waiting: they are cancelled after the drain, and awaited jobs resolve', async () => {
  const { nothing } = scheduler.lanes.work;
  const frame = scheduler.beginFrame(LONG);
  const jobs = [frame.submit(nothing), frame.submit(nothing)];
  const single = scheduler.submit(nothing);
  await scheduler.close({ drainMs: 0 });
  expect([...jobs, single].map((job) => job.outcome)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  expect(await frame.join()).toBe(true);
  expect(await codeOf(() => scheduler.beginFrame())).toBe('SCHEDULER_CLOSED');
});
