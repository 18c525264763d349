import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { type JobTrace, jobTraceSince } from '../telemetry/job-trace-data.js';
import type { Miss } from '../telemetry/telemetry-data.js';
import { chromeTrace } from './trace.js';

export interface TraceOnMissOptions {
  /** Where the files go; made if it is not there. */
  readonly folder: string;
  /** How far back a file reaches, in seconds; jobs that the ring no longer holds are not in it. 0.1 to 600, default 5. */
  readonly lastSeconds?: number;
  /** Least time from one file's miss to the next's, in milliseconds. 0 to 86 400 000, default 10 000. */
  readonly atMostEveryMs?: number;
  /** Files of this kind in the folder; the oldest are deleted, those of earlier runs too. 1 to 1000, default 10. */
  readonly atMostFiles?: number;
  /** How long to wait after the miss, so that what followed is in the file. 0 to 60 000, default 1000. */
  readonly aftermathMs?: number;
  /** Called once with the first error of the disk. Default: a warning of the process. */
  readonly onError?: (error: Error) => void;
}

/** What is needed of a scheduler. */
export interface TraceSource {
  onMiss(listener: (miss: Miss) => void): () => void;
  jobTrace(): JobTrace;
}

/** Ends it: writes what waits for its aftermath at once, and resolves when nothing is being written any more. */
export type StopTraceOnMiss = () => Promise<void>;

/**
 * Writes `trace-<n>.json` (Trace Event Format, for Perfetto) with the last seconds when a deadline was missed. Node.js, on the
 * scheduler's thread; makes the text there, which takes about 5 µs for each job in it. Never throws into the app afterwards
 * and does not keep the process alive while it waits.
 * @throws FrameDeadlineError OPTION_INVALID
 */
export function writeTraceOnMiss(scheduler: TraceSource, options: TraceOnMissOptions): StopTraceOnMiss {
  const writer = new TraceOnMiss(scheduler, options);
  return () => writer.stop();
}

/** Stands at the beginning of what `chromeTrace` writes. */
const PRODUCER_MARK = '"producer":"frame-deadline"';
const FILE = /^trace-(\d{1,9})\.json$/;
const OPTIONS = ['folder', 'lastSeconds', 'atMostEveryMs', 'atMostFiles', 'aftermathMs', 'onError'];

class TraceOnMiss {
  private readonly scheduler: TraceSource;
  private readonly folder: string;
  private readonly lastUs: number;
  private readonly atMostEveryUs: number;
  private readonly atMostFiles: number;
  private readonly aftermathMs: number;
  private onError: ((error: Error) => void) | null;
  private readonly unlisten: () => void;
  private timer: NodeJS.Timeout | null;
  private trigger: Miss | null;
  private lastTriggerUs: number;
  private writing: Promise<void>;

  constructor(scheduler: TraceSource, options: TraceOnMissOptions) {
    checkKeys('the options of writeTraceOnMiss', options, OPTIONS);
    const { folder } = options;
    if (typeof folder !== 'string' || folder === '') {
      throw new FrameDeadlineError('OPTION_INVALID', `folder is ${describeValue(folder)}, expected a path`);
    }
    this.scheduler = scheduler;
    this.folder = folder;
    this.lastUs = inRange('lastSeconds', options.lastSeconds ?? 5, 0.1, 600) * 1e6;
    this.atMostEveryUs = inRange('atMostEveryMs', options.atMostEveryMs ?? 10_000, 0, 86_400_000) * 1000;
    this.atMostFiles = Math.floor(inRange('atMostFiles', options.atMostFiles ?? 10, 1, 1000));
    this.aftermathMs = inRange('aftermathMs', options.aftermathMs ?? 1000, 0, 60_000);
    if (options.onError !== undefined && typeof options.onError !== 'function') {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `onError is ${describeValue(options.onError)}, expected a function`,
      );
    }
    this.onError = options.onError ?? warn;
    this.timer = null;
    this.trigger = null;
    this.lastTriggerUs = Number.NEGATIVE_INFINITY;
    this.writing = Promise.resolve();
    this.unlisten = scheduler.onMiss((miss) => this.missed(miss));
  }

  async stop(): Promise<void> {
    this.unlisten();
    this.write();
    await this.writing;
  }

  private missed(miss: Miss): void {
    // one that waits for its aftermath will show this one too
    if (this.trigger !== null || miss.finishAtUs - this.lastTriggerUs < this.atMostEveryUs) return;
    this.trigger = miss;
    this.lastTriggerUs = miss.finishAtUs;
    this.timer = setTimeout(() => this.write(), this.aftermathMs);
    this.timer.unref();
  }

  private write(): void {
    const { trigger } = this;
    if (trigger === null) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.trigger = null;
    // one file after the other
    this.writing = this.writing.then(() => this.writeFile(trigger)).catch((error: unknown) => this.failed(error));
  }

  private async writeFile(trigger: Miss): Promise<void> {
    const trace = this.scheduler.jobTrace();
    const text = chromeTrace(jobTraceSince(trace, trace.toUs - this.lastUs), {
      instants: [
        {
          name: `${trigger.lane} ${trigger.task}: ${trigger.cause}`,
          atUs: trigger.deadlineAtUs,
          track: 'why this trace was written',
        },
      ],
    });
    await mkdir(this.folder, { recursive: true });
    const numbers = await this.numbers();
    const path = this.path((numbers[numbers.length - 1] ?? 0) + 1);
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
    // a file of that name that something else wrote is left alone
    const ours: number[] = [];
    for (const number of numbers) if (await isOurs(this.path(number))) ours.push(number);
    const surplus = Math.max(0, ours.length + 1 - this.atMostFiles);
    for (const number of ours.slice(0, surplus)) await rm(this.path(number), { force: true });
  }

  /** Of the files in the folder, ascending. */
  private async numbers(): Promise<number[]> {
    const matches = (await readdir(this.folder)).map((name) => FILE.exec(name));
    return matches.flatMap((match) => (match === null ? [] : [Number(match[1])])).sort((a, b) => a - b);
  }

  private path(number: number): string {
    return join(this.folder, `trace-${number}.json`);
  }

  private failed(error: unknown): void {
    const { onError } = this;
    this.onError = null;
    if (onError === null) return;
    try {
      onError(error instanceof Error ? error : new Error(String(error)));
    } catch (thrown) {
      // the app's own fault: it surfaces as any uncaught error does
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}

async function isOurs(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(200), 0, 200, 0);
      return buffer.toString('utf8', 0, bytesRead).includes(PRODUCER_MARK);
    } finally {
      await file.close();
    }
  } catch {
    return false; // a folder, or unreadable: then surely not
  }
}

function inRange(name: string, value: number, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value;
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `${name} is ${describeValue(value)}, expected a number from ${low} to ${high}`,
  );
}

function warn(error: Error): void {
  process.emitWarning(`no trace was written: ${error.message}`, 'FrameDeadlineWarning');
}
