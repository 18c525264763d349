import { type ParseArgsConfig, parseArgs } from 'node:util';
import { parsedOrUsage } from '../arguments.js';
import { usageError } from '../usage.js';

export const COMPARE_HELP = `frame-deadline compare: two runs side by side, with the differences that matter marked

Reads what \`frame-deadline report\` reads: telemetry as JSON, HdrHistogram logs, traces. Differences are of B, against A.

Usage: frame-deadline compare A B [options]

  --all     every figure, not only those that differ and the most important ones
  --json    one JSON object on standard output instead of text
  --help    this text

Exit status: 0 whatever differs, 1 it failed, 2 wrong use.
`;

export interface CompareOptions {
  readonly a: string;
  readonly b: string;
  readonly all: boolean;
  readonly json: boolean;
}

const ARGUMENTS = {
  all: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/**
 * The options of `frame-deadline compare`, or `help`.
 * @throws FrameDeadlineError USAGE
 */
export function parseCompareOptions(args: readonly string[]): CompareOptions | 'help' {
  const { values, positionals } = parsedOrUsage('compare', () =>
    parseArgs({ args: [...args], options: ARGUMENTS, strict: true, allowPositionals: true }),
  );
  if (values.help === true) return 'help';
  const [a, b] = positionals;
  if (a === undefined || b === undefined || positionals.length > 2) {
    const given =
      positionals.length === 0
        ? 'no files'
        : a !== undefined && b === undefined
          ? 'one file'
          : `${positionals.length} files`;
    throw usageError(`${given} given, two expected`, 'compare');
  }
  if (a === '' || b === '') throw usageError('"" given, the name of a file expected', 'compare');
  return { a, b, all: values.all === true, json: values.json === true };
}
