import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MISS_CAUSES } from '../../src/telemetry/outcomes.js';
import type { Miss } from '../../src/telemetry/telemetry-data.js';
import { MissRule } from '../../src/worker/miss-rule.js';
import { NO_SIGNAL } from '../../src/worker/thread-probe.js';
import { type Signal, Stage, sums } from './causes-support.js';

/** The only miss. */
function only(stage: Stage): Miss {
  const misses = stage.misses();
  expect(misses).toHaveLength(1);
  return misses[0]!;
}

/** Jobs that take `us` and are on time: the stage then knows what is normal. */
function warmUp(stage: Stage, us: number): void {
  for (let i = 0; i < 40; i++) {
    stage.submit({ run: (thread) => thread.compute(us) });
    stage.wakeAndRun();
    stage.clock.advanceUs(20_000);
  }
  expect(stage.misses()).toEqual([]);
}

describe('the primary cause is what exceeds its normal value most', () => {
  // stamps pass 2^31 and 2^32 in these
  const STARTS = [0, 2 ** 31 - 810_000, 2 ** 32 - 810_000];

  it.each(STARTS)('overrun: the task computes past its deadline (clock from %d)', (startUs) => {
    const stage = new Stage({ startUs });
    warmUp(stage, 3000);
    stage.submit({ run: (thread) => thread.compute(20_000) });
    stage.wakeAndRun();
    const miss = only(stage);
    expect(miss).toMatchObject({ cause: 'overrun', causes: ['overrun'], flags: [], culprit: null, tardinessUs: 4000 });
    expect(miss.segments).toEqual({
      wakeupUs: 0,
      waitingBehindUs: 0,
      gcUs: 0,
      preemptedUs: 0,
      onCpuUs: 20_000,
      unattributedUs: 0,
    });
  });

  it('overrun by a declared budget, though most of the time was spent waiting', () => {
    const stage = new Stage({ budgetUs: 1000 });
    stage.submit({ name: 'other', run: (thread) => thread.compute(5000) });
    stage.submit({ run: (thread) => thread.compute(12_000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'overrun', causes: ['waitingBehind', 'overrun'] });
  });

  it.each(STARTS)('preempted: the system ran something else during the job (clock from %d)', (startUs) => {
    const stage = new Stage({ startUs });
    warmUp(stage, 8000);
    stage.submit({
      run: (thread) => {
        thread.compute(4000);
        thread.preempt(9000);
        thread.compute(4000);
      },
    });
    stage.wakeAndRun();
    const miss = only(stage);
    expect(miss).toMatchObject({ cause: 'preempted', causes: ['preempted'] });
    expect(miss.segments).toMatchObject({ preemptedUs: 9000, onCpuUs: 8000, gcUs: 0, unattributedUs: 0 });
  });

  it('gc: collections inside the job', () => {
    const stage = new Stage();
    warmUp(stage, 8000);
    stage.submit({
      run: (thread) => {
        thread.compute(6000);
        thread.collect(14_000);
      },
    });
    stage.wakeAndRun();
    const miss = only(stage);
    expect(miss).toMatchObject({ cause: 'gc', causes: ['gc'] });
    expect(miss.segments).toMatchObject({ gcUs: 14_000, onCpuUs: 6000, preemptedUs: 0 });
  });

  it('a collection that was itself preempted counts as preempted for that time', () => {
    const rule = new MissRule();
    rule.executionUs = 10_000;
    rule.budgetUs = 16_000;
    rule.gcUs = 9000; // the wall clock went on while the collector did not run
    rule.preemptedUs = 7000;
    rule.onCpuUs = 3000;
    rule.decide();
    expect(rule).toMatchObject({ preemptedUs: 7000, gcUs: 3000, onCpuUs: 0, offCpuUs: 0 });
    expect(MISS_CAUSES[rule.cause]).toBe('preempted');
  });

  it('a collection that nobody timed took what the job took beyond its p90', () => {
    const rule = new MissRule();
    rule.executionUs = 10_000;
    rule.p90ExecutionUs = 2000.5;
    rule.preemptedUs = 1000;
    expect(rule.beyondUsualUs()).toBe(6999);
    rule.executionUs = 2500;
    expect(rule.beyondUsualUs()).toBe(0);
    rule.executionUs = 10_000;
    rule.p90ExecutionUs = 0; // it ran too seldom to know
    expect(rule.beyondUsualUs()).toBe(0);
  });

  it('wakeup: the worker was idle and woke up late', () => {
    const stage = new Stage();
    warmUp(stage, 3000);
    stage.submit({ run: (thread) => thread.compute(3000) });
    stage.thread.preempt(15_000);
    stage.wakeAndRun();
    const miss = only(stage);
    expect(miss).toMatchObject({ cause: 'wakeup', causes: ['wakeup'], culprit: null });
    // the delay before the start is not the job's own
    expect(miss.segments).toMatchObject({ wakeupUs: 15_000, preemptedUs: 0, onCpuUs: 3000 });
  });

  it('a wake-up within the floor is nobody’s fault', () => {
    const stage = new Stage({ wakeupFloorUs: 400 });
    stage.submit({ run: (thread) => thread.compute(15_900) });
    stage.clock.advanceUs(300);
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'overrun', causes: ['overrun'], segments: { wakeupUs: 300 } });
  });

  it('waitingBehind: other jobs held the worker, and the longest of them is named', () => {
    const stage = new Stage();
    const frame = stage.frame(3, 16_000);
    stage.submit({ name: 'other', frame, run: (thread) => thread.compute(3000) });
    stage.submit({ name: 'other', frame, run: (thread) => thread.preempt(12_000) });
    stage.submit({ frame, run: (thread) => thread.compute(2000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({
      cause: 'waitingBehind',
      causes: ['waitingBehind'],
      flags: [],
      segments: { waitingBehindUs: 15_000, onCpuUs: 2000, preemptedUs: 0 },
      culprit: { kind: 'job', lane: 'lane', task: 'other', job: 1, frame: 3, executionUs: 12_000 },
    });
  });

  it('backlog: what it waited for is a job of an earlier frame', () => {
    const stage = new Stage();
    const first = stage.frame(1, 16_000);
    stage.submit({
      frame: first,
      run: (thread) => {
        thread.compute(10_000);
        // the next frame begins while this one runs
        const second = stage.frame(2, 16_000);
        stage.submit({ frame: second, run: (then) => then.compute(2000) });
        thread.compute(15_000);
      },
    });
    stage.wakeAndRun();
    expect(stage.misses()).toMatchObject([
      { frame: 1, cause: 'overrun', flags: [] },
      { frame: 2, cause: 'waitingBehind', flags: ['backlog'], culprit: { frame: 1, task: 'render' } },
    ]);
  });

  it.each([
    ['event loop', 11_000, 200],
    ['frame callback', 100, 12_000],
  ])('lateSubmit: the %s held the main thread', (who, calledLateUs, inCallbackUs) => {
    const stage = new Stage();
    warmUp(stage, 6000);
    const frame = stage.frame(4, 16_000, calledLateUs);
    stage.clock.advanceUs(inCallbackUs);
    stage.submit({ frame, run: (thread) => thread.compute(6000) });
    stage.wakeAndRun();
    const lateUs = calledLateUs + inCallbackUs;
    const miss = only(stage);
    expect(miss).toMatchObject({
      cause: 'lateSubmit',
      causes: ['lateSubmit'],
      culprit: { kind: 'mainThread', lane: 'main', task: who, job: null, frame: 4, executionUs: lateUs },
    });
    // by the p90 as the histogram knows it
    expect(miss.lateSubmitUs).toBeGreaterThanOrEqual(lateUs + 6000 - 16_000);
    expect(miss.lateSubmitUs).toBeLessThan(lateUs + 6000 - 16_000 + 60);
  });

  it('lateSubmit: after the deadline, though the task was never measured', () => {
    const stage = new Stage();
    const frame = stage.frame(0, 16_000);
    stage.clock.advanceUs(17_000);
    stage.submit({ frame, run: (thread) => thread.compute(100) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'lateSubmit', causes: ['lateSubmit'], lateSubmitUs: 1100 });
  });

  it('lateSubmit also of a task whose p90 tells nothing any more, if this job needed little', () => {
    const stage = new Stage();
    for (let i = 0; i < 10; i++) {
      stage.submit({ run: (thread) => thread.compute(20_000) });
      stage.wakeAndRun();
    }
    expect(stage.misses()).toHaveLength(10);
    const frame = stage.frame(0, 16_000);
    stage.clock.advanceUs(14_000);
    stage.submit({ frame, run: (thread) => thread.compute(4000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'lateSubmit', causes: ['lateSubmit'], lateSubmitUs: 2000 });
  });

  it('a single job that got little time on purpose, of a task never measured, overruns', () => {
    const stage = new Stage();
    stage.submit({ deadlineUs: 5000, run: (thread) => thread.compute(6000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'overrun', causes: ['overrun'], lateSubmitUs: 0 });
  });

  it('a single job that got less time than its task usually takes', () => {
    const stage = new Stage();
    warmUp(stage, 4000);
    stage.submit({ deadlineUs: 1000, run: (thread) => thread.compute(3900) });
    stage.wakeAndRun();
    const miss = only(stage);
    expect(miss).toMatchObject({ cause: 'lateSubmit', culprit: null });
    expect(miss.lateSubmitUs).toBeGreaterThanOrEqual(3000);
  });

  it('a task that takes longer than its whole deadline overruns; it is not late submitted', () => {
    const stage = new Stage();
    for (let i = 0; i < 20; i++) {
      const frame = stage.frame(i, 16_000);
      stage.clock.advanceUs(200);
      stage.submit({ frame, run: (thread) => thread.compute(18_000) });
      stage.wakeAndRun();
    }
    const misses = stage.misses();
    expect(misses).toHaveLength(20);
    for (const miss of misses) expect(miss).toMatchObject({ cause: 'overrun', causes: ['overrun'] });
  });

  it('what came before a barrier and left too little time is in the way', () => {
    const stage = new Stage();
    warmUp(stage, 4000);
    const frame = stage.frame(0, 16_000);
    stage.submit({ name: 'other', frame, run: (thread) => thread.compute(14_000) });
    stage.submit({ frame, releaseUs: 14_000, run: (thread) => thread.compute(4000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({
      cause: 'waitingBehind',
      segments: { waitingBehindUs: 0, onCpuUs: 4000 },
      culprit: { task: 'other', executionUs: 14_000 },
    });
  });

  it('a handler that blocks in a call is no overrun on a CPU: unknown, and the time is told', () => {
    const stage = new Stage();
    stage.submit({ run: (thread) => thread.block(20_000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'unknown', segments: { onCpuUs: 0, unattributedUs: 20_000 } });
  });

  it('a job that waited for a dead worker’s replacement was in nobody’s way', () => {
    const stage = new Stage({ replaces: true });
    // submitted before the replacement came
    stage.clock.advanceUs(-30_000);
    stage.submit({ run: (thread) => thread.compute(100) });
    stage.clock.advanceUs(30_000);
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({
      cause: 'crashed',
      causes: ['crashed'],
      segments: { wakeupUs: 0, waitingBehindUs: 0, unattributedUs: 30_000, onCpuUs: 100 },
    });
  });

  it('a firm job that expired before it ran: nothing of it was collected, preempted or on a CPU', () => {
    const stage = new Stage({ onExpired: 'drop' });
    stage.submit({ run: (thread) => thread.collect(17_000) });
    stage.submit({ run: () => expect.unreachable('expired') });
    stage.wakeAndRun();
    const [, expired] = stage.misses();
    expect(expired).toMatchObject({ outcome: 'expired', cause: 'waitingBehind', startAtUs: null });
    expect(expired!.segments).toEqual({
      wakeupUs: 0,
      waitingBehindUs: 17_000,
      gcUs: 0,
      preemptedUs: 0,
      onCpuUs: 0,
      unattributedUs: 0,
    });
  });
});

describe('signals', () => {
  it('one that is missing is null, never 0, and its time is unattributed', () => {
    const stage = new Stage({ signals: [] });
    stage.submit({ run: (thread) => thread.preempt(20_000) });
    stage.wakeAndRun();
    const miss = only(stage);
    expect(miss.segments).toEqual({
      wakeupUs: 0,
      waitingBehindUs: 0,
      gcUs: null,
      preemptedUs: null,
      onCpuUs: null,
      unattributedUs: 20_000,
    });
    // what remains counts as the task's own
    expect(miss.cause).toBe('overrun');
  });

  it.each<[Signal, string]>([
    ['preempted', 'preemptedUs'],
    ['gc', 'gcUs'],
    ['onCpu', 'onCpuUs'],
  ])('only %s', (signal, segment) => {
    const stage = new Stage({ signals: [signal] });
    stage.submit({
      run: (thread) => {
        thread.compute(5000);
        thread.collect(7000);
        thread.preempt(6000);
      },
    });
    stage.wakeAndRun();
    const { segments } = only(stage);
    const missing = Object.entries(segments).filter(([name]) => segments[name as keyof typeof segments] === null);
    expect(missing.map(([name]) => name)).toEqual(
      ['gcUs', 'preemptedUs', 'onCpuUs'].filter((name) => name !== segment),
    );
    expect(segments[segment as 'gcUs']).toBe({ preempted: 6000, gc: 7000, onCpu: 12_000 }[signal]);
  });

  it('jobs that are on time read nothing, and remember once in a while', () => {
    const run = (us: number, jobs: number): Stage => {
      const stage = new Stage();
      for (let i = 0; i < jobs; i++) {
        stage.submit({ run: (thread) => thread.compute(us) });
        stage.wakeAndRun();
      }
      expect(stage.thread.reads).toBe(0);
      return stage;
    };
    // of the time they take together: after each millisecond; of short ones after 5 ms the times and after 100 ms all
    expect(run(400, 100).thread).toMatchObject({ marks: 33, timesMarks: 0 });
    expect(run(100, 4000).thread).toMatchObject({ marks: 4, timesMarks: 76 });
  });

  it('what happened before the job’s time is not blamed on it', () => {
    const stage = new Stage();
    stage.submit({ name: 'other', run: (thread) => thread.preempt(9000) });
    stage.submit({ run: (thread) => thread.compute(8000) });
    stage.wakeAndRun();
    expect(only(stage)).toMatchObject({ cause: 'waitingBehind', segments: { preemptedUs: 0, onCpuUs: 8000 } });
  });

  it('a job too short for anything to matter is not looked at', () => {
    const stage = new Stage();
    stage.submit({ name: 'other', run: (thread) => thread.compute(17_000) });
    stage.submit({ run: (thread) => thread.compute(30) });
    stage.wakeAndRun();
    expect(stage.thread.reads).toBe(1);
    expect(stage.misses()[1]!.segments).toMatchObject({
      gcUs: null,
      preemptedUs: null,
      onCpuUs: null,
      unattributedUs: 30,
    });
  });
});

describe('segments are disjoint and add up to the response time', () => {
  const us = fc.integer({ min: 0, max: 40_000 });

  it('whatever the signals say', () => {
    const signal = fc.oneof(fc.constant(NO_SIGNAL), fc.double({ min: 0, max: 60_000, noNaN: true }));
    fc.assert(
      fc.property(us, us, us, us, signal, signal, signal, us, us, (...given) => {
        const [wakeup, waiting, absent, execution, gc, preempted, onCpu, budget, floor] = given;
        const rule = new MissRule();
        rule.wakeupUs = wakeup;
        rule.waitingUs = waiting;
        rule.absentUs = absent;
        rule.executionUs = execution;
        rule.gcUs = gc;
        rule.preemptedUs = preempted;
        rule.onCpuUs = onCpu;
        rule.budgetUs = budget;
        rule.wakeupFloorUs = floor;
        rule.timeLeftUs = 16_000;
        rule.fullRelativeUs = 16_000;
        rule.decide();
        const parts = [rule.gcUs, rule.preemptedUs, rule.onCpuUs];
        for (const [part, signalUs] of [
          [rule.gcUs, gc],
          [rule.preemptedUs, preempted],
          [rule.onCpuUs, onCpu],
        ] as const) {
          expect(part === NO_SIGNAL).toBe(signalUs === NO_SIGNAL);
          expect(Number.isInteger(part)).toBe(true);
          if (part !== NO_SIGNAL) expect(part).toBeLessThanOrEqual(signalUs + 0.5);
        }
        expect(rule.offCpuUs).toBeGreaterThanOrEqual(0);
        expect(parts.reduce((sum, part) => sum + Math.max(part, 0), 0) + rule.offCpuUs).toBe(execution);
        expect(rule.causeMask & (1 << rule.cause)).not.toBe(0);
      }),
    );
  });

  it('on a whole run: any jobs, any clock, any signals', () => {
    const part = fc.tuple(fc.constantFrom('compute', 'preempt', 'collect', 'block'), fc.integer({ min: 0, max: 9000 }));
    const job = fc.record({
      parts: fc.array(part, { maxLength: 4 }),
      deadlineUs: fc.integer({ min: -2000, max: 12_000 }),
      releaseUs: fc.constantFrom(0, 0, 0, 300, -200),
      gapUs: fc.integer({ min: 0, max: 3000 }),
      together: fc.boolean(),
    });
    const signals = fc.subarray<Signal>(['preempted', 'gc', 'onCpu']);
    const startUs = fc.constantFrom(0, 2 ** 31 - 30_000, 2 ** 32 - 30_000);
    const onExpired = fc.constantFrom('run' as const, 'drop' as const);
    fc.assert(
      fc.property(
        fc.array(job, { minLength: 1, maxLength: 12 }),
        signals,
        startUs,
        onExpired,
        (jobs, has, at, drop) => {
          const stage = new Stage({ signals: has, startUs: at, onExpired: drop });
          const misses: Miss[] = [];
          for (const { parts, deadlineUs, releaseUs, gapUs, together } of jobs) {
            const run = (thread: Stage['thread']): void => {
              for (const [what, forUs] of parts) thread[what as 'compute'](forUs);
            };
            stage.submit({ run, deadlineUs, releaseUs });
            if (together) continue;
            stage.clock.advanceUs(gapUs);
            stage.wakeAndRun();
            misses.push(...stage.misses());
          }
          stage.wakeAndRun();
          misses.push(...stage.misses());
          for (const miss of misses) {
            const { parts, responseUs } = sums(miss);
            expect(parts).toBe(responseUs);
            for (const value of Object.values(miss.segments)) {
              if (value !== null) expect(value).toBeGreaterThanOrEqual(0);
            }
            expect(miss.causes).toContain(miss.cause);
          }
        },
      ),
    );
  });
});
