import { task } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { periodicFailureText } from '../../src/scheduler/periodic-failure.js';

const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
afterEach(() => printed.mockClear());

const lines = (): string[] => printed.mock.calls.map(([line]) => String(line));

describe('a periodic task that throws each period', () => {
  it('is told once in a life of its worker, with period and stack, and counted each time', async () => {
    const beat = task({
      input: {},
      run() {
        throw new RangeError('x');
      },
    });
    let from = 3;
    const tick = task({
      input: {},
      run(_input, _output, { period }) {
        if (period >= from) throw 'no Error';
      },
    });
    const scheduler = await createTestScheduler({
      lanes: {
        a: { load: async () => ({ beat }), periodic: { task: 'beat', everyMs: 10 } },
        b: { load: async () => ({ tick }), periodic: { task: 'tick', everyMs: 10 } },
      },
      workers: [{ lanes: ['a'] }, { lanes: ['b'] }],
      restartUs: 5000,
    });
    await scheduler.advanceMs(21);
    expect(lines()).toEqual([
      expect.stringMatching(
        /^frame-deadline: a\.beat threw RangeError: x \(in period 0\); further ones are counted as failed\n +at .*periodic-failures/s,
      ),
    ]);
    await scheduler.advanceMs(29);
    expect(lines().slice(1)).toEqual([
      'frame-deadline: b.tick threw no Error (in period 3); further ones are counted as failed',
    ]);
    expect(scheduler.snapshot().lanes.a.outcomes).toMatchObject({ failed: 6, onTime: 0 });
    expect(scheduler.snapshot().lanes.b.outcomes).toMatchObject({ failed: 3, onTime: 3 });
    from = Number.POSITIVE_INFINITY;
    scheduler.inject.killWorker(0);
    await scheduler.advanceMs(30);
    expect(lines().slice(2)).toEqual([
      expect.stringMatching(/^frame-deadline: a\.beat threw RangeError: x \(in period /),
    ]);
    await scheduler.close();
  });

  it('is told of what cannot be described, too', () => {
    const hostile = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('y');
      },
    });
    expect(periodicFailureText('a.b', 1, hostile)).toBe(
      'frame-deadline: a.b threw a value that cannot be described (in period 1); further ones are counted as failed',
    );
  });
});

it('a single job that fails prints nothing: its holder reads job.error', async () => {
  const fails = task({
    input: {},
    run() {
      throw new Error('x');
    },
  });
  const scheduler = await createTestScheduler({ lanes: { a: { load: async () => ({ fails }) } } });
  const job = scheduler.submit(scheduler.lanes.a.fails);
  await scheduler.advanceMs(1);
  expect([job.outcome, job.error?.code]).toEqual(['failed', 'JOB_FAILED']);
  expect(lines()).toEqual([]);
  await scheduler.close();
});
