import { ADDON_VARIABLE } from '../../host/node/addon.js';
import type { Interrupt } from '../interrupt.js';
import { printableJson } from '../printable.js';
import { happenedBetween } from './machine/facts.js';
import { readTotals } from './machine/read-linux.js';
import { readMachine } from './machine/read-machine.js';
import { measure } from './measure/measure.js';
import { DOCTOR_HELP, parseDoctorOptions } from './options.js';
import { makeReport } from './report.js';
import { renderReport } from './text/render.js';

const DEFAULT_COLUMNS = 100;
const MIN_COLUMNS = 40;

/** `frame-deadline doctor`. Resolves with the exit status. @throws FrameDeadlineError */
export async function doctorCommand(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = parseDoctorOptions(args);
  if (options === 'help') {
    process.stdout.write(DOCTOR_HELP);
    return 0;
  }
  if (!options.addon) process.env[ADDON_VARIABLE] = '0';
  if (process.stderr.isTTY) process.stderr.write(`Measuring for about ${options.seconds} s. Ctrl-C ends it.\n`);
  const facts = await readMachine();
  const before = readTotals();
  const measurement = await measure(facts.usableCpus, options.seconds * 1000, interrupt.signal);
  const happened = happenedBetween(before, readTotals());
  // its zero is the start of the process
  const durationS = performance.now() / 1000;
  const report = makeReport(facts, measurement, happened, durationS, interrupt.happened);
  const { stdout } = process;
  const columns = Math.max(MIN_COLUMNS, stdout.isTTY ? stdout.columns || 80 : DEFAULT_COLUMNS);
  const colour = stdout.isTTY === true && (stdout.hasColors?.() ?? false);
  const text = options.json ? printableJson(report, 2) : renderReport(report, columns, colour).join('\n');
  await written(`${text}\n`);
  return interrupt.happened ? interrupt.exitStatus : 0;
}

/** Resolves when the text has left this process, or nobody reads any more. */
function written(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
