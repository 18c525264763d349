import { type ParseArgsConfig, parseArgs } from 'node:util';
import { describeValue } from '../../base/errors.js';
import { joinNegatives, parsedOrUsage } from '../arguments.js';
import { usageError } from '../usage.js';

export const DEFAULT_SECONDS = 15;
const MIN_SECONDS = 2;
const MAX_SECONDS = 20;

export const DOCTOR_HELP = `frame-deadline doctor: what this machine and this user can get, measured, and how to get more

Runs 8 ms of work in every 16.7 ms on a worker of each priority that is granted, alone and beside CPU hogs, and looks at
what else makes threads late. Writes no file; the hogs end with it.

Usage: frame-deadline doctor [options]

  --seconds N  about how long, ${MIN_SECONDS} to ${MAX_SECONDS} (default ${DEFAULT_SECONDS})
  --no-addon   do without the native addon
  --json       one JSON object on standard output instead of text
  --help       this text

Exit status: 0 whatever the verdict, 1 it failed, 2 wrong use, 130 ended by Ctrl-C.
`;

export interface DoctorOptions {
  readonly seconds: number;
  readonly addon: boolean;
  readonly json: boolean;
}

const ARGUMENTS = {
  seconds: { type: 'string' },
  'no-addon': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/**
 * The options of `frame-deadline doctor`, or `help`.
 * @throws FrameDeadlineError USAGE
 */
export function parseDoctorOptions(args: readonly string[]): DoctorOptions | 'help' {
  const { values } = parsedOrUsage('doctor', () =>
    parseArgs({ args: joinNegatives(args), options: ARGUMENTS, strict: true, allowPositionals: false }),
  );
  if (values.help === true) return 'help';
  return { seconds: secondsOf(values.seconds), addon: values['no-addon'] !== true, json: values.json === true };
}

function secondsOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SECONDS;
  const seconds = /^\+?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS) return seconds;
  const expected = `a number from ${MIN_SECONDS} to ${MAX_SECONDS} expected`;
  throw usageError(`--seconds ${describeValue(text)} given, ${expected}`, 'doctor');
}
