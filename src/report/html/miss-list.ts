import { MISS_CAUSES } from '../../telemetry/outcomes.js';
import type { Miss, Telemetry, WorkerTelemetry } from '../../telemetry/telemetry-data.js';
import { symbol } from './frame-plot.js';
import { type Content, html, type Markup } from './markup.js';
import { causeTotals } from './verdict.js';
import { CAUSE_WORDS, causesText, countText, culpritName, durationText, OUTCOME_WORDS, SEGMENTS } from './words.js';

const BAR_UNITS = 100;

/** The kept misses from number `first`, newest first, each to be opened into its segments. */
export function missList(telemetry: Telemetry, first: number): Markup {
  const { missesOverwritten } = telemetry;
  const misses = telemetry.misses.slice(first);
  if (misses.length === 0) {
    return html`<p>${missesOverwritten === 0 ? 'No deadline was missed.' : 'The records of the misses were overwritten before they were read.'}</p>`;
  }
  const workers = new Map(telemetry.workers.map((worker) => [worker.name, worker]));
  const causes = MISS_CAUSES.filter((cause) => misses.some((miss) => miss.cause === cause));
  const totals = causeTotals(telemetry);
  const older = first + missesOverwritten;
  const before = older === 0 ? '' : ` ${countText(older)} before them are in the counts only.`;
  return html`<p>The last ${countText(misses.length)} misses, newest first.${before} All misses by cause: ${causesText(totals)}.</p>
<div class="tools"><label>Cause <select id="miss-filter"><option value="">all</option>${causes.map((cause) => html`<option value="${cause}">${CAUSE_WORDS[cause].short}</option>`)}</select></label><button type="button" id="open-all">Open all</button><button type="button" id="close-all">Close all</button></div>
<div id="misses">${misses.map((miss, index) => missItem(miss, first + index, telemetry.fromUs, workers)).reverse()}</div>`;
}

function missItem(miss: Miss, index: number, fromUs: number, workers: ReadonlyMap<string, WorkerTelemetry>): Markup {
  const { lane, task, cause, culprit, tardinessUs, frame, periods, finishAtUs } = miss;
  const late = miss.startAtUs === null && tardinessUs <= 0 ? miss.outcome : `${durationText(tardinessUs)} late`;
  return html`<details class="miss" id="m${index}"><summary>${symbol(cause)}<b>${CAUSE_WORDS[cause].short}</b> <bdi>${lane}.${task}</bdi> <span class="late">${late}</span>${
    culprit === null ? null : html` <span class="behind">behind <bdi>${culpritName(culprit)}</bdi></span>`
  } <small>${frame === null ? null : `frame ${frame}, `}${seconds(finishAtUs - fromUs)}${periods > 1 ? `, ${periods} periods` : null}</small></summary>
${bar(miss)}<dl class="segments">${segmentRows(miss, workers)}</dl><p>${facts(miss, fromUs)}</p></details>
`;
}

/** The segments end to end, as wide as they were long. */
function bar({ segments }: Miss): Markup {
  const known = SEGMENTS.map(({ key, cause }) => ({ cause, us: Math.max(0, segments[key] ?? 0) })).filter(
    ({ us }) => us > 0,
  );
  const total = known.reduce((sum, { us }) => sum + us, 0);
  let x = 0;
  const rects = known.map(({ cause, us }) => {
    const width = Number(((BAR_UNITS * us) / total).toFixed(2));
    const rect = html`<rect class="c-${cause}" x="${Number(x.toFixed(2))}" width="${width}" height="9"/>`;
    x += width;
    return rect;
  });
  return html`<svg class="bar" viewBox="0 0 ${BAR_UNITS} 9" preserveAspectRatio="none">${rects}</svg>`;
}

function segmentRows({ segments, worker }: Miss, workers: ReadonlyMap<string, WorkerTelemetry>): Markup[] {
  const probes = worker === null ? undefined : workers.get(worker)?.probes;
  const reasons = { gcUs: probes?.gc.reason, preemptedUs: probes?.preempted.reason, onCpuUs: probes?.onCpu.reason };
  const known = SEGMENTS.filter(({ key }) => (segments[key] ?? 0) !== 0);
  const rows = known.map(
    ({ key, name, cause }) => html`<dt class="c-${cause}">${name}<dd>${durationText(segments[key])}`,
  );
  const missing = new Map<string, string[]>();
  for (const { key, name } of SEGMENTS) {
    if (segments[key] !== null) continue;
    const reason = reasons[key as keyof typeof reasons] ?? 'the reason is not known';
    missing.set(reason, [...(missing.get(reason) ?? []), name]);
  }
  for (const [reason, names] of missing)
    rows.push(html`<dt class="no">${names.join(', ')}<dd>no signal here: ${reason}`);
  return rows;
}

/** Moments as distances from the release: that is what the deadline is held against. */
function moments({ releaseAtUs, submitAtUs, startAtUs, finishAtUs, deadlineAtUs }: Miss, fromUs: number): Content {
  const after = (us: number) =>
    us < releaseAtUs ? durationText(us - releaseAtUs) : `+${durationText(us - releaseAtUs)}`;
  const started = startAtUs === null ? 'not started' : `started ${after(startAtUs)}`;
  const ended = `finished ${after(finishAtUs)}, deadline ${after(deadlineAtUs)}`;
  return `Released ${seconds(releaseAtUs - fromUs)}, submitted ${after(submitAtUs)}, ${started}, ${ended}`;
}

function facts(miss: Miss, fromUs: number): Content[] {
  const { culprit, causes, flags, lateSubmitUs } = miss;
  const job = miss.job === null ? '' : `, job ${miss.job}`;
  const worker = miss.worker === null ? '' : ` on ${miss.worker}`;
  const lines: Content[] = [`Ended ${OUTCOME_WORDS[miss.outcome]}${job}${worker}`, moments(miss, fromUs)];
  if (culprit !== null) {
    const itsJob = culprit.job === null ? '' : `, job ${culprit.job}`;
    const frame = culprit.frame === null ? '' : `, frame ${culprit.frame}`;
    lines.push(`In the way: ${culpritName(culprit)}${itsJob}${frame}, for ${durationText(culprit.executionUs)}`);
  }
  const others = causes.filter((cause) => cause !== miss.cause).map((cause) => CAUSE_WORDS[cause].short);
  if (others.length > 0) lines.push(`Contributed: ${others.join(', ')}`);
  if (lateSubmitUs > 0) lines.push(`Submitted too late by ${durationText(lateSubmitUs)}`);
  if (flags.length > 0) lines.push(flags.map(flagText).join('; '));
  return lines.map((line, n) => html`${n === 0 ? null : html`<br>`}${line}`);
}

function flagText(flag: string): string {
  if (flag === 'backlog') return 'backlog: the job of the frame before was still running';
  return flag === 'debugger' ? 'debugger: one was attached' : flag;
}

function seconds(us: number): string {
  return `${(us / 1e6).toFixed(4)} s`;
}
