import { describe, expect, it } from 'vitest';
import { FrameDeadlineError } from '../../src/base/errors.js';
import { hlogText, parseHlog } from '../../src/report/hlog.js';
import { htmlReport } from '../../src/report/html/html-report.js';
import { sampledHistogram } from '../../src/report/sampled-histogram.js';
import { telemetryOfHlog } from '../../src/report/telemetry-of-hlog.js';
import { parseTrace } from '../../src/report/telemetry-of-trace.js';
import { chromeTrace } from '../../src/report/trace.js';
import { type HistogramData, histogramCounts, histogramData } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';
import { makeJobTrace } from './trace-fixture.js';

const telemetry = makeTelemetry(1);

describe('telemetry of an HdrHistogram log', () => {
  it('has the distributions of the telemetry that the log was written from', () => {
    const read = telemetryOfHlog(parseHlog(hlogText([telemetry])));
    expect(read.lanes.map(({ name }) => name)).toEqual(telemetry.lanes.map(({ name }) => name));
    read.lanes.forEach((lane, n) => {
      const { tasks, periodUs } = telemetry.lanes[n]!;
      expect(lane.periodUs).toBe(periodUs);
      expect(lane.tasks).toHaveLength(1);
      const [task] = lane.tasks;
      expect(task!.deadlineUs).toBe(tasks[0]!.deadlineUs);
      expect(task!.misses).toBe(tasks.reduce((sum, { histograms }) => sum + histograms.tardinessUs.count, 0));
      const data: HistogramData = histogramData(
        histogramCounts(...tasks.map(({ histograms }) => histograms.responseUs)),
      );
      expect(task!.histograms.responseUs.buckets).toEqual(data.buckets);
    });
    expect(read.loops[0]!.intervalUs.buckets).toEqual(telemetry.loops[0]!.intervalUs.buckets);
    expect(read.loops[0]!.missedFrames).toBe(telemetry.loops[0]!.missedFrames);
    const page = htmlReport(read);
    expect(page).toContain('No frames were recorded.');
  });

  it('takes the tags of other tools as lanes without a deadline', () => {
    const log = {
      startUnixMs: 1000,
      description: null,
      cutLine: null,
      intervals: [
        {
          tag: 'GET./',
          owner: 'GET',
          metric: '/',
          fromUnixMs: 1000,
          toUnixMs: 3000,
          histogram: sampledHistogram([5, 90_000]),
        },
        { tag: '', owner: null, metric: '', fromUnixMs: 1000, toUnixMs: 2000, histogram: sampledHistogram([7]) },
      ],
    };
    const read = telemetryOfHlog(log);
    expect(read.lanes.map(({ name }) => name)).toEqual(['GET./', 'log']);
    expect(read.toUs).toBe(2_000_000);
    const page = htmlReport(read).replace(/<script>.*<\/script>/s, '');
    expect(page).toContain('GET./');
    expect(page).not.toMatch(/Infinity|NaN/);
  });
});

describe('telemetry of a trace', () => {
  const trace = makeJobTrace(120);
  const read = parseTrace(chromeTrace(trace));

  it('has the jobs that were started, by task', () => {
    const started = trace.threads.flatMap(({ jobs }) => jobs).filter((job) => job.ranOn !== null);
    for (const [index, { lane, name }] of trace.tasks.entries()) {
      const jobs = started.filter((job) => job.task === index);
      const task = read.lanes.find((other) => other.name === lane)!.tasks.find((other) => other.name === name)!;
      expect(task.accepted).toBe(jobs.length);
      expect(task.outcomes.onTime).toBe(jobs.filter((job) => job.outcome === 'onTime').length);
      const responses = sampledHistogram(jobs.map((job) => job.finishAtUs - job.releaseAtUs));
      expect(task.histograms.responseUs).toEqual(responses);
    }
  });

  it('has the frames and the misses', () => {
    expect(read.frames).toHaveLength(trace.frames.length);
    read.frames.forEach((frame, n) => {
      const given = trace.frames[n]!;
      const { deadlineAtUs, ...rest } = frame;
      expect(rest).toMatchObject({
        loop: given.loop,
        number: given.number,
        outcome: given.outcome,
        tickAtUs: given.tickAtUs,
        calledAtUs: given.calledAtUs,
        submittedAtUs: given.submittedAtUs,
        jobs: given.jobs,
        misses: given.misses,
      });
      if (given.outcome !== 'dropped') expect(deadlineAtUs).toBe(given.deadlineAtUs);
    });
    const dropped = trace.frames.filter((frame) => frame.outcome === 'dropped').length;
    expect(dropped).toBeGreaterThan(0);
    expect(read.loops).toHaveLength(1);
    expect(read.loops[0]).toMatchObject({ hz: 60, droppedTicks: dropped, intendedTicks: trace.frames.length });
    expect(read.misses.map(({ lane, task, job, cause }) => [lane, task, job, cause]).sort()).toEqual(
      trace.misses.map(({ lane, task, job, cause }) => [lane, task, job, cause]).sort(),
    );
    for (const miss of read.misses) {
      const given = trace.misses.find((other) => other.lane === miss.lane && other.job === miss.job)!;
      expect(miss.segments).toEqual(given.segments);
      expect(miss.culprit).toEqual(given.culprit);
      expect(miss.tardinessUs).toBe(given.tardinessUs);
    }
    expect(htmlReport(read)).not.toMatch(/NaN|undefined/);
  });

  it.each([
    ['{"displayTimeUnit":"ms","traceEvents":[', /cannot be read as JSON.*cut or damaged/],
    ['{"traceEvents":[]}', /the trace is of "another program"; one that frame-deadline wrote expected/],
    [
      '{"otherData":{"producer":"frame-deadline","epochUnixMs":0,"toUs":1},"traceEvents":[{"ph":"X","cat":"job","args":{}}]}',
      /the trace: (lanes|fromUs).*expected; the file is damaged/,
    ],
    ['{"otherData":{"producer":"frame-deadline"},"traceEvents":[]}', /the trace: fromUs is NaN/],
  ])('says what is wrong with %s', (text, message) => {
    expect(() => parseTrace(text)).toThrow(FrameDeadlineError);
    expect(() => parseTrace(text)).toThrow(message);
  });
});
