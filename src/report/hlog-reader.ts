import { HistogramLogReader, type JsHistogram } from 'hdr-histogram-js';
import { FrameDeadlineError } from '../base/errors.js';
import { BUCKET_COUNT, bucketIndex, MAX_TRACKABLE_NS, ticksOf } from '../telemetry/buckets.js';
import { HistogramCounts } from '../telemetry/histogram-reader.js';
import { type HistogramData, histogramCounts, histogramData } from '../telemetry/telemetry-data.js';
import { type HlogTag, parseHlogTag } from './hlog-tags.js';
import { DESCRIPTION_PREFIX, type HlogDescription } from './hlog-writer.js';

/** One line of a log. */
export interface HlogInterval extends HlogTag {
  /** As it stands in the file; empty without one. */
  readonly tag: string;
  /** In milliseconds since 1970; since the start of the log where it has no StartTime. */
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly histogram: HistogramData;
}

export interface Hlog {
  /** Milliseconds since 1970, or null where the log does not tell. */
  readonly startUnixMs: number | null;
  /** Deadlines and the like; null for logs that this package did not write. */
  readonly description: HlogDescription | null;
  /** In the order of the file. */
  readonly intervals: readonly HlogInterval[];
  /** Line number (from 1) of a last line that was cut off and left out: the writer ended in the middle of it. Or null. */
  readonly cutLine: number | null;
}

const NUMBER = String.raw`\s*\d+(?:\.\d+)?`;
const LINE = new RegExp(String.raw`^(?:Tag=([^,\s]*),)?${NUMBER},${NUMBER},${NUMBER},[A-Za-z0-9+/]+={0,2}$`);
const START_TIME = /^#\[StartTime: (\d+(?:\.\d+)?)/;
const BASE_TIME = /^#\[BaseTime: \d/;

/**
 * Reads an HdrHistogram log, ours or one of another tool that is in nanoseconds (V2 encoding, uncommented lines as the
 * format has them). Ours come back bucket by bucket; values of a finer or coarser log go where their bucket's middle
 * belongs. A last line without its line feed that cannot be read is left out and named in `cutLine`.
 * @throws FrameDeadlineError TELEMETRY_FILE_INVALID for text that is no such log, with the line's number
 */
export function parseHlog(text: string): Hlog {
  const lines = text.split(/\r?\n/);
  const times: string[] = [];
  const intervals: HlogInterval[] = [];
  let startUnixMs: number | null = null;
  let description: HlogDescription | null = null;
  let cutLine: number | null = null;
  let known = false;
  for (const [index, line] of lines.entries()) {
    if (line.startsWith('#') || line.startsWith('"StartTimestamp"')) {
      known ||= line.startsWith('#[') || line.startsWith('"');
      const start = START_TIME.exec(line);
      if (start !== null) startUnixMs = Number(start[1]) * 1000;
      if (start !== null || BASE_TIME.test(line)) times.push(line);
      else if (line.startsWith(`#${DESCRIPTION_PREFIX}`)) description = parseDescription(line);
    } else if (line.trim() !== '') {
      try {
        intervals.push(parseInterval(line, times));
      } catch (error) {
        const last = index === lines.length - 1;
        if (!last || (intervals.length === 0 && !known)) throw invalid(index + 1, line, error);
        cutLine = index + 1;
      }
    }
  }
  if (intervals.length === 0 && !known) {
    throw new FrameDeadlineError(
      'TELEMETRY_FILE_INVALID',
      'the file has no line of an HdrHistogram log, expected one that `HlogWriter` or another HdrHistogram tool wrote',
    );
  }
  return { startUnixMs, description, intervals, cutLine };
}

function parseInterval(line: string, times: readonly string[]): HlogInterval {
  const match = LINE.exec(line);
  if (match === null) throw new Error('expected [Tag=name,]start,length,max,histogram in base64');
  // a reader of its own for each line, so that a broken one can be named
  const histogram = new HistogramLogReader([...times, line].join('\n'), 64).nextIntervalHistogram();
  if (histogram === null) throw new Error('no histogram in it');
  const tag = match[1] ?? '';
  return {
    ...parseHlogTag(tag),
    tag,
    fromUnixMs: histogram.startTimeStampMsec,
    toUnixMs: histogram.endTimeStampMsec,
    histogram: toData(histogram as JsHistogram),
  };
}

function toData(histogram: JsHistogram): HistogramData {
  const counts = new HistogramCounts();
  for (let index = 0; index < histogram.countsArrayLength; index++) {
    const count = histogram.getCountAtIndex(index);
    if (count === 0) continue;
    const ns = histogram.medianEquivalentValue(histogram.valueFromIndex(index));
    const at = Math.min(bucketIndex(ticksOf(ns / 1000)), BUCKET_COUNT - 1);
    counts.buckets[at]! += count;
    counts.count += count;
    if (at === BUCKET_COUNT - 1 && ns > 1.01 * MAX_TRACKABLE_NS) counts.overflow += count;
  }
  return histogramData(counts);
}

function parseDescription(line: string): HlogDescription | null {
  try {
    const given = JSON.parse(line.slice(DESCRIPTION_PREFIX.length + 1, -1)) as HlogDescription;
    return given.schemaVersion === 1 && isWhole(given) ? given : null;
  } catch {
    // it only describes; the histograms are what counts
    return null;
  }
}

/** Whether it has all that is read of it: the file may have been changed by anybody. Throws for what is far from it. */
function isWhole({ environment, lanes, loops }: HlogDescription): boolean {
  const { runtime, platform, cpu, allowedCpus } = environment;
  const isText = (value: unknown): boolean => typeof value === 'string';
  const isNumber = (value: unknown): boolean => typeof value === 'number';
  const isNumberOrNull = (value: unknown): boolean => value === null || isNumber(value);
  return (
    isText(runtime) &&
    isText(platform) &&
    (cpu === null || isText(cpu)) &&
    Array.isArray(allowedCpus) &&
    allowedCpus.every(isNumber) &&
    lanes.every(
      ({ name, periodUs, tasks }) =>
        isText(name) &&
        isNumberOrNull(periodUs) &&
        tasks.every((task) => isText(task.name) && isNumber(task.deadlineUs) && isNumberOrNull(task.budgetUs)),
    ) &&
    loops.every(({ id, hz, deadlineUs }) => [id, hz, deadlineUs].every(isNumber))
  );
}

function invalid(number: number, line: string, cause: unknown): FrameDeadlineError {
  const start = line.length > 40 ? `${line.slice(0, 40)}...` : line;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FrameDeadlineError(
    'TELEMETRY_FILE_INVALID',
    `line ${number} of the log, ${JSON.stringify(start)}, cannot be read (${reason}); the file is broken or no HdrHistogram log`,
    { cause },
  );
}

/** The sum of all intervals by tag, in the order of first appearance: the distributions of the whole log. */
export function hlogTotals({
  intervals,
}: Hlog): (HlogTag & { readonly tag: string; readonly histogram: HistogramData })[] {
  return [...new Set(intervals.map(({ tag }) => tag))].map((tag) => {
    const of = intervals.filter((interval) => interval.tag === tag);
    const histogram = histogramData(histogramCounts(...of.map((interval) => interval.histogram)));
    return { ...parseHlogTag(tag), tag, histogram };
  });
}
