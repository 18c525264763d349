import { HistogramLogWriter } from 'hdr-histogram-js';
import { toHdrHistogram } from '../telemetry/hdr-histogram.js';
import { histogramCounts, type Telemetry } from '../telemetry/telemetry-data.js';
import { hlogHistograms } from './hlog-tags.js';

/** Values are in ns; the column Interval_Max is in ms, as the standard tools write it. */
const MAX_VALUE_UNIT_RATIO = 1_000_000;

/** What the log says of its lanes, in a comment that only our own reader looks at. */
export interface HlogDescription {
  readonly schemaVersion: 1;
  readonly environment: Telemetry['environment'];
  readonly lanes: readonly {
    readonly name: string;
    readonly periodUs: number | null;
    readonly tasks: readonly { readonly name: string; readonly deadlineUs: number; readonly budgetUs: number | null }[];
  }[];
  readonly loops: readonly { readonly id: number; readonly hz: number; readonly deadlineUs: number }[];
}

export const DESCRIPTION_PREFIX = '[frame-deadline ';

/**
 * Appends intervals to an HdrHistogram log (format 1.3): one line per lane and metric and per loop and metric, in
 * nanoseconds, with `Tag=lane.metric` (see `HlogTag`). Give it windows, one after the other, whose `read()` sets the
 * length of the intervals: their sum is the whole run. Distributions without a value in the interval are left out.
 * Values above 10 s stand as 10 s.
 */
export class HlogWriter {
  private readonly write: (text: string) => void;
  private readonly log: HistogramLogWriter;
  /** `fromUs` of the first window; null before it. */
  private startUs: number | null;

  /** @param write gets whole lines, in order; what it throws goes to the caller of `interval` */
  constructor(write: (text: string) => void) {
    this.write = write;
    this.log = new HistogramLogWriter(write);
    this.startUs = null;
  }

  /** Appends one interval; the first call writes the head of the log too. Allocates about 50 KiB a line. */
  interval(window: Telemetry): void {
    this.startUs ??= this.head(window);
    const startSeconds = (window.fromUs - this.startUs) / 1e6;
    const endSeconds = (window.toUs - this.startUs) / 1e6;
    for (const [tag, data] of hlogHistograms(window)) {
      if (data.count === 0) continue;
      const histogram = toHdrHistogram(histogramCounts(data));
      histogram.tag = tag;
      this.log.outputIntervalHistogram(histogram, startSeconds, endSeconds, MAX_VALUE_UNIT_RATIO);
    }
  }

  private head(window: Telemetry): number {
    const startUnixMs = window.toUnixMs - (window.toUs - window.fromUs) / 1000;
    const { log } = this;
    log.outputComment('[Histogram log written by frame-deadline; values in nanoseconds, tags lane.metric]');
    log.outputLogFormatVersion();
    log.outputComment(`${DESCRIPTION_PREFIX}${JSON.stringify(describe(window))}]`);
    // the library's outputStartTime would add an empty line and the date in this machine's own words
    const seconds = (startUnixMs / 1000).toFixed(3);
    log.outputComment(`[StartTime: ${seconds} (seconds since epoch), ${new Date(startUnixMs).toISOString()}]`);
    this.write('"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n');
    return window.fromUs;
  }
}

function describe({ schemaVersion, environment, lanes, loops }: Telemetry): HlogDescription {
  return {
    schemaVersion,
    environment,
    lanes: lanes.map(({ name, periodUs, tasks }) => ({
      name,
      periodUs,
      tasks: tasks.map((task) => ({ name: task.name, deadlineUs: task.deadlineUs, budgetUs: task.budgetUs })),
    })),
    loops: loops.map(({ id, hz, deadlineUs }) => ({ id, hz, deadlineUs })),
  };
}

/** A whole log of these windows, in their order. */
export function hlogText(windows: Iterable<Telemetry>): string {
  const lines: string[] = [];
  const writer = new HlogWriter((text) => lines.push(text));
  for (const window of windows) writer.interval(window);
  return lines.join('');
}
