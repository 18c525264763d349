import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describeValue, FrameDeadlineError } from '../../../base/errors.js';
import { type DemoEvent, explainEvent } from './event.js';

/** Longest line, in bytes without its line ending. A full event takes under 200. */
export const MAX_LINE_BYTES = 1024;
/** Largest file: an hour at 1 kHz takes about 250 MB. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Reads a recorded event file: JSON Lines (jsonlines.org), UTF-8, one event a line, times not decreasing. Blank lines
 * are skipped, `\r\n` and a byte order mark are accepted, the last line needs no ending. **An empty file is a recording
 * in which nothing happened: it gives no events and no error.** Reads the whole file and blocks; set-up only.
 *
 * @throws FrameDeadlineError `FILE_UNREADABLE` when there is no such regular file or it may not be read;
 *   `EVENTS_INVALID`, naming the line (counted from 1, blank lines included), when a line is no event: broken JSON or
 *   UTF-8, a missing, unknown or mistyped field, a number out of range, time going backwards, an overlong line.
 */
export function readEvents(path: string): DemoEvent[] {
  return parseEvents(readRegularFile(path), path);
}

/** As `readEvents`, from bytes. `name` is what messages call the source. */
export function parseEvents(bytes: Uint8Array, name: string): DemoEvent[] {
  const events: DemoEvent[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let previousTimeUs = 0;
  let lineNumber = 0;
  let start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (start < bytes.length) {
    lineNumber++;
    const newline = bytes.indexOf(NEWLINE, start);
    const next = newline < 0 ? bytes.length : newline + 1;
    let end = newline < 0 ? bytes.length : newline;
    if (end > start && bytes[end - 1] === CARRIAGE_RETURN) end--;
    if (end - start > MAX_LINE_BYTES) {
      throw invalid(name, lineNumber, `${end - start} bytes long where at most ${MAX_LINE_BYTES} were expected`);
    }
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(start, end)).trim();
    } catch (cause) {
      throw invalid(name, lineNumber, 'not valid UTF-8', cause);
    }
    start = next;
    if (text === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw invalid(
        name,
        lineNumber,
        `${describeValue(text)} is not JSON (${reason}); expected one event object`,
        cause,
      );
    }
    const problem = explainEvent(value, previousTimeUs);
    if (problem !== null) throw invalid(name, lineNumber, problem);
    const event = value as DemoEvent;
    previousTimeUs = event.timeUs;
    events.push(event);
  }
  return events;
}

/** The file's text for `events`: what `readEvents` reads back as equal events. Throws `EVENTS_INVALID` as it does. */
export function formatEvents(events: readonly DemoEvent[]): string {
  let text = '';
  let previousTimeUs = 0;
  for (const [index, event] of events.entries()) {
    const problem = explainEvent(event, previousTimeUs);
    if (problem !== null) throw invalid('events to write', index + 1, problem);
    previousTimeUs = event.timeUs;
    text += `${JSON.stringify(event)}\n`;
  }
  return text;
}

/**
 * Writes `events` to `path`, replacing what is there. Blocks.
 *
 * @throws FrameDeadlineError `EVENTS_INVALID` before anything is written; `OUTPUT_UNWRITABLE`.
 */
export function writeEvents(path: string, events: readonly DemoEvent[]): void {
  const text = formatEvents(events);
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new FrameDeadlineError(
      'OUTPUT_UNWRITABLE',
      `event file ${describeValue(path)} cannot be written (${reasonOf(cause)}); give a path in a writable directory`,
      { cause },
    );
  }
}

function readRegularFile(path: string): Uint8Array {
  const unreadable = (reason: string, cause?: unknown): FrameDeadlineError =>
    new FrameDeadlineError(
      'FILE_UNREADABLE',
      `event file ${describeValue(path)} cannot be read (${reason}); expected a readable JSON Lines file`,
      { cause },
    );
  try {
    const stats = statSync(path);
    // a pipe or a device could block for ever or never end
    if (!stats.isFile()) throw unreadable(stats.isDirectory() ? 'it is a directory' : 'it is not a regular file');
    if (stats.size > MAX_FILE_BYTES) {
      throw unreadable(`${stats.size} bytes; at most ${MAX_FILE_BYTES} are read`);
    }
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof FrameDeadlineError) throw cause;
    throw unreadable(reasonOf(cause), cause);
  }
}

function reasonOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException | null)?.code ?? String(cause);
}

function invalid(name: string, lineNumber: number, problem: string, cause?: unknown): FrameDeadlineError {
  return new FrameDeadlineError('EVENTS_INVALID', `${name}, line ${lineNumber}: ${problem}`, { cause });
}
