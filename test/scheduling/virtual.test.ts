import { f64, task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { afterEach, describe, expect, it } from 'vitest';

const log: string[] = [];
const modules = {
  work: task({
    input: { n: u32 },
    output: { twice: f64 },
    run(input, output, context) {
      log.push(`${input.n}@${context.workerIndex}`);
      output.twice = input.n * 2;
    },
  }),
};
const load = async () => modules;
afterEach(() => {
  log.length = 0;
});

describe('virtual scheduler', () => {
  it('runs a frame at virtual times', async () => {
    const scheduler = await createTestScheduler({
      lanes: { render: { load } },
      executionUs: { work: (input) => input.n * 1000 },
    });
    const frame = scheduler.beginFrame({ deadlineMs: 16 });
    const jobs = [1, 2, 3].map((n) => frame.submit(scheduler.lanes.render.work, { n }));
    let joinedAtUs = -1;
    const joined = frame.join().then((complete) => {
      joinedAtUs = scheduler.nowUs();
      return complete;
    });
    await scheduler.advanceMs(3.5);
    expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'onTime', 'pending']);
    await scheduler.advanceMs(10);
    expect(await joined).toBe(true);
    expect(joinedAtUs).toBe(6000);
    expect(log).toEqual(['1@0', '2@0', '3@0']);
    expect(jobs.map((job) => job.output.twice)).toEqual([2, 4, 6]);
    await scheduler.close();
    expect(String(scheduler.describe())).toContain('worker');
  });
});
