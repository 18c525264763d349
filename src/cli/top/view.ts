import {
  formatClock,
  formatCount,
  formatCpus,
  formatUs,
  formatUsTight,
  sortedCauses,
} from '../demo/terminal/figures.js';
import type { Canvas } from '../demo/terminal/painter.js';
import { dropToFit, type Section, wrap } from '../demo/terminal/sections.js';
import {
  cells,
  type Line,
  padLeft,
  padRight,
  paint,
  printable,
  type Span,
  type Style,
  span,
} from '../demo/terminal/spans.js';
import type { TopLane, TopLoop, TopModel, TopRow, TopWorker } from './model.js';

/** What the user has chosen. */
export interface TopState {
  readonly isPaused: boolean;
  /** Index of the lane whose tasks are shown, or null. */
  readonly selected: number | null;
  /** What the last key did, or null. */
  readonly message: string | null;
  readonly everyMs: number;
}

interface Column {
  readonly title: string;
  readonly width: number;
  /** Where columns are short, those with the lowest go first. */
  readonly importance: number;
  text(row: TopRow): string;
  style?(row: TopRow): Style;
}

const isLane = (row: TopRow): row is TopLane => 'met' in row;
const MIN_NAME_CELLS = 6;
const MAX_NAME_CELLS = 24;
const INDENT = 2;

// in the order in which they stand
const COLUMNS: readonly Column[] = [
  { title: 'jobs/s', width: 7, importance: 7, text: (row) => formatCount(row.jobsPerSecond) },
  {
    title: 'waiting',
    width: 8,
    importance: 6,
    text: (row) => shareText(row.waitingShare),
    style: (row) => shareStyle(row.waitingShare),
  },
  {
    title: 'busy',
    width: 6,
    importance: 8,
    text: (row) => shareText(row.busyShare),
    style: (row) => shareStyle(row.busyShare),
  },
  {
    title: 'of',
    width: 8,
    importance: 2,
    text: (row) => (isLane(row) ? (row.periodUs === null ? 'time' : formatUsTight(row.periodUs)) : ''),
  },
  { title: 'p50', width: 8, importance: 3, text: (row) => formatUsTight(row.responseUsP50) },
  { title: 'p99', width: 8, importance: 9, text: (row) => formatUsTight(row.responseUsP99), style: responseStyle },
  { title: 'deadline', width: 9, importance: 4, text: (row) => formatUsTight(row.deadlineUs) },
  {
    title: 'missed',
    width: 7,
    importance: 10,
    text: (row) => formatCount(row.misses),
    style: (row) => missStyle(row.misses),
  },
  {
    title: 'total',
    width: 7,
    importance: 5,
    text: (row) => formatCount(row.missesTotal),
    style: (row) => (row.missesTotal > 0 ? 'yellow' : 'plain'),
  },
  { title: 'run', width: 5, importance: 2.5, text: (row) => (isLane(row) ? formatCount(row.longestMissRun) : '') },
  { title: 'met', width: 8, importance: 3.5, text: (row) => (isLane(row) ? `${row.met}/${row.of}` : '') },
  {
    title: 'xruns',
    width: 6,
    importance: 4.5,
    text: (row) => (isLane(row) && row.xrunsTotal !== null ? formatCount(row.xrunsTotal) : ''),
    style: (row) => (isLane(row) && (row.xruns ?? 0) > 0 ? 'red' : 'plain'),
  },
  { title: 'refused', width: 8, importance: 1, text: (row) => formatCount(row.refused) },
];

/**
 * The picture of `top`. Narrower terminals get fewer columns; where rows are short, tasks, causes and keys go first.
 * Pure. Every line takes at most `columns` cells, and there are at most `rows` lines.
 */
export function renderTop(model: TopModel | null, title: string, state: TopState, canvas: Canvas): string[] {
  const columns = Math.max(1, Math.floor(canvas.columns));
  const rows = Math.max(1, Math.floor(canvas.rows));
  const sections: Section[] = [{ importance: 10, lines: [titleLine(model, title, state)] }];
  if (model === null) {
    sections.push({ importance: 9, lines: [[span(`the first interval takes ${state.everyMs / 1000} s`, 'dim')]] });
  } else {
    sections.push({ importance: 1, lines: [[]] }, ...laneSections(model, state, columns));
    sections.push({ importance: 1, lines: [[]] });
    for (const loop of model.loops) {
      loopLines(loop, columns).forEach((line, i) => {
        sections.push({ importance: i === 0 ? 7 : 3, lines: [line] });
      });
    }
    if (model.streams.length > 0) {
      const texts = model.streams.map(({ name, xrunsTotal }) => `${printable(name)} ${formatCount(xrunsTotal)}`);
      sections.push({ importance: 4, lines: [[span('xruns of streams ', 'dim'), span(texts.join(', '))]] });
    }
    sections.push({
      importance: 5,
      lines: model.workers.map((worker) => workerLine(worker, nameCellsOf(model), columns)),
    });
    if (model.lastMiss !== null) {
      const lines = wrapWords(`last miss: ${printable(model.lastMiss.words)}`, columns).slice(0, 3);
      sections.push({ importance: 6, lines: lines.map((text) => [span(text, 'yellow')]) });
    }
  }
  if (state.message !== null) sections.push({ importance: 9, lines: [[span(printable(state.message), 'cyan')]] });
  sections.push({ importance: 2, lines: [[span('p pause  t trace  r report  tab lane  q quit', 'dim')]] });
  return dropToFit(sections, rows).map((line) => paint(line, columns, canvas.colour));
}

/** One interval as lines of text, of any length, without colours: for files and pipes. */
export function renderPlain(model: TopModel): string[] {
  const { process, lanes, loops, workers, lastMiss } = model;
  const lines = [
    `${new Date(model.atUnixMs).toISOString()} ${printable(process.name)} (pid ${process.pid}), up ${formatClock(model.uptimeUs / 1e6)}`,
  ];
  for (const lane of lanes) {
    const causes = causesText(lane.missCauses);
    lines.push(
      [
        `  lane ${printable(lane.name)}: ${formatCount(lane.jobsPerSecond)} jobs/s`,
        lane.periodUs === null
          ? `waiting ${shareText(lane.waitingShare)} of the deadline, busy ${shareText(lane.busyShare)} of the interval`
          : `waiting ${shareText(lane.waitingShare)}, busy ${shareText(lane.busyShare)} of ${formatUs(lane.periodUs)}`,
        `response p50 ${formatUs(lane.responseUsP50)}, p99 ${formatUs(lane.responseUsP99)} of ${formatUs(lane.deadlineUs)}`,
        `${lane.misses} missed${causes === '' ? '' : ` (${causes})`}, ${lane.missesTotal} in all, longest run ${lane.longestMissRun}, met ${lane.met} of the last ${lane.of}`,
        ...(lane.xrunsTotal === null ? [] : [`${lane.xrunsTotal} xruns`]),
      ].join('; '),
    );
  }
  for (const loop of loops) lines.push(`  ${loopText(loop).join('; ')}`);
  for (const { name, xrunsTotal } of model.streams) lines.push(`  stream ${printable(name)}: ${xrunsTotal} xruns`);
  for (const worker of workers) lines.push(`  worker ${printable(worker.name)}: ${workerTexts(worker).join(', ')}`);
  if (lastMiss !== null) lines.push(`  last miss: ${printable(lastMiss.words)}`);
  return lines;
}

function titleLine(model: TopModel | null, title: string, { isPaused, everyMs }: TopState): Line {
  const since = model === null ? '' : `  up ${formatClock(model.uptimeUs / 1e6)}`;
  const every = `  every ${everyMs / 1000} s`;
  const line: Span[] = [span(printable(title), 'bold')];
  if (isPaused) line.push(span('  paused', 'yellow'));
  line.push(span(since), span(every, 'dim'));
  return line;
}

function nameCellsOf(model: TopModel): number {
  const tasks = model.lanes.flatMap((lane) => lane.tasks);
  const names = [...model.lanes, ...model.workers].map(({ name }) => cells(printable(name)) + INDENT);
  // a task stands one further in than its lane, so that choosing a lane moves nothing
  names.push(...tasks.map(({ name }) => cells(printable(name)) + INDENT + 1));
  return Math.min(MAX_NAME_CELLS, Math.max(MIN_NAME_CELLS, ...names));
}

function laneSections(model: TopModel, state: TopState, columns: number): Section[] {
  const nameCells = Math.min(nameCellsOf(model), Math.max(MIN_NAME_CELLS, columns - 7));
  const shown = columnsFor(
    columns - nameCells,
    model.lanes.some((lane) => lane.xrunsTotal !== null),
  );
  const header: Span[] = [span(padRight('  lane', nameCells), 'dim')];
  for (const { title, width } of shown) header.push(span(padLeft(title, width), 'dim'));
  const sections: Section[] = [{ importance: 5, lines: [header] }];
  model.lanes.forEach((lane, index) => {
    const isSelected = state.selected === index;
    sections.push({ importance: 9, lines: [rowLine(lane, isSelected ? '> ' : '  ', nameCells, shown, 'bold')] });
    const causes = causeTexts(lane.misses > 0 ? lane.missCauses : lane.missCausesTotal);
    if (causes.length > 0) {
      causes[0] = `${lane.misses > 0 ? 'missed by' : 'so far'} ${causes[0]}`;
      sections.push({
        importance: 4,
        lines: wrap(causes, ', ', columns, 4).map((text) => [span(text, lane.misses > 0 ? 'yellow' : 'dim')]),
      });
    }
    if (!isSelected) return;
    for (const task of lane.tasks)
      sections.push({ importance: 8, lines: [rowLine(task, '   ', nameCells, shown, 'plain')] });
  });
  return sections;
}

function columnsFor(room: number, hasXruns: boolean): readonly Column[] {
  const shown = COLUMNS.filter((column) => hasXruns || column.title !== 'xruns');
  let width = shown.reduce((sum, column) => sum + column.width, 0);
  while (width > room && shown.length > 1) {
    let least = 0;
    for (let i = 1; i < shown.length; i++) if (shown[i]!.importance < shown[least]!.importance) least = i;
    width -= shown[least]!.width;
    shown.splice(least, 1);
  }
  return shown;
}

function rowLine(row: TopRow, mark: string, nameCells: number, shown: readonly Column[], nameStyle: Style): Line {
  const line: Span[] = [span(mark, 'cyan'), span(padRight(printable(row.name), nameCells - mark.length), nameStyle)];
  for (const column of shown) line.push(span(padLeft(column.text(row), column.width), column.style?.(row) ?? 'plain'));
  return line;
}

function loopLines(loop: TopLoop, columns: number): Line[] {
  const isBad = loop.droppedTicks > 0 || loop.silentUs > 0;
  return wrap(loopText(loop), ', ', columns, INDENT).map((text) => [span(text, isBad ? 'red' : 'plain')]);
}

function loopText(loop: TopLoop): string[] {
  const { hz, framesPerSecond, droppedTicks, droppedTicksTotal, lateFrames, silentUs } = loop;
  const name = `main thread, loop ${loop.id} of ${Number(hz.toFixed(2))} Hz`;
  if (!loop.running) return [`${name}: ended`];
  const causes = causesText(loop.droppedCauses);
  return [
    `${name}: ${framesPerSecond.toFixed(1)} frames/s`,
    `${droppedTicks} dropped${causes === '' ? '' : ` (${causes})`} (${droppedTicksTotal} in all)`,
    `${lateFrames} late`,
    `tick error p50 ${formatUs(loop.tickErrorUsP50)} p99 ${formatUs(loop.tickErrorUsP99)}`,
    ...(loop.longestGapUs === null ? [] : [`longest gap ${formatUs(loop.longestGapUs)}`]),
    ...(silentUs > 0 ? [`held up: no frame for ${formatUs(silentUs)}`] : []),
  ];
}

function workerLine(worker: TopWorker, nameCells: number, columns: number): Line {
  const texts = workerTexts(worker);
  const style: Style = worker.state === 'serving' ? 'plain' : 'red';
  const room = Math.max(1, columns - nameCells);
  return [
    span(padRight(`  ${printable(worker.name)}`, nameCells), 'dim'),
    span(` ${texts.join(', ')}`.slice(0, room * 2), style),
  ];
}

function workerTexts({ state, priority, policy, niceness, cpus, lanes, running }: TopWorker): string[] {
  const inForce = priority === null ? 'priority unknown' : printable(priority);
  // the ordinary policy and the flag that children do not inherit it say nothing to the reader
  const policies = (policy ?? '').split('|').map((name) => printable(name).replace(/^SCHED_/, ''));
  const special = policies.filter((name) => name !== '' && name !== 'OTHER' && name !== 'RESET_ON_FORK').join(' ');
  const how = [special, niceness === null || niceness === 0 ? '' : `nice ${niceness}`].filter(
    (text) => !inForce.includes(text.split(' ').at(-1)!),
  );
  return [
    ...(state === 'serving' ? [] : [state]),
    how.length === 0 ? inForce : `${inForce} (${how.join(', ')})`,
    `cpu ${cpus === null ? 'any' : formatCpus(cpus)}`,
    `serves ${lanes.map(printable).join(' ')}`,
    ...(running === null
      ? []
      : [`runs ${printable(running.lane)}.${printable(running.task)} for ${formatUs(running.forUs)}`]),
  ];
}

function causeTexts(causes: Readonly<Record<string, number>>): string[] {
  return sortedCauses(causes).map(([cause, count]) => `${printable(cause)} ${formatCount(count)}`);
}

function causesText(causes: Readonly<Record<string, number>>): string {
  return causeTexts(causes).join(', ');
}

/** `12%`, `0.4%`, `–`. */
function shareText(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '–';
  const percent = share * 100;
  if (percent > 9999) return '>9999%';
  return percent > 0 && percent < 9.95 ? `${percent.toFixed(1)}%` : `${Math.round(percent)}%`;
}

function shareStyle(share: number | null): Style {
  if (share === null || share < 0.8) return 'plain';
  return share < 1 ? 'yellow' : 'red';
}

function responseStyle({ responseUsP99, deadlineUs }: TopRow): Style {
  if (responseUsP99 === null) return 'plain';
  if (responseUsP99 > deadlineUs) return 'red';
  return responseUsP99 > 0.8 * deadlineUs ? 'yellow' : 'green';
}

function missStyle(misses: number): Style {
  return misses > 0 ? 'red' : 'green';
}

function wrapWords(text: string, columns: number): string[] {
  return wrap(text.split(' '), ' ', columns, 0);
}
