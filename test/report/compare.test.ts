import fc from 'fast-check';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { compareTelemetry } from '../../src/report/compare/compare.js';
import { newcombe, quantileInterval, quantileRanks, wilson } from '../../src/report/compare/intervals.js';
import { hlogText } from '../../src/report/hlog.js';
import { parseHlog } from '../../src/report/hlog-reader.js';
import { WHOLE_TELEMETRY } from '../../src/report/lacks.js';
import { sampledHistogram } from '../../src/report/sampled-histogram.js';
import { hlogSource, telemetryOfHlog } from '../../src/report/telemetry-of-hlog.js';
import { parseTrace, TRACE_SOURCE } from '../../src/report/telemetry-of-trace.js';
import { chromeTrace } from '../../src/report/trace.js';
import type { Telemetry } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';
import { makeJobTrace } from './trace-fixture.js';

function uniformSource(seed: number): () => number {
  const random = xoroshiro128plus(seed);
  return () => uniformFloat64(random);
}

/** Jobs of the render tasks take `stretch` times as long; `missed` more of the lane's jobs miss. */
function changed(telemetry: Telemetry, stretch: number, missed = 0): Telemetry {
  const uniform = uniformSource(7);
  return {
    ...telemetry,
    lanes: telemetry.lanes.map((lane) => ({
      ...lane,
      tasks: lane.tasks.map((task) => {
        if (task.name !== 'drawTiles') return task;
        const executionUs = sampledHistogram(Array.from({ length: 2400 }, () => (2500 + 2000 * uniform()) * stretch));
        return { ...task, misses: task.misses + missed, histograms: { ...task.histograms, executionUs } };
      }),
    })),
  };
}

function findingOf(a: Telemetry, b: Telemetry, part: string, metric: string): string | undefined {
  const { parts } = compareTelemetry(a, b);
  return parts.find(({ name }) => name === part)?.figures.find((figure) => figure.metric === metric)?.finding;
}

describe('intervals', () => {
  it('wilson: the published example, 81 of 263', () => {
    // R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3: 0.2553 to 0.3662 at 95 %
    // at 99 %, by the same formula: centre (p + z²/2n)/(1 + z²/n)
    const { low, high } = wilson(81, 263);
    expect(low).toBeLessThan(0.2553);
    expect(high).toBeGreaterThan(0.3662);
    // the ends solve |p̂ - p| = z sqrt(p(1 - p)/n)
    for (const p of [low, high]) {
      expect(Math.abs(81 / 263 - p) / Math.sqrt((p * (1 - p)) / 263)).toBeCloseTo(2.5758293, 5);
    }
  });

  it('newcombe: mirrored when the two change places, holds the difference', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, m, p, q) => {
          const [x, y] = [Math.round(n * p), Math.round(m * q)];
          const there = newcombe(x, n, y, m);
          const back = newcombe(y, m, x, n);
          expect(there.low).toBeCloseTo(-back.high, 9);
          expect(there.low).toBeLessThanOrEqual(y / m - x / n + 1e-12);
          expect(there.high).toBeGreaterThanOrEqual(y / m - x / n - 1e-12);
          expect(there.low).toBeGreaterThanOrEqual(-1 - 1e-9);
          expect(there.high).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
    );
  });

  it('ranks: exact binomial tails for small numbers', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0.5, 0.9, 0.99), (n, share) => {
        const pmf = Array.from({ length: n + 1 }, (_, k) => choose(n, k) * share ** k * (1 - share) ** (n - k));
        const below = (k: number) => pmf.slice(0, k).reduce((sum, p) => sum + p, 0);
        const { low, high } = quantileRanks(n, share);
        expect(below(low)).toBeLessThanOrEqual(0.005 + 1e-12);
        if (low < n) expect(below(low + 1)).toBeGreaterThan(0.005 - 1e-12);
        const above = (k: number) => pmf.slice(k).reduce((sum, p) => sum + p, 0);
        expect(above(high)).toBeLessThanOrEqual(0.005 + 1e-12);
        if (high > 1) expect(above(high - 1)).toBeGreaterThan(0.005 - 1e-12);
      }),
    );
  });

  it('ranks: as the normal distribution has them for many values', () => {
    for (const share of [0.5, 0.9, 0.99, 0.999]) {
      const n = 10_000_000;
      const { low, high } = quantileRanks(n, share);
      const reach = 2.5758 * Math.sqrt(n * share * (1 - share));
      expect(Math.abs(low - (n * share - reach))).toBeLessThan(5 + reach / 100);
      expect(Math.abs(high - (n * share + reach))).toBeLessThan(5 + reach / 100);
    }
  });

  it('quantile intervals hold the true quantile as often as they say', () => {
    const uniform = uniformSource(42);
    const rounds = 1500;
    for (const [share, size] of [
      [0.5, 200],
      [0.9, 400],
      [0.99, 1500],
    ] as const) {
      let held = 0;
      // exponential: its quantile is known
      const trueUs = -1000 * Math.log(1 - share);
      for (let round = 0; round < rounds; round++) {
        const data = sampledHistogram(Array.from({ length: size }, () => -1000 * Math.log(1 - uniform())));
        const { low, high } = quantileInterval(data, share);
        if (low <= trueUs && trueUs <= high) held++;
      }
      // 99 %, less three deviations of the count itself
      expect(held / rounds).toBeGreaterThan(0.99 - 3 * Math.sqrt((0.99 * 0.01) / rounds));
    }
  });

  it('is without bounds where there are too few values', () => {
    const data = sampledHistogram([1, 2, 3]);
    expect(quantileInterval(data, 0.99).high).toBe(Number.POSITIVE_INFINITY);
    expect(quantileInterval(sampledHistogram([]), 0.5)).toEqual({
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
  });
});

describe('compareTelemetry', () => {
  const a = makeTelemetry(1);

  it('marks nothing between a run and itself', () => {
    const comparison = compareTelemetry(a, a);
    expect(comparison).toMatchObject({ better: 0, worse: 0, conditions: [], onlyInA: [], onlyInB: [] });
    expect(comparison.parts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'loop 0 at 60 Hz',
      'lane audio',
      'lane input',
      'lane render',
      'task render.drawTiles',
      'task render.composite',
    ]);
    expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
  });

  it('marks next to nothing between two runs of the same kind', () => {
    let marked = 0;
    let figures = 0;
    for (let seed = 2; seed < 8; seed++) {
      const comparison = compareTelemetry(a, makeTelemetry(seed));
      marked += comparison.better + comparison.worse;
      figures += comparison.parts.flatMap((part) => part.figures).length;
    }
    expect(figures).toBeGreaterThan(600);
    expect(marked / figures).toBeLessThan(0.01);
  });

  it('marks a task that became slower, and the same as better the other way round', () => {
    const before = changed(a, 1);
    const after = changed(a, 1.2);
    for (const metric of ['executionUs p50', 'executionUs p90', 'executionUs p99']) {
      expect(findingOf(before, after, 'render.drawTiles', metric)).toBe('worse');
      expect(findingOf(after, before, 'render.drawTiles', metric)).toBe('better');
      expect(findingOf(before, after, 'audio', metric)).toBe('same');
    }
    expect(findingOf(before, after, 'render.drawTiles', 'executionUs max')).toBe('unmarked');
  });

  it('does not mark what is real but small', () => {
    expect(findingOf(changed(a, 1), changed(a, 1.04), 'render.drawTiles', 'executionUs p50')).toBe('same');
  });

  it('marks ratios of misses beyond chance only', () => {
    expect(findingOf(changed(a, 1), changed(a, 1, 60), 'render.drawTiles', 'missed')).toBe('worse');
    expect(findingOf(changed(a, 1), changed(a, 1, 5), 'render.drawTiles', 'missed')).toBe('same');
  });

  it('tells where there are too few values', () => {
    const few = { ...a, loops: a.loops.map((loop) => ({ ...loop, frameUs: sampledHistogram([20_000, 90_000]) })) };
    expect(findingOf(a, few, '0 at 60 Hz', 'frameUs p50')).toBe('unclear');
  });

  it('names what only one has, and conditions that differ', () => {
    const b: Telemetry = {
      ...a,
      toUs: a.toUs * 2,
      environment: { ...a.environment, runtime: 'Node.js 24.0.0' },
      lanes: a.lanes.map((lane) => (lane.name === 'input' ? { ...lane, name: 'touch' } : lane)),
      workers: a.workers.map((worker, n) => (n === 0 ? { ...worker, priority: 'normal' } : worker)),
    };
    const comparison = compareTelemetry(a, b);
    expect(comparison.onlyInA).toEqual(['lane input']);
    expect(comparison.onlyInB).toEqual(['lane touch']);
    const what = comparison.conditions.map((condition) => condition.what);
    expect(what).toEqual(expect.arrayContaining(['runtime', 'duration', `priority of worker ${a.workers[0]!.name}`]));
  });
});

describe('compareTelemetry with what a file cannot hold', () => {
  const whole = makeTelemetry(1);
  const log = parseHlog(hlogText([whole]));
  const ofLog = telemetryOfHlog(log);
  const source = hlogSource(log);
  const sources = { a: WHOLE_TELEMETRY, b: source };

  function figure(comparison: ReturnType<typeof compareTelemetry>, part: string, metric: string) {
    return comparison.parts.find(({ name }) => name === part)?.figures.find((one) => one.metric === metric);
  }

  it('marks nothing between a run and its own log', () => {
    // without knowing what a log lacks there would be differences
    expect(compareTelemetry(whole, ofLog).better).toBeGreaterThan(0);
    const comparison = compareTelemetry(whole, ofLog, sources);
    expect(comparison).toMatchObject({ better: 0, worse: 0, onlyInA: [], onlyInB: [], unknownInA: [] });
    expect(comparison.conditions).toEqual([]);
    expect(comparison.unknownInB).toContain('workers');
    for (const metric of ['missed', 'dropped']) {
      const { a, b, countB, finding } = figure(comparison, '0 at 60 Hz', metric)!;
      expect({ a: a === null, b, countB, finding }).toEqual({ a: false, b: null, countB: 0, finding: 'incomparable' });
    }
    expect(figure(comparison, 'audio', 'refused')).toMatchObject({ b: null, finding: 'incomparable' });
    expect(figure(comparison, 'audio', 'missed')).toMatchObject({ b: null, finding: 'incomparable' });
    // distributions are in a log
    expect(figure(comparison, 'audio', 'responseUs p99')).toMatchObject({ finding: 'same' });
    const reverse = compareTelemetry(ofLog, whole, { a: source });
    expect(reverse).toMatchObject({ better: 0, worse: 0, unknownInB: [], conditions: [] });
    expect(figure(reverse, '0 at 60 Hz', 'missed')).toMatchObject({ a: null, finding: 'incomparable' });
  });

  it('still marks distributions that differ, and deadlines that do', () => {
    const slow = { ...whole, lanes: changed(whole, 3).lanes };
    const ofSlow = telemetryOfHlog(parseHlog(hlogText([slow])));
    const comparison = compareTelemetry(whole, ofSlow, sources);
    expect(figure(comparison, 'render', 'executionUs p90')).toMatchObject({ finding: 'worse' });
    const stricter = whole.lanes.map((lane) => ({
      ...lane,
      tasks: lane.tasks.map((task) => ({ ...task, deadlineUs: task.deadlineUs / 2 })),
    }));
    const { conditions } = compareTelemetry({ ...whole, lanes: stricter }, ofLog, sources);
    expect(conditions.map(({ what }) => what)).toContain('deadlines of lane audio');
  });

  it('takes neither deadlines, workers nor the environment from a trace', () => {
    const trace = parseTrace(chromeTrace(makeJobTrace(120)));
    const described = {
      ...trace,
      environment: whole.environment,
      workers: whole.workers,
      lanes: trace.lanes.map((lane) => ({
        ...lane,
        periodUs: 2667,
        tasks: lane.tasks.map((task) => ({ ...task, deadlineUs: task.deadlineUs + 77, misses: task.accepted })),
      })),
      loops: trace.loops.map((loop) => ({ ...loop, tickErrorUs: sampledHistogram(Array(500).fill(9000)) })),
    };
    expect(compareTelemetry(described, trace).better).toBeGreaterThan(0);
    const comparison = compareTelemetry(described, trace, { a: WHOLE_TELEMETRY, b: TRACE_SOURCE });
    expect(comparison).toMatchObject({ better: 0, worse: 0, conditions: [], unknownInA: [] });
    expect(comparison.unknownInB).toEqual(['environment', 'workers', 'periods', 'deadlines']);
    expect(figure(comparison, '0 at 60 Hz', 'tickErrorUs p50')).toMatchObject({ b: null, finding: 'incomparable' });
    // dropped ticks are in a trace
    expect(figure(comparison, '0 at 60 Hz', 'dropped')).toMatchObject({ finding: 'same' });
  });

  it('takes what one side does not tell for unknown, not for a difference', () => {
    const silent: Telemetry = {
      ...whole,
      environment: { ...whole.environment, allowedCpus: [], cpu: null },
      workers: whole.workers.map((worker) => ({ ...worker, priority: null, cpus: null })),
    };
    const { conditions, unknownInB } = compareTelemetry(whole, silent);
    expect(conditions).toEqual([]);
    const name = whole.workers[0]!.name;
    expect(unknownInB).toEqual(expect.arrayContaining(['allowed CPUs', 'CPU', `priority of worker ${name}`]));
  });
});
