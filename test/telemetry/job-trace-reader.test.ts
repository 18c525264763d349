import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualClock } from '../../src/base/time.js';
import {
  HOST_COLUMN,
  OUTCOME_LATE,
  OUTCOME_LOST,
  OUTCOME_ON_TIME,
  SUPERVISOR_COLUMN,
} from '../../src/memory/layout.js';
import { collectJobTrace } from '../../src/scheduler/job-trace-reader.js';
import type { TelemetrySetup } from '../../src/scheduler/telemetry-reader.js';
import { JobTraceWriter } from '../../src/telemetry/job-trace.js';
import { jobTraceSince } from '../../src/telemetry/job-trace-data.js';
import { TelemetryLayout } from '../../src/telemetry/recorder.js';

const NOTHING_AROUND = { loops: [], frames: [], misses: [], xruns: [], gc: [] };

/** Two workers, a periodic lane and another, nothing but the trace in memory. */
function setUp(clock: VirtualClock, traceJobs = 16) {
  const telemetryLayout = new TelemetryLayout(2, 2, traceJobs);
  const telemetry = new Int32Array(new SharedArrayBuffer(4 * telemetryLayout.words));
  const setup = {
    memory: { telemetry, telemetryLayout },
    clock,
    lanes: [
      { index: 0, name: 'audio', periodic: { task: 0 } },
      { index: 1, name: 'render', periodic: null },
    ],
    tasks: [
      { index: 0, lane: 0, name: 'mix' },
      { index: 1, lane: 1, name: 'tile' },
    ],
    workers: [{ name: 'w0' }, { name: 'w1' }],
  } as unknown as TelemetrySetup;
  const writer = (column: number) =>
    new JobTraceWriter(telemetry, telemetryLayout.jobTrace(telemetryLayout.rowOf(column)), traceJobs);
  return { setup, writer };
}

test('every thread’s jobs, with names for what the words count', () => {
  const clock = new VirtualClock(10_000);
  const { setup, writer } = setUp(clock);
  writer(0).record(0, 0, 7, 41, 100, 90, 120, 500, 1000, OUTCOME_ON_TIME, -1, 25);
  writer(1).record(1, 1, 8, 3, 200, 200, 300, 1400, 1300, OUTCOME_LATE, 5, 0);
  writer(HOST_COLUMN).record(1, -1, 9, -1, 200, 200, 0, 700, 1300, 5, -1, 0);
  writer(SUPERVISOR_COLUMN).record(1, 1, 10, 3, 210, 210, 310, 2000, 1300, OUTCOME_LOST, 7, 0);
  const trace = collectJobTrace(setup, NOTHING_AROUND);
  expect(trace.tasks).toEqual([
    { lane: 'audio', name: 'mix', periodic: true },
    { lane: 'render', name: 'tile', periodic: false },
  ]);
  expect(trace.toUs).toBe(10_000);
  expect(trace.threads.map(({ name, overwritten }) => [name, overwritten])).toEqual([
    ['w0', 0],
    ['w1', 0],
    ['main', 0],
    ['supervisor', 0],
  ]);
  expect(trace.threads.map(({ jobs }) => jobs)).toEqual([
    [
      {
        task: 0,
        job: 7,
        frame: 41,
        outcome: 'onTime',
        cause: null,
        submitAtUs: 100,
        releaseAtUs: 90,
        startAtUs: 120,
        finishAtUs: 500,
        deadlineAtUs: 1000,
        wakeupUs: 25,
        ranOn: 0,
      },
    ],
    [expect.objectContaining({ task: 1, job: 8, frame: 3, outcome: 'late', cause: 'overrun', ranOn: 1 })],
    [expect.objectContaining({ job: 9, frame: null, outcome: 'cancelled', startAtUs: null, ranOn: null })],
    [expect.objectContaining({ job: 10, outcome: 'lost', cause: 'crashed', startAtUs: 310, ranOn: 1 })],
  ]);
  expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
});

test('jobs are dated over any number of rounds of the stamps, as long as no gap is longer than one', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 2 ** 40, noNaN: true }),
      fc.array(fc.oneof(fc.nat({ max: 100_000 }), fc.nat({ max: 2 ** 32 - 61_000_000 })), {
        minLength: 1,
        maxLength: 12,
      }),
      (startUs, gapsUs) => {
        const clock = new VirtualClock(Math.floor(startUs));
        const { setup, writer } = setUp(clock);
        const one = writer(0);
        const finishes: number[] = [];
        for (const gapUs of gapsUs) {
          const finishUs = clock.nowPreciseUs();
          finishes.push(finishUs);
          const stamp = (beforeUs: number): number => (finishUs - beforeUs) | 0;
          one.record(1, 0, 0, -1, stamp(60), stamp(50), stamp(40), stamp(0), stamp(-100), 1, -1, 0);
          clock.advanceUs(gapUs);
        }
        const { jobs } = collectJobTrace(setup, NOTHING_AROUND).threads[0]!;
        expect(jobs.map((job) => job.finishAtUs)).toEqual(finishes);
        expect(jobs.map((job) => [job.submitAtUs, job.releaseAtUs, job.startAtUs, job.deadlineAtUs])).toEqual(
          finishes.map((at) => [at - 60, at - 50, at - 40, at + 100]),
        );
      },
    ),
  );
});

test('the epoch is told in milliseconds since 1970', () => {
  const clock = new VirtualClock(3_000_000);
  const before = Date.now();
  const { epochUnixMs } = collectJobTrace(setUp(clock).setup, NOTHING_AROUND);
  expect(epochUnixMs).toBeGreaterThanOrEqual(before - 3000);
  expect(epochUnixMs).toBeLessThanOrEqual(Date.now() - 3000);
});

test('what was overwritten is counted, and the last seconds can be cut out', () => {
  const clock = new VirtualClock(0);
  const { setup, writer } = setUp(clock, 4);
  const one = writer(0);
  for (let i = 0; i < 10; i++) {
    const now = clock.nowUs();
    one.record(1, 0, i, -1, now, now, now, now + 10, now + 100, 1, -1, 0);
    clock.advanceUs(1000);
  }
  const trace = collectJobTrace(setup, NOTHING_AROUND);
  expect(trace.threads[0]!.jobs.map(({ job }) => job)).toEqual([7, 8, 9]);
  expect(trace.threads[0]!.overwritten).toBe(7);
  expect(jobTraceSince(trace, trace.toUs - 1500).threads[0]!.jobs.map(({ job }) => job)).toEqual([9]);
  expect(trace.threads[0]!.jobs.length).toBe(3);
});
