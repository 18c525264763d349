import { cells } from './spans.js';
import { guardTerminal } from './terminal-guard.js';

/** What a `Painter` needs of an output stream: `process.stdout` and `process.stderr` have it. */
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

/** Room for a picture. */
export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

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
 * Paints pictures in place on a terminal's alternate screen, which it takes with the first one, and puts everything back
 * at `end`, at exit, on fatal signals and while suspended. Main thread only; no timer.
 */
export class Painter {
  private readonly stream: LiveStream;
  private readonly onResize: () => void;
  private mustClear: boolean;
  private isOpen: boolean;
  private isEnded: boolean;
  private release: (() => void) | null;

  /** @param resized called when the terminal has another size: the next picture is painted anew anyway */
  constructor(stream: LiveStream, resized: () => void = () => {}) {
    this.stream = stream;
    this.mustClear = true;
    this.isOpen = false;
    this.isEnded = false;
    this.release = null;
    this.onResize = () => {
      this.mustClear = true;
      resized();
    };
  }

  /** Paints what `render` gives: at most `rows` lines of at most `columns` cells. */
  paint(render: (canvas: Canvas) => readonly string[]): void {
    if (this.isEnded) return;
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
    const lines = render({ columns, rows, colour: this.stream.hasColors?.() ?? false });
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

  /** Puts the terminal back as it was. Further calls do nothing. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.release?.();
    this.release = null;
    this.stream.off('resize', this.onResize);
    this.leave();
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
