import {
  histogramCounts,
  type LaneTelemetry,
  type LoopTelemetry,
  type Telemetry,
} from '../../telemetry/telemetry-data.js';
import { type Source, WHOLE_TELEMETRY } from '../lacks.js';
import { low1Integral, low1Percentile } from '../lows.js';
import { html, type Markup } from './markup.js';
import { countText, durationText, fpsText, shareText } from './words.js';

/** One card per loop and per lane: the figures to look at first. */
export function cards({ lanes, loops }: Telemetry, source: Source = WHOLE_TELEMETRY): Markup {
  return html`<ul class="cards">${loops.map((loop) => loopCard(loop, source))}${lanes.map((lane) => laneCard(lane, source))}</ul>`;
}

function loopCard(loop: LoopTelemetry, { lacks }: Source): Markup {
  const dropped = lacks.has('droppedTicks') ? '–' : countText(loop.droppedTicks);
  const missed = loop.missedFrames + loop.droppedTicks;
  return card(`Frames, ${Number(loop.hz.toFixed(2))} Hz`, missed, loop.intendedTicks, [
    ['late, dropped', `${countText(loop.missedFrames)}, ${dropped}`],
    ['p99 time', `${durationText(histogramCounts(loop.frameUs).quantileUs(0.99))} of ${durationText(loop.deadlineUs)}`],
    ['low1Percentile', fpsText(low1Percentile(loop.intervalUs))],
    ['low1Integral', fpsText(low1Integral(loop.intervalUs))],
  ]);
}

function laneCard({ name, periodUs, tasks, missRuns }: LaneTelemetry, { lacks }: Source): Markup {
  const sum = (of: (task: LaneTelemetry['tasks'][number]) => number) =>
    tasks.reduce((total, task) => total + of(task), 0);
  const response = histogramCounts(...tasks.map((task) => task.histograms.responseUs));
  const deadlines = [...new Set(tasks.map((task) => durationText(task.deadlineUs)))];
  const refused = sum((task) => task.refused);
  return card(
    html`Lane <bdi>${name}</bdi>${periodUs === null ? null : ` (every ${durationText(periodUs)})`}`,
    sum((task) => task.misses),
    sum((task) => task.accepted),
    [
      [
        'p99 response',
        `${durationText(response.quantileUs(0.99))}${deadlines.length === 1 ? ` of ${deadlines[0]}` : ''}`,
      ],
      ['longest run', missRuns.of === 0 ? '–' : countText(missRuns.longest)],
      ['met', missRuns.of === 0 ? '–' : `${missRuns.met} of the last ${missRuns.of}`],
      ['refused', lacks.has('refusedJobs') ? '–' : countText(refused)],
    ],
  );
}

function card(
  title: Markup | string,
  missed: number,
  of: number,
  rows: readonly (readonly [string, string])[],
): Markup {
  const state = of === 0 ? 'none' : missed === 0 ? 'met' : 'missed';
  const word = state === 'none' ? 'nothing ran' : state === 'met' ? '✓ all met' : `✕ ${countText(missed)} missed`;
  return html`<li class="card ${state}"><h3>${title}</h3><p class="figure">${word}</p><p>${shareText(missed, of)} of ${countText(of)}</p><dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></li>`;
}
