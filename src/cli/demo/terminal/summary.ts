import { formatCount, formatCpus, formatUs, sortedCauses } from './figures.js';
import { cells, padLeft, padRight, paint, printable, type Span, type Style, span } from './spans.js';

/** Microseconds; null where nothing was recorded. */
export interface SummaryDistribution {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface SummaryLane {
  readonly accepted: number;
  readonly refused: number;
  readonly misses: number;
  readonly missCauses: Readonly<Record<string, number>>;
  readonly deadlineMs: number;
  readonly queueingUs: SummaryDistribution;
  readonly executionUs: SummaryDistribution;
  readonly responseUs: SummaryDistribution;
  readonly tardinessUs: SummaryDistribution;
}

/** What the summary reads of the demo's report (the object that `--json` prints). */
export interface SummaryReport {
  readonly interrupted: boolean;
  readonly durationS: number;
  readonly lanes: Readonly<Record<string, SummaryLane>>;
  readonly frames: {
    readonly intended: number;
    readonly rendered: number;
    readonly missed: number;
    readonly droppedTicks: number;
  };
  readonly audio: {
    readonly file: string | null;
    readonly sampleRateHz: number;
    readonly channels: number;
    readonly blocks: number;
    readonly xruns: number;
    readonly identicalToOffline: boolean | null;
  };
  readonly input: { readonly events: number; readonly applied: number; readonly latencyUs: SummaryDistribution };
  readonly workers: readonly {
    readonly name: string;
    readonly lanes: readonly string[];
    readonly cpus: readonly number[];
    readonly priority: { readonly effective: string; readonly reason?: string | null };
  }[];
  readonly files: Readonly<Record<string, string | null>>;
}

interface Column {
  readonly title: string;
  readonly text: (lane: SummaryLane) => string;
  /** The least important goes first where the terminal is narrow. */
  readonly importance: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'jobs', importance: 5, text: (lane) => formatCount(lane.accepted) },
  { title: 'missed', importance: 9, text: (lane) => formatCount(lane.misses) },
  { title: 'deadline', importance: 2, text: (lane) => formatUs(lane.deadlineMs * 1000) },
  { title: 'queueing p99', importance: 3, text: (lane) => formatUs(lane.queueingUs.p99) },
  { title: 'execution p99', importance: 4, text: (lane) => formatUs(lane.executionUs.p99) },
  { title: 'response p50', importance: 1, text: (lane) => formatUs(lane.responseUs.p50) },
  { title: 'response p99', importance: 8, text: (lane) => formatUs(lane.responseUs.p99) },
  { title: 'latest', importance: 6, text: (lane) => (lane.misses > 0 ? formatUs(lane.tardinessUs.max) : '–') },
];
const GAP = 2;
const LABEL_CELLS = 9;

/**
 * The summary at the end of a run: the verdict, a table of the lanes, what was missed and why, sound, picture, input,
 * workers and the files written. Pure. Lines take at most `columns` cells (20 or more), except that a path is never
 * cut or broken, so that it can be copied.
 */
export function renderSummary(report: SummaryReport, columns: number, colour = false): string[] {
  const width = Math.max(20, Math.floor(columns));
  const lanes = Object.entries(report.lanes);
  const misses = lanes.reduce((sum, [, lane]) => sum + lane.misses, 0);
  const lines: string[] = [];
  const ran = `Ran ${report.durationS.toFixed(1)} s${report.interrupted ? ', interrupted' : ''}:`;
  const verdict = misses === 0 ? 'every deadline held' : `${misses} deadline${misses === 1 ? '' : 's'} missed`;
  // an offline rendering has no jobs
  const isLive = lanes.some(([, lane]) => lane.accepted > 0);
  const heading = isLive ? `${ran} ${verdict}` : `${ran} no jobs, sound rendered offline`;
  for (const text of wrapWords(heading, width)) {
    lines.push(paint([span(text, misses === 0 ? 'green' : 'yellow')], width, colour));
  }
  lines.push('', ...laneTable(lanes, width, colour), '');

  const field = (label: string, text: string, style: Style = 'plain'): void => {
    const indent = width >= 40 ? LABEL_CELLS : 2;
    const texts = wrapWords(text, width - indent);
    if (indent === 2) lines.push(paint([span(label, 'dim')], width, colour));
    for (const [index, part] of texts.entries()) {
      const head = indent === 2 ? '  ' : padRight(index === 0 ? label : '', indent);
      lines.push(paint([span(head, 'dim'), span(part, style)], width, colour));
    }
  };
  for (const [name, lane] of lanes) {
    const causes = sortedCauses(lane.missCauses).map(([cause, count]) => `${printable(cause)} ${count}`);
    if (causes.length > 0) field('missed', `${printable(name)}: ${causes.join(', ')}`, 'yellow');
    if (lane.refused > 0) field('refused', `${printable(name)}: ${lane.refused}`, 'yellow');
  }
  const { audio, frames, input } = report;
  const sameness =
    audio.identicalToOffline === null
      ? audio.xruns > 0
        ? ', not compared with the offline render (xruns)'
        : ''
      : audio.identicalToOffline
        ? ', bit-identical to the offline render'
        : ', DIFFERS from the offline render';
  field(
    'audio',
    `${audio.file === null ? 'generated music' : printable(audio.file)}, ${audio.sampleRateHz / 1000} kHz, ` +
      `${audio.channels} channel${audio.channels === 1 ? '' : 's'}, ${audio.blocks} blocks, ` +
      `${audio.xruns} xrun${audio.xruns === 1 ? '' : 's'}${sameness}`,
    audio.xruns > 0 || audio.identicalToOffline === false ? 'yellow' : 'plain',
  );
  field(
    'picture',
    `${frames.rendered} of ${frames.intended} frames rendered, ${frames.missed} missed, ${frames.droppedTicks} of them dropped ticks`,
    frames.missed > 0 ? 'yellow' : 'plain',
  );
  field(
    'input',
    `${input.applied} of ${input.events} events applied, event to picture p50 ${formatUs(input.latencyUs.p50)}, ` +
      `p99 ${formatUs(input.latencyUs.p99)}`,
  );
  for (const worker of report.workers) {
    const reason = worker.priority.reason ? ` (${printable(worker.priority.reason)})` : '';
    field(
      'worker',
      `${printable(worker.name)}: ${worker.lanes.map(printable).join(', ')}; priority ` +
        `${printable(worker.priority.effective)}${reason}; cpu ${formatCpus(worker.cpus)}`,
    );
  }
  for (const [kind, path] of Object.entries(report.files)) {
    if (path === null) continue;
    const label = width >= 40 ? padRight(printable(kind), LABEL_CELLS) : '  ';
    if (width < 40) lines.push(paint([span(printable(kind), 'dim')], width, colour));
    // not wrapped or cut, see above
    lines.push(paint([span(label, 'dim'), span(printable(path), 'cyan')], Number.POSITIVE_INFINITY, colour));
  }
  return lines;
}

function laneTable(lanes: readonly (readonly [string, SummaryLane])[], width: number, colour: boolean): string[] {
  const names = lanes.map(([name]) => printable(name));
  const rows = lanes.map(([, lane]) => COLUMNS.map((column) => column.text(lane)));
  const sizes = COLUMNS.map((column, i) => Math.max(cells(column.title), ...rows.map((row) => cells(row[i]!))));
  let shown = COLUMNS.map((_, i) => i);
  const nameCells = Math.min(Math.max(4, ...names.map(cells)), Math.max(4, width - 10));
  const total = (): number => nameCells + shown.reduce((sum, i) => sum + GAP + sizes[i]!, 0);
  while (shown.length > 1 && total() > width) {
    const least = shown.reduce((a, b) => (COLUMNS[b]!.importance < COLUMNS[a]!.importance ? b : a));
    shown = shown.filter((i) => i !== least);
  }
  const header = [span(padRight('lane', nameCells), 'dim')];
  for (const i of shown) header.push(span(padLeft(COLUMNS[i]!.title, sizes[i]! + GAP), 'dim'));
  const lines = [paint(header, width, colour)];
  for (const [row, [, lane]] of lanes.entries()) {
    const line: Span[] = [span(padRight(names[row]!, nameCells), 'bold')];
    for (const i of shown) {
      const isMisses = COLUMNS[i]!.title === 'missed';
      const style: Style = isMisses ? (lane.misses > 0 ? 'red' : 'green') : 'plain';
      line.push(span(padLeft(rows[row]![i]!, sizes[i]! + GAP), style));
    }
    lines.push(paint(line, width, colour));
  }
  return lines;
}

/** Breaks at spaces, but not between a figure and its unit; a word longer than a line is broken where the line ends. */
function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  const glued = text.replace(/(\d) (µs|ms|s|kHz)\b/g, '$1\u00a0$2');
  for (const word of glued.split(' ')) {
    let rest = word.replaceAll('\u00a0', ' ');
    const joined = line === '' ? rest : `${line} ${rest}`;
    if (cells(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    while (cells(rest) > width) {
      let head = '';
      for (const character of rest) {
        if (cells(head + character) > width) break;
        head += character;
      }
      // a character wider than the line: take it all the same, or this would not end
      if (head === '') head = [...rest][0]!;
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
  }
  if (line !== '') lines.push(line);
  return lines;
}
