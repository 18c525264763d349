import type { LiveModel } from './live-model.js';
import { renderLiveView, renderPlainLine } from './live-view.js';
import { type LiveStream, Painter } from './painter.js';

export type { LiveStream } from './painter.js';

export interface LiveScreenOptions {
  /** Milliseconds from any origin; for tests. */
  readonly nowMs?: () => number;
  /** Default `process.env`. `TERM=dumb` gives plain lines. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const MIN_PAINT_MS = 100;
const PLAIN_LINE_MS = 1000;

/**
 * Shows the live view. On a terminal it paints in place, on the alternate screen, at most 10 times a second, and puts
 * everything back at `end`, at exit, on fatal signals and while suspended. Elsewhere, and where `TERM=dumb`, it writes a
 * plain line a second. Colours follow the terminal, `NO_COLOR` and `FORCE_COLOR`. Call from the main thread only.
 *
 * It has no timer: `update` is to be called at least as often as the view should change. It never blocks: while the
 * stream is still busy with the picture before, a picture is skipped.
 */
export class LiveScreen {
  readonly isInteractive: boolean;
  private readonly stream: LiveStream;
  private readonly painter: Painter;
  private readonly nowMs: () => number;
  private lastMs: number;
  private isEnded: boolean;

  constructor(stream: LiveStream, options: LiveScreenOptions = {}) {
    this.stream = stream;
    this.painter = new Painter(stream);
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.isInteractive = stream.isTTY === true && (options.environment ?? process.env)['TERM'] !== 'dumb';
    this.lastMs = Number.NEGATIVE_INFINITY;
    this.isEnded = false;
  }

  /** Whether an `update` now would show anything: spares making a model for nothing. */
  get isDue(): boolean {
    if (this.isEnded) return false;
    return this.nowMs() - this.lastMs >= (this.isInteractive ? MIN_PAINT_MS : PLAIN_LINE_MS);
  }

  /** Shows `model`, unless it is too soon or after `end`. Returns whether it did. */
  update(model: LiveModel): boolean {
    if (!this.isDue || this.stream.writableNeedDrain === true) return false;
    this.lastMs = this.nowMs();
    if (this.isInteractive) this.painter.paint((canvas) => renderLiveView(model, canvas));
    else this.stream.write(`${renderPlainLine(model)}\n`);
    return true;
  }

  /** Puts the terminal back as it was. Further calls do nothing. */
  end(): void {
    this.isEnded = true;
    this.painter.end();
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
