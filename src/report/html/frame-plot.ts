/** Frame times of one loop as SVG that scales in width without scaling its text, and the figures for reading it out. */
import { MISS_CAUSES, type MissCause } from '../../telemetry/outcomes.js';
import type { FrameRecord, Miss, Telemetry } from '../../telemetry/telemetry-data.js';
import { missesByFrame } from '../frame-misses.js';
import { html, type Markup, trusted } from './markup.js';
import { CAUSE_SHAPES, CAUSE_WORDS, countText, durationText } from './words.js';

/** The scale reaches this many deadlines at most: one long freeze must not flatten all other frames. */
const MAX_DEADLINES_SHOWN = 3;
const UNITS_HIGH = 1000;
const TIME_LABELS = 5;

/** One row per frame, with what the script reads out; durations from the tick, in whole microseconds. */
export type FrameRow = readonly [
  number: number,
  tickAtUs: number,
  calledUs: number | null,
  submittedUs: number | null,
  finishedUs: number | null,
  deadlineUs: number,
  jobs: number,
  misses: number,
  ticks: number,
  /** Index into the causes, or -1. */
  cause: number,
  /** Index in the telemetry of the worst miss that the page lists, or -1. */
  miss: number,
];

export interface FramePlot {
  readonly markup: Markup;
  readonly rows: readonly FrameRow[];
}

/** The plots, one per loop that has frames; misses before `firstMiss` are not to be opened in the page. */
export function framePlots(telemetry: Telemetry, firstMiss = 0): FramePlot[] {
  const missesOf = missesByFrame(telemetry);
  const missIndex = new Map(telemetry.misses.map((miss, index) => [miss, index < firstMiss ? -1 : index]));
  const ids = [...new Set(telemetry.frames.map((frame) => frame.loop))]
    // those of beginFrame are of the host's own making: last
    .sort((a, b) => (a < 0 ? 1 : b < 0 ? -1 : a - b));
  return ids.map((id, index) => {
    const frames = telemetry.frames.filter((frame) => frame.loop === id);
    const loop = telemetry.loops.find((other) => other.id === id);
    const name = loop === undefined ? 'Frames of beginFrame' : `Loop of ${Number(loop.hz.toFixed(2))} Hz`;
    const worst = frames.map((frame) => missesOf.get(frame)?.[0] ?? null);
    const rows = frames.map((frame, i) => rowOf(frame, worst[i]!, telemetry.fromUs, missIndex));
    return { markup: figure(name, index, frames, worst, rows), rows };
  });
}

function rowOf(frame: FrameRecord, worst: Miss | null, fromUs: number, missIndex: ReadonlyMap<Miss, number>): FrameRow {
  const sinceTick = (atUs: number | null) => (atUs === null ? null : Math.round(atUs - frame.tickAtUs));
  return [
    frame.number,
    Math.round(frame.tickAtUs - fromUs),
    sinceTick(frame.calledAtUs),
    sinceTick(frame.submittedAtUs),
    sinceTick(frame.finishedAtUs),
    sinceTick(frame.deadlineAtUs)!,
    frame.jobs,
    frame.misses,
    frame.ticks,
    worst === null ? -1 : MISS_CAUSES.indexOf(worst.cause),
    worst === null ? -1 : missIndex.get(worst)!,
  ];
}

/** From the tick to the last finish, or to the end of submitting; null for dropped ticks. */
function frameUs(row: FrameRow): number | null {
  return row[4] ?? row[3];
}

function figure(
  name: string,
  index: number,
  frames: readonly FrameRecord[],
  worst: readonly (Miss | null)[],
  rows: readonly FrameRow[],
): Markup {
  const longestUs = Math.max(...rows.map((row) => frameUs(row) ?? 0));
  const deadlineUs = Math.max(...rows.map((row) => row[5]), 1);
  // a deadline far above all frames (those of beginFrame may have any) would flatten them as well
  const isFar = longestUs > 0 && deadlineUs > MAX_DEADLINES_SHOWN * longestUs;
  const topUs = isFar
    ? longestUs * 1.25
    : Math.min(Math.max(longestUs * 1.08, deadlineUs * 1.25), deadlineUs * MAX_DEADLINES_SHOWN);
  const width = rows.reduce((slots, row) => slots + row[8], 0);
  const y = (us: number) => Math.max(0, Math.round(UNITS_HIGH * (1 - us / topUs)));
  let area = `M0 ${UNITS_HIGH}`;
  let deadline = '';
  const bars = new Map<MissCause | 'none', string>();
  const marks: Markup[] = [];
  let dropped = '';
  let x = 0;
  let lastY = -1;
  rows.forEach((row, i) => {
    const us = frameUs(row);
    const ticks = row[8];
    const top = y(us ?? 0);
    // most frames are alike: a step is written only where the height changes
    area += top === lastY ? `h${ticks}` : `V${top}h${ticks}`;
    lastY = top;
    deadline +=
      deadline === ''
        ? `M0 ${y(row[5])}h${ticks}`
        : row[5] === rows[i - 1]![5]
          ? `h${ticks}`
          : `V${y(row[5])}h${ticks}`;
    const cause = worst[i]?.cause ?? 'none';
    const atPercent = Number(((100 * (x + ticks / 2)) / width).toFixed(3));
    if (frames[i]!.outcome === 'dropped') {
      dropped += `M${x} 0V${UNITS_HIGH}h${ticks}V0z`;
      marks.push(html`<use href="#s-dropped" class="c-${cause}" x="${atPercent}%" y="97%"/>`);
    } else if (frames[i]!.outcome === 'late') {
      bars.set(cause, `${bars.get(cause) ?? ''}M${x} ${UNITS_HIGH}V${top}h${ticks}V${UNITS_HIGH}z`);
      marks.push(html`<use href="#s-${cause}" class="c-${cause}" x="${atPercent}%" y="${Math.max(3, top / 10)}%"/>`);
    }
    x += ticks;
  });
  const late = frames.filter((frame) => frame.outcome === 'late').length;
  const droppedTicks = frames.reduce((sum, frame) => sum + (frame.outcome === 'dropped' ? frame.ticks : 0), 0);
  const label = `${name}: ${countText(width)} frames, ${countText(late)} late, ${countText(droppedTicks)} dropped. Deadline ${durationText(deadlineUs)}, longest frame ${durationText(longestUs)}.`;
  const steps = axisSteps(topUs);
  return html`<figure class="plot" data-frames="${index}">
<figcaption>${label}${longestUs > topUs ? ` Bars that touch the top go beyond ${durationText(topUs)}.` : ''}</figcaption>
<div class="tools"><button type="button" data-zoom="0.5">Zoom out</button><button type="button" data-zoom="2">Zoom in</button><button type="button" data-step="-1">Previous miss</button><button type="button" data-step="1">Next miss</button></div>
<output aria-live="polite">Point at a frame, or focus the plot and use the arrow keys.</output>
<div class="axes"><svg class="y" aria-hidden="true">${steps.map((us) => html`<text x="100%" y="${percent(us, topUs)}%" dy="4" text-anchor="end">${durationText(us)}</text>`)}</svg>
<div class="pan" tabindex="0" role="group" aria-label="${label} Arrow keys read out a frame, Page Up and Page Down go from miss to miss, Enter opens the miss."><svg class="data" role="img" aria-label="${label}">
${steps.map((us) => html`<line class="grid" x1="0" x2="100%" y1="${percent(us, topUs)}%" y2="${percent(us, topUs)}%"/>`)}
<svg class="stretch" viewBox="0 0 ${width} ${UNITS_HIGH}" preserveAspectRatio="none"><path class="drop" d="${trusted(dropped)}"/><path class="on-time" d="${trusted(area)}V${UNITS_HIGH}z"/>${[...bars].map(([cause, d]) => html`<path class="bar c-${cause}" d="${trusted(d)}"/>`)}${isFar ? null : html`<path class="deadline" d="${trusted(deadline)}"/>`}</svg>
<line class="cursor" y1="0" y2="100%" visibility="hidden"/>${marks}</svg>
<svg class="x" aria-hidden="true">${timeLabels(rows, width)}</svg></div></div>
${legend(worst, frames, isFar)}</figure>`;
}

function legend(worst: readonly (Miss | null)[], frames: readonly FrameRecord[], isFar: boolean): Markup {
  const causes = MISS_CAUSES.filter((cause) =>
    worst.some((miss, i) => miss?.cause === cause && frames[i]!.outcome === 'late'),
  );
  const items = causes.map((cause) => html`<li>${symbol(cause)} ${CAUSE_WORDS[cause].short}</li>`);
  if (frames.some((frame, i) => frame.outcome === 'late' && worst[i] === null)) {
    items.push(html`<li>${symbol('none')} late, its misses are no longer kept</li>`);
  }
  if (frames.some((frame) => frame.outcome === 'dropped')) {
    items.push(html`<li><svg class="sym c-dropped"><use href="#y-dropped"/></svg> dropped tick</li>`);
  }
  return html`<ul class="legend">${isFar ? null : html`<li><span class="key-line"></span> deadline</li>`}<li><span class="key-area"></span> frame time</li>${items}</ul>`;
}

/** The symbol of a cause, for text. */
export function symbol(cause: MissCause | 'none'): Markup {
  return html`<svg class="sym c-${cause}"><use href="#y-${cause}"/></svg>`;
}

/** Definitions that `symbol` (`y-`) and the plots (`s-`) refer to: once in the page. */
export function symbolDefinitions(): Markup {
  const shapes = Object.entries({ ...CAUSE_SHAPES, dropped: 'M-4.5-5h9L0 0zM-4.5 0h9L0 5z' });
  const definitions = shapes.map(
    ([name, d]) =>
      html`<path id="s-${name}" fill-rule="evenodd" d="${trusted(d)}"/><symbol id="y-${name}" viewBox="-6 -6 12 12"><use href="#s-${name}"/></symbol>`,
  );
  return html`<svg class="definitions" aria-hidden="true"><defs>${definitions}</defs></svg>`;
}

/**
 * The rows as the page holds them, for the size of it. A frame that is like the one before (next number, same deadline
 * and count of jobs, nothing missed) is four numbers: by how much its tick's distance differs from that before, called,
 * submitted since called, finished.
 */
export function packRows(rows: readonly FrameRow[]): (readonly (number | null)[])[] {
  return rows.map((row, n) => {
    const last = rows[n - 1];
    const [number, tickAtUs, called, submitted, finished, deadline, jobs, misses, ticks, cause] = row;
    const isLike =
      last !== undefined &&
      number === last[0] + last[8] &&
      deadline === last[5] &&
      jobs === last[6] &&
      misses === 0 &&
      ticks === 1 &&
      cause < 0;
    if (!isLike || called === null || submitted === null) return row;
    const lastDistance = n < 2 ? 0 : last[1] - rows[n - 2]![1];
    return [tickAtUs - last[1] - lastDistance, called, submitted - called, finished];
  });
}

function timeLabels(rows: readonly FrameRow[], width: number): Markup[] {
  const digits = rows.at(-1)![1] - rows[0]![1] < 2e6 ? 2 : 1;
  const slots: FrameRow[] = rows.flatMap((row) => Array.from({ length: row[8] }, () => row));
  return Array.from({ length: Math.min(TIME_LABELS, width) }, (_, n) => {
    const share = n / Math.max(1, Math.min(TIME_LABELS, width) - 1);
    const row = slots[Math.min(width - 1, Math.round(share * (width - 1)))]!;
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return html`<text x="${100 * share}%" y="14" text-anchor="${anchor}">${(row[1] / 1e6).toFixed(digits)} s</text>`;
  });
}

function percent(us: number, topUs: number): number {
  return Number((100 * (1 - us / topUs)).toFixed(2));
}

/** Round values from 0 to `top`, 3 to 6 of them. */
export function axisSteps(top: number): number[] {
  const rough = top / 4;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * decade).find((size) => size >= rough) ?? rough;
  const steps: number[] = [];
  for (let value = 0; value <= top * 0.999; value += step) steps.push(value);
  return steps;
}
