import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChromeTraceOptions, chromeTrace } from '../../src/report/trace.js';
import type { JobRecord, JobTrace } from '../../src/telemetry/job-trace-data.js';
import { MISS_CAUSES, OUTCOMES } from '../../src/telemetry/outcomes.js';
import { type ReadSlice, readTrace } from './trace-checker.js';
import { makeJobTrace } from './trace-fixture.js';

const THREADS = 'frame-deadline: threads';
const FRAMES = 'frame-deadline: frames';
const MISSES = 'frame-deadline: misses';
const MARKS = 'frame-deadline: marks';

const isJob = ({ category }: ReadSlice): boolean => category.startsWith('job');

const EMPTY: JobTrace = {
  schemaVersion: 1,
  epochUnixMs: 0,
  toUs: 0,
  tasks: [],
  threads: [],
  loops: [],
  frames: [],
  misses: [],
  xruns: [],
  gc: [],
};

const jobOf = (change: Partial<JobRecord>): JobRecord => ({
  task: 0,
  job: 1,
  frame: 2,
  outcome: 'onTime',
  cause: null,
  submitAtUs: 90,
  releaseAtUs: 90,
  startAtUs: 100,
  finishAtUs: 200,
  deadlineAtUs: 1000,
  wakeupUs: 5,
  ranOn: 0,
  ...change,
});

/** One worker and main, and these jobs on the worker. */
const traceOf = (jobs: readonly JobRecord[], change: Partial<JobTrace> = {}): JobTrace => ({
  ...EMPTY,
  toUs: 10_000,
  tasks: [{ lane: 'render', name: 'tile', periodic: false }],
  threads: [
    { name: 'w0', jobs, overwritten: 0 },
    { name: 'main', jobs: [], overwritten: 0 },
    { name: 'supervisor', jobs: [], overwritten: 0 },
  ],
  ...change,
});

describe('trace in the Trace Event Format', () => {
  const trace = makeJobTrace();
  const read = readTrace(chromeTrace(trace));
  const started = trace.threads.flatMap(({ jobs }) => jobs).filter(({ startAtUs }) => startAtUs !== null);

  test('has a track per thread, and per loop and lane for frames and misses', () => {
    expect(read.tracks).toEqual([
      ...['audio', 'render 1', 'render 2', 'main', 'supervisor'].map((name) => `${THREADS}/${name}`),
      `${FRAMES}/loop 0 (60 Hz): expected`,
      `${FRAMES}/loop 0 (60 Hz): actual`,
      `${FRAMES}/loop 0 (60 Hz): actual (2)`,
      `${MISSES}/render: misses`,
      `${MARKS}/stream out`,
    ]);
    expect(read.other).toMatchObject({ epoch: '2025-10-09T08:53:20.000Z', earlierJobs: 3 });
  });

  test('shows every job that was started, where it ran and when', () => {
    const drawn = read.slices.filter(isJob);
    expect(drawn.length).toBe(started.length);
    for (const job of started) {
      const { name } = trace.tasks[job.task]!;
      const found = drawn.filter(({ args }) => args['task'] === name && args['job'] === job.job);
      expect(found.length).toBe(1);
      expect(found[0]).toMatchObject({
        track: trace.threads[job.ranOn!]!.name,
        startUs: job.startAtUs,
        endUs: job.finishAtUs,
        depth: 0,
        name: job.outcome === 'onTime' ? name : `${name} [${job.outcome}]`,
      });
    }
    const lost = drawn.find(({ args }) => args['outcome'] === 'lost')!;
    expect([lost.track, lost.args['endedBy']]).toEqual(['render 1', 'supervisor']);
  });

  test('an arrow leads from the submit on main to each job of a lane that is not periodic', () => {
    const rendered = started.filter(({ task }) => task === 1);
    expect(read.flows.length).toBe(rendered.length);
    for (const { from, to } of read.flows) {
      expect([from.name, from.track, from.parent?.name]).toEqual(['submit', 'main', 'frame callback']);
      const job = rendered.find((one) => one.job === to.args['job'])!;
      expect([from.startUs, to.startUs]).toEqual([job.submitAtUs, job.startAtUs]);
    }
  });

  test('frames: expected to the deadline, actual to the last finish, dropped ones marked', () => {
    const expected = read.slices.filter(({ track }) => track.includes('expected'));
    const actual = read.slices.filter(({ track, depth }) => track.includes('actual') && depth === 0);
    expect(expected.map(({ args }) => args['frame'])).toEqual(trace.frames.map(({ number }) => number));
    expect(expected.every(({ startUs, endUs }) => endUs - startUs === 16_000)).toBe(true);
    const served = trace.frames.filter(({ outcome }) => outcome !== 'dropped');
    expect(actual.map(({ args }) => args['frame'])).toEqual(served.map(({ number }) => number));
    for (const [i, { finishedAtUs, tickAtUs, outcome }] of served.entries()) {
      expect([actual[i]!.startUs, actual[i]!.endUs]).toEqual([tickAtUs, finishedAtUs]);
      expect(actual[i]!.name.startsWith('late')).toBe(outcome === 'late');
    }
    const dropped = read.instants.filter(({ name }) => name === 'dropped');
    expect(dropped.map(({ args }) => args['frame'])).toEqual([24, 49]);
  });

  test('misses: marked at the deadline on their worker, opened into segments on a track of their lane', () => {
    expect(trace.misses.length).toBeGreaterThan(4);
    const marks = read.instants.filter(({ process, name }) => process === THREADS && name.startsWith('missed'));
    expect(marks.length).toBe(trace.misses.length);
    const drawn = read.slices.filter(({ process, depth }) => process === MISSES && depth === 0);
    expect(drawn.length).toBe(trace.misses.length);
    for (const [i, miss] of trace.misses.entries()) {
      expect(drawn[i]).toMatchObject({ startUs: miss.releaseAtUs, endUs: miss.finishAtUs });
      expect(drawn[i]!.name).toBe(`tile: ${miss.cause}`);
      const inside = read.slices.filter(({ parent }) => parent === drawn[i]);
      const lengths = Object.fromEntries(inside.map((slice) => [slice.name, slice.endUs - slice.startUs]));
      const { wakeupUs, waitingBehindUs, gcUs, onCpuUs } = miss.segments;
      const known = { wakeup: wakeupUs, 'waiting behind': waitingBehindUs, gc: gcUs, 'on CPU': onCpuUs };
      expect(lengths).toEqual(Object.fromEntries(Object.entries(known).filter(([, us]) => us !== 0)));
    }
    const withSegments = read.slices.filter(({ args, process }) => process === THREADS && args['segments']);
    expect(withSegments.length).toBe(trace.misses.length);
  });

  test('collections on their thread, xruns and the app’s own marks on tracks of their own', () => {
    expect(read.slices.find(({ category }) => category === 'gc')).toMatchObject({
      name: 'gc scavenge',
      track: 'render 1',
    });
    const instants = [
      { name: 'key', atUs: 5, track: 'input' },
      { name: 'key', atUs: 9, track: 'input', args: { code: 'KeyA' } },
    ];
    const marked = readTrace(chromeTrace(trace, { instants })).instants.filter(({ process }) => process === MARKS);
    expect(marked.map(({ name, track, atUs, args }) => [name, track, atUs, args])).toEqual([
      ['key', 'input', 5, {}],
      ['key', 'input', 9, { code: 'KeyA' }],
      ['underrun', 'stream out', 12_345, { items: 128 }],
    ]);
  });

  test('counters: jobs in flight and jobs that wait, back to 0 at the end', () => {
    expect([...read.counters.keys()].sort()).toEqual([
      `${THREADS}/audio: jobs in flight`,
      `${THREADS}/audio: jobs that wait`,
      `${THREADS}/render: jobs in flight`,
      `${THREADS}/render: jobs that wait`,
    ]);
    for (const [name, steps] of read.counters) {
      expect(Math.min(...steps.map(([, value]) => value)), name).toBe(0);
      expect(steps[steps.length - 1]![1], name).toBe(0);
    }
    const three = [1, 2, 3].map((job) => jobOf({ job, startAtUs: 100 * job, finishAtUs: 100 * job + 50 }));
    const { counters } = readTrace(chromeTrace(traceOf(three)));
    const byName = (name: string) => counters.get(`${THREADS}/render: ${name}`);
    expect(byName('jobs in flight')).toEqual([
      [90, 3],
      [150, 2],
      [250, 1],
      [350, 0],
    ]);
    expect(byName('jobs that wait')).toEqual([
      [90, 3],
      [100, 2],
      [200, 1],
      [300, 0],
    ]);
  });

  test('nothing to show is still a trace', () => {
    expect(readTrace(chromeTrace(EMPTY)).slices).toEqual([]);
    expect(readTrace(chromeTrace(traceOf([]))).tracks.length).toBe(3);
  });

  test('names that would break JSON, HTML or objects arrive as they are', () => {
    const names = ['"}],\\', '</script><!--', '\u0000\u2028\ud800', '__proto__', ''];
    for (const name of names) {
      const text = chromeTrace(
        traceOf([jobOf({ outcome: 'late', cause: 'gc' })], {
          tasks: [{ lane: name, name: name === '' ? 'x' : name, periodic: false }],
          xruns: [{ stream: name, kind: 'overrun', atUs: 1, items: 1 }],
        }),
      );
      const read = readTrace(text);
      const job = read.slices.find(isJob)!;
      expect(job.args['lane']).toBe(name);
      expect(job.name).toBe(`${name === '' ? 'x' : name} [late]`);
      expect(read.tracks).toContain(`${MARKS}/stream ${name}`);
    }
  });

  test('no more jobs than asked for: the newest', () => {
    const read = readTrace(chromeTrace(trace, { maxJobs: 10 }));
    const drawn = read.slices.filter(isJob);
    const newest = started.map(({ finishAtUs }) => finishAtUs).sort((a, b) => a - b);
    expect(drawn.map(({ endUs }) => endUs).sort((a, b) => a - b)).toEqual(newest.slice(-10));
    const all = trace.threads.reduce((sum, { jobs }) => sum + jobs.length, 0);
    expect(read.other).toMatchObject({ jobs: 10, earlierJobs: all + 3 - 10 });
    for (const maxJobs of [0, 1.5, Number.NaN, 1e9]) {
      expect(() => chromeTrace(trace, { maxJobs })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
    const misspelt = { maxJob: 10 } as ChromeTraceOptions;
    expect(() => chromeTrace(trace, misspelt)).toThrow(/unknown option "maxJob".*OPTION_INVALID/);
  });

  test.each([null, undefined, {}, { schemaVersion: 2 }])('what is no trace of this version is refused: %j', (what) => {
    const given = what as unknown as JobTrace;
    expect(() => chromeTrace(given)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  test('whatever the times are, slices nest and flows lie in slices', () => {
    const us = fc.integer({ min: -50, max: 300 });
    const job = fc.record({
      task: fc.nat({ max: 2 }),
      job: fc.nat({ max: 9 }),
      frame: fc.option(fc.nat({ max: 9 })),
      outcome: fc.constantFrom(...OUTCOMES),
      cause: fc.option(fc.constantFrom(...MISS_CAUSES)),
      submitAtUs: us,
      releaseAtUs: us,
      startAtUs: fc.option(us),
      finishAtUs: us,
      deadlineAtUs: us,
      wakeupUs: us,
      ranOn: fc.option(fc.nat({ max: 4 })),
    });
    const frame = fc.record({
      loop: fc.integer({ min: -1, max: 1 }),
      number: fc.nat({ max: 9 }),
      outcome: fc.constantFrom('onTime' as const, 'late' as const, 'dropped' as const),
      tickAtUs: us,
      calledAtUs: fc.option(us),
      submittedAtUs: fc.option(us),
      finishedAtUs: fc.option(us),
      deadlineAtUs: us,
      jobs: fc.nat(),
      misses: fc.nat(),
      ticks: fc.integer({ min: 1, max: 9 }),
    });
    const someJobs = fc.array(job, { maxLength: 12 });
    fc.assert(
      fc.property(someJobs, someJobs, fc.array(frame, { maxLength: 12 }), us, (onWorker, onMain, frames, atUs) => {
        const miss = makeJobTrace(12).misses[0]!;
        const misses = [...onWorker, ...onMain].map((one) => ({ ...miss, ...one, task: 'tile' }) as typeof miss);
        const trace = traceOf(onWorker, {
          tasks: [
            { lane: 'render', name: 'tile', periodic: false },
            { lane: 'audio', name: 'mix', periodic: true },
          ],
          threads: [
            { name: 'w0', jobs: onWorker, overwritten: 0 },
            { name: 'main', jobs: onMain, overwritten: 0 },
            { name: 'supervisor', jobs: [], overwritten: 0 },
          ],
          frames,
          misses,
          gc: [{ thread: 'w0', atUs, durationUs: 70, kind: 'x' }],
        });
        readTrace(chromeTrace(trace));
      }),
    );
  });

  test('a trace of 100 000 jobs stays within 100 MB and a few seconds', () => {
    const jobs = Array.from({ length: 120_000 }, (_, i) =>
      jobOf({ job: i, submitAtUs: i * 10, startAtUs: i * 10 + 1, finishAtUs: i * 10 + 9 }),
    );
    const text = chromeTrace(traceOf(jobs));
    expect(text.length).toBeLessThan(100e6);
    expect(JSON.parse(text).otherData).toMatchObject({ jobs: 100_000, earlierJobs: 20_000 });
  });
});

// ------------------------------------------------- another reader: the engine of Chrome's performance panel

interface EngineNode {
  readonly entry: { readonly name: string; readonly ts: number; readonly dur: number };
  readonly depth: number;
}
interface Engine {
  TraceModel: {
    Model: {
      createWithAllHandlers(): { parse(events: unknown[], o: object): Promise<void>; parsedTrace(): EngineTrace };
    };
  };
}
interface EngineTrace {
  readonly data: {
    readonly Renderer: {
      readonly processes: Map<number, { threads: Map<number, { name: string; entries: readonly object[] }> }>;
      readonly entryToNode: Map<object, EngineNode>;
    };
    readonly Flows: { readonly flows: readonly (readonly { name: string; args: Record<string, unknown> }[])[] };
  };
}

test('Chrome’s trace engine finds the same slices, nested the same way', async () => {
  Object.assign(globalThis, { DOMRect: class DOMRect {} }); // it wants a page
  const name = '@paulirish/trace_engine';
  const engine = (await import(name)) as Engine;
  const text = chromeTrace(makeJobTrace());
  const own = readTrace(text);
  const model = engine.TraceModel.Model.createWithAllHandlers();
  // it takes a flow for a slice's own only if they share a category: all have the same here
  const events = (JSON.parse(text).traceEvents as object[]).map((event) => ({ ...event, cat: 'all' }));
  await model.parse(events, {});
  const { Renderer, Flows } = model.parsedTrace().data;
  const line = (track: string, name: string, ts: number, dur: number, depth: number) =>
    `${track} ${depth} ${ts}+${dur} ${name}`;
  const found: string[] = [];
  for (const { threads } of Renderer.processes.values()) {
    for (const thread of threads.values()) {
      for (const entry of thread.entries) {
        const node = Renderer.entryToNode.get(entry)!;
        // instants are entries of no duration there
        if ((entry as { ph: string }).ph !== 'X') continue;
        found.push(line(thread.name, node.entry.name, node.entry.ts, node.entry.dur, node.depth));
      }
    }
  }
  const expected = own.slices.map(({ track, name, startUs, endUs, depth }) =>
    line(track, name, startUs, endUs - startUs, depth),
  );
  expect(found.sort()).toEqual(expected.sort());
  expect(found.length).toBeGreaterThan(500);
  expect(Flows.flows.length).toBe(own.flows.length);
});
