import { formatUs } from '../../demo/terminal/figures.js';
import { type Line, padLeft, padRight, paint, printable, type Style, span } from '../../demo/terminal/spans.js';
import type { Status } from '../advice/findings.js';
import type { PhaseResult } from '../measure/phase.js';
import type { Verdict } from '../measure/verdict.js';
import type { DoctorReport, LevelReport } from '../report.js';
import { wrap } from './wrap.js';

const LEVEL_WIDTH = 9;
const LOAD_WIDTH = 6;
const FIGURE_WIDTH = 8;
const MISSED_WIDTH = 8;
const TABLE_WIDTH = LEVEL_WIDTH + LOAD_WIDTH + 2 * FIGURE_WIDTH + MISSED_WIDTH;
const INDENT = '   ';

const VERDICTS: Readonly<Record<Verdict, { text: string; style: Style }>> = {
  holds: { text: 'holds', style: 'green' },
  mostly: { text: 'mostly holds', style: 'yellow' },
  alone: { text: 'only without load', style: 'yellow' },
  fails: { text: 'fails', style: 'red' },
  refused: { text: 'refused', style: 'red' },
  unmeasured: { text: 'not measured', style: 'dim' },
};
const MARKS: Readonly<Record<Status, { text: string; style: Style }>> = {
  ok: { text: 'ok', style: 'green' },
  note: { text: '- ', style: 'yellow' },
  problem: { text: '! ', style: 'red' },
  unknown: { text: '? ', style: 'dim' },
};

/** The report as lines of at most `columns` cells, 40 or more. */
export function renderReport(report: DoctorReport, columns: number, colour: boolean): string[] {
  const lines: Line[] = [
    ...table(report, columns),
    [],
    ...report.levels.filter(({ verdict }) => verdict === 'refused').flatMap((level) => refusal(level, columns)),
    ...report.findings.flatMap(({ status, text, fix }) => {
      const mark = MARKS[status];
      return [...marked(mark.text, mark.style, text, columns), ...(fix === null ? [] : arrow(fix, columns))];
    }),
    [],
    ...wrap(printable(report.verdict.text), columns).map((text): Line => [span(text, 'bold')]),
  ];
  return lines.map((line) => paint(line, columns, colour));
}

function table(report: DoctorReport, columns: number): Line[] {
  const { workMs, periodMs, cpuHogs } = report.conditions;
  const most = (phase: 'withoutLoad' | 'withLoad'): number =>
    Math.max(0, ...report.levels.map((level) => level[phase]?.frames ?? 0));
  const title = `${workMs} ms of work in every ${periodMs.toFixed(1)} ms: ${most('withoutLoad')} frames alone, ${most('withLoad')} beside ${cpuHogs} CPU hog${cpuHogs === 1 ? '' : 's'}`;
  const head = `${padRight('level', LEVEL_WIDTH)}${padRight('load', LOAD_WIDTH)}${padLeft('wake p50', FIGURE_WIDTH)}${padLeft('p99', FIGURE_WIDTH)}${padLeft('missed', MISSED_WIDTH)}`;
  const isWide = columns >= TABLE_WIDTH + 20;
  const lines: Line[] = wrap(title, columns).map((text) => [span(text)]);
  lines.push([], [span(isWide ? `${head}  verdict` : head, 'dim')]);
  for (const level of report.levels) lines.push(...levelRows(level, isWide));
  return lines;
}

function levelRows({ level, verdict, withoutLoad, withLoad }: LevelReport, isWide: boolean): Line[] {
  const { text, style } = VERDICTS[verdict];
  const name = padRight(level, LEVEL_WIDTH);
  if (withoutLoad === null && withLoad === null) return [[span(name, 'bold'), span(text, style)]];
  const rows: Line[] = [
    [span(name, 'bold'), ...figures('none', withoutLoad)],
    [span(padRight('', LEVEL_WIDTH)), ...figures('hogs', withLoad)],
  ];
  if (isWide) rows[0] = [...rows[0]!, span('  '), span(text, style)];
  else rows.push([span(padRight('', LEVEL_WIDTH)), span(text, style)]);
  return rows;
}

function figures(load: string, result: PhaseResult | null): Line {
  const missed = result === null ? '–' : `${result.missedPercent.toFixed(1)} %`;
  const isBad = result !== null && result.missedFrames > 1;
  return [
    span(padRight(load, LOAD_WIDTH)),
    span(padLeft(formatUs(result?.wakeupUs.p50 ?? null), FIGURE_WIDTH)),
    span(padLeft(formatUs(result?.wakeupUs.p99 ?? null), FIGURE_WIDTH)),
    span(padLeft(missed, MISSED_WIDTH), isBad ? 'red' : 'plain'),
  ];
}

function refusal({ level, thread, howToGet }: LevelReport, columns: number): Line[] {
  const reason = thread?.priority.reason ?? 'no reason given';
  const lines = marked('! ', 'red', `${level} is refused: ${reason}`, columns);
  howToGet.forEach((alternatives, step) => {
    alternatives.forEach((fix, n) => {
      const joint = n > 0 ? 'or ' : step > 0 ? 'and ' : '';
      lines.push(...arrow(`${joint}${fix}`, columns));
    });
  });
  return lines;
}

function marked(mark: string, style: Style, text: string, columns: number): Line[] {
  return wrap(printable(text), columns - INDENT.length).map((part, n) =>
    n === 0 ? [span(`${mark} `, style), span(part)] : [span(`${INDENT}${part}`)],
  );
}

function arrow(text: string, columns: number): Line[] {
  return wrap(printable(text), columns - INDENT.length - 2).map((part, n) => [
    span(`${INDENT}${n === 0 ? '> ' : '  '}`, 'cyan'),
    span(part, 'cyan'),
  ]);
}
