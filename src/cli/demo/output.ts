import { printable, printableJson } from '../printable.js';
import { textFormat } from '../text-format.js';
import { written } from '../written.js';
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

  /**
   * The end of a run. Resolves when the text has left this process, or nobody reads any more.
   * @throws FrameDeadlineError OUTPUT_UNWRITABLE
   */
  async finish(report: DemoReport): Promise<void> {
    if (!this.quiet) {
      const { columns, colour } = textFormat(this.stream);
      const summary = `${renderSummary(report, columns, colour).join('\n')}\n`;
      if (this.json) this.stream.write(summary);
      else await written(summary);
    }
    if (this.json) await written(`${printableJson(report, 2)}\n`);
  }
}
