import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import parse from 'parse-prometheus-text-format';
import { describe, expect, test } from 'vitest';
import { FrameDeadlineError } from '../../src/base/errors.js';
import { type ExpositionFormat, prometheusHandler, prometheusText } from '../../src/report/prometheus.js';
import { bucketBoundsNs, cumulativeCounts } from '../../src/report/prometheus-buckets.js';
import { MISS_CAUSES, OUTCOMES } from '../../src/telemetry/outcomes.js';
import type { Telemetry } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';
import { Samples } from './fixture-lane.js';

const telemetry = makeTelemetry();
const text = prometheusText(telemetry);
const families = parse(text);
const family = (name: string) => {
  const found = families.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no family ${name}`);
  return found;
};
const sampleOf = (name: string, labels: Record<string, string>) =>
  family(name).metrics.find((metric) => Object.entries(labels).every(([key, value]) => metric.labels?.[key] === value))
    ?.value;

describe('prometheusText, read by another parser', () => {
  test('every count of every task is there', () => {
    for (const lane of telemetry.lanes) {
      for (const task of lane.tasks) {
        const of = { lane: lane.name, task: task.name };
        expect(sampleOf('frame_deadline_jobs_submitted_total', of)).toBe(String(task.submitted));
        expect(sampleOf('frame_deadline_jobs_in_flight', of)).toBe(String(task.inFlight));
        for (const outcome of OUTCOMES) {
          const ended = sampleOf('frame_deadline_jobs_ended_total', { ...of, outcome });
          expect(ended).toBe(String(task.outcomes[outcome]));
        }
        for (const cause of MISS_CAUSES) {
          const missed = sampleOf('frame_deadline_jobs_missed_total', { ...of, cause });
          expect(missed).toBe(String(task.missCauses[cause]));
        }
        expect(Number(sampleOf('frame_deadline_task_deadline_seconds', of))).toBe(task.deadlineUs / 1e6);
      }
      expect(sampleOf('frame_deadline_lane_longest_miss_run', { lane: lane.name })).toBe(String(lane.missRuns.longest));
    }
    const loop = telemetry.loops[0]!;
    expect(sampleOf('frame_deadline_loop_ticks_intended_total', { loop: '0' })).toBe(String(loop.intendedTicks));
    expect(sampleOf('frame_deadline_loop_ticks_dropped_total', { loop: '0', cause: 'overrun' })).toBe('3');
    expect(sampleOf('frame_deadline_worker_info', { worker: 'audio-0', policy: 'SCHED_RR' })).toBe('1');
    expect(sampleOf('frame_deadline_worker_state', { worker: 'audio-0', state: 'restarting' })).toBe('1');
    const collections = 'frame_deadline_worker_slack_collections_total';
    expect(sampleOf(collections, { worker: 'shared-1', generation: 'young' })).toBe('240');
    expect(sampleOf(collections, { worker: 'shared-1', generation: 'full' })).toBe('3');
    // of a worker that does not collect by itself there is none
    expect(family(collections).metrics).toHaveLength(2);
    expect(sampleOf('frame_deadline_worker_slack_collection_seconds_total', { worker: 'shared-1' })).toBe('0.061');
    expect(sampleOf('frame_deadline_worker_signal_available', { worker: 'render-2', signal: 'preempted' })).toBe('0');
  });

  test('types are declared, counters end in _total, durations in _seconds', () => {
    for (const { name, type, help } of families) {
      expect(help.length).toBeGreaterThan(10);
      expect(name.endsWith('_total')).toBe(type === 'COUNTER');
      if (type === 'HISTOGRAM') expect(name).toMatch(/_seconds$/);
    }
    expect(family('frame_deadline_job_response_seconds').type).toBe('HISTOGRAM');
  });

  test('histograms are cumulative, end at their count, and have the deadline as a bound', () => {
    const task = telemetry.lanes[0]!.tasks[0]!;
    // this parser throws a histogram's labels together and its sum and count away, so it gets one task only
    const alone = prometheusText({ ...telemetry, lanes: [telemetry.lanes[0]!], loops: [], workers: [] });
    const histogram = parse(alone).find(({ name }) => name === 'frame_deadline_job_response_seconds')!.metrics[0]!;
    const bounds = Object.entries(histogram.buckets!).sort(([a], [b]) => Number(a) - Number(b));
    const { count, sumUs } = task.histograms.responseUs;
    expect(histogram.buckets!['+Inf']).toBe(String(count));
    const of = 'frame_deadline_job_response_seconds_';
    expect(alone).toContain(`${of}count{lane="audio",task="renderBlock"} ${count}\n`);
    expect(alone).toContain(`${of}sum{lane="audio",task="renderBlock"} ${sumUs / 1e6}\n`);
    const counts = bounds.map(([, count]) => Number(count));
    expect([...counts].sort((a, b) => a - b)).toEqual(counts);
    // 0.002666667: those in time, of the ones that finished
    expect(Number(histogram.buckets!['0.002666667'])).toBe(task.outcomes.onTime);
    for (const bound of ['0.000333333', '0.001333333', '0.004', '0.005333333', '0.01', '1']) {
      expect(histogram.buckets).toHaveProperty([bound]);
    }
  });

  test('bounds are the same whatever was measured', () => {
    const boundsOf = (data: Telemetry) => prometheusText(data).match(/le="[^"]*"/g);
    expect(boundsOf(makeTelemetry(7))).toEqual(boundsOf(telemetry));
  });

  test('label values of any text come back', () => {
    const odd = 'a "quoted" \\ back\nslash, {brace}';
    const named = { ...telemetry, workers: [{ ...telemetry.workers[0]!, name: odd }] };
    const jobs = parse(prometheusText(named)).find(({ name }) => name === 'frame_deadline_worker_jobs_total')!;
    expect(jobs.metrics[0]!.labels!['worker']).toBe(odd);
  });

  test('an empty telemetry is valid too', () => {
    const empty = parse(prometheusText({ ...telemetry, lanes: [], loops: [], workers: [] }));
    expect(empty.map(({ name }) => name)).toEqual(['frame_deadline_environment_info']);
  });
});

describe('buckets', () => {
  test('a value is under no bound below it, and under every bound 1/128 (or 1.024 µs) above it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 12_000_000, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.double({ min: 50, max: 20_000_000, noNaN: true }),
        (values, deadlineUs) => {
          const samples = new Samples();
          for (const us of values) samples.record(us);
          const boundsNs = bucketBoundsNs(deadlineUs);
          const counts = cumulativeCounts(samples.data(), boundsNs);
          boundsNs.forEach((boundNs, index) => {
            const surely = values.filter((us) => Math.max(us * (1 + 1 / 128), us + 1.024) * 1000 <= boundNs).length;
            const possibly = values.filter((us) => us * 1000 <= boundNs + 1e-6).length;
            expect(counts[index]).toBeGreaterThanOrEqual(surely);
            expect(counts[index]).toBeLessThanOrEqual(possibly);
          });
        },
      ),
    );
  });
});

const PROMTOOL = spawnSync('promtool', ['--version']).status === 0;
const withPromtool = PROMTOOL ? test : test.skip;
if (!PROMTOOL)
  console.warn('SKIPPED: promtool is not here (Debian: package `prometheus`), the formats stay unchecked by it');

describe('promtool', () => {
  withPromtool('text 0.0.4 has nothing that it would complain of', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });

  withPromtool('OpenMetrics is read by its importer', () => {
    const open = prometheusText(telemetry, 'openmetrics');
    const stamped = open.replace(/^([^#\n].*)$/gm, '$1 1700000000.5');
    const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
    try {
      writeFileSync(join(folder, 'metrics.txt'), stamped);
      const into = ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'metrics.txt'), join(folder, 'blocks')];
      const { status, stdout, stderr } = spawnSync('promtool', into, { encoding: 'utf8' });
      expect(stderr).not.toMatch(/error/i);
      expect(status).toBe(0);
      const samples = open.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
      // samples, chunks, series
      expect(stdout).toMatch(new RegExp(`\\s${samples}\\s+${samples}\\s+${samples}\\s`));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test('OpenMetrics: families without suffix, units, info, canonical bounds, the end mark', () => {
  const open = prometheusText(telemetry, 'openmetrics');
  expect(open).toContain('# TYPE frame_deadline_jobs_missed counter\n');
  expect(open).toContain('# UNIT frame_deadline_job_response_seconds seconds\n');
  expect(open).toContain('# TYPE frame_deadline_worker info\n');
  expect(open).toContain('le="10.0"');
  expect(open).not.toContain('le="10"');
  expect(open.endsWith('# EOF\n')).toBe(true);
});

describe('prometheusHandler in a server of Node', () => {
  async function ask(source: { telemetry(): Telemetry }, method: string, headers: Record<string, string> = {}) {
    const server = createServer(prometheusHandler(source));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const response = await fetch(`http://127.0.0.1:${port}/metrics`, { method, headers });
      return { status: response.status, headers: response.headers, body: await response.text() };
    } finally {
      server.close();
    }
  }
  const source = { telemetry: () => telemetry };
  const OPEN = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5';

  test.each<[ExpositionFormat, Record<string, string>, string]>([
    ['prometheus', {}, 'text/plain; version=0.0.4; charset=utf-8'],
    ['openmetrics', { accept: OPEN }, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
  ])('gives %s as asked', async (format, headers, type) => {
    const { status, headers: given, body } = await ask(source, 'GET', headers);
    expect(status).toBe(200);
    expect(given.get('content-type')).toBe(type);
    expect(body).toBe(prometheusText(telemetry, format));
  });

  test('HEAD has no body, other methods are refused', async () => {
    expect(await ask(source, 'HEAD')).toMatchObject({ status: 200, body: '' });
    const posted = await ask(source, 'POST');
    expect(posted.status).toBe(405);
    expect(posted.headers.get('allow')).toBe('GET, HEAD');
  });

  test('a source that throws gives 503 with the reason, and the handler does not throw', async () => {
    const closed = {
      telemetry: () => {
        throw new FrameDeadlineError('SCHEDULER_CLOSED', 'the scheduler is closed');
      },
    };
    const { status, body } = await ask(closed, 'GET');
    expect(status).toBe(503);
    expect(body).toContain('the scheduler is closed [SCHEDULER_CLOSED]');
    const gone = {
      statusCode: 0,
      setHeader: () => {
        throw new Error('headers sent');
      },
      end: () => {},
    };
    expect(() => prometheusHandler(source)({ method: 'GET', headers: {} }, gone)).not.toThrow();
  });
});
