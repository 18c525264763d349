import { closeSync, openSync, readSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FrameDeadlineError } from '../../base/errors.js';

/** What is to be written, and how a file of that kind begins. */
export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  /** A file that begins like this is an earlier one of ours and may be replaced. */
  readonly startsWith: string;
}

/**
 * Refuses to write over a file that is not an earlier one of the same kind.
 * @throws FrameDeadlineError OUTPUT_UNWRITABLE
 */
export function checkReplaceable({ path, startsWith }: Omit<FileToWrite, 'text'>): void {
  const size = sizeOfFile(path);
  if (size === null || size === 0) return;
  const wanted = Buffer.from(startsWith);
  const start = Buffer.alloc(wanted.length);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw unwritable(path, cause);
  }
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  if (start.equals(wanted)) return;
  const message = `${path} is there and was not written by this command; give another name, or --force to write over it`;
  throw new FrameDeadlineError('OUTPUT_UNWRITABLE', message);
}

/**
 * Writes a file as a whole or not at all: beside its place first, then renamed. What is no regular file (a pipe,
 * /dev/null) is written to as it is. Blocks.
 * @throws FrameDeadlineError OUTPUT_UNWRITABLE
 */
export function writeWhole({ path, text }: Omit<FileToWrite, 'startsWith'>): void {
  const target = throughLinks(path);
  const beside = join(dirname(target), `.${basename(target).slice(0, 100)}.${process.pid}.tmp`);
  try {
    if (isSpecial(target)) {
      writeFileSync(target, text);
      return;
    }
    writeFileSync(beside, text, { flag: 'wx' });
    renameSync(beside, target);
  } catch (cause) {
    try {
      rmSync(beside, { force: true });
    } catch {
      // what keeps it from being written may keep it from being removed
    }
    throw unwritable(path, cause);
  }
}

function sizeOfFile(path: string): number | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.size : null;
}

/** A link stays one: what it names is written. */
function throughLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function isSpecial(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile();
}

function unwritable(path: string, cause: unknown): FrameDeadlineError {
  const { code } = cause as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' || code === 'ENOTDIR'
      ? 'its folder does not exist'
      : code === 'EISDIR'
        ? 'it is a folder'
        : (code ?? String(cause));
  return new FrameDeadlineError(
    'OUTPUT_UNWRITABLE',
    `cannot write ${path} (${why}); give the name of a file that can be written`,
    { cause },
  );
}
