import { readdirSync } from 'node:fs';
import { createScheduler } from 'frame-deadline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  childEnd,
  codeOf,
  Gate,
  isLinux,
  loadWork,
  noThreadIsLeft,
  quiet,
  runChild,
  sleep,
  startChild,
  taskUrl,
  threadCount,
  track,
  until,
  WORK_URL,
} from './support.js';

const LONG = { deadlineMs: 60_000 };
const lanes = () => ({ work: { tasks: WORK_URL, load: loadWork } });
const create = async (options: object = {}) => track(await createScheduler({ lanes: lanes(), ...options }));

let threadsBefore = 0;
beforeAll(async () => {
  await (await createScheduler({ lanes: lanes() })).close();
  threadsBefore = threadCount();
});
afterEach(() => noThreadIsLeft(threadsBefore));

describe('a process with a scheduler', () => {
  it.concurrent.each([
    ['idle', 0, ''],
    ['submitted', 0, ''],
    ['listening', 0, ''],
    ['frame-left-open', 0, ''],
    ['deadline-join', 0, 'false\n'],
    ['join', 0, 'true onTime\n'],
    ['done', 0, 'onTime\n'],
    ['cancelled', 0, 'cancelled\n'],
    ['loop', 0, '20\n'],
    ['periodic', 0, 'alive\n'],
    ['closed', 0, ''],
    ['periodic-closed', 0, ''],
    ['exit-while-busy', 5, ''],
    ['throw-while-busy', 1, ''],
  ])('ends when it should: %s', async (way, code, stdout) => {
    const result = await runChild('lifetime.js', [way]);
    expect(result).toMatchObject({ code, signal: null, stdout });
    if (way === 'throw-while-busy') expect(result.stderr).toMatch(/Error: mine/);
    else expect(result.stderr).toBe('');
  });

  it('is ended by a signal as any other', async () => {
    const child = startChild('lifetime.js', ['signal-while-busy']);
    child.stdout!.once('data', () => child.kill('SIGINT'));
    expect(await childEnd(child)).toMatchObject({ code: null, signal: 'SIGINT' });
  });

  it.each(['0', '200'])('uses no CPU while it idles, spinUs %s', async (spinUs) => {
    const { stdout } = await runChild('idle-cpu.js', [spinUs]);
    // a thread that polled each millisecond would use 36 000
    expect((JSON.parse(stdout) as { cpuUs: number }).cpuUs).toBeLessThan(20_000);
  });
});

describe('what is left behind', () => {
  const events = ['SIGINT', 'SIGTERM', 'exit', 'beforeExit', 'uncaughtException', 'unhandledRejection', 'warning'];
  const listeners = (): number[] => events.map((name) => process.listenerCount(name));
  const descriptors = (): number => (isLinux ? readdirSync('/proc/self/fd').length : 0);

  it('fifty schedulers, five at a time, leave nothing', async () => {
    const cycle = async (): Promise<void> => {
      const scheduler = await createScheduler({ lanes: lanes(), workers: [{ lanes: ['work'] }] });
      scheduler.onMiss(() => {});
      const frame = scheduler.beginFrame(LONG);
      frame.submit(scheduler.lanes.work.nothing);
      await frame.join();
      await scheduler.close();
    };
    const cycles = (): Promise<unknown> => Promise.all(Array.from({ length: 5 }, cycle));
    await cycles();
    const before = { listeners: listeners(), descriptors: descriptors(), rss: process.memoryUsage().rss };
    const resources = process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'TTYWrap')
      .sort();
    for (let i = 0; i < 9; i++) await cycles();
    expect(listeners()).toEqual(before.listeners);
    expect(descriptors()).toBeLessThanOrEqual(before.descriptors + 2);
    expect(process.getActiveResourcesInfo().filter((name) => /Worker|MessagePort/.test(name)).length).toBe(
      resources.filter((name) => /Worker|MessagePort/.test(name)).length,
    );
    // each cycle allocates about 3 MiB of shared memory and three isolates
    expect(process.memoryUsage().rss - before.rss).toBeLessThan(150 * 2 ** 20);
  });

  it.runIf(isLinux)('no file that a loop had open', async () => {
    const scheduler = await create();
    const run = async (): Promise<void> => {
      const controller = new AbortController();
      await scheduler.loop({ hz: 1000, signal: controller.signal }, () => controller.abort());
    };
    await run();
    const before = descriptors();
    for (let i = 0; i < 10; i++) await run();
    expect(descriptors()).toBe(before);
    await scheduler.close();
  });

  it('no listener on the process from importing or creating', async () => {
    const before = listeners();
    const scheduler = await create();
    expect(listeners()).toEqual(before);
    await scheduler.close();
    expect(listeners()).toEqual(before);
  });

  it('no listener on a signal that outlives what it was given to', async () => {
    const controller = new AbortController();
    let count = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = ((...args: Parameters<typeof add>) => {
      count++;
      add(...args);
    }) as typeof add;
    signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
      count--;
      remove(...args);
    }) as typeof remove;
    const scheduler = await create({ signal });
    const loop = scheduler.loop({ hz: 100, signal }, () => {});
    expect(count).toBe(2);
    await scheduler.close();
    await loop;
    expect(count).toBe(0);
    controller.abort();
    await scheduler.close();
  });
});

describe('two schedulers in one process', () => {
  it('do not know of each other', async () => {
    const [one, two] = await Promise.all([create(), create()]);
    const a = one.submit(one.lanes.work.stamp, { spinUs: 0 }, LONG);
    const b = two.submit(two.lanes.work.stamp, { spinUs: 0 }, LONG);
    await Promise.all([a.done, b.done]);
    expect(await codeOf(() => one.submit(two.lanes.work.nothing))).toBe('TASK_UNKNOWN');
    await one.close();
    const c = two.submit(two.lanes.work.stamp, { spinUs: 0 }, LONG);
    await c.done;
    expect([a, b, c].map((job) => job.outcome)).toEqual(['onTime', 'onTime', 'onTime']);
    expect((await quiet(one)).lanes['work']!.submitted).toBe(1);
    expect((await quiet(two)).lanes['work']!.submitted).toBe(2);
    await two.close();
  });
});

describe('AbortSignal', () => {
  it('aborted before: nothing is started', async () => {
    expect(await codeOf(() => create({ signal: AbortSignal.abort() }))).toBe('SCHEDULER_CLOSED');
    expect(threadCount()).toBeLessThanOrEqual(threadsBefore);
  });

  it.each([0, 20, 60, 100])('aborted %i ms into the start: no thread is left', async (ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), ms);
    const options = { lanes: { work: { tasks: taskUrl('bad/never.tasks.js') } }, signal: controller.signal };
    expect(await codeOf(() => createScheduler(options))).toBe('SCHEDULER_CLOSED');
  });

  it('aborted later: as close()', async () => {
    const controller = new AbortController();
    const scheduler = await create({ signal: controller.signal });
    const job = scheduler.submit(scheduler.lanes.work.spin, { us: 1000 }, LONG);
    controller.abort();
    expect(scheduler.submit(scheduler.lanes.work.nothing).refused).toBe('closed');
    await scheduler.close();
    expect(job.outcome).toBe('onTime');
  });

  it('ends a loop, also one whose frame is being joined', async () => {
    const gate = new Gate();
    const scheduler = await create({ lanes: { work: { ...lanes().work, shared: { gate: gate.words } } } });
    const controller = new AbortController();
    let ticks = 0;
    const loop = scheduler.loop({ hz: 1000, deadlineMs: 60_000, signal: controller.signal }, async (frame) => {
      ticks++;
      frame.submit(scheduler.lanes.work.gate as never, { number: 1 } as never);
      await frame.join();
    });
    await gate.arrived(1);
    controller.abort();
    let ended = false;
    void loop.then(() => (ended = true));
    await sleep(20);
    expect(ended, 'the callback runs to its end').toBe(false);
    gate.open();
    await loop;
    expect(ticks).toBe(1);
    await quiet(scheduler);
    await scheduler.close();
  });
});

describe('await using', () => {
  it('closes, also when the block throws', async () => {
    let threadsWithin = 0;
    await expect(
      (async () => {
        await using scheduler = await createScheduler({ lanes: lanes() });
        using job = scheduler.submit(scheduler.lanes.work.nothing);
        await job.done;
        threadsWithin = threadCount();
        throw new Error('mine');
      })(),
    ).rejects.toThrow('mine');
    if (isLinux) expect(threadsWithin).toBeGreaterThan(threadsBefore);
    await until('threads are back', () => threadCount() <= threadsBefore);
  });
});
