import { compareTelemetry } from '../../report/compare/compare.js';
import { paint } from '../demo/terminal/spans.js';
import { printableJson } from '../printable.js';
import { readTelemetryFile } from '../report/read-telemetry.js';
import { textFormat } from '../text-format.js';
import { written } from '../written.js';
import { COMPARE_HELP, parseCompareOptions } from './options.js';
import { renderComparison } from './render.js';

const MIN_COLUMNS = 60;

/** `frame-deadline compare`. Resolves with the exit status. @throws FrameDeadlineError */
export async function compareCommand(args: readonly string[]): Promise<number> {
  const options = parseCompareOptions(args);
  if (options === 'help') {
    process.stdout.write(COMPARE_HELP);
    return 0;
  }
  const a = await readTelemetryFile(options.a);
  const b = await readTelemetryFile(options.b);
  const comparison = compareTelemetry(a.telemetry, b.telemetry, { a: a.source, b: b.source });
  for (const [name, { note }] of [
    ['A', a],
    ['B', b],
  ] as const) {
    if (note !== null) process.stderr.write(`frame-deadline: ${name}: ${note}\n`);
  }
  if (options.json) {
    await written(`${printableJson(comparison, 2)}\n`);
    return 0;
  }
  const { columns, colour } = textFormat(process.stdout, MIN_COLUMNS);
  const lines = renderComparison(comparison, { a: options.a, b: options.b }, columns, options.all);
  await written(`${lines.map((line) => paint(line, columns, colour)).join('\n')}\n`);
  return 0;
}
