import { realpathSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { FrameDeadlineError } from '../../base/errors.js';
import { CSV_HEADER, csvOfFrames } from '../../report/csv.js';
import { HTML_REPORT_START, htmlReport } from '../../report/html/html-report.js';
import { verdictOf } from '../../report/html/verdict.js';
import { printable } from '../printable.js';
import { usageError } from '../usage.js';
import { written } from '../written.js';
import { parseReportOptions, REPORT_HELP } from './options.js';
import { readTelemetryFile } from './read-telemetry.js';
import { checkReplaceable, type FileToWrite, writeWhole } from './write-file.js';

const STANDARD_OUTPUT = '-';

/** `frame-deadline report`. Resolves with the exit status. @throws FrameDeadlineError */
export async function reportCommand(args: readonly string[]): Promise<number> {
  const options = parseReportOptions(args);
  if (options === 'help') {
    process.stdout.write(REPORT_HELP);
    return 0;
  }
  const { file, csv } = options;
  const out = options.out ?? besideName(file);
  if (csv !== null && resolve(csv) === resolve(out)) throw usageError('--out and --csv name the same file', 'report');
  const { telemetry, note, source } = await readTelemetryFile(file);
  const html = htmlReport(telemetry, {
    ...(options.title === null ? {} : { title: options.title }),
    ...(note === null ? {} : { note }),
    source,
  });
  const files: FileToWrite[] = [{ path: out, text: html, startsWith: HTML_REPORT_START }];
  if (csv !== null) {
    if (telemetry.frames.length === 0)
      process.stderr.write(`frame-deadline: ${printable(file)} holds no frames: the CSV file is a header only\n`);
    files.push({ path: csv, text: csvOfFrames(telemetry), startsWith: CSV_HEADER });
  }
  const toFiles = files.filter(({ path }) => path !== STANDARD_OUTPUT);
  // all of them before the first is written
  for (const { path, startsWith } of toFiles) {
    if (isSameFile(path, file))
      throw new FrameDeadlineError('OUTPUT_UNWRITABLE', `${path} is the file that is read; give another name`);
    if (!options.force) checkReplaceable({ path, startsWith });
  }
  if (note !== null) process.stderr.write(`frame-deadline: ${note}\n`);
  for (const one of toFiles) writeWhole(one);
  for (const { path, text } of files) if (path === STANDARD_OUTPUT) await written(text);
  if (out !== STANDARD_OUTPUT && csv !== STANDARD_OUTPUT) {
    const { headline } = verdictOf(telemetry, source);
    await written(`${printable(headline)}\n${toFiles.map(({ path }) => resolve(path)).join('\n')}\n`);
  }
  return 0;
}

function besideName(file: string): string {
  const extension = extname(file);
  return `${extension === '' || extension === '.html' ? file : file.slice(0, -extension.length)}.html`;
}

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    // what does not exist yet is no other file
    return false;
  }
}
