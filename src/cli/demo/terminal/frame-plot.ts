import { formatUs } from './figures.js';
import { type Line, padLeft, type Span, type Style, span } from './spans.js';

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const AXIS_CELLS = 8;
/** The deadline lies at this share of the plot's height, unless the slowest frame needs more room. */
const DEADLINE_SHARE = 0.7;
/** The plot is at most this many deadlines high: one long stall must not flatten all the rest. */
const MAX_DEADLINES = 2;

/**
 * A bar chart of frame times with the deadline as a dashed line: one cell a frame, newest on the right, green within the
 * deadline, red past it, topped by a triangle where the plot is too
 * low for it. Where there are more frames than cells the newest are shown.
 *
 * @param columns cells that a line may take; below 28 the axis is left out
 * @param rows lines, 1 or more; with 1 it is a sparkline, its bars red past the deadline
 */
export function plotFrames(frameUs: readonly number[], deadlineUs: number, columns: number, rows: number): Line[] {
  const axis = columns >= 28 ? AXIS_CELLS : 0;
  const width = Math.max(1, columns - axis - (axis > 0 ? 1 : 0));
  const shown = frameUs.slice(-width).map((us) => (Number.isFinite(us) && us > 0 ? us : 0));
  const slowest = Math.max(0, ...shown);
  const limit = deadlineUs > 0 ? deadlineUs : Math.max(1, slowest);
  const fullUs = Math.max(limit / DEADLINE_SHARE, Math.min(slowest, limit * MAX_DEADLINES));
  const eighthUs = fullUs / (rows * 8);
  const deadlineRow = Math.min(rows - 1, Math.floor(limit / (eighthUs * 8)));
  const lines: Line[] = [];
  for (let row = rows - 1; row >= 0; row--) {
    const line: Span[] = [];
    const isDeadline = row === deadlineRow && rows > 1;
    if (axis > 0) {
      const label = isDeadline ? formatUs(limit) : row === 0 ? '0' : '';
      line.push(span(padLeft(label, AXIS_CELLS), isDeadline ? 'yellow' : 'dim'), span(isDeadline ? '┤' : '│', 'dim'));
    }
    const empty = isDeadline ? '╌' : ' ';
    append(line, empty.repeat(width - shown.length), 'yellow');
    for (const us of shown) {
      // a frame that took any time at all shows
      const eighths = us > 0 ? Math.max(1, Math.round(Math.min(us, fullUs) / eighthUs)) : 0;
      const filled = Math.min(8, Math.max(0, eighths - row * 8));
      if (filled === 0) append(line, empty, 'yellow');
      else if (us > fullUs && row === rows - 1) append(line, '▲', 'red');
      else append(line, BLOCKS[filled]!, us > limit ? 'red' : us > limit * 0.8 ? 'yellow' : 'green');
    }
    lines.push(line);
  }
  return lines;
}

/** Joins neighbours of one style, so that a painted line has few escape sequences. */
function append(line: Span[], text: string, style: Style): void {
  const last = line[line.length - 1];
  if (last !== undefined && last.style === style) line[line.length - 1] = span(last.text + text, style);
  else if (text !== '') line.push(span(text, style));
}
