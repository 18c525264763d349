import { task } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { OUTCOME_LATE, OUTCOME_LOST } from '../../src/memory/layout.js';
import { lostError } from '../../src/scheduler/lost-error.js';
import {
  CAUSE_CRASHED,
  CAUSE_HUNG,
  CAUSE_UNKNOWN,
  causeOfCounter,
  MISS_CAUSES,
  outcomeCounter,
} from '../../src/telemetry/outcomes.js';

const work = task({ input: {}, run() {} });
const create = () =>
  createTestScheduler({
    lanes: { a: { load: async () => ({ work }), deadlineMs: 1000 } },
    workers: [{ lanes: ['a'] }],
    executionUs: { work: 50_000 },
    restartUs: 1000,
  });

describe('why a job is lost', () => {
  it('its worker died while it ran, and then nobody serves the lane', async () => {
    const scheduler = await create();
    const ran = scheduler.submit(scheduler.lanes.a.work);
    await scheduler.advanceMs(20);
    expect([ran.outcome, ran.error]).toEqual(['pending', null]);
    scheduler.inject.killWorker(0);
    await scheduler.advanceMs(0);
    expect([ran.outcome, ran.error?.code]).toEqual(['lost', 'WORKER_DIED']);
    expect(ran.error?.message).toMatch(/^a\.work is lost: its worker died; describe\(\) tells how/);
    for (let death = 0; death < 2; death++) {
      await scheduler.advanceMs(2);
      scheduler.inject.killWorker(0);
    }
    await scheduler.advanceMs(2);
    const running = scheduler.submit(scheduler.lanes.a.work);
    const waits = scheduler.submit(scheduler.lanes.a.work);
    await scheduler.advanceMs(5);
    scheduler.inject.killWorker(0);
    await scheduler.advanceMs(5);
    expect([running.outcome, waits.outcome]).toEqual(['lost', 'lost']);
    expect(running.error?.message).toMatch(/its worker died/);
    expect(waits.error?.message).toMatch(/^a\.work is lost: nobody serves its lane; .*\[WORKER_DIED\]$/);
    waits.release();
    expect(waits.outcome).toBe('lost');
    expect(() => waits.error).toThrow(expect.objectContaining({ code: 'JOB_STALE' }));
    await scheduler.close();
  });

  it('close() ended it; one whose worker died in the meantime is told apart', async () => {
    const scheduler = await create();
    const dies = scheduler.submit(scheduler.lanes.a.work);
    const ended = scheduler.submit(scheduler.lanes.a.work);
    await scheduler.advanceMs(20);
    const closing = scheduler.close({ drainMs: 40 });
    scheduler.inject.killWorker(0);
    await closing;
    expect([dies, ended].map((job) => [job.outcome, job.error?.code])).toEqual([
      ['lost', 'WORKER_DIED'],
      ['lost', 'SCHEDULER_CLOSED'],
    ]);
    expect(ended.error?.message).toMatch(/close\(\) ended its worker while it ran; raise drainMs/);
  });

  it('it hung, or its slot was overwritten', () => {
    const counted = (cause: number) => lostError('a', 'work', outcomeCounter(OUTCOME_LOST, cause), 1_234_567, false);
    expect(counted(CAUSE_HUNG).message).toMatch(/it ran longer than hangMs \[WORKER_DIED\]$/);
    for (const error of [counted(CAUSE_UNKNOWN), lostError('a', 'work', -1, 0, true)]) {
      expect(error).toMatchObject({ code: 'JOB_FAILED', message: expect.stringMatching(/overwritten/) });
    }
  });

  it('the cause is read back from the counter', () => {
    for (let cause = 0; cause < MISS_CAUSES.length; cause++) {
      expect(causeOfCounter(outcomeCounter(OUTCOME_LOST, cause), OUTCOME_LOST)).toBe(cause);
    }
    expect(causeOfCounter(outcomeCounter(OUTCOME_LATE, CAUSE_CRASHED), OUTCOME_LOST)).toBe(-1);
    expect(causeOfCounter(-5, OUTCOME_LOST)).toBe(-1);
  });
});
