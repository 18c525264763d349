import { readFileSync, statSync } from 'node:fs';
import { FrameDeadlineError } from '../../base/errors.js';
import { type Source, WHOLE_TELEMETRY } from '../../report/lacks.js';
import { parseTelemetry } from '../../report/parse-telemetry.js';
import type { Telemetry } from '../../telemetry/telemetry-data.js';

/** More is no telemetry: 2048 frames, and 256 misses of each thread, are some MB at most. A trace or a long log may be larger. */
const MAX_BYTES = 512 * 1024 * 1024;

export interface TelemetryFile {
  readonly telemetry: Telemetry;
  /** What has to be said beside its figures, or null. */
  readonly note: string | null;
  /** What its format does not hold. */
  readonly source: Source;
}

/**
 * Reads a file of telemetry, an HdrHistogram log or a trace: by its content, not its name. Blocks.
 * @throws FrameDeadlineError FILE_UNREADABLE, TELEMETRY_FILE_INVALID, each with the path
 */
export async function readTelemetryFile(path: string): Promise<TelemetryFile> {
  const text = readText(path);
  try {
    if (isHlog(text)) {
      const { parseHlog } = await import('../../report/hlog-reader.js');
      const { HLOG_NOTE, hlogSource, telemetryOfHlog } = await import('../../report/telemetry-of-hlog.js');
      const log = parseHlog(text);
      const cut = log.cutLine === null ? '' : ` Line ${log.cutLine} was cut off and is left out.`;
      return { telemetry: telemetryOfHlog(log), note: HLOG_NOTE + cut, source: hlogSource(log) };
    }
    if (isTrace(text)) {
      const { parseTrace, TRACE_NOTE, TRACE_SOURCE } = await import('../../report/telemetry-of-trace.js');
      return { telemetry: parseTrace(text), note: TRACE_NOTE, source: TRACE_SOURCE };
    }
  } catch (error) {
    if (!(error instanceof FrameDeadlineError)) throw error;
    // these do not know what the file is called
    const message = error.message.replace(/ \[[A-Z_]+\]$/, '');
    throw new FrameDeadlineError(error.code, `${path}: ${message}`, { cause: error });
  }
  return { telemetry: parseTelemetry(text, path), note: null, source: WHOLE_TELEMETRY };
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) {
      const message = `${path} has ${Math.round(size / 2 ** 20)} MiB, at most ${MAX_BYTES / 2 ** 20} expected; give a file of telemetry`;
      throw new FrameDeadlineError('FILE_UNREADABLE', message);
    }
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof FrameDeadlineError) throw cause;
    throw new FrameDeadlineError('FILE_UNREADABLE', `cannot read ${path} (${whyUnreadable(cause)})`, { cause });
  }
  if (bytes.subarray(0, 4096).includes(0)) {
    throw new FrameDeadlineError(
      'TELEMETRY_FILE_INVALID',
      `${path} is no text; JSON, an HdrHistogram log or a trace expected`,
    );
  }
  return bytes.toString('utf8');
}

function whyUnreadable(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder; give a file in it';
  return code === 'EACCES' ? 'no permission' : (code ?? String(cause));
}

function isHlog(text: string): boolean {
  return /^(#|Tag=|"StartTimestamp"|\d+(\.\d+)?,\d)/.test(text.slice(0, 100));
}

/** By its beginning: what comes behind may be cut. */
function isTrace(text: string): boolean {
  const start = text.slice(0, 2000);
  return /^\s*\{/.test(start) && /"traceEvents"|"displayTimeUnit"/.test(start);
}
