import { setTimeout as sleep } from 'node:timers/promises';
import { FrameDeadlineError } from '../../base/errors.js';
import { connectTelemetry, NO_ANSWER, type TelemetryClient } from '../../report/telemetry-client.js';
import type { Interrupt } from '../interrupt.js';
import { printable, printableJson } from '../printable.js';
import { written } from '../written.js';
import type { TopModel } from './model.js';
import { APP_ENDED_STATUS, parseTopOptions, TOP_HELP, type TopOptions } from './options.js';
import { TopScreen } from './screen.js';
import { renderPlain } from './view.js';
import { TopWatch } from './watch.js';

/** A process that ends closes its sockets a little before it is gone. */
const ENDING_MS = 1000;
const LOOK_EVERY_MS = 50;

/** `frame-deadline top`. Resolves with the exit status. @throws FrameDeadlineError */
export async function topCommand(args: readonly string[], interrupt: Interrupt): Promise<number> {
  const options = parseTopOptions(args);
  if (options === 'help') {
    process.stdout.write(TOP_HELP);
    return 0;
  }
  const client = await connectTelemetry(options.path);
  try {
    const watch = new TopWatch(client);
    await watch.begin();
    if (options.once || options.json || !isInteractive()) return await print(watch, options, interrupt);
    return await new TopScreen(process.stdin, process.stdout, watch, options.everyMs, interrupt.signal).run(
      () => interrupt.exitStatus,
    );
  } catch (error) {
    if (!(error instanceof FrameDeadlineError && error.code === 'TELEMETRY_ENDED')) throw error;
    process.stderr.write(`frame-deadline: ${await whatEnded(client, error)}\n`);
    return APP_ENDED_STATUS;
  } finally {
    client.close();
  }
}

function isInteractive(): boolean {
  return process.stdout.isTTY === true && process.env['TERM'] !== 'dumb';
}

/** Lines for a file or pipe, until nobody reads them. */
async function print(watch: TopWatch, options: TopOptions, interrupt: Interrupt): Promise<number> {
  for (;;) {
    const ended = await Promise.race([
      sleep(options.everyMs, null, { signal: interrupt.signal }).catch(() => null),
      watch.client.ended,
    ]);
    if (interrupt.happened) return interrupt.exitStatus;
    if (ended !== null) throw ended;
    const model = await watch.next();
    const isRead = await written(options.json ? json(model, options.once) : `${renderPlain(model).join('\n')}\n`);
    if (options.once || !isRead) return 0;
  }
}

function json(model: TopModel, isWhole: boolean): string {
  return `${printableJson(model, isWhole ? 2 : 0)}\n`;
}

async function whatEnded(client: TelemetryClient, error: FrameDeadlineError): Promise<string> {
  const { pid, name } = client.process;
  const app = `${printable(name)} (process ${pid})`;
  if (error.message.includes(NO_ANSWER)) return `the app ${app} does not answer any more: ${printable(error.message)}`;
  for (let waitedMs = 0; waitedMs < ENDING_MS; waitedMs += LOOK_EVERY_MS) {
    if (!isRunning(pid)) return `the app ${app} has ended`;
    await sleep(LOOK_EVERY_MS);
  }
  return `the app ${app} has closed its telemetry socket`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (failure) {
    return (failure as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
