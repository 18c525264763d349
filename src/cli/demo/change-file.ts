import { readFileSync } from 'node:fs';
import { describeValue, FrameDeadlineError } from '../../base/errors.js';
import type { ParameterChange } from './audio/offline.js';
import { PARAMETERS, parameterId } from './audio/parameters.js';

/** The first line of a change log: which sound was played, and how it went. */
export interface ChangeFileHeader {
  readonly type: 'run';
  readonly schemaVersion: 1;
  /** Absolute path of the sound, or null for generated music of `seconds`. */
  readonly audio: string | null;
  readonly seconds: number;
  readonly sampleRateHz: number;
  readonly channels: number;
  /** Periods played. */
  readonly blocks: number;
  readonly xruns: number;
}

export interface ChangeFile {
  readonly header: ChangeFileHeader;
  readonly changes: readonly ParameterChange[];
}

/** The log as JSON Lines: the header, then a change a line, with the block where it took effect. Numbers keep all their bits. */
export function formatChanges({ header, changes }: ChangeFile): string {
  let text = `${JSON.stringify(header)}\n`;
  for (const { block, parameter, value } of changes) {
    text += `${JSON.stringify({ block, parameter: PARAMETERS[parameter]!.name, value })}\n`;
  }
  return text;
}

/**
 * Reads what `formatChanges` wrote; null where there is no such file.
 * @throws FrameDeadlineError FILE_UNREADABLE, EVENTS_INVALID naming the line
 */
export function readChanges(path: string): ChangeFile | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return null;
    throw new FrameDeadlineError('FILE_UNREADABLE', `cannot read the log ${path} (${code}); give another --out`, {
      cause,
    });
  }
  const lines = text.split('\n');
  const header = parse(path, lines[0] ?? '', 1) as Partial<ChangeFileHeader>;
  if (!isHeader(header)) throw invalid(path, 1, 'not the header of a change log');
  const changes: ParameterChange[] = [];
  for (let i = 1; i < lines.length; i++) {
    if (lines[i] === '') continue;
    const { block, parameter, value } = parse(path, lines[i]!, i + 1);
    const id = parameterId(String(parameter));
    if (!Number.isInteger(block) || (block as number) < 0) throw invalid(path, i + 1, `block ${describeValue(block)}`);
    if (id < 0) throw invalid(path, i + 1, `parameter ${describeValue(parameter)}`);
    if (typeof value !== 'number') throw invalid(path, i + 1, `value ${describeValue(value)}`);
    changes.push({ block: block as number, parameter: id, value });
  }
  return { header, changes };
}

function isHeader(header: Partial<ChangeFileHeader>): header is ChangeFileHeader {
  return (
    header.type === 'run' &&
    header.schemaVersion === 1 &&
    (header.audio === null || typeof header.audio === 'string') &&
    typeof header.seconds === 'number' &&
    header.seconds > 0 &&
    Number.isInteger(header.blocks) &&
    header.blocks! >= 0 &&
    Number.isInteger(header.xruns)
  );
}

function parse(path: string, line: string, number: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw invalid(path, number, `${describeValue(line)} is not JSON`, cause);
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw invalid(path, number, `${describeValue(value)} is not an object`);
}

function invalid(path: string, line: number, problem: string, cause?: unknown): FrameDeadlineError {
  return new FrameDeadlineError(
    'EVENTS_INVALID',
    `${path}, line ${line}: ${problem}; remove the file or run the demo again`,
    { cause },
  );
}
