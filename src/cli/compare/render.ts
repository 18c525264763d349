import type { ComparedFigure, ComparedPart, Comparison, Finding } from '../../report/compare/compare.js';
import { formatUs } from '../demo/terminal/figures.js';
import { type Line, padLeft, padRight, printable, type Style, span } from '../demo/terminal/spans.js';
import { wrap } from '../doctor/text/wrap.js';

const METRIC_WIDTH = 22;
const FIGURE_WIDTH = 10;
const CHANGE_WIDTH = 11;

/** Shown though they do not differ: what one looks for first. */
const ALWAYS: ReadonlySet<string> = new Set([
  'missed',
  'low1Percentile',
  'low1Integral',
  'frameUs p50',
  'frameUs p99',
  'responseUs p50',
  'responseUs p99',
]);

/** A mark and a word, so that it can be told without colours. */
const FINDINGS: Readonly<Record<Finding, { text: string; style: Style }>> = {
  better: { text: '+ better', style: 'green' },
  worse: { text: '! worse', style: 'red' },
  same: { text: '= no difference', style: 'dim' },
  unclear: { text: '? too few values', style: 'yellow' },
  unmarked: { text: '', style: 'plain' },
  incomparable: { text: '– not comparable', style: 'dim' },
};

/** The comparison as lines of at most `columns` cells, 60 or more. */
export function renderComparison(
  comparison: Comparison,
  names: { a: string; b: string },
  columns: number,
  all: boolean,
): Line[] {
  const { better, worse, conditions, unknownInA, unknownInB, onlyInA, onlyInB, parts, rule } = comparison;
  const verdict =
    better + worse === 0 ? 'No difference that matters.' : `B against A: ${worse} worse, ${better} better.`;
  const lines: Line[] = [
    [span('A  ', 'bold'), span(printable(names.a))],
    [span('B  ', 'bold'), span(printable(names.b))],
    [],
    [span(verdict, 'bold')],
  ];
  if (conditions.length > 0) {
    lines.push([], [span('Not the same conditions:', 'yellow')]);
    for (const { what, a, b } of conditions) lines.push(...text(`  ${what}: ${a} in A, ${b} in B`, columns));
  }
  if (unknownInA.length > 0) lines.push(...text(`Not known in A: ${unknownInA.join(', ')}`, columns));
  if (unknownInB.length > 0) lines.push(...text(`Not known in B: ${unknownInB.join(', ')}`, columns));
  if (onlyInA.length > 0) lines.push(...text(`Only in A: ${onlyInA.join(', ')}`, columns));
  if (onlyInB.length > 0) lines.push(...text(`Only in B: ${onlyInB.join(', ')}`, columns));
  for (const part of parts) lines.push(...partLines(part, all));
  lines.push([], ...wrap(rule, columns).map((words): Line => [span(words, 'dim')]));
  return lines;
}

function partLines({ kind, name, figures }: ComparedPart, all: boolean): Line[] {
  const shown = figures.filter(
    ({ metric, finding }) => all || ALWAYS.has(metric) || finding === 'better' || finding === 'worse',
  );
  const head = `${padRight('', METRIC_WIDTH)}${padLeft('A', FIGURE_WIDTH)}${padLeft('B', FIGURE_WIDTH)}${padLeft('change', CHANGE_WIDTH)}`;
  return [[], [span(`${kind} ${printable(name)}`, 'bold')], [span(head, 'dim')], ...shown.map(figureLine)];
}

function figureLine(figure: ComparedFigure): Line {
  const { text: word, style } = FINDINGS[figure.finding];
  const figures = [figure.a, figure.b].map((value) => padLeft(valueText(value, figure.unit), FIGURE_WIDTH)).join('');
  return [
    span(padRight(figure.metric, METRIC_WIDTH)),
    span(figures),
    span(padLeft(changeText(figure), CHANGE_WIDTH)),
    span(`  ${word}`, style),
  ];
}

function valueText(value: number | null, unit: ComparedFigure['unit']): string {
  if (value === null) return '–';
  if (unit === 'us') return formatUs(value);
  if (unit === 'fps') return `${value.toFixed(1)} fps`;
  return `${(100 * value).toFixed(value > 0 && value < 0.001 ? 3 : 2)} %`;
}

/** Of shares in percentage points, of the others in percent. */
function changeText({ a, b, unit }: ComparedFigure): string {
  if (a === null || b === null || a === b) return '';
  const sign = b > a ? '+' : '-';
  if (unit === 'share') return `${sign}${Math.abs(100 * (b - a)).toFixed(2)} pp`;
  if (a === 0) return '';
  const percent = Math.abs((100 * (b - a)) / a);
  return percent >= 1000 ? `x${(b / a).toFixed(0)}` : `${sign}${percent.toFixed(percent < 9.95 ? 1 : 0)} %`;
}

function text(words: string, columns: number): Line[] {
  return wrap(printable(words), columns).map((part): Line => [span(part)]);
}
