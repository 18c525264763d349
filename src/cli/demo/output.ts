import { FrameDeadlineError } from '../../base/errors.js';
import { printable, printableJson } from '../printable.js';
import type { DemoReport } from './report/report.js';
import { LiveScreen } from './terminal/live-screen.js';
import { renderSummary } from './terminal/summary.js';

/**
 * Where text goes: the JSON object to standard output, what people read to standard output too, or to standard error
 * where the JSON object needs it. A reader that went away is no reason to stop.
 */
export class Output {
  private readonly stream: NodeJS.WriteStream;
  private readonly json: boolean;
  private readonly quiet: boolean;

  constructor(json: boolean, quiet: boolean) {
    this.stream = json ? process.stderr : process.stdout;
    this.json = json;
    this.quiet = quiet;
  }

  /** The live view, or null where nothing is to be shown. */
  screen(): LiveScreen | null {
    return this.quiet ? null : new LiveScreen(this.stream);
  }

  /** A line for people. */
  line(text: string): void {
    if (!this.quiet) this.stream.write(`${printable(text)}\n`);
  }

  /** The end of a run. Resolves when the text has left this process. */
  async finish(report: DemoReport): Promise<void> {
    if (!this.quiet) {
      const columns = this.stream.isTTY ? this.stream.columns || 80 : 100;
      const colour = this.stream.isTTY === true && (this.stream.hasColors?.() ?? false);
      for (const line of renderSummary(report, columns, colour)) this.stream.write(`${line}\n`);
    }
    if (this.json) await written(process.stdout, `${printableJson(report, 2)}\n`);
  }
}

/** @throws FrameDeadlineError OUTPUT_UNWRITABLE, unless it is only that nobody reads any more */
function written(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (cause) => {
      const code = (cause as NodeJS.ErrnoException | null | undefined)?.code;
      if (cause == null || code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') resolve();
      else {
        const message = `cannot write to standard output (${code ?? cause.message}); make room or send it elsewhere`;
        reject(new FrameDeadlineError('OUTPUT_UNWRITABLE', message, { cause }));
      }
    });
  });
}
