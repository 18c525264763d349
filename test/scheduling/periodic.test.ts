import * as fc from 'fast-check';
import { task, u32 } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { describe, expect, it } from 'vitest';
import { CLOCK_STARTS, OUTCOMES } from './support.js';

interface Start {
  readonly what: 'audio' | 'render';
  readonly atUs: number;
  /** Number of the period, or the job's id. */
  readonly id: number;
  readonly worker: number;
}

interface Options {
  everyMs: number;
  audioUs: number | ((input: unknown, n: number) => number);
  renderUs: (id: number) => number;
  workers: { lanes: ('audio' | 'render')[] }[];
  startUs?: number;
  deadlineMs?: number;
  wakeupUs?: number;
}

/** A periodic lane and one of single jobs; what starts when, counted from the start of the clock. */
async function audioAndRender(options: Options) {
  const { startUs = 0 } = options;
  const starts: Start[] = [];
  const note = (what: Start['what'], id: number, worker: number): void => {
    starts.push({ what, atUs: scheduler.nowUs() - startUs, id, worker });
  };
  const block = task({
    input: {},
    run: (_input, _output, context) => note('audio', context.period, context.workerIndex),
  });
  const draw = task({
    input: { id: u32 },
    run: (input, _output, context) => note('render', input.id, context.workerIndex),
  });
  const scheduler = await createTestScheduler({
    lanes: {
      audio: {
        load: async () => ({ block }),
        periodic: { task: 'block', everyMs: options.everyMs },
        ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
      },
      render: { load: async () => ({ draw }) },
    },
    workers: options.workers,
    executionUs: { block: options.audioUs, draw: (input) => options.renderUs(input.id) },
    startUs,
    wakeupUs: options.wakeupUs ?? 0,
  });
  return { scheduler, starts, draw: scheduler.lanes.render.draw };
}

describe('periodic lanes', () => {
  it('releases each period at its intended time, across the wrap of the stamps', async () => {
    for (const at of CLOCK_STARTS) {
      const startUs = Math.max(0, at - 30_000);
      const workers: Options['workers'] = [{ lanes: ['audio'] }, { lanes: ['render'] }];
      const { scheduler, starts } = await audioAndRender({
        everyMs: 10,
        audioUs: 700,
        renderUs: () => 0,
        workers,
        startUs,
      });
      await scheduler.advanceMs(10 * 9 + 1);
      expect(starts).toEqual(
        Array.from({ length: 10 }, (_, n) => ({
          what: 'audio',
          atUs: n * 10_000,
          id: n,
          worker: 0,
        })),
      );
      const { audio } = scheduler.snapshot().lanes;
      expect(audio).toMatchObject({ submitted: 10, accepted: 10, refused: 0, inFlight: 0, misses: 0 });
      expect(audio!.outcomes.onTime).toBe(10);
      // one step of the histogram
      expect(audio!.queueingUs.max).toBeLessThan(1.024);
      await scheduler.close();
    }
  });

  it('periods that are no whole number of microseconds neither drift nor get stuck', async () => {
    // 60 Hz, and blocks of 128 at 48 kHz: period times number is often rounded past the exact time
    for (const everyMs of [1000 / 60, 128 / 48]) {
      const workers: Options['workers'] = [{ lanes: ['audio'] }, { lanes: ['render'] }];
      const { scheduler, starts } = await audioAndRender({ everyMs, audioUs: 20, renderUs: () => 0, workers });
      await scheduler.advanceMs(1999);
      starts.forEach(({ atUs, id }, n) => {
        expect(id).toBe(n);
        const lateUs = atUs - n * everyMs * 1000;
        expect(lateUs).toBeGreaterThan(-0.001);
        expect(lateUs).toBeLessThan(1.001);
      });
      expect(starts.length).toBe(Math.floor(1999 / everyMs) + 1);
      await scheduler.close();
    }
  });

  it('counts periods that could not be served as expired, and does not make up for them in a burst', async () => {
    const { scheduler, starts, draw } = await audioAndRender({
      everyMs: 10,
      audioUs: 1000,
      renderUs: () => 37_000,
      workers: [{ lanes: ['audio', 'render'] }],
    });
    await scheduler.advanceMs(3);
    const job = scheduler.submit(draw, { id: 0 });
    await scheduler.advanceMs(52);
    // periods 1 to 3 were due at 10, 20 and 30 ms; the job ends at 40 ms, when period 4 is due
    expect(starts.map(({ what, atUs, id }) => [what, atUs, id])).toEqual([
      ['audio', 0, 0],
      ['render', 3000, 0],
      ['audio', 40_000, 4],
      ['audio', 50_000, 5],
    ]);
    expect(job.executionUs).toBe(37_000);
    const { audio } = scheduler.snapshot().lanes;
    expect(audio!.submitted).toBe(6);
    expect(audio!.outcomes).toMatchObject({ onTime: 3, expired: 3 });
    expect(audio!.missCauses.waitingBehind).toBe(3);
    const [miss] = scheduler.recentMisses().filter(({ lane }) => lane === 'audio');
    expect(miss).toMatchObject({ outcome: 'expired', periods: 3, culprit: { task: 'draw', executionUs: 37_000 } });
    await scheduler.close();
  });

  it('a job whose p99 would run into the next release waits for the release', async () => {
    const { scheduler, starts, draw } = await audioAndRender({
      everyMs: 10,
      audioUs: 1000,
      renderUs: () => 4000,
      workers: [{ lanes: ['audio', 'render'] }],
    });
    await scheduler.advanceMs(1);
    scheduler.submit(draw, { id: 0 }); // nothing is known of it: it starts
    await scheduler.advanceMs(6);
    scheduler.submit(draw, { id: 1 }); // at 7 ms, 3 ms before the release at 10 ms: held back until 11 ms
    await scheduler.advanceMs(13);
    scheduler.submit(draw, { id: 2 }); // at 20 ms: just after the release
    await scheduler.advanceMs(5);
    expect(starts.map(({ what, atUs, id }) => [what, atUs, id])).toEqual([
      ['audio', 0, 0],
      ['render', 1000, 0],
      ['audio', 10_000, 1],
      ['render', 11_000, 1],
      ['audio', 20_000, 2],
      ['render', 21_000, 2],
    ]);
    await scheduler.close();
  });

  it('another worker takes at once what is held back by the worker that was rung', async () => {
    const { scheduler, starts, draw } = await audioAndRender({
      everyMs: 10,
      audioUs: 1000,
      renderUs: () => 4000,
      workers: [{ lanes: ['audio', 'render'] }, { lanes: ['render', 'audio'] }],
    });
    await scheduler.advanceMs(0.5);
    scheduler.submit(draw, { id: 0 });
    await scheduler.advanceUs(500);
    // worker 0 takes the first, and knows from then on how long they take
    scheduler.submit(draw, { id: 1 });
    await scheduler.advanceMs(6);
    starts.length = 0;
    // at 7 ms: the next release, on worker 0, is at 10 ms
    const job = scheduler.submit(draw, { id: 2 });
    await scheduler.advanceMs(0);
    expect(starts).toEqual([{ what: 'render', atUs: 7000, id: 2, worker: 1 }]);
    await scheduler.advanceMs(4);
    expect(job.outcome).toBe('onTime');
    await scheduler.close();
  });

  it('a job that never fits starts right after a period, and only there', async () => {
    const { scheduler, starts, draw } = await audioAndRender({
      everyMs: 10,
      audioUs: 1000,
      renderUs: () => 12_000,
      workers: [{ lanes: ['audio', 'render'] }],
    });
    await scheduler.advanceMs(1);
    scheduler.submit(draw, { id: 0 }); // until 13 ms; period 1 starts late
    await scheduler.advanceMs(14);
    expect(starts.at(-1)).toMatchObject({ what: 'audio', atUs: 13_000, id: 1 });
    scheduler.submit(draw, { id: 1 }); // at 15 ms
    await scheduler.advanceMs(30);
    expect(starts.slice(3).map(({ what, atUs }) => [what, atUs])).toEqual([
      ['audio', 20_000],
      ['render', 21_000],
      ['audio', 33_000],
      ['audio', 40_000],
    ]);
    await scheduler.close();
  });

  const scenario = fc.record({
    everyUs: fc.integer({ min: 500, max: 4000 }),
    audioUs: fc.integer({ min: 0, max: 400 }),
    renderUs: fc.array(fc.integer({ min: 0, max: 6000 }), { minLength: 1, maxLength: 20 }),
    gapsUs: fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 20 }),
    periodsOfDeadline: fc.constantFrom(0.5, 1, 2.5),
    workers: fc.constantFrom<Options['workers']>(
      [{ lanes: ['audio', 'render'] }],
      [{ lanes: ['audio', 'render'] }, { lanes: ['render'] }],
      [{ lanes: ['audio', 'render'] }, { lanes: ['audio', 'render'] }],
    ),
    startUs: fc.constantFrom(...CLOCK_STARTS).map((at) => Math.max(0, at - 9000)),
  });

  it('accounts for each period whatever the load, each at most once, in order, none after its deadline', async () => {
    const property = fc.asyncProperty(scenario, async (given) => {
      const everyMs = given.everyUs / 1000;
      const deadlineUs = Math.round(given.everyUs * given.periodsOfDeadline);
      const { scheduler, starts, draw } = await audioAndRender({
        ...given,
        everyMs,
        deadlineMs: deadlineUs / 1000,
        renderUs: (id) => given.renderUs[id]!,
      });
      for (let id = 0; id < given.renderUs.length; id++) {
        scheduler.submit(draw, { id });
        await scheduler.advanceUs(given.gapsUs[id % given.gapsUs.length]!);
      }
      await scheduler.runUntilIdle();
      // to the end of a period, when all is quiet again
      const quietUs = scheduler.nowUs() - given.startUs + 20 * given.everyUs;
      const periods = Math.ceil(quietUs / given.everyUs);
      const untilUs = periods * given.everyUs - 1;
      await scheduler.advanceUs(untilUs - (scheduler.nowUs() - given.startUs));
      const { audio } = scheduler.snapshot().lanes;
      const ended = OUTCOMES.reduce((sum, outcome) => sum + audio!.outcomes[outcome], 0);
      expect({ submitted: audio!.submitted, accounted: ended + audio!.inFlight }).toEqual({
        submitted: periods,
        accounted: periods,
      });
      const served = starts.filter(({ what }) => what === 'audio');
      // one may be running
      const ran = audio!.outcomes.onTime + audio!.outcomes.late;
      expect([ran, ran + 1]).toContain(served.length);
      served.forEach((start, i) => {
        const releaseUs = start.id * given.everyUs;
        if (i > 0) expect(start.id).toBeGreaterThan(served[i - 1]!.id);
        expect(start.atUs).toBeGreaterThanOrEqual(releaseUs);
        expect(start.atUs).toBeLessThanOrEqual(releaseUs + deadlineUs);
      });
      await scheduler.close();
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('never starts a job that would run into the next release, but right after a period', async () => {
    const overlapping = fc.integer({ min: 500, max: 4000 }).chain((everyUs) =>
      fc.record({
        everyUs: fc.constant(everyUs),
        audioUs: fc.integer({ min: 1, max: Math.floor(everyUs * 0.4) }),
        drawUs: fc.integer({ min: 1, max: Math.floor(everyUs * 1.5) }),
        gapsUs: fc.array(fc.integer({ min: 0, max: everyUs * 4 }), { minLength: 2, maxLength: 20 }),
        other: fc.boolean(),
      }),
    );
    const property = fc.asyncProperty(overlapping, async ({ everyUs, audioUs, drawUs, gapsUs, other }) => {
      const { scheduler, starts, draw } = await audioAndRender({
        everyMs: everyUs / 1000,
        deadlineMs: (everyUs * 2.5) / 1000,
        audioUs,
        renderUs: () => drawUs,
        workers: [{ lanes: ['audio', 'render'] }, ...(other ? [{ lanes: ['render' as const, 'audio' as const] }] : [])],
      });
      const jobs = [];
      for (const [id, gapUs] of gapsUs.entries()) {
        jobs.push(scheduler.submit(draw, { id }));
        await scheduler.advanceUs(gapUs);
      }
      await scheduler.runUntilIdle();
      // held back, not starved
      expect(jobs.every((job) => job.executionUs === drawUs)).toBe(true);
      // dropped periods do not show among the starts
      fc.pre(scheduler.snapshot().lanes.audio!.outcomes.expired === 0);
      const mine = starts.filter(({ worker }) => worker === 0);
      const known = mine.findIndex(({ what }) => what === 'render') + 1;
      mine.forEach(({ what, atUs }, i) => {
        if (what === 'audio' || i < known) return;
        const before = mine[i - 1]!;
        const isRightAfter = before.what === 'audio' && before.atUs + audioUs === atUs;
        const nextReleaseUs = (Math.floor(atUs / everyUs) + 1) * everyUs;
        expect(isRightAfter || atUs + drawUs <= nextReleaseUs).toBe(true);
      });
      await scheduler.close();
    });
    await fc.assert(property, { numRuns: 80 });
  });
});
