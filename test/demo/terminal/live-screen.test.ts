import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { LiveScreen, type LiveStream } from '../../../src/cli/demo/terminal/live-screen.js';
import { renderLiveView, renderPlainLine } from '../../../src/cli/demo/terminal/live-view.js';
import { model } from './models.js';

class FakeStream implements LiveStream {
  isTTY: boolean;
  columns = 80;
  rows = 24;
  writableNeedDrain = false;
  colours = false;
  written: string[] = [];
  resizeListeners: (() => void)[] = [];
  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }
  write(text: string): boolean {
    this.written.push(text);
    return true;
  }
  hasColors(): boolean {
    return this.colours;
  }
  on(_: 'resize', listener: () => void): void {
    this.resizeListeners.push(listener);
  }
  off(_: 'resize', listener: () => void): void {
    this.resizeListeners = this.resizeListeners.filter((other) => other !== listener);
  }
  take(): string {
    return this.written.splice(0).join('');
  }
}

const environment = { TERM: 'xterm' };
const signalListeners = (): number =>
  ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP', 'SIGCONT'].reduce(
    (sum, name) => sum + process.listenerCount(name),
    0,
  );

describe('live screen', () => {
  test('paints the view in place, at most 10 times a second', () => {
    const stream = new FakeStream(true);
    let nowMs = 0;
    const screen = new LiveScreen(stream, { nowMs: () => nowMs, environment });
    let pictures = 0;
    for (; nowMs < 1000; nowMs += 7) if (screen.update(model)) pictures++;
    screen.end();
    expect(pictures).toBe(10);
    const text = stream.take();
    expect(text.split('\x1b[2J')).toHaveLength(2); // cleared once, then painted over
    expect(text.split('\x1b[H')).toHaveLength(11);
    const painted = text.split('\x1b[H')[1]!.split('\x1b[J')[0]!;
    const expected = renderLiveView(model, { columns: 80, rows: 24, colour: false });
    expect(stripVTControlCharacters(painted).trimEnd().split('\r\n')).toEqual(expected);
  });

  test('takes the terminal at the first picture and gives it back, once', () => {
    const before = signalListeners();
    const stream = new FakeStream(true);
    const screen = new LiveScreen(stream, { nowMs: () => 0, environment });
    expect(stream.take()).toBe('');
    screen.update(model);
    expect(stream.take().startsWith('\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2026h')).toBe(true);
    expect(signalListeners()).toBeGreaterThan(before);
    screen.end();
    expect(stream.take()).toBe('\x1b[?2026l\x1b[?7h\x1b[?25h\x1b[?1049l');
    expect(signalListeners()).toBe(before);
    expect(stream.resizeListeners).toHaveLength(0);
    screen.end();
    expect(screen.update(model)).toBe(false);
    expect(stream.take()).toBe('');
  });

  test('an unused screen leaves the terminal alone', () => {
    const stream = new FakeStream(true);
    const before = signalListeners();
    new LiveScreen(stream, { environment }).end();
    expect(stream.written).toEqual([]);
    expect(signalListeners()).toBe(before);
  });

  test('after a resize it clears and paints in the new size', () => {
    const stream = new FakeStream(true);
    let nowMs = 0;
    const screen = new LiveScreen(stream, { nowMs: () => nowMs, environment });
    screen.update(model);
    stream.take();
    stream.columns = 30;
    stream.rows = 10;
    for (const listener of stream.resizeListeners) listener();
    nowMs = 100;
    screen.update(model);
    const text = stream.take();
    expect(text).toContain('\x1b[2J');
    const lines = stripVTControlCharacters(text.split('\x1b[H')[1]!).trimEnd().split('\r\n');
    expect(lines).toEqual(renderLiveView(model, { columns: 30, rows: 10, colour: false }));
    screen.end();
  });

  test('a line that fills the row is not followed by a clear, which would take its last cell', () => {
    const stream = new FakeStream(true);
    const screen = new LiveScreen(stream, { nowMs: () => 0, environment });
    screen.update(model);
    const title = stream.take().split('\x1b[H')[1]!.split('\r\n')[0]!;
    expect(title).toHaveLength(80);
    expect(title.endsWith('0:10')).toBe(true);
    screen.end();
  });

  test('a picture that fills all rows does not scroll', () => {
    const stream = new FakeStream(true);
    stream.rows = 5;
    const screen = new LiveScreen(stream, { nowMs: () => 0, environment });
    screen.update(model);
    expect(stream.take().split('\r\n')).toHaveLength(5);
    screen.end();
  });

  test('skips pictures while the stream is busy', () => {
    const stream = new FakeStream(true);
    stream.writableNeedDrain = true;
    const screen = new LiveScreen(stream, { nowMs: () => 0, environment });
    expect(screen.update(model)).toBe(false);
    stream.writableNeedDrain = false;
    expect(screen.update(model)).toBe(true);
    screen.end();
  });

  test.each([
    ['not a terminal', false, 'xterm'],
    ['a dumb terminal', true, 'dumb'],
  ])('%s: a plain line a second and no escape sequences', (_, isTTY, term) => {
    const stream = new FakeStream(isTTY);
    stream.colours = true;
    let nowMs = 0;
    const screen = new LiveScreen(stream, { nowMs: () => nowMs, environment: { TERM: term } });
    for (; nowMs < 3000; nowMs += 50) screen.update(model);
    screen.end();
    expect(screen.isInteractive).toBe(false);
    expect(stream.written).toEqual(Array(3).fill(`${renderPlainLine(model)}\n`));
  });

  test('colours follow the stream', () => {
    for (const colours of [true, false]) {
      const stream = new FakeStream(true);
      stream.colours = colours;
      const screen = new LiveScreen(stream, { nowMs: () => 0, environment });
      screen.update(model);
      expect(stream.take().includes('\x1b[31m')).toBe(colours);
      screen.end();
    }
  });
});
