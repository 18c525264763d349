import { type ParseArgsConfig, parseArgs } from 'node:util';
import { describeValue } from '../../base/errors.js';
import type { Priority } from '../../host/thread-control.js';
import { joinNegatives, parsedOrUsage } from '../arguments.js';
import { usageError } from '../usage.js';

export const DEFAULT_OUT = './frame-deadline-demo';
const DEFAULT_BUFFER_BLOCKS = 8;
const MAX_SECONDS = 3600;

export const DEMO_HELP = `frame-deadline demo: sound, input and picture in one process, with their deadlines counted

A sound is streamed in blocks of 128 sample frames through equaliser, compressor and limiter to a sink that behaves like
a sound card; recorded pointer and key events change it; a picture of it is drawn 60 times a second.

Usage: frame-deadline demo [options]

  --audio FILE        WAV file to play: 8 to 32-bit integer or 32-bit float, 8 to 192 kHz (default: generated music)
  --events FILE       events to play back: JSON Lines with microsecond times (default: a generated gesture)
  --seconds N         how long (default: the length of the audio file, or 10)
  --seed N            of the generated gesture, 0 to 4294967295 (default 1)
  --load N            CPU-hog processes beside it, 0 to 64 (default 0)
  --workers N         render workers, 1 to 16 (default: by the CPUs)
  --priority LEVEL    normal, high or realtime (default high); what is in force is reported
  --no-addon          do without the native addon
  --buffer-blocks N   depth of the sink's buffer, 2 to 1024 (default ${DEFAULT_BUFFER_BLOCKS})
  --offline           no real time: render the sound in one go from the log of an earlier run in --out
                      (with --events, or where there is no log: from the events), and compare; not with --trace,
                      --hlog, --prometheus and --serve, which tell of a run in real time
  --no-report         no HTML report (else report.html in --out)
  --trace             trace.json in --out: the run's jobs, frames and misses, for ui.perfetto.dev
  --hlog              latencies.hlog in --out: the latencies second by second, for HdrHistogram tools
  --prometheus PORT   metrics on http://127.0.0.1:PORT/metrics while it runs; 0 for any free port
  --serve PATH        a socket there while it runs, for frame-deadline top PATH
  --out DIR           where files go (default ${DEFAULT_OUT})
  --json              one JSON object on standard output at the end, everything else on standard error
  --quiet             nothing but errors, and the JSON object if asked for
  --help              this text
`;

export interface DemoOptions {
  readonly audio: string | null;
  readonly events: string | null;
  /** null: the length of the audio file, or 10. */
  readonly seconds: number | null;
  /** Of the generated gesture. */
  readonly seed: number;
  readonly load: number;
  /** Render workers; null: by the CPUs. */
  readonly workers: number | null;
  readonly priority: Priority;
  readonly addon: boolean;
  readonly bufferBlocks: number;
  readonly offline: boolean;
  /** Whether the HTML report is written. */
  readonly report: boolean;
  readonly trace: boolean;
  readonly hlog: boolean;
  /** Port of the metrics endpoint, 0 for any; null: none. */
  readonly prometheus: number | null;
  /** Path of a telemetry socket. */
  readonly serve: string | null;
  readonly out: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

const ARGUMENTS = {
  audio: { type: 'string' },
  events: { type: 'string' },
  seconds: { type: 'string' },
  seed: { type: 'string' },
  load: { type: 'string' },
  workers: { type: 'string' },
  priority: { type: 'string' },
  'no-addon': { type: 'boolean' },
  'buffer-blocks': { type: 'string' },
  offline: { type: 'boolean' },
  'no-report': { type: 'boolean' },
  trace: { type: 'boolean' },
  hlog: { type: 'boolean' },
  prometheus: { type: 'string' },
  serve: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/** Options that tell of a run in real time. */
const LIVE_ONLY = ['trace', 'hlog', 'prometheus', 'serve'] as const;

/**
 * The options of `frame-deadline demo`, or `help`.
 * @throws FrameDeadlineError USAGE
 */
export function parseDemoOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parsedOrUsage('demo', () =>
    parseArgs({ args: joinNegatives(args), options: ARGUMENTS, strict: true, allowPositionals: false }),
  );
  if (values.help === true) return 'help';
  if (values.offline === true) {
    const live = LIVE_ONLY.find((name) => values[name] !== undefined);
    if (live !== undefined) {
      throw usageError(
        `--offline with --${live} given, one of them expected: offline nothing runs in real time`,
        'demo',
      );
    }
  }
  return {
    audio: path('audio', values.audio),
    events: path('events', values.events),
    seconds: number('seconds', values.seconds, 0, MAX_SECONDS, false),
    seed: number('seed', values.seed, 0, 0xffff_ffff, true) ?? 1,
    load: number('load', values.load, 0, 64, true) ?? 0,
    workers: number('workers', values.workers, 1, 16, true),
    priority: priority(values.priority),
    addon: values['no-addon'] !== true,
    bufferBlocks: number('buffer-blocks', values['buffer-blocks'], 2, 1024, true) ?? DEFAULT_BUFFER_BLOCKS,
    offline: values.offline === true,
    report: values['no-report'] !== true,
    trace: values.trace === true,
    hlog: values.hlog === true,
    prometheus: number('prometheus', values.prometheus, 0, 65_535, true),
    serve: path('serve', values.serve),
    out: path('out', values.out) ?? DEFAULT_OUT,
    json: values.json === true,
    quiet: values.quiet === true,
  };
}

function path(name: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  if (value === '') throw usageError(`--${name} "" given, a path expected`, 'demo');
  return value;
}

function number(name: string, text: string | undefined, min: number, max: number, whole: boolean): number | null {
  if (text === undefined) return null;
  // Number() would take blanks for 0, and hexadecimal
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  const fits = whole ? Number.isInteger(value) && value >= min : value > min;
  if (fits && value <= max) return value;
  const range = whole ? `a whole number from ${min} to ${max}` : `a number above ${min}, at most ${max}`;
  throw usageError(`--${name} ${describeValue(text)} given, ${range} expected`, 'demo');
}

function priority(text: string | undefined): Priority {
  if (text === undefined) return 'high';
  if (text === 'normal' || text === 'high' || text === 'realtime') return text;
  throw usageError(`--priority ${describeValue(text)} given, normal, high or realtime expected`, 'demo');
}
