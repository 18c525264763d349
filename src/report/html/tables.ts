import { OUTCOMES, REFUSALS } from '../../telemetry/outcomes.js';
import {
  bucketRangeNs,
  type HistogramData,
  histogramCounts,
  type ProbeReport,
  type TaskTelemetry,
  type Telemetry,
} from '../../telemetry/telemetry-data.js';
import type { Lack, Source } from '../lacks.js';
import { low1Integral, low1Percentile } from '../lows.js';
import { type Content, html, type Markup, trusted } from './markup.js';
import { METRIC_ORDER, METRIC_WORDS } from './percentile-plot.js';
import { causesText, countText, durationText, fpsText, lowestUs, OUTCOME_WORDS, shareText } from './words.js';

/** A table that scrolls in itself where it is too wide; the first column names the row, those in `words` hold words. */
export function table(
  id: string,
  caption: string,
  headers: readonly string[],
  rows: readonly (readonly Content[])[],
  words: readonly string[] = [],
): Markup {
  const type = (n: number): Markup | null => (words.includes(headers[n]!) ? trusted(' class="w"') : null);
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="${id}"><table><caption id="${id}">${caption}</caption>
<thead><tr>${headers.map((header, n) => html`<th scope="col"${type(n)}>${header}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([
      first,
      ...cells
    ]) => html`<tr><th scope="row">${first ?? null}</th>${cells.map((cell, n) => html`<td${type(n + 1)}>${cell}</td>`)}</tr>
`,
  )}</tbody></table></div>`;
}

/** What stands for a figure that the source cannot hold. */
function unless({ lacks }: Source, lack: Lack, text: string): string {
  return lacks.has(lack) ? '–' : text;
}

/** Counts of each task. */
export function taskTable({ lanes }: Telemetry, source: Source): Markup {
  const headers = [
    'task',
    'missed',
    'missed %',
    'misses by cause',
    'deadline',
    'budget',
    'submitted',
    'accepted',
    'refused',
    ...OUTCOMES.map((outcome) => OUTCOME_WORDS[outcome]),
    'in flight',
  ];
  const rows = lanes.flatMap((lane) =>
    lane.tasks.map((task): Content[] => [
      html`<bdi>${lane.name}.${task.name}</bdi>`,
      task.misses === 0 ? '0' : html`<b>${countText(task.misses)}</b>`,
      unless(source, 'unstartedJobs', shareText(task.misses, task.accepted)),
      causesText(task.missCauses),
      durationText(task.deadlineUs),
      durationText(task.budgetUs),
      unless(source, 'refusedJobs', countText(task.submitted)),
      countText(task.accepted),
      unless(source, 'refusedJobs', refusedText(task)),
      ...OUTCOMES.map((outcome) => countText(task.outcomes[outcome])),
      countText(task.inFlight),
    ]),
  );
  return table('t-tasks', 'Jobs by task', headers, rows, ['misses by cause']);
}

/** Latencies of each task. */
export function latencyTable({ lanes }: Telemetry): Markup {
  const rows = lanes.flatMap((lane) =>
    lane.tasks.flatMap((task) =>
      METRIC_ORDER.filter((metric) => task.histograms[metric].count > 0).map((metric): Content[] => {
        const limit = metric === 'responseUs' ? task.deadlineUs : metric === 'executionUs' ? task.budgetUs : null;
        return [
          html`<bdi>${lane.name}.${task.name}</bdi>`,
          METRIC_WORDS[metric].replace(/ \(.*/, ''),
          ...quantileCells(task.histograms[metric], limit),
        ];
      }),
    ),
  );
  return table(
    't-latency',
    'Latency by task. Figures marked ! are past the deadline, or past the budget for execution.',
    ['task', 'metric', ...QUANTILE_HEADERS],
    rows,
    ['metric'],
  );
}

const QUANTILE_HEADERS = ['values', 'lowest', 'p50', 'p90', 'p99', 'p99.9', 'max', 'above 10 s'];

function quantileCells(data: HistogramData, limitUs: number | null): Content[] {
  const counts = histogramCounts(data);
  const figure = (share: number): Content => {
    const us = counts.quantileUs(share);
    return us !== null && limitUs !== null && us > limitUs
      ? html`<b class="over">${durationText(us)} !</b>`
      : durationText(us);
  };
  const quantiles = [0.5, 0.9, 0.99, 0.999, 1].map(figure);
  return [countText(data.count), durationText(lowestUs(data, bucketRangeNs)), ...quantiles, countText(data.overflow)];
}

/** Frames and lows of each loop. */
export function loopTables({ loops }: Telemetry, source: Source): Markup {
  if (loops.length === 0) return html`<p>No host loop ran.</p>`;
  const name = (id: number, hz: number): string => `loop ${id}, ${Number(hz.toFixed(2))} Hz`;
  const counts = loops.map((loop): Content[] => [
    name(loop.id, loop.hz),
    durationText(loop.deadlineUs),
    loop.running ? 'running' : 'ended',
    unless(source, 'droppedTicks', countText(loop.intendedTicks)),
    countText(loop.frames),
    unless(source, 'droppedTicks', countText(loop.droppedTicks)),
    countText(loop.missedFrames),
    unless(source, 'droppedTicks', shareText(loop.missedFrames + loop.droppedTicks, loop.intendedTicks)),
    fpsText(low1Percentile(loop.intervalUs)),
    fpsText(low1Integral(loop.intervalUs)),
    causesText(loop.droppedCauses),
  ]);
  const metrics = [
    ['frame time (tick to last finish)', 'frameUs'],
    ['submitting (tick to the end of submitting)', 'submittingUs'],
    ['tick error (tick to call)', 'tickErrorUs'],
    ['interval (call to call)', 'intervalUs'],
  ] as const;
  const latencies = loops.flatMap((loop) =>
    metrics.map(([words, key]): Content[] => [
      name(loop.id, loop.hz),
      words,
      ...quantileCells(loop[key], key === 'frameUs' ? loop.deadlineUs : null),
    ]),
  );
  const headers = [
    'loop',
    'deadline',
    'state',
    'ticks',
    'frames',
    'dropped',
    'late',
    'missed %',
    'low1Percentile',
    'low1Integral',
    'dropped by cause',
  ];
  return html`${table('t-loops', 'Frames by loop', headers, counts, ['state', 'dropped by cause'])}
<p class="note"><code>low1Percentile</code>: frames per second at the 99th percentile of the frame intervals. <code>low1Integral</code>: frames per second at the interval at which the intervals, summed from the longest down, reach 1 % of the total time.</p>
${table('t-loop-latency', 'Frame times by loop', ['loop', 'metric', ...QUANTILE_HEADERS], latencies, ['metric'])}`;
}

function slackText({ slackCollections }: Telemetry['workers'][number]): Content {
  if (slackCollections === undefined) return null;
  const { young, full, totalMs } = slackCollections;
  return html`<br>collected in slack time: ${countText(young)} young, ${countText(full)} full, ${durationText(totalMs * 1000)} in all`;
}

/** Placement, priority in force and signals of each worker. */
export function workerTable({ workers }: Telemetry): Markup {
  const rows = workers.map((worker): Content[] => {
    const { priority, policy, niceness, cpus, running, probes } = worker;
    return [
      html`<bdi>${worker.name}</bdi>`,
      worker.state,
      worker.lanes.join(', '),
      priority ?? 'not known',
      policy ?? 'not known',
      niceness === null ? 'not known' : `${niceness}`,
      cpus === null ? 'not known' : cpusText(cpus),
      countText(worker.jobs),
      running === null ? '–' : `${running.lane}.${running.task}, for ${durationText(running.forUs)}`,
      html`preemption: ${probeText(probes.preempted)}<br>garbage collection: ${probeText(probes.gc)}<br>CPU time: ${probeText(probes.onCpu)}${slackText(worker)}`,
    ];
  });
  const headers = [
    'worker',
    'state',
    'lanes',
    'priority in force',
    'policy',
    'niceness',
    'CPUs',
    'jobs',
    'runs',
    'signals',
  ];
  return workers.length === 0
    ? html`<p>There were no workers: jobs ran in the host's thread.</p>`
    : table(
        't-workers',
        'Placement, priority in force and signals',
        headers,
        rows,
        headers.filter((header) => header !== 'niceness' && header !== 'jobs'),
      );
}

export function environmentList({
  environment,
  toUnixMs,
  fromUs,
  toUs,
  missesOverwritten,
  framesOverwritten,
}: Telemetry): Markup {
  const rows: [string, string][] = [
    ['Runtime', environment.runtime],
    ['Platform', environment.platform],
    ['CPU', environment.cpu ?? 'not known'],
    ['Allowed CPUs', cpusText(environment.allowedCpus)],
    ['Time covered', `${durationText(toUs - fromUs)}, until ${dateText(toUnixMs)}`],
    [
      'Records overwritten',
      `${countText(missesOverwritten)} of misses, ${countText(framesOverwritten)} of frames; the counts know of all`,
    ],
  ];
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** `2026-01-15 12:00:10 UTC`. */
export function dateText(unixMs: number): string {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime())
    ? 'an unknown time'
    : date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, ' UTC');
}

function refusedText({ refused, refusals }: TaskTelemetry): string {
  const reasons = REFUSALS.filter((reason) => refusals[reason] > 0).map(
    (reason) => `${reason} ${countText(refusals[reason])}`,
  );
  return refused === 0 ? '0' : `${countText(refused)} (${reasons.join(', ')})`;
}

function probeText({ source, reason }: ProbeReport): string {
  if (source !== null) return reason === null ? source : `${source}: ${reason}`;
  return `none: ${reason ?? 'the reason is not known'}`;
}

function cpusText(cpus: readonly number[]): string {
  return cpus.length === 0 ? 'any' : cpus.join(', ');
}
