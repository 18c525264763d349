/**
 * Latency by percentile as HdrHistogram draws it: the x axis is the logarithm of 1/(1-p), so that 90, 99 and 99.9 % are
 * equally far apart. One view for each metric of all lanes (logarithmic y axis), and of each lane's tasks (linear).
 */
import { HISTOGRAMS, type HistogramName } from '../../telemetry/recorder.js';
import { type HistogramData, histogramCounts, type Telemetry } from '../../telemetry/telemetry-data.js';
import { axisSteps } from './frame-plot.js';
import { html, type Markup } from './markup.js';
import { durationText } from './words.js';

/** The script knows their number too. */
const POINTS = 61;
const UNITS_HIGH = 1000;
/** Colours and dash patterns that the style has. */
const MAX_SERIES = 8;

export const METRIC_WORDS: Readonly<Record<HistogramName, string>> = {
  responseUs: 'response time (release to finish)',
  executionUs: 'execution time',
  queueingUs: 'queueing delay (submit to start)',
  wakeupUs: 'wakeup latency (of an idle worker)',
  tardinessUs: 'tardiness (past the deadline, of misses)',
};
export const METRIC_ORDER: readonly HistogramName[] = [
  'responseUs',
  'executionUs',
  'queueingUs',
  'wakeupUs',
  'tardinessUs',
];

interface Series {
  readonly name: string;
  readonly data: HistogramData;
  /** What it should stay below, or null. */
  readonly limitUs: number | null;
}

interface View {
  readonly lane: string;
  readonly metric: HistogramName;
  readonly isLogarithmic: boolean;
  readonly series: readonly Series[];
  /** How many more there are than can be drawn. */
  readonly left: number;
}

/** Per view what the script reads out: the values of each series at `POINTS` steps along the x axis. */
export interface PercentileValues {
  /** Nines at the right end: the last step is the percentile 1 - 10^-nines. */
  readonly nines: number;
  readonly names: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
}

export interface PercentilePlot {
  readonly markup: Markup;
  readonly views: readonly PercentileValues[];
}

export function percentilePlot(telemetry: Telemetry): PercentilePlot {
  const views = METRIC_ORDER.filter((metric) => HISTOGRAMS.includes(metric)).flatMap((metric) =>
    viewsOf(telemetry, metric),
  );
  const drawn = views.map(drawView);
  const lanes = [...new Set(views.map((view) => view.lane))];
  return {
    views: drawn.map(({ values }) => values),
    markup: html`<div class="tools"><label>Show <select data-view="lane">${lanes.map((lane, n) => html`<option value="${n}">${lane}</option>`)}</select></label>
<label>Metric <select data-view="metric">${METRIC_ORDER.map((metric) => html`<option value="${metric}">${METRIC_WORDS[metric]}</option>`)}</select></label></div>
<output aria-live="polite" id="percentile-output">Point at the plot, or focus it and use the arrow keys.</output>
${views.map((view, index) => html`<figure class="plot" data-percentiles="${index}" data-lane="${lanes.indexOf(view.lane)}" data-metric="${view.metric}"${index === 0 ? null : html` hidden`}>${drawn[index]!.markup}</figure>`)}`,
  };
}

function viewsOf({ lanes, loops }: Telemetry, metric: HistogramName): View[] {
  const all: Series[] = lanes.map(({ name, tasks }) => ({
    name,
    data: merged(tasks.map((task) => task.histograms[metric])),
    limitUs: limitUs(metric, tasks),
  }));
  if (metric === 'responseUs') {
    for (const { hz, frameUs, deadlineUs } of loops) {
      all.push({ name: `frames, ${Number(hz.toFixed(2))} Hz`, data: frameUs, limitUs: deadlineUs });
    }
  }
  const views = [view('all lanes', metric, true, all)];
  for (const { name, tasks } of lanes) {
    const series = [...tasks]
      .sort((a, b) => b.accepted - a.accepted)
      .map((task) => ({ name: task.name, data: task.histograms[metric], limitUs: limitUs(metric, [task]) }));
    views.push(view(`lane ${name}, by task`, metric, false, series));
  }
  return views;
}

function view(lane: string, metric: HistogramName, isLogarithmic: boolean, all: readonly Series[]): View {
  const series = all.filter(({ data }) => data.count > 0);
  return {
    lane,
    metric,
    isLogarithmic,
    series: series.slice(0, MAX_SERIES),
    left: Math.max(0, series.length - MAX_SERIES),
  };
}

/** The deadline where all tasks share it; for execution the budget. */
function limitUs(
  metric: HistogramName,
  tasks: readonly { deadlineUs: number; budgetUs: number | null }[],
): number | null {
  const limits = new Set(
    tasks.map((task) => (metric === 'responseUs' ? task.deadlineUs : metric === 'executionUs' ? task.budgetUs : null)),
  );
  const [limit] = limits;
  return limits.size === 1 && limit != null && Number.isFinite(limit) ? limit : null;
}

function merged(data: readonly HistogramData[]): HistogramData {
  const counts = new Map<number, number>();
  for (const { buckets } of data)
    for (const [index, count] of buckets) counts.set(index, (counts.get(index) ?? 0) + count);
  const sum = (of: (one: HistogramData) => number) => data.reduce((total, one) => total + of(one), 0);
  return {
    count: sum((one) => one.count),
    sumUs: sum((one) => one.sumUs),
    buckets: [...counts].sort((a, b) => a[0] - b[0]),
    overflow: sum((one) => one.overflow),
  };
}

function drawView({ lane, metric, isLogarithmic, series, left }: View): { markup: Markup; values: PercentileValues } {
  const most = Math.max(...series.map(({ data }) => data.count), 10);
  const nines = Math.max(1, Number(Math.log10(most).toFixed(2)));
  const values = series.map(({ data }) => valuesOf(data, nines));
  const shown = { nines, names: series.map(({ name }) => name), values };
  if (series.length === 0) {
    return {
      markup: html`<figcaption>${METRIC_WORDS[metric]}, ${lane}: nothing was counted.</figcaption>`,
      values: shown,
    };
  }
  const highestUs = Math.max(...values.flat().map((us) => us ?? 0), ...series.map((one) => one.limitUs ?? 0), 1);
  const lowestUs = Math.max(1, Math.min(...values.map((of) => of[0] ?? highestUs)));
  const top = isLogarithmic ? highestUs * 1.15 : highestUs * 1.05;
  const bottom = isLogarithmic ? lowestUs / 1.15 : 0;
  const share = (us: number): number =>
    isLogarithmic ? 1 - Math.log(Math.max(us, bottom) / bottom) / Math.log(top / bottom) : 1 - us / top;
  const steps = isLogarithmic ? decadeSteps(bottom, top) : axisSteps(top);
  const y = (us: number): string => `${Number((100 * share(us)).toFixed(2))}%`;
  const label = `${METRIC_WORDS[metric]}, ${lane}`;
  const limitWord = metric === 'executionUs' ? 'budget' : 'deadline';
  const markup = html`<figcaption>${label}. ${isLogarithmic ? 'Both axes are logarithmic.' : 'Percentiles on a logarithmic axis.'}</figcaption>
<div class="axes"><svg class="y" aria-hidden="true">${steps.map((us) => html`<text x="100%" y="${y(us)}" dy="4" text-anchor="end">${durationText(us)}</text>`)}</svg>
<div class="pan" tabindex="0" role="group" aria-label="${label}. Arrow keys move along the percentiles."><svg class="data" role="img" aria-label="${label}: ${series.map((one, i) => `${one.name} median ${durationText(values[i]![medianStep(nines)]!)}, maximum ${durationText(maxOf(values[i]!))}`).join('; ')}">
${steps.map((us) => html`<line class="grid" x1="0" x2="100%" y1="${y(us)}" y2="${y(us)}"/>`)}${ticks(nines).map(([at]) => html`<line class="grid" x1="${at}%" x2="${at}%" y1="0" y2="100%"/>`)}
${series.map((one, i) => (one.limitUs === null ? null : html`<line class="limit l-${i}" x1="0" x2="100%" y1="${y(one.limitUs)}" y2="${y(one.limitUs)}"/>`))}
<svg class="stretch" viewBox="0 0 ${POINTS - 1} ${UNITS_HIGH}" preserveAspectRatio="none">${values.map((of, i) => html`<path class="series l-${i}" d="${pathOf(of, share)}"/>`)}</svg>
<line class="cursor" y1="0" y2="100%" visibility="hidden"/></svg>
<svg class="x" aria-hidden="true">${ticks(nines).map(([at, text], nth) => html`<text x="${at}%" y="14"${nines > 3.8 && nth % 2 === 1 ? html` class="odd"` : null} text-anchor="${at === 0 ? 'start' : at > 94 ? 'end' : 'middle'}">${text}</text>`)}</svg></div></div>
<ul class="legend">${series.map((one, i) => html`<li><svg class="line-key" viewBox="0 0 28 8" aria-hidden="true"><line class="series l-${i}" x1="0" x2="28" y1="4" y2="4"/></svg> <bdi>${one.name}</bdi>${one.limitUs === null ? null : html` <small>(${limitWord} ${durationText(one.limitUs)}, thin line)</small>`}</li>`)}</ul>
${left === 0 ? null : html`<p>${left} more with fewer jobs are in the tables only.</p>`}`;
  return { markup, values: shown };
}

/** Quantiles in whole microseconds at even steps of log10(1/(1-p)); null past the share that one value is. */
function valuesOf(data: HistogramData, nines: number): (number | null)[] {
  const counts = histogramCounts(data);
  const end = Math.log10(Math.max(data.count, 1));
  const step = nines / (POINTS - 1);
  return Array.from({ length: POINTS }, (_, n) => {
    const at = n * step;
    // the maximum stands where 1/count of the values is left
    if (at > end + step) return null;
    const us = counts.quantileUs(at >= end - 1e-9 ? 1 : 1 - 10 ** -at);
    return us === null ? null : Number(us.toPrecision(4));
  });
}

/** One unit of x per step. */
function pathOf(values: readonly (number | null)[], share: (us: number) => number): string {
  const points = values.flatMap((us, n) => (us === null ? [] : [`${n} ${Math.round(UNITS_HIGH * share(us))}`]));
  return `M${points.join(' ')}`;
}

function ticks(nines: number): [atPercent: number, text: string][] {
  const all: [number, string][] = [[0, '0 %']];
  for (let n = 1; n <= nines; n++) {
    all.push([
      Number(((100 * n) / nines).toFixed(2)),
      n === 1 ? '90 %' : n === 2 ? '99 %' : `99.${'9'.repeat(n - 2)} %`,
    ]);
  }
  return all;
}

function decadeSteps(bottom: number, top: number): number[] {
  const isNarrow = top / bottom < 100;
  const steps: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(bottom)); decade <= top; decade *= 10) {
    for (const factor of isNarrow ? [1, 2, 5] : [1]) {
      const value = decade * factor;
      if (value >= bottom && value <= top) steps.push(value);
    }
  }
  return steps;
}

function medianStep(nines: number): number {
  return Math.min(POINTS - 1, Math.round((Math.log10(2) / nines) * (POINTS - 1)));
}

function maxOf(values: readonly (number | null)[]): number {
  return Math.max(...values.map((us) => us ?? 0));
}
