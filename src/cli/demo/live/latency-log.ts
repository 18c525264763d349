import { HlogWriter } from '../../../report/hlog.js';
import type { TelemetryWindow } from '../../../report/source.js';

const INTERVAL_MS = 1000;

/** The HdrHistogram log of a run, an interval a second, kept as text until the end. */
export class LatencyLog {
  private readonly lines: string[];
  private readonly writer: HlogWriter;
  private readonly window: TelemetryWindow;
  private readonly timer: NodeJS.Timeout;

  constructor(window: TelemetryWindow) {
    this.lines = [];
    this.writer = new HlogWriter((text) => void this.lines.push(text));
    this.window = window;
    this.timer = setInterval(() => this.writer.interval(window.read()), INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** The whole log, with what came since the last interval. */
  text(): string {
    this.stop();
    this.writer.interval(this.window.read());
    return this.lines.join('');
  }
}
