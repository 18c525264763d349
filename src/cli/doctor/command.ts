import { ADDON_VARIABLE } from '../../host/node/addon.js';
import type { Interrupt } from '../interrupt.js';
import { printableJson } from '../printable.js';
import { textFormat } from '../text-format.js';
import { written } from '../written.js';
import { happenedBetween } from './machine/facts.js';
import { readTotals } from './machine/read-linux.js';
import { readMachine } from './machine/read-machine.js';
import { measure } from './measure/measure.js';
import { DOCTOR_HELP, parseDoctorOptions } from './options.js';
import { makeReport } from './report.js';
import { renderReport } from './text/render.js';

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
  const { columns, colour } = textFormat(process.stdout, MIN_COLUMNS);
  const text = options.json ? printableJson(report, 2) : renderReport(report, columns, colour).join('\n');
  await written(`${text}\n`);
  return interrupt.happened ? interrupt.exitStatus : 0;
}
