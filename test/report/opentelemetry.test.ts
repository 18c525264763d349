import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Logger } from '@opentelemetry/api-logs';
import type * as transformer from '@opentelemetry/otlp-transformer';
import type * as logs from '@opentelemetry/sdk-logs';
import type * as metrics from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FrameDeadlineError } from '../../src/base/errors.js';
import { jankEvents, jankEventsOf, metricProducer, type TelemetrySource } from '../../src/report/opentelemetry.js';
import { exponentialHistogram, exponentialIndex } from '../../src/report/opentelemetry-histogram.js';
import { hrTime } from '../../src/report/opentelemetry-types.js';
import { MISS_CAUSES, OUTCOMES } from '../../src/telemetry/outcomes.js';
import { bucketRangeNs, histogramCounts, type Telemetry } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';
import { Samples } from './fixture-lane.js';

const telemetry = makeTelemetry();
const START_MS = telemetry.toUnixMs - 10_000;

/** Windows end 10 s apart; `telemetry()` covers all of them so far. */
function sourceOf(windows: readonly Telemetry[]): TelemetrySource & { reads: number } {
  const source = {
    reads: 0,
    telemetry: () => windows[Math.min(source.reads++, windows.length - 1)]!,
    telemetryWindow: () => {
      let at = 0;
      return { read: () => windows[Math.min(at++, windows.length - 1)]! };
    },
  };
  return source;
}

const later: Telemetry = { ...telemetry, toUs: 20_000_000, toUnixMs: telemetry.toUnixMs + 10_003 };
const closed: TelemetrySource = {
  telemetry: () => {
    throw new FrameDeadlineError('SCHEDULER_CLOSED', 'the scheduler is closed');
  },
  telemetryWindow: () => ({ read: () => closed.telemetry() }),
};

interface Sdk {
  name: string;
  metrics: typeof metrics;
  logs: typeof logs;
  transformer: typeof transformer;
}
function sdkAt(name: string, from: URL): Sdk {
  const require = createRequire(from);
  return {
    name,
    metrics: require('@opentelemetry/sdk-metrics'),
    logs: require('@opentelemetry/sdk-logs'),
    transformer: require('@opentelemetry/otlp-transformer'),
  };
}
const THIRD = new URL('./opentelemetry-3/package.json', import.meta.url);
const sdks = [sdkAt('2.x', new URL(import.meta.url))];
if (existsSync(new URL('./node_modules', THIRD))) sdks.push(sdkAt('3.x', THIRD));
else console.warn('SKIPPED: OpenTelemetry SDK 3.x (npm install in test/report/opentelemetry-3, Node 22.15 or later)');

describe.each(sdks)('SDK $name', ({ metrics: sdk, logs: sdkLogs, transformer: otlp }) => {
  async function collect(source: TelemetrySource, options = {}): Promise<metrics.ResourceMetrics> {
    const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
    const producer: metrics.MetricProducer = metricProducer(source, options);
    const reader = new sdk.PeriodicExportingMetricReader({
      exporter,
      metricProducers: [producer],
      exportIntervalMillis: 1e6,
    });
    const provider = new sdk.MeterProvider({ readers: [reader] });
    provider.getMeter('app').createCounter('own').add(1);
    await provider.forceFlush();
    const [exported] = exporter.getMetrics();
    await provider.shutdown();
    return exported!;
  }
  const scopeOf = (exported: metrics.ResourceMetrics) =>
    exported.scopeMetrics.find(({ scope }) => scope.name === 'frame-deadline')!;

  test('a reader exports every count, with the attributes that tell whose it is', async () => {
    const { metrics: all } = scopeOf(await collect(sourceOf([telemetry])));
    const pointOf = (name: string, attributes: Record<string, string | number>) => {
      const metric = all.find(({ descriptor }) => descriptor.name === name);
      const points = (metric?.dataPoints ?? []) as metrics.DataPoint<number>[];
      return points.find((point) =>
        Object.entries(attributes).every(([key, value]) => point.attributes[key] === value),
      );
    };
    for (const lane of telemetry.lanes) {
      for (const task of lane.tasks) {
        const of = { 'frame_deadline.lane.name': lane.name, 'frame_deadline.task.name': task.name };
        expect(pointOf('frame_deadline.job.submitted', of)?.value).toBe(task.submitted);
        for (const outcome of OUTCOMES) {
          const ended = pointOf('frame_deadline.job.ended', { ...of, 'frame_deadline.job.outcome': outcome });
          expect(ended?.value).toBe(task.outcomes[outcome]);
        }
        for (const cause of MISS_CAUSES) {
          const missed = pointOf('frame_deadline.job.missed', { ...of, 'frame_deadline.miss.cause': cause });
          expect(missed?.value).toBe(task.missCauses[cause]);
        }
      }
    }
    const dropped = { 'frame_deadline.loop.id': 0, 'frame_deadline.miss.cause': 'overrun' };
    expect(pointOf('frame_deadline.loop.tick.dropped', dropped)?.value).toBe(3);
    const info = { 'frame_deadline.worker.name': 'audio-0', 'frame_deadline.worker.policy': 'SCHED_RR' };
    expect(pointOf('frame_deadline.worker.info', info)?.value).toBe(1);
    const young = { 'frame_deadline.worker.name': 'shared-1', 'frame_deadline.gc.generation': 'young' };
    expect(pointOf('frame_deadline.worker.slack_collections', young)?.value).toBe(240);
    const shared = { 'frame_deadline.worker.name': 'shared-1' };
    expect(pointOf('frame_deadline.worker.slack_collection.duration', shared)?.value).toBe(0.061);
  });

  test('metrics are of the right kind: units, monotonic sums, exponential histograms', async () => {
    const { metrics: all } = scopeOf(await collect(sourceOf([telemetry])));
    const names = all.map(({ descriptor }) => descriptor.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { descriptor } of all) {
      expect(descriptor.name).toMatch(/^frame_deadline(\.[a-z][a-z_]*)+$/);
      expect(descriptor.unit).toMatch(/^(s|Hz|1|\{[a-z]+\})$/);
      // no name is the namespace of another
      expect(names.some((name) => name.startsWith(`${descriptor.name}.`))).toBe(false);
    }
    const of = (name: string) => all.find(({ descriptor }) => descriptor.name === `frame_deadline.${name}`)!;
    expect(of('job.missed')).toMatchObject({ dataPointType: sdk.DataPointType.SUM, isMonotonic: true });
    expect(of('job.active')).toMatchObject({ dataPointType: sdk.DataPointType.SUM, isMonotonic: false });
    expect(of('job.response.duration').dataPointType).toBe(sdk.DataPointType.EXPONENTIAL_HISTOGRAM);
    expect(of('task.deadline').dataPointType).toBe(sdk.DataPointType.GAUGE);
    for (const { aggregationTemporality } of all) {
      expect(aggregationTemporality).toBe(sdk.AggregationTemporality.CUMULATIVE);
    }
  });

  test('OTLP takes it, as JSON and as protobuf', async () => {
    const exported = await collect(sourceOf([telemetry]));
    const json = JSON.parse(new TextDecoder().decode(otlp.JsonMetricsSerializer.serializeRequest(exported)));
    const scope = json.resourceMetrics[0].scopeMetrics.find(
      (candidate: { scope: { name: string } }) => candidate.scope.name === 'frame-deadline',
    );
    const response = scope.metrics.find(
      ({ name }: { name: string }) => name === 'frame_deadline.job.response.duration',
    );
    const [point] = response.exponentialHistogram.dataPoints;
    expect(response).toMatchObject({ unit: 's', exponentialHistogram: { aggregationTemporality: 2 } });
    expect(point.count).toBe(telemetry.lanes[0]!.tasks[0]!.histograms.responseUs.count);
    const sum = point.positive.bucketCounts.reduce((a: number, b: number) => a + b, 0);
    expect(sum + point.zeroCount).toBe(point.count);
    expect(point.startTimeUnixNano).toBe(`${BigInt(START_MS) * 1_000_000n}`);
    expect(point.timeUnixNano).toBe(`${BigInt(telemetry.toUnixMs) * 1_000_000n}`);
    expect(otlp.ProtobufMetricsSerializer.serializeRequest(exported)!.length).toBeGreaterThan(1000);
  });

  test('a source that throws is an error of the collection, and the other metrics go on', async () => {
    const exported = await collect(closed);
    expect(exported.scopeMetrics.map(({ scope }) => scope.name)).toEqual(['app']);
  });

  test('app.jank events arrive at a logger, and as OTLP', () => {
    const exporter = new sdkLogs.InMemoryLogRecordExporter();
    const provider = new sdkLogs.LoggerProvider({
      processors: [new sdkLogs.SimpleLogRecordProcessor({ exporter } as never)],
    });
    const logger: Logger = provider.getLogger('app');
    jankEvents(sourceOf([telemetry]), logger).stop();
    const [record, ...rest] = exporter.getFinishedLogRecords();
    expect(rest).toEqual([]);
    const loop = telemetry.loops[0]!;
    expect(record!.eventName).toBe('app.jank');
    expect(record!.hrTime).toEqual(hrTime(telemetry.toUnixMs));
    expect(record!.attributes).toEqual({
      'app.jank.frame_count': loop.missedFrames + loop.droppedTicks,
      'app.jank.period': 10,
      'app.jank.threshold': 0.016,
      'frame_deadline.loop.id': 0,
      'frame_deadline.miss.cause': 'overrun',
    });
    const json = new TextDecoder().decode(otlp.JsonLogsSerializer.serializeRequest([record!]));
    expect(json).toContain('app.jank.frame_count');
  });
});

describe('metricProducer', () => {
  const timesOf = async (producer: ReturnType<typeof metricProducer>) => {
    const { resourceMetrics } = await producer.collect();
    const [point] = resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints;
    return [point!.startTime, point!.endTime];
  };

  test('cumulative series keep their start, deltas follow one another', async () => {
    const cumulative = metricProducer(sourceOf([telemetry, later]));
    expect(await timesOf(cumulative)).toEqual([hrTime(START_MS), hrTime(telemetry.toUnixMs)]);
    // the clocks have drifted by 3 ms: the start must not
    expect(await timesOf(cumulative)).toEqual([hrTime(START_MS), hrTime(later.toUnixMs)]);
    const delta = metricProducer(sourceOf([telemetry, { ...later, fromUs: telemetry.toUs }]), { temporality: 'delta' });
    expect(await timesOf(delta)).toEqual([hrTime(START_MS), hrTime(telemetry.toUnixMs)]);
    expect(await timesOf(delta)).toEqual([hrTime(telemetry.toUnixMs), hrTime(later.toUnixMs)]);
  });

  test('reads only when collected, and reports what the source throws', async () => {
    const source = sourceOf([telemetry]);
    const producer = metricProducer(source);
    expect(source.reads).toBe(0);
    await producer.collect();
    expect(source.reads).toBe(1);
    const { errors, resourceMetrics } = await metricProducer(closed).collect();
    expect(errors).toMatchObject([{ code: 'SCHEDULER_CLOSED' }]);
    expect(resourceMetrics.scopeMetrics).toEqual([]);
  });

  test('wrong options are refused', () => {
    const wrong = { temporality: 'lowmemory' } as never;
    expect(() => metricProducer(closed, wrong)).toThrow(/temporality is "lowmemory", expected/);
    expect(() => metricProducer(closed, { tempo: 1 } as never)).toThrow(/unknown option "tempo"/);
    expect(() => jankEvents(closed, { emit: () => {} }, { everyMs: 5 })).toThrow(/everyMs is 5, expected/);
  });
});

describe('exponential histograms', () => {
  const valuesUs = fc.array(fc.double({ min: 0, max: 10_000_000, noNaN: true }), { maxLength: 200 });

  test('at most 160 buckets, all values in them, each within 1/256 of its bucket', () => {
    fc.assert(
      fc.property(valuesUs, (values) => {
        const samples = new Samples();
        for (const us of values) samples.record(us);
        const data = samples.data();
        const { count, sum, scale, zeroCount, positive, min, max } = exponentialHistogram(data);
        expect(count).toBe(values.length);
        expect(sum).toBe(data.sumUs / 1e6);
        expect(zeroCount).toBe(values.filter((us) => us < 1.024).length);
        expect(positive.bucketCounts.length).toBeLessThanOrEqual(160);
        // cumulative counts at each boundary, against the values themselves
        const base = 2 ** (2 ** -scale);
        let reached = zeroCount;
        positive.bucketCounts.forEach((of, index) => {
          reached += of;
          const boundary = base ** (positive.offset + index + 1);
          const below = (factor: number) =>
            values.filter((us) => us / 1e6 + 0.52e-6 * (factor < 1 ? 1 : -1) <= boundary * factor);
          expect(reached).toBeGreaterThanOrEqual(below(1 - 1 / 255).length);
          expect(reached).toBeLessThanOrEqual(below(1 + 1 / 255).length);
        });
        expect(reached).toBe(count);
        if (values.length === 0) return;
        expect(min).toBeLessThanOrEqual(Math.min(...values) / 1e6);
        expect(max).toBeGreaterThanOrEqual(Math.max(...values) / 1e6 - 1e-9);
        expect(max).toBeLessThanOrEqual((Math.max(...values) / 1e6) * (1 + 1 / 128) + 1.024e-6);
      }),
      { numRuns: 300 },
    );
  });

  test('the scale is the largest that fits', () => {
    const scaleOf = (...us: number[]) => {
      const samples = new Samples();
      for (const value of us) samples.record(value);
      return exponentialHistogram(samples.data()).scale;
    };
    expect(scaleOf(16_000, 16_001)).toBe(6);
    expect(scaleOf(1000, 5000)).toBe(6);
    expect(scaleOf(1000, 6000)).toBe(5);
    expect(scaleOf(10, 8_900_000)).toBe(3);
    expect(scaleOf(1.1, 10_000_000)).toBe(2);
    expect(scaleOf()).toBe(6);
  });

  test('indices obey the specification: powers of two belong to the bucket below', () => {
    expect([0.5, 1, 1.01, 2, 2.01, 4].map((value) => exponentialIndex(value, 0))).toEqual([-2, -1, 0, 0, 1, 1]);
    expect([1, 1.4, 1.42, 2].map((value) => exponentialIndex(value, 1))).toEqual([-1, 0, 1, 1]);
  });

  test('quantiles from them agree with our own within a bucket of both', () => {
    const data = telemetry.lanes[2]!.tasks[0]!.histograms.responseUs;
    const { scale, zeroCount, positive } = exponentialHistogram(data);
    const base = 2 ** (2 ** -scale);
    for (const share of [0.1, 0.5, 0.9, 0.99, 0.999]) {
      let reached = zeroCount;
      const at = positive.bucketCounts.findIndex((count) => {
        reached += count;
        return reached >= share * data.count;
      });
      const upper = base ** (positive.offset + at + 1);
      const ours = histogramCounts(data).quantileUs(share)! / 1e6;
      expect(upper / ours).toBeGreaterThan(1 - 1 / 128);
      expect(upper / ours).toBeLessThan(base * (1 + 1 / 128));
    }
    expect(bucketRangeNs(0).highest).toBe(1023);
  });
});

describe('jankEvents', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const calm: Telemetry = {
    ...telemetry,
    loops: telemetry.loops.map((loop) => ({ ...loop, missedFrames: 0, droppedTicks: 0 })),
  };

  test('looks every second, says nothing while nothing is missed, and once more at the end', () => {
    const emitted: string[] = [];
    const reports = jankEvents(sourceOf([calm, telemetry, calm, telemetry]), {
      emit: ({ eventName }) => emitted.push(eventName),
    });
    vi.advanceTimersByTime(1000);
    expect(emitted).toHaveLength(0);
    vi.advanceTimersByTime(2000);
    expect(emitted).toEqual(['app.jank']);
    reports.stop();
    expect(emitted).toHaveLength(2);
    reports.stop();
    vi.advanceTimersByTime(5000);
    expect(emitted).toHaveLength(2);
  });

  test('neither a logger that throws nor a closed source reaches the app', () => {
    let calls = 0;
    const emit = () => {
      calls++;
      throw new Error('no exporter');
    };
    const reports = jankEvents(sourceOf([telemetry]), { emit });
    vi.advanceTimersByTime(2000);
    expect(calls).toBe(2);
    reports[Symbol.dispose]();
    jankEvents(closed, { emit });
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('frames of beginFrame, which belong to no loop, are an event of their own', () => {
    const frames = telemetry.frames.map((frame) => ({ ...frame, loop: -1 }));
    const [event, ...rest] = jankEventsOf({ ...telemetry, loops: [], frames });
    expect(rest).toEqual([]);
    const loop = telemetry.loops[0]!;
    expect(event!.attributes['app.jank.frame_count']).toBe(loop.missedFrames + loop.droppedTicks);
    expect(event!.attributes['app.jank.threshold']).toBeCloseTo(0.016, 9);
    expect(event!.attributes).not.toHaveProperty(['frame_deadline.loop.id']);
  });
});
