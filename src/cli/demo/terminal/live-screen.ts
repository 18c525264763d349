import type { LiveModel } from './live-model.js';
import { renderLiveView, renderPlainLine } from './live-view.js';
import { cells } from './spans.js';
import { guardTerminal } from './terminal-guard.js';

/** What `LiveScreen` needs of an output stream: `process.stdout` and `process.stderr` have it. */
export interface LiveStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writableNeedDrain?: boolean;
  write(text: string): boolean;
  hasColors?(count?: number): boolean;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

export interface LiveScreenOptions {
  /** Milliseconds from any origin; for tests. */
  readonly nowMs?: () => number;
  /** Default `process.env`. `TERM=dumb` gives plain lines. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const MIN_PAINT_MS = 100;
const PLAIN_LINE_MS = 1000;

// ECMA-48 and DEC private modes: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
const ALTERNATE_SCREEN = '\x1b[?1049h';
const MAIN_SCREEN = '\x1b[?1049l';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';
const HOME = '\x1b[H';
const CLEAR_SCREEN = '\x1b[2J';
const CLEAR_TO_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
// the terminal shows what lies between at once; others ignore it
const BEGIN_UPDATE = '\x1b[?2026h';
const END_UPDATE = '\x1b[?2026l';

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
  private readonly nowMs: () => number;
  private readonly onResize: () => void;
  private lastMs: number;
  private mustClear: boolean;
  private isOpen: boolean;
  private isEnded: boolean;
  private release: (() => void) | null;

  constructor(stream: LiveStream, options: LiveScreenOptions = {}) {
    this.stream = stream;
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.isInteractive = stream.isTTY === true && (options.environment ?? process.env)['TERM'] !== 'dumb';
    this.lastMs = Number.NEGATIVE_INFINITY;
    this.mustClear = true;
    this.isOpen = false;
    this.isEnded = false;
    this.release = null;
    this.onResize = () => {
      this.mustClear = true;
    };
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
    if (this.isInteractive) this.paint(model);
    else this.stream.write(`${renderPlainLine(model)}\n`);
    return true;
  }

  /** Puts the terminal back as it was. Further calls do nothing. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.release?.();
    this.release = null;
    this.stream.off('resize', this.onResize);
    this.leave();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  private paint(model: LiveModel): void {
    if (this.release === null) {
      this.release = guardTerminal(
        () => this.leave(),
        () => this.enter(),
      );
      this.stream.on('resize', this.onResize);
      this.enter();
    }
    const columns = this.stream.columns || 80;
    const rows = this.stream.rows || 24;
    const lines = renderLiveView(model, { columns, rows, colour: this.stream.hasColors?.() ?? false });
    let text = BEGIN_UPDATE + (this.mustClear ? CLEAR_SCREEN : '') + HOME;
    this.mustClear = false;
    for (let i = 0; i < lines.length; i++) {
      if (i > 0) text += '\r\n';
      // after a full line the cursor still stands on its last cell, which clearing would take away
      text += lines[i]! + (cells(lines[i]!) < columns ? CLEAR_TO_LINE_END : '');
    }
    // below a full last line, likewise, there is nothing to clear
    if (lines.length < rows) text += `\r\n${CLEAR_BELOW}`;
    this.stream.write(text + END_UPDATE);
  }

  private enter(): void {
    if (this.isOpen || this.isEnded) return;
    this.isOpen = true;
    this.mustClear = true;
    this.stream.write(ALTERNATE_SCREEN + HIDE_CURSOR + NO_WRAP);
  }

  private leave(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.stream.write(END_UPDATE + WRAP + SHOW_CURSOR + MAIN_SCREEN);
  }
}
