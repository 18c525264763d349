import { createScheduler, task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { describeValue } from '../../src/base/errors.js';
import { normalizeOptions, type SchedulerOptions } from '../../src/scheduler/options.js';

const work = task({ input: { n: u32 }, run() {} });
const load = async () => ({ work });
const lane = { tasks: 'file:///a.js' };

type Given = SchedulerOptions<Record<string, unknown>>;
const refused = (options: unknown): string => {
  try {
    normalizeOptions(options as Given, [0, 1]);
  } catch (error) {
    expect(error).toMatchObject({ code: 'OPTION_INVALID' });
    return (error as Error).message;
  }
  throw new Error('was accepted');
};

describe('options that are refused', () => {
  it('lanes by names that mean something else', () => {
    expect(refused({ lanes: { main: lane } })).toMatch(/^the name of a lane is "main", expected another one/);
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'then', 'toJSON']) {
      const lanes = Object.defineProperty({}, name, { value: lane, enumerable: true });
      expect(refused({ lanes }), name).toContain(`the name of a lane is ${JSON.stringify(name)}, expected another one`);
    }
    expect(normalizeOptions({ lanes: { mainly: lane, proto: lane } }, [0, 1]).lanes).toHaveLength(2);
  });

  it('a lane twice in one worker', () => {
    expect(refused({ lanes: { r: lane, s: lane }, workers: [{ lanes: ['r', 's', 'r'] }] })).toMatch(
      /^workers\[0\]\.lanes .*expected each lane once: r is there twice/,
    );
  });

  it('no lanes at all, in words', () => {
    expect(refused({ lanes: {} })).toMatch(/^lanes is an empty object, expected at least one lane/);
    expect([{}, { a: 1 }, Object.create(null), new Map()].map(describeValue)).toEqual([
      'an empty object',
      'an object',
      'an object of no class',
      'an object of Map',
    ]);
  });

  it('by createTestScheduler: what it does nothing of', async () => {
    const lanes = { r: { load } };
    const saying = (text: string) => ({ code: 'OPTION_INVALID', message: expect.stringContaining(text) });
    await expect(createTestScheduler({ lanes, mode: 'inline' })).rejects.toMatchObject(saying('mode is "inline"'));
    await expect(createTestScheduler({ lanes, hangMs: 100 })).rejects.toMatchObject(saying('hangMs is 100'));
    await expect(createTestScheduler({ lanes, spares: 1 })).rejects.toMatchObject(saying('spares is 1'));
    await expect(createTestScheduler({ lanes, profile: {} })).rejects.toMatchObject(saying('profile is'));
    await expect(createTestScheduler({ lanes, lockMemory: true })).rejects.toMatchObject(saying('lockMemory is true'));
    const nothing = { mode: 'threads', hangMs: Infinity, spares: 0, profile: false, lockMemory: false } as const;
    await (await createTestScheduler({ lanes, ...nothing })).close();
    await expect(createTestScheduler({ lanes: { r: {} } })).rejects.toMatchObject(
      saying(
        'lanes.r.load is undefined, expected a function that imports the task module: createTestScheduler needs it',
      ),
    );
    await expect(createTestScheduler({ lanes, hangMS: 1 } as never)).rejects.toMatchObject(
      saying('createTestScheduler: unknown option'),
    );
    await expect(createScheduler({ lanes: { r: {} }, mode: 'inline' })).rejects.toMatchObject(saying("mode 'inline'"));
  });
});

describe('calls that are refused', () => {
  const saying = (code: string, text: string) =>
    expect.objectContaining({ code, message: expect.stringContaining(text) });

  it('a histogram that there is none of', async () => {
    const scheduler = await createTestScheduler({ lanes: { r: { load } } });
    for (const name of ['foo', 'toString', undefined]) {
      await expect(scheduler.histogram('r', name as never)).rejects.toEqual(
        saying('OPTION_INVALID', `${describeValue(name)}, expected one of wakeupUs, queueingUs`),
      );
    }
    await expect(scheduler.histogram('s' as never, 'executionUs')).rejects.toEqual(saying('LANE_UNKNOWN', 'one of r'));
    expect((await scheduler.histogram('r', 'executionUs')).totalCount).toBe(0);
    await scheduler.close();
  });

  it('release() of a job that belongs to a frame', async () => {
    const scheduler = await createTestScheduler({ lanes: { r: { load } } });
    const frame = scheduler.beginFrame();
    const job = frame.submit(scheduler.lanes.r.work, { n: 1 });
    const release = saying('OPTION_INVALID', 'a job of r.work was released, expected none of a frame');
    expect(() => job.release()).toThrow(release);
    const joined = frame.join();
    await scheduler.advanceMs(1);
    await joined;
    expect(() => job.release()).toThrow(release);
    expect(job.outcome).toBe('onTime');
    const single = scheduler.submit(scheduler.lanes.r.work, { n: 1 });
    single.release();
    single.release(); // once more: nothing
    await scheduler.close();
  });

  it('time that goes back, in the unit of the call', async () => {
    const scheduler = await createTestScheduler({ lanes: { r: { load } } });
    expect(() => scheduler.advanceMs(-5)).toThrow(
      saying('OPTION_INVALID', 'advanceMs is -5, expected milliseconds, 0 or more'),
    );
    expect(() => scheduler.sleepMs(-5)).toThrow(saying('OPTION_INVALID', 'sleepMs is -5, expected milliseconds'));
    expect(() => scheduler.advanceUs(-5)).toThrow(saying('OPTION_INVALID', 'advanceUs is -5, expected microseconds'));
    await scheduler.close();
  });

  it('a socket of a test scheduler', async () => {
    const scheduler = await createTestScheduler({ lanes: { r: { load } } });
    await expect(scheduler.serveTelemetry({ path: '/tmp/x' })).rejects.toEqual(
      saying('OPTION_INVALID', 'a test scheduler serves no sockets'),
    );
    await scheduler.close();
  });

  it('unknown tasks, wherever one is named', async () => {
    const scheduler = await createTestScheduler({ lanes: { r: { load } } });
    const unknown = expect.objectContaining({ code: 'TASK_UNKNOWN' });
    expect(() => scheduler.lanes.r['foo' as 'work']).toThrow(saying('TASK_UNKNOWN', '"foo", expected one of work'));
    const frame = scheduler.beginFrame();
    for (const task of [undefined, null, 'work', {}, load]) {
      expect(() => scheduler.submit(task as never)).toThrow(unknown);
      expect(() => frame.submit(task as never)).toThrow(unknown);
      if (task !== undefined && task !== 'work')
        expect(() => scheduler.inject.miss(task as never), describeValue(task)).toThrow(unknown);
    }
    frame.poll();
    await scheduler.close();
  });
});
