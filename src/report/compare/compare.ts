import { HISTOGRAMS } from '../../telemetry/recorder.js';
import {
  type HistogramData,
  histogramCounts,
  histogramData,
  type LaneTelemetry,
  type LoopTelemetry,
  type Telemetry,
} from '../../telemetry/telemetry-data.js';
import { type Lack, type Source, WHOLE_TELEMETRY } from '../lacks.js';
import { low1Integral, low1Percentile } from '../lows.js';
import { type ConditionDifference, compareConditions } from './conditions.js';
import { CONFIDENCE, newcombe, quantileInterval } from './intervals.js';

/** A quantile differs where it moved by this share at least, and by this much: less is real at times, but matters to nobody. */
export const MIN_CHANGE = 0.05;
export const MIN_CHANGE_US = 10;

export const COMPARISON_RULE =
  `A ratio of misses is marked where the ${100 * CONFIDENCE} % interval of the difference (Newcombe) leaves out 0. ` +
  `A quantile is marked where its two ${100 * CONFIDENCE} % intervals (order statistics, widened to the buckets' ends) do not ` +
  `overlap and it moved by ${100 * MIN_CHANGE} % and ${MIN_CHANGE_US} µs at least. Maxima and low1Integral are one value of a ` +
  'run each and never marked, nor is what one of the two files cannot hold. Of a hundred figures that did not change about one ratio may be marked by chance.';

/** `better` and `worse` are of B, against A. `unclear`: too few values to tell. `incomparable`: one format cannot hold it. */
export type Finding = 'better' | 'worse' | 'same' | 'unclear' | 'unmarked' | 'incomparable';

export interface ComparedFigure {
  /** Such as `missed` (a share of 0 to 1), `responseUs p99` or `low1Percentile` (frames per second). */
  readonly metric: string;
  readonly unit: 'share' | 'us' | 'fps';
  /** Null where nothing was counted, or the source cannot hold it. */
  readonly a: number | null;
  readonly b: number | null;
  /** Values that the figure is made of. */
  readonly countA: number;
  readonly countB: number;
  readonly finding: Finding;
}

export interface ComparedPart {
  readonly kind: 'loop' | 'lane' | 'task';
  readonly name: string;
  readonly figures: readonly ComparedFigure[];
}

/** What {@link compareTelemetry} gives. Plain data. */
export interface Comparison {
  readonly schemaVersion: 1;
  /** How figures were marked, in words. */
  readonly rule: string;
  /** Conditions that were not the same: they may be why figures differ. */
  readonly conditions: readonly ConditionDifference[];
  /** Conditions that only the other of the two tells. */
  readonly unknownInA: readonly string[];
  readonly unknownInB: readonly string[];
  readonly parts: readonly ComparedPart[];
  /** Loops, lanes and tasks that only one of the two has. */
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
  readonly better: number;
  readonly worse: number;
}

/** What the two were read from: whole telemetry if left out. */
export interface ComparedSources {
  readonly a?: Source;
  readonly b?: Source;
}

const SHARES: readonly [share: number, name: string][] = [
  [0.5, 'p50'],
  [0.9, 'p90'],
  [0.99, 'p99'],
  [0.999, 'p99.9'],
];
const LOOP_HISTOGRAMS = ['frameUs', 'submittingUs', 'tickErrorUs', 'intervalUs'] as const;

/**
 * Two runs side by side, with the differences that matter marked by {@link COMPARISON_RULE}. Loops are matched in their
 * order, lanes and tasks by name. What a source cannot hold is null and never marked. Pure.
 */
export function compareTelemetry(a: Telemetry, b: Telemetry, sources: ComparedSources = {}): Comparison {
  const { a: sourceA = WHOLE_TELEMETRY, b: sourceB = WHOLE_TELEMETRY } = sources;
  const parts: ComparedPart[] = [];
  const onlyInA: string[] = [];
  const onlyInB: string[] = [];
  function match<T>(
    kind: ComparedPart['kind'],
    ofA: ReadonlyMap<string, T>,
    ofB: ReadonlyMap<string, T>,
    figures: (a: T, b: T) => ComparedFigure[],
  ): void {
    for (const [name, one] of ofA) {
      const other = ofB.get(name);
      if (other === undefined) onlyInA.push(`${kind} ${name}`);
      else
        parts.push({ kind, name, figures: figures(one, other).map((figure) => held(kind, figure, sourceA, sourceB)) });
    }
    for (const name of ofB.keys()) if (!ofA.has(name)) onlyInB.push(`${kind} ${name}`);
  }
  match('loop', loopsByName(a), loopsByName(b), loopFigures);
  match('lane', lanesByName(a), lanesByName(b), laneFigures);
  // a lane of one task says the same as its task
  if (!sourceA.lacks.has('tasks') && !sourceB.lacks.has('tasks'))
    match('task', tasksByName(a), tasksByName(b), laneFigures);
  const findings = parts.flatMap((part) => part.figures.map(({ finding }) => finding));
  return {
    schemaVersion: 1,
    rule: COMPARISON_RULE,
    ...compareConditions(a, b, sourceA, sourceB),
    parts,
    onlyInA,
    onlyInB,
    better: findings.filter((finding) => finding === 'better').length,
    worse: findings.filter((finding) => finding === 'worse').length,
  };
}

type Tasks = LaneTelemetry['tasks'];

function loopsByName({ loops }: Telemetry): Map<string, LoopTelemetry> {
  return new Map(loops.map((loop, nth) => [`${nth} at ${Number(loop.hz.toFixed(2))} Hz`, loop]));
}

function lanesByName({ lanes }: Telemetry): Map<string, Tasks> {
  return new Map(lanes.map(({ name, tasks }) => [name, tasks]));
}

function tasksByName({ lanes }: Telemetry): Map<string, Tasks> {
  const several = lanes.filter(({ tasks }) => tasks.length > 1);
  return new Map(several.flatMap(({ name, tasks }) => tasks.map((task) => [`${name}.${task.name}`, [task]])));
}

/** What a source must hold for a figure. `missed` counts ticks of loops and jobs of lanes. */
function lackOf(kind: ComparedPart['kind'], metric: string): Lack | null {
  if (metric === 'dropped') return 'droppedTicks';
  if (metric === 'missed') return kind === 'loop' ? 'droppedTicks' : 'unstartedJobs';
  if (metric === 'refused') return 'refusedJobs';
  return metric.startsWith('tickErrorUs ') ? 'tickErrorUs' : null;
}

function held(kind: ComparedPart['kind'], figure: ComparedFigure, a: Source, b: Source): ComparedFigure {
  const lack = lackOf(kind, figure.metric);
  if (lack === null || !(a.lacks.has(lack) || b.lacks.has(lack))) return figure;
  return {
    ...figure,
    ...(a.lacks.has(lack) ? { a: null, countA: 0 } : {}),
    ...(b.lacks.has(lack) ? { b: null, countB: 0 } : {}),
    finding: 'incomparable',
  };
}

function loopFigures(a: LoopTelemetry, b: LoopTelemetry): ComparedFigure[] {
  const missed = (loop: LoopTelemetry) => loop.missedFrames + loop.droppedTicks;
  return [
    ratioFigure('missed', missed(a), a.intendedTicks, missed(b), b.intendedTicks),
    ratioFigure('dropped', a.droppedTicks, a.intendedTicks, b.droppedTicks, b.intendedTicks),
    lowFigure(a.intervalUs, b.intervalUs),
    {
      metric: 'low1Integral',
      unit: 'fps',
      a: low1Integral(a.intervalUs),
      b: low1Integral(b.intervalUs),
      countA: a.intervalUs.count,
      countB: b.intervalUs.count,
      finding: 'unmarked',
    },
    ...LOOP_HISTOGRAMS.flatMap((key) => quantileFigures(key, a[key], b[key])),
  ];
}

function laneFigures(a: Tasks, b: Tasks): ComparedFigure[] {
  const sum = (tasks: Tasks, key: 'misses' | 'accepted' | 'refused' | 'submitted') =>
    tasks.reduce((total, task) => total + task[key], 0);
  return [
    ratioFigure('missed', sum(a, 'misses'), sum(a, 'accepted'), sum(b, 'misses'), sum(b, 'accepted')),
    ratioFigure('refused', sum(a, 'refused'), sum(a, 'submitted'), sum(b, 'refused'), sum(b, 'submitted')),
    // tardiness has no rule of its own: fewer misses can leave the later ones
    ...HISTOGRAMS.filter((name) => name !== 'tardinessUs').flatMap((name) =>
      quantileFigures(
        name,
        merged(a.map((task) => task.histograms[name])),
        merged(b.map((task) => task.histograms[name])),
      ),
    ),
  ];
}

function ratioFigure(metric: string, countA: number, ofA: number, countB: number, ofB: number): ComparedFigure {
  const figure = {
    metric,
    unit: 'share',
    a: ofA === 0 ? null : countA / ofA,
    b: ofB === 0 ? null : countB / ofB,
    countA: ofA,
    countB: ofB,
  } as const;
  if (ofA === 0 || ofB === 0) return { ...figure, finding: 'unclear' };
  const { low, high } = newcombe(countA, ofA, countB, ofB);
  return { ...figure, finding: low > 0 ? 'worse' : high < 0 ? 'better' : 'same' };
}

function quantileFigures(name: string, a: HistogramData, b: HistogramData): ComparedFigure[] {
  const ofA = histogramCounts(a);
  const ofB = histogramCounts(b);
  const counts = { countA: a.count, countB: b.count };
  const figures = SHARES.map(
    ([share, shareName]): ComparedFigure => ({
      metric: `${name} ${shareName}`,
      unit: 'us',
      a: ofA.quantileUs(share),
      b: ofB.quantileUs(share),
      ...counts,
      finding: quantileFinding(a, b, share),
    }),
  );
  figures.push({
    metric: `${name} max`,
    unit: 'us',
    a: ofA.quantileUs(1),
    b: ofB.quantileUs(1),
    ...counts,
    finding: 'unmarked',
  });
  return figures;
}

function quantileFinding(a: HistogramData, b: HistogramData, share: number): Finding {
  const us = [a, b].map((data) => histogramCounts(data).quantileUs(share));
  if (us[0] == null || us[1] == null) return 'unclear';
  const ofA = quantileInterval(a, share);
  const ofB = quantileInterval(b, share);
  const change = us[1] - us[0];
  const isSmall = Math.abs(change) < MIN_CHANGE_US || Math.abs(change) < MIN_CHANGE * us[0];
  if (ofB.low > ofA.high) return isSmall ? 'same' : 'worse';
  if (ofB.high < ofA.low) return isSmall ? 'same' : 'better';
  const isUnbounded = [ofA.low, ofA.high, ofB.low, ofB.high].some((end) => !Number.isFinite(end));
  return isUnbounded && !isSmall ? 'unclear' : 'same';
}

/** A longer interval is a lower figure. */
function lowFigure(a: HistogramData, b: HistogramData): ComparedFigure {
  return {
    metric: 'low1Percentile',
    unit: 'fps',
    a: low1Percentile(a),
    b: low1Percentile(b),
    countA: a.count,
    countB: b.count,
    finding: quantileFinding(a, b, 0.99),
  };
}

function merged(data: readonly HistogramData[]): HistogramData {
  if (data.length === 1) return data[0]!;
  return histogramData(histogramCounts(...data));
}
