import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { LOOP_HISTOGRAMS } from '../telemetry/loop-row.js';
import type { Telemetry } from '../telemetry/telemetry-data.js';
import { findFault } from './json-schema.js';
import { describeOtherOutput } from './other-output.js';
import { telemetrySchema } from './telemetry-schema.js';

const SUPPORTED_VERSION = 1;

/**
 * Reads telemetry from JSON text: `JSON.stringify(scheduler.telemetry())`, or an object that holds it as its member
 * `telemetry` (the demo's report.json). All of it is checked, so that what reads it needs no checks of its own.
 * @param name what the text is called in messages, such as the path of its file
 * @throws FrameDeadlineError TELEMETRY_FILE_INVALID: what is wrong, where, and what to do
 */
export function parseTelemetry(text: string, name = 'the text'): Telemetry {
  return checkTelemetry(parseJson(text, name), name);
}

/** As {@link parseTelemetry}, for what is parsed already. */
export function checkTelemetry(value: unknown, name = 'the value'): Telemetry {
  const outer = asRecord(value);
  const isHolder = outer !== null && asRecord(outer['telemetry']) !== null;
  const inner = isHolder ? outer['telemetry'] : value;
  const record = asRecord(inner);
  if (record !== null) {
    const otherOutput = describeOtherOutput(record);
    if (otherOutput !== null) throw invalid(`${name} is ${otherOutput}`);
  }
  if (record === null || !Object.hasOwn(record, 'schemaVersion')) {
    const found = record === null ? foundText(value) : 'one without it';
    throw invalid(`${name} holds no telemetry: an object with \`schemaVersion\` expected, ${found} found`);
  }
  const { schemaVersion } = record;
  if (schemaVersion !== SUPPORTED_VERSION) {
    const isNewer = typeof schemaVersion === 'number' && schemaVersion > SUPPORTED_VERSION;
    const advice = isNewer ? 'read it with the newer version of frame-deadline that wrote it' : 'measure again';
    throw invalid(
      `${name} is of schemaVersion ${describeValue(schemaVersion)}, ${SUPPORTED_VERSION} expected; ${advice}`,
    );
  }
  const fault = findFault(record, telemetrySchema);
  if (fault !== null) {
    const found = fault.value === undefined ? 'nothing' : foundText(fault.value);
    const path = isHolder ? `telemetry.${fault.path}` : fault.path;
    throw invalid(
      `${name}: ${path} is ${found}, ${fault.expected} expected; the file is damaged or was not written by frame-deadline`,
    );
  }
  const telemetry = inner as Telemetry;
  checkHistograms(telemetry, name);
  return telemetry;
}

function parseJson(text: string, name: string): unknown {
  // an editor's byte order mark is not JSON
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  if (json.trim() === '') throw invalid(`${name} is empty; JSON written from \`scheduler.telemetry()\` expected`);
  try {
    return JSON.parse(json);
  } catch (cause) {
    const otherOutput = describeOtherLine(json);
    if (otherOutput !== null) throw invalid(`${name} is ${otherOutput}`);
    const why = cause instanceof Error ? cause.message : String(cause);
    const isCut = /^\s*[{[]/.test(json) && !/[}\]]\s*$/.test(json);
    const advice = isCut
      ? 'it begins as JSON and ends in the middle: it was cut, or is still being written'
      : 'JSON written from `scheduler.telemetry()` expected';
    throw new FrameDeadlineError('TELEMETRY_FILE_INVALID', `${name} cannot be read as JSON (${why}); ${advice}`, {
      cause,
    });
  }
}

/** What the schema cannot say: counts that add up, buckets in order. Quantiles rely on both. */
function checkHistograms(telemetry: Telemetry, name: string): void {
  for (const [l, lane] of telemetry.lanes.entries()) {
    for (const [t, task] of lane.tasks.entries()) {
      for (const [key, data] of Object.entries(task.histograms))
        check(data, `lanes[${l}].tasks[${t}].histograms.${key}`);
    }
  }
  for (const [l, loop] of telemetry.loops.entries()) {
    for (const key of LOOP_HISTOGRAMS) check(loop[key], `loops[${l}].${key}`);
  }
  function check({ count, buckets }: Telemetry['loops'][number]['frameUs'], path: string): void {
    let sum = 0;
    let last = -1;
    for (const [index, of] of buckets) {
      if (index <= last)
        throw invalid(`${name}: the buckets of ${path} are not in ascending order; the file is damaged`);
      last = index;
      sum += of;
    }
    if (sum !== count)
      throw invalid(`${name}: the buckets of ${path} hold ${sum} values, ${count} expected; the file is damaged`);
  }
}

/** `top --json` writes one object a line. */
function describeOtherLine(json: string): string | null {
  const end = json.indexOf('\n');
  if (end < 0) return null;
  try {
    const record = asRecord(JSON.parse(json.slice(0, end)));
    return record === null ? null : describeOtherOutput(record);
  } catch {
    return null;
  }
}

/** What JSON gave: its objects are of no class worth naming. */
function foundText(value: unknown): string {
  return asRecord(value) === null ? describeValue(value) : 'an object';
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function invalid(message: string): FrameDeadlineError {
  return new FrameDeadlineError('TELEMETRY_FILE_INVALID', message);
}
