import { type ParseArgsConfig, parseArgs } from 'node:util';
import { parsedOrUsage } from '../arguments.js';
import { usageError } from '../usage.js';

export const REPORT_HELP = `frame-deadline report: one HTML file that shows what was measured

Reads telemetry (JSON written from \`scheduler.telemetry()\`, or the demo's report.json), an HdrHistogram log (.hlog) or a
trace that frame-deadline wrote. The HTML file needs nothing else and loads nothing.

Usage: frame-deadline report FILE [options]

  --out FILE     where the HTML goes (default: the name of FILE with .html, beside it); - for standard output
  --csv FILE     also one row per frame as comma-separated values
  --title TEXT   heading of the page
  --force        write over a file that is no report
  --help         this text

Exit status: 0 it was written, 1 it failed, 2 wrong use.
`;

export interface ReportOptions {
  readonly file: string;
  /** null: beside the file that is read. */
  readonly out: string | null;
  readonly csv: string | null;
  readonly title: string | null;
  readonly force: boolean;
}

const ARGUMENTS = {
  out: { type: 'string' },
  csv: { type: 'string' },
  title: { type: 'string' },
  force: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/**
 * The options of `frame-deadline report`, or `help`.
 * @throws FrameDeadlineError USAGE
 */
export function parseReportOptions(args: readonly string[]): ReportOptions | 'help' {
  const { values, positionals } = parsedOrUsage('report', () =>
    parseArgs({ args: [...args], options: ARGUMENTS, strict: true, allowPositionals: true }),
  );
  if (values.help === true) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined || file === '') throw usageError('no file given, one of telemetry expected', 'report');
  if (more.length > 0) throw usageError(`${positionals.length} files given, one expected`, 'report');
  for (const name of ['out', 'csv'] as const) {
    if (values[name] === '') throw usageError(`--${name} "" given, the name of a file expected`, 'report');
  }
  const { out = null, csv = null, title = null } = values;
  return { file, out, csv, title, force: values.force === true };
}
