import * as fc from 'fast-check';
import { task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { CLOCK_STARTS, expectCounts } from './support.js';

// One worker runs jobs to completion, earliest deadline first: non-preemptive EDF. Task sets that satisfy the conditions
// of Jeffay, Stanat and Martel, "On non-preemptive scheduling of periodic and sporadic tasks" (RTSS 1991), theorem 4.1,
// never miss; whatever the set, starts and finishes are those of a small simulation of the textbook rule.

/** Sporadic task: cost and smallest distance of releases, which is also the relative deadline. Microseconds. */
interface TextbookTask {
  readonly costUs: number;
  readonly periodUs: number;
}
interface TextbookJob {
  readonly releaseUs: number;
  readonly deadlineUs: number;
  readonly costUs: number;
}

/** Sorted by period: utilisation at most 1, and no job that has just begun holds up shorter periods too long. */
function isSchedulable(tasks: readonly TextbookTask[]): boolean {
  const sorted = [...tasks].sort((a, b) => a.periodUs - b.periodUs);
  if (sorted.reduce((sum, { costUs, periodUs }) => sum + costUs / periodUs, 0) > 1) return false;
  return sorted.every((long, i) => {
    const shorter = sorted.slice(0, i);
    for (let length = (sorted[0]?.periodUs ?? 0) + 1; length < long.periodUs; length++) {
      const demand = shorter.reduce(
        (sum, { costUs, periodUs }) => sum + Math.floor((length - 1) / periodUs) * costUs,
        0,
      );
      if (long.costUs + demand > length) return false;
    }
    return true;
  });
}

/** Starts and finishes under non-preemptive EDF on one processor; ties by release, then by lane, then in the order given. */
function simulate(
  jobs: readonly TextbookJob[],
  laneOf: (id: number) => number,
): { startUs: number; finishUs: number }[] {
  const goesFirst = (a: number, b: number): boolean => {
    const key = (id: number): number[] => [jobs[id]!.deadlineUs, jobs[id]!.releaseUs, laneOf(id), id];
    const [first, second] = [key(a), key(b)];
    const at = first.findIndex((part, i) => part !== second[i]);
    return first[at]! < second[at]!;
  };
  const done: { startUs: number; finishUs: number }[] = new Array(jobs.length);
  const left = new Set(jobs.keys());
  let now = 0;
  while (left.size > 0) {
    let best = -1;
    let nextRelease = Number.POSITIVE_INFINITY;
    for (const i of left) {
      const job = jobs[i]!;
      nextRelease = Math.min(nextRelease, job.releaseUs);
      if (job.releaseUs <= now && (best < 0 || goesFirst(i, best))) best = i;
    }
    if (best < 0) {
      now = nextRelease;
      continue;
    }
    left.delete(best);
    done[best] = { startUs: now, finishUs: now + jobs[best]!.costUs };
    now += jobs[best]!.costUs;
  }
  return done;
}

const laneBy =
  (spread: readonly boolean[]) =>
  (id: number): 0 | 1 =>
    spread[id % spread.length] ? 1 : 0;

/** The same on the real scheduler: one worker that serves two lanes, the jobs spread over both. `jobs` in order of release. */
async function schedule(jobs: readonly TextbookJob[], clockStartUs: number, spread: readonly boolean[]) {
  const started: number[] = [];
  const handler = task({
    input: { id: u32 },
    run: (input) => {
      started[input.id] = scheduler.nowUs() - clockStartUs;
    },
  });
  const load = async () => ({ run: handler });
  const scheduler = await createTestScheduler({
    lanes: { even: { load, capacitySlots: 1024 }, odd: { load, capacitySlots: 1024 } },
    workers: [{ lanes: ['even', 'odd'] }],
    executionUs: { run: (input) => jobs[input.id]!.costUs },
    startUs: clockStartUs,
  });
  const lanes = [scheduler.lanes.even, scheduler.lanes.odd];
  const laneOf = laneBy(spread);
  const submitAll = async () => {
    const submitted = [];
    for (const [id, { releaseUs, deadlineUs }] of jobs.entries()) {
      const waitUs = releaseUs - (scheduler.nowUs() - clockStartUs);
      if (waitUs > 0) await scheduler.sleepUs(waitUs);
      const options = { deadlineMs: (deadlineUs - releaseUs) / 1000 };
      submitted.push(scheduler.submit(lanes[laneOf(id)]!.run, { id }, options));
    }
    return submitted;
  };
  const submitting = submitAll();
  const endUs = jobs.reduce((sum, { costUs }) => sum + costUs, jobs.at(-1)!.releaseUs);
  await scheduler.advanceUs(endUs);
  const submitted = await submitting;
  const result = submitted.map((job, id) => ({ startUs: started[id]!, finishUs: started[id]! + job.executionUs }));
  const outcomes = submitted.map((job) => job.outcome);
  const snapshot = scheduler.snapshot();
  [snapshot.lanes.even!, snapshot.lanes.odd!].forEach((lane, index) => {
    expectCounts(
      lane,
      outcomes.filter((_, id) => laneOf(id) === index),
    );
  });
  await scheduler.close();
  return { result, outcomes };
}

const clockStart = fc
  .tuple(fc.constantFrom(...CLOCK_STARTS), fc.integer({ min: 0, max: 500 }))
  .map(([at, before]) => Math.max(0, at - before));
const spread = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });

const textbookTask = fc.integer({ min: 4, max: 60 }).chain((periodUs) =>
  fc.record({
    periodUs: fc.constant(periodUs),
    costUs: fc.integer({ min: 1, max: Math.max(1, Math.ceil(periodUs / 3)) }),
    /** First release and further delays between releases: sporadic tasks come no sooner than their period. */
    offsetUs: fc.nat(60),
    delaysUs: fc.array(fc.oneof(fc.constant(0), fc.nat(20)), { minLength: 1, maxLength: 4 }),
  }),
);
type SporadicTask = typeof textbookTask extends fc.Arbitrary<infer T> ? T : never;

/** All releases up to about `endUs`, in order; of equal ones the earlier task first. */
function releases(tasks: readonly SporadicTask[], endUs: number): TextbookJob[] {
  const jobs: TextbookJob[] = [];
  for (const { costUs, periodUs, offsetUs, delaysUs } of tasks) {
    let releaseUs = offsetUs;
    for (let i = 0; releaseUs < endUs; i++) {
      jobs.push({ releaseUs, deadlineUs: releaseUs + periodUs, costUs });
      releaseUs += periodUs + delaysUs[i % delaysUs.length]!;
    }
  }
  return jobs.sort((a, b) => a.releaseUs - b.releaseUs);
}

describe('non-preemptive EDF on one worker', () => {
  it('task sets that satisfy Jeffay, Stanat and Martel (1991) never miss', async () => {
    const sets = fc.array(textbookTask, { minLength: 2, maxLength: 5 }).filter(isSchedulable);
    const property = fc.asyncProperty(sets, clockStart, spread, async (tasks, start, over) => {
      const jobs = releases(tasks, 400);
      const { outcomes } = await schedule(jobs, start, over);
      expect(outcomes.filter((outcome) => outcome !== 'onTime')).toEqual([]);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('the conditions bite: a set that breaks the second one misses', async () => {
    // total utilisation 0.8, but the long job may begin one microsecond before the short one is released
    const tasks = [
      { costUs: 3, periodUs: 5 },
      { costUs: 4, periodUs: 20 },
    ];
    expect(isSchedulable(tasks)).toBe(false);
    const jobs = [
      { releaseUs: 0, deadlineUs: 20, costUs: 4 },
      { releaseUs: 1, deadlineUs: 6, costUs: 3 },
    ];
    const { outcomes, result } = await schedule(jobs, 0, [false]);
    expect(outcomes).toEqual(['onTime', 'late']);
    expect(result).toEqual([
      { startUs: 0, finishUs: 4 },
      { startUs: 4, finishUs: 7 },
    ]);
  });

  it('any set starts and finishes each job as the textbook simulation does', async () => {
    const overload = fc.record({
      ...{ periodUs: fc.integer({ min: 3, max: 50 }), costUs: fc.integer({ min: 1, max: 30 }) },
      offsetUs: fc.nat(40),
      delaysUs: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
    });
    const property = fc.asyncProperty(
      fc.array(overload, { minLength: 1, maxLength: 6 }),
      clockStart,
      async (tasks, start) => {
        const jobs = releases(tasks, 250);
        const over = [false, true, true];
        const expected = simulate(jobs, laneBy(over));
        const { result, outcomes } = await schedule(jobs, start, over);
        expect(result).toEqual(expected);
        expect(outcomes).toEqual(jobs.map((job, id) => (expected[id]!.finishUs > job.deadlineUs ? 'late' : 'onTime')));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});
