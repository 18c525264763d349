import { checkKeys } from '../../base/check-keys.js';
import { MISS_CAUSES } from '../../telemetry/outcomes.js';
import type { Telemetry } from '../../telemetry/telemetry-data.js';
import { type Source, WHOLE_TELEMETRY } from '../lacks.js';
import { cards } from './cards.js';
import { SCRIPT_HASH, STYLE_HASH } from './content-hashes.js';
import { framePlots, packRows, symbolDefinitions } from './frame-plot.js';
import { html, jsonForScript, trusted } from './markup.js';
import { missList } from './miss-list.js';
import { percentilePlot } from './percentile-plot.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { dateText, environmentList, latencyTable, loopTables, taskTable, workerTable } from './tables.js';
import { verdictOf } from './verdict.js';
import { CAUSE_WORDS, countText, durationText } from './words.js';

export interface HtmlReportOptions {
  /** Of the page and its tab; `Frame deadlines` if left out. */
  readonly title?: string;
  /** A sentence on where the figures come from, shown with the verdict. */
  readonly note?: string;
  /** What the telemetry was made from, if not whole telemetry: what that cannot hold is not shown as measured. */
  readonly source?: Source;
}

/** What a report begins with: by it a file is known as one. */
export const HTML_REPORT_START = '<!doctype html>\n<!-- frame-deadline report -->\n';

/** More would only be scrolled past; the counts and the frame plots know of all. */
const MAX_MISSES = 256;

/** Nothing is loaded, and only the style and script of this package run: names in the data cannot become code. */
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

/**
 * The telemetry as one HTML file that needs nothing else: verdict, frame times, latency by percentile, the last misses
 * with their segments, tables, environment. Light and dark, for screens from 360 px and for paper; without its script
 * all figures are there but the plots are not read out. Pure; takes some 10 ms for 4096 frames.
 * @throws FrameDeadlineError OPTION_INVALID for an unknown option
 */
export function htmlReport(telemetry: Telemetry, options: HtmlReportOptions = {}): string {
  checkKeys('the options of htmlReport', options, ['title', 'note', 'source']);
  const title = options.title ?? 'Frame deadlines';
  const source = options.source ?? WHOLE_TELEMETRY;
  const verdict = verdictOf(telemetry, source);
  const firstMiss = Math.max(0, telemetry.misses.length - MAX_MISSES);
  const frames = framePlots(telemetry, firstMiss);
  const percentiles = percentilePlot(telemetry);
  const data = {
    causes: MISS_CAUSES.map((cause) => CAUSE_WORDS[cause].short),
    misses: telemetry.misses.map((miss) => `${miss.lane}.${miss.task}`),
    frames: frames.map(({ rows }) => packRows(rows)),
    percentiles: percentiles.views,
  };
  const framesText =
    telemetry.framesOverwritten === 0
      ? ''
      : `The last ${countText(telemetry.frames.length)} frames; ${countText(telemetry.framesOverwritten)} before them are in the counts only.`;
  const page = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}: ${verdict.headline}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
${symbolDefinitions()}
<header>
<h1>${title}</h1>
<p class="verdict ${verdict.ok ? 'met' : 'missed'}">${verdict.headline}</p>
${verdict.details.length === 0 ? null : html`<ul>${verdict.details.map((detail) => html`<li>${detail}</li>`)}</ul>`}
${options.note === undefined ? null : html`<p><strong>Note:</strong> ${options.note}</p>`}
<p class="about">${durationText(telemetry.toUs - telemetry.fromUs)} until ${dateText(telemetry.toUnixMs)}, ${telemetry.environment.runtime} on ${telemetry.environment.platform}</p>
<nav aria-label="Sections"><a href="#frames">Frames</a><a href="#percentiles">Percentiles</a><a href="#last-misses">Misses</a><a href="#tasks">Tasks</a><a href="#loops">Loops</a><a href="#workers">Workers</a><a href="#environment">Environment</a></nav>
</header>
<main>
<section aria-label="Summary">${cards(telemetry, source)}</section>
<section aria-labelledby="frames"><h2 id="frames">Frame times</h2>
<p class="note">From the intended tick to the last finish of the frame's jobs. ${framesText}</p>
${frames.length === 0 ? html`<p>No frames were recorded.</p>` : frames.map(({ markup }) => markup)}</section>
<section aria-labelledby="percentiles"><h2 id="percentiles">Latency by percentile</h2>${percentiles.markup}</section>
<section aria-labelledby="last-misses"><h2 id="last-misses">The last misses</h2>${missList(telemetry, firstMiss)}</section>
<section aria-labelledby="tasks"><h2 id="tasks">Tasks</h2>${taskTable(telemetry, source)}${latencyTable(telemetry)}</section>
<section aria-labelledby="loops"><h2 id="loops">Loops</h2>${loopTables(telemetry, source)}</section>
<section aria-labelledby="workers"><h2 id="workers">Workers</h2>${workerTable(telemetry)}</section>
<section aria-labelledby="environment"><h2 id="environment">Environment</h2>${environmentList(telemetry)}</section>
</main>
<footer class="about">Quantiles are upper ends of histogram buckets, at most 1/128 too high. Moments count from the start of what is covered.</footer>
<script type="application/json" id="data">${jsonForScript(data)}</script>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`;
  return HTML_REPORT_START + page.text;
}
