import { type ParseArgsConfig, parseArgs } from 'node:util';
import { describeValue } from '../../base/errors.js';
import { joinNegatives, parsedOrUsage } from '../arguments.js';
import { usageError } from '../usage.js';

const DEFAULT_EVERY_MS = 1000;
const MIN_EVERY_MS = 100;
const MAX_EVERY_MS = 60_000;
/** Exit status when the watched app ends or stops answering. */
export const APP_ENDED_STATUS = 3;

export const TOP_HELP = `frame-deadline top: the lanes, workers and frame loops of a running app

Attaches to an app that called scheduler.serveTelemetry({ path }), and shows what happened in each interval. The app is
not held up by it, and is answered for even while its main thread is blocked.

Usage: frame-deadline top PATH [options]

  PATH        the path that the app gave to serveTelemetry
  --every MS  interval, ${MIN_EVERY_MS} to ${MAX_EVERY_MS} (default ${DEFAULT_EVERY_MS})
  --once      one interval, then the end
  --json      one JSON object on standard output for each interval instead of text
  --help      this text

  lane      waiting and busy: a job's mean wait and execution as share of the period; without a period, the wait as share
            of the deadline, and all execution as share of the interval (100 % is one worker busy throughout); response
            p50 and p99 against the deadline; missed in the interval and in total; run: most misses in a row; met: of
            the last 100 jobs

Keys: p or space pauses, t saves a trace (opens in ui.perfetto.dev), r saves report.json, tab and arrows choose a lane
whose tasks are shown, q or Ctrl-C ends. Files go to the working directory.

Exit status: 0 ended by q, or --once is done; 1 it failed; 2 wrong use; ${APP_ENDED_STATUS} the app ended or stopped answering;
130 ended by Ctrl-C.
`;

export interface TopOptions {
  readonly path: string;
  readonly everyMs: number;
  readonly once: boolean;
  readonly json: boolean;
}

const ARGUMENTS = {
  every: { type: 'string' },
  once: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/**
 * The options of `frame-deadline top`, or `help`.
 * @throws FrameDeadlineError USAGE
 */
export function parseTopOptions(args: readonly string[]): TopOptions | 'help' {
  const { values, positionals } = parsedOrUsage('top', () =>
    parseArgs({ args: joinNegatives(args), options: ARGUMENTS, strict: true, allowPositionals: true }),
  );
  if (values.help === true) return 'help';
  const [path, ...more] = positionals;
  if (path === undefined || path === '') {
    throw usageError('no path given, that of the app’s telemetry socket expected', 'top');
  }
  if (more.length > 0) throw usageError(`${describeValue(more[0])} given after the path, one path expected`, 'top');
  return { path, everyMs: everyOf(values.every), once: values.once === true, json: values.json === true };
}

function everyOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_EVERY_MS;
  const everyMs = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (everyMs >= MIN_EVERY_MS && everyMs <= MAX_EVERY_MS) return everyMs;
  const expected = `a whole number of milliseconds from ${MIN_EVERY_MS} to ${MAX_EVERY_MS} expected`;
  throw usageError(`--every ${describeValue(text)} given, ${expected}`, 'top');
}
