import { formatClock, formatCount, formatCpus, formatUs, formatUsTight, sortedCauses } from './figures.js';
import { plotFrames } from './frame-plot.js';
import type { LiveLane, LiveModel } from './live-model.js';
import { dropToFit, type Section, wrap } from './sections.js';
import { cells, type Line, padLeft, padRight, paint, printable, type Span, type Style, span } from './spans.js';

export interface LiveViewOptions {
  /** Display cells that a line may take, 1 or more; made for 20 to 200. */
  readonly columns: number;
  /** Lines there is room for, 1 or more. */
  readonly rows: number;
  readonly colour: boolean;
}

const MAX_PLOT_ROWS = 8;
const LANE_STYLES: readonly Style[] = ['magenta', 'cyan', 'blue', 'green'];

/**
 * The live view as lines for a terminal: progress; a row for each lane with its rate, waiting and execution times (p50
 * and p99), time to deadline and misses by cause; the audio buffer and xruns; a plot of the last frame times against the
 * deadline; the workers with the priority in force. Narrower terminals get fewer columns, then stacked rows; where rows
 * are short the workers, causes and plot go first.
 *
 * Pure. Every line takes at most `columns` cells, and there are at most `rows` lines.
 */
export function renderLiveView(model: LiveModel, options: LiveViewOptions): string[] {
  const columns = Math.max(1, Math.floor(options.columns));
  const rows = Math.max(1, Math.floor(options.rows));
  const sections: Section[] = [
    { importance: 10, lines: [titleLine(model, columns)] },
    { importance: 1, lines: [[]] },
    ...laneSections(model, columns),
    { importance: 2, lines: [[]] },
    { importance: 8, lines: audioLines(model, columns) },
    { importance: 7, lines: framesLines(model, columns) },
  ];
  const workers: Section[] = [
    { importance: 1, lines: [[]] },
    { importance: 4, lines: workerLines(model, columns) },
  ];
  const plotRows = roomForPlot([...sections, ...workers], rows);
  if (plotRows > 0) {
    const { recentFrameUs, deadlineUs } = model.frames;
    sections.push({ importance: 6, lines: plotFrames(recentFrameUs, deadlineUs, columns, plotRows) });
  }
  return dropToFit([...sections, ...workers], rows).map((line) => paint(line, columns, options.colour));
}

/** The one line a second that goes to a file or pipe: no colours, any length. */
export function renderPlainLine(model: LiveModel): string {
  const lanes = model.lanes.map((lane) => {
    const causes = sortedCauses(lane.missCauses).map(([cause, count]) => `${printable(cause)} ${count}`);
    const missed = `${lane.misses} missed${causes.length > 0 ? ` (${causes.join(', ')})` : ''}`;
    return (
      `${printable(lane.name)} ${formatCount(lane.jobsPerSecond)}/s, waiting p99 ${formatUs(lane.waitingUsP99)}, ` +
      `execution p99 ${formatUs(lane.executionUsP99)}, ${missed}`
    );
  });
  const { audio, frames } = model;
  return [
    `${model.elapsedS.toFixed(1)} s of ${model.totalS.toFixed(1)} s`,
    ...lanes,
    `buffer ${audio.bufferFillBlocks}/${audio.bufferBlocks}, ${audio.xruns} xruns`,
    `frames ${frames.rendered}/${frames.intended}, ${frames.missed} missed`,
  ].join(' | ');
}

function titleLine(model: LiveModel, columns: number): Line {
  const clock = `${formatClock(model.elapsedS)} / ${formatClock(model.totalS)}`;
  const share = model.totalS > 0 ? Math.min(1, Math.max(0, model.elapsedS / model.totalS)) : 0;
  const title = columns >= 50 ? 'frame-deadline ' : columns >= 36 ? 'deadline ' : '';
  const room = columns - title.length - clock.length - 1;
  const spans: Span[] = [];
  if (title !== '') spans.push(span(title, 'bold'));
  if (room >= 4) {
    const size = Math.min(room, 60);
    const done = Math.round(share * size);
    spans.push(span('━'.repeat(done), 'cyan'), span('━'.repeat(size - done), 'dim'), span(' '));
  }
  spans.push(span(clock));
  return spans;
}

/** Columns of the lane table, widest terminal first; `null` figures show as a dash. */
const WIDE = [
  { title: 'jobs/s', width: 7, text: (lane: LiveLane) => formatCount(lane.jobsPerSecond) },
  { title: 'wait p50', width: 9, text: (lane: LiveLane) => formatUs(lane.waitingUsP50) },
  { title: 'p99', width: 9, text: (lane: LiveLane) => formatUs(lane.waitingUsP99) },
  { title: 'exec p50', width: 10, text: (lane: LiveLane) => formatUs(lane.executionUsP50) },
  { title: 'p99', width: 9, text: (lane: LiveLane) => formatUs(lane.executionUsP99) },
  { title: 'to deadline', width: 13, text: (lane: LiveLane) => formatUs(lane.timeToDeadlineUsP1) },
];
const MEDIUM = [
  { title: 'jobs/s', width: 7, text: (lane: LiveLane) => formatCount(lane.jobsPerSecond) },
  { title: 'wait99', width: 8, text: (lane: LiveLane) => formatUsTight(lane.waitingUsP99) },
  { title: 'exec99', width: 8, text: (lane: LiveLane) => formatUsTight(lane.executionUsP99) },
  { title: 'left', width: 8, text: (lane: LiveLane) => formatUsTight(lane.timeToDeadlineUsP1) },
];
const MISSES_CELLS = 8;

function laneSections(model: LiveModel, columns: number): Section[] {
  if (columns < 50) return model.lanes.flatMap((lane, index) => stackedLane(lane, index, columns));
  const table = columns >= 78 ? WIDE : MEDIUM;
  const tableCells = table.reduce((sum, column) => sum + column.width, 0) + MISSES_CELLS;
  const longest = Math.max(4, ...model.lanes.map((lane) => cells(printable(lane.name))));
  const nameCells = Math.min(longest + 2, Math.max(8, columns - tableCells));
  const roomForCauses = columns - nameCells - tableCells;
  const header: Span[] = [span(padRight('  lane', nameCells), 'dim')];
  for (const column of table) header.push(span(padLeft(column.title, column.width), 'dim'));
  header.push(span(padLeft('missed', MISSES_CELLS), 'dim'));
  const sections: Section[] = [{ importance: 5, lines: [header] }];
  for (const [index, lane] of model.lanes.entries()) {
    const line: Span[] = [
      span('● ', laneStyle(index)),
      span(padRight(printable(lane.name), nameCells - 2), 'bold'),
      ...table.map((column) => {
        const late = column.text(lane).startsWith('-');
        return span(padLeft(column.text(lane), column.width), late ? 'red' : 'plain');
      }),
      span(padLeft(formatCount(lane.misses), MISSES_CELLS), missStyle(lane.misses)),
    ];
    const causes = causesText(lane);
    const fitsBeside = cells(causes) + 2 <= roomForCauses;
    if (causes !== '' && fitsBeside) line.push(span(`  ${causes}`, 'yellow'));
    sections.push({ importance: 9, lines: [line] });
    if (causes !== '' && !fitsBeside) sections.push({ importance: 3, lines: [[span(`    ${causes}`, 'yellow')]] });
  }
  return sections;
}

/** For narrow terminals: a heading line and its figures below. */
function stackedLane(lane: LiveLane, index: number, columns: number): Section[] {
  const misses = lane.misses > 0 ? `✗${formatCount(lane.misses)}` : '✓';
  const rate = `${formatCount(lane.jobsPerSecond)}/s`;
  const nameCells = Math.max(1, columns - 2 - cells(rate) - 1 - cells(misses));
  const heading: Span[] = [
    span('● ', laneStyle(index)),
    span(padRight(printable(lane.name), nameCells), 'bold'),
    span(`${rate} `),
    span(misses, missStyle(lane.misses)),
  ];
  const wait = `wait ${formatUsTight(lane.waitingUsP50)}–${formatUsTight(lane.waitingUsP99)}`;
  const exec = `exec ${formatUsTight(lane.executionUsP50)}–${formatUsTight(lane.executionUsP99)}`;
  const left = `left ${formatUsTight(lane.timeToDeadlineUsP1)}`;
  const figures = wrap([wait, exec, left], ' ', columns, 2);
  const sections: Section[] = [{ importance: 9, lines: [heading] }];
  for (const text of figures) sections.push({ importance: 5, lines: [[span(text, 'dim')]] });
  const causes = causesText(lane);
  if (causes !== '') sections.push({ importance: 3, lines: [[span(`  ${causes}`, 'yellow')]] });
  return sections;
}

function audioLines(model: LiveModel, columns: number): Line[] {
  const { xruns, bufferFillBlocks, bufferBlocks } = model.audio;
  const fill = Math.max(0, Math.min(bufferFillBlocks, bufferBlocks));
  const figures = `${bufferFillBlocks}/${bufferBlocks}`;
  const xrunText = `${formatCount(xruns)} xrun${xruns === 1 ? '' : 's'}`;
  const low = bufferBlocks > 0 && fill * 4 <= bufferBlocks;
  if (columns < 36) {
    return [[span('buf '), span(figures, low ? 'yellow' : 'green'), span(` ${xrunText}`, missStyle(xruns))]];
  }
  const gauge = Math.min(bufferBlocks, columns - 28, 32);
  const full = bufferBlocks > 0 && gauge > 0 ? Math.round((fill / bufferBlocks) * gauge) : 0;
  return [
    [
      span('buffer ', 'dim'),
      span('▰'.repeat(full), low ? 'yellow' : 'green'),
      span('▱'.repeat(Math.max(0, gauge - full)), 'dim'),
      span(` ${figures}   `),
      span(xrunText, missStyle(xruns)),
    ],
  ];
}

function framesLines(model: LiveModel, columns: number): Line[] {
  const { intended, rendered, missed } = model.frames;
  const rate = `${formatCount(rendered)}/${formatCount(intended)}`;
  if (columns < 36) return [[span(`frm ${rate} `), span(`✗${formatCount(missed)}`, missStyle(missed))]];
  return [
    [span('frames ', 'dim'), span(`${rate} rendered   `), span(`${formatCount(missed)} missed`, missStyle(missed))],
  ];
}

function workerLines(model: LiveModel, columns: number): Line[] {
  if (columns < 40) {
    return model.workers.map((worker) => [
      span(printable(worker.name)),
      span(` ${printable(worker.priority)}`, 'green'),
    ]);
  }
  const texts = model.workers.map(
    (worker) => `${printable(worker.name)} ${printable(worker.priority)}, cpu ${formatCpus(worker.cpus)}`,
  );
  const label = 'workers ';
  return wrap(texts, ' · ', columns - label.length, 0).map((text, index) => [
    span(index === 0 ? label : ' '.repeat(label.length), 'dim'),
    span(text),
  ]);
}

function causesText(lane: LiveLane): string {
  return sortedCauses(lane.missCauses)
    .map(([cause, count]) => `${printable(cause)} ${formatCount(count)}`)
    .join(' ');
}

function laneStyle(index: number): Style {
  return LANE_STYLES[index % LANE_STYLES.length]!;
}

function missStyle(misses: number): Style {
  return misses > 0 ? 'red' : 'green';
}

function roomForPlot(sections: readonly Section[], rows: number): number {
  // what is less important than the plot makes way until there are two rows for it
  const kept = sections.reduce((sum, section) => sum + (section.importance > 6 ? section.lines.length : 0), 0);
  const all = sections.reduce((sum, section) => sum + section.lines.length, 0);
  return Math.min(MAX_PLOT_ROWS, Math.max(rows - all, Math.min(3, rows - kept)));
}
