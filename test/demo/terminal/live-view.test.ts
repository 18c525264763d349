import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { renderLiveView, renderPlainLine } from '../../../src/cli/demo/terminal/live-view.js';
import { anyModel, model } from './models.js';

/** Escape made visible, for patterns. */
const visible = (text: string | undefined): string => (text ?? '').replaceAll('\x1b', '␛');
/** No escape at all, or the last one goes back to the default colour or weight. */
function endsPlain(line: string): boolean {
  const last = line.lastIndexOf('\x1b');
  return last < 0 || /^\[(39|22)m/.test(line.slice(last + 1));
}
const plain = (columns: number, rows: number): string[] => renderLiveView(model, { columns, rows, colour: false });

describe('live view', () => {
  test('no line is wider than the terminal and there are no more lines than rows, whatever the model', () => {
    fc.assert(
      fc.property(anyModel, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (any, columns, rows) => {
        const lines = renderLiveView(any, { columns, rows, colour: false });
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) {
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          // nothing that moves the cursor gets through from a name
          expect(line).not.toMatch(/\p{Cc}/u);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('colours change nothing but the colours', () => {
    fc.assert(
      fc.property(anyModel, fc.integer({ min: 20, max: 200 }), (any, columns) => {
        const options = { columns, rows: 30 };
        const coloured = renderLiveView(any, { ...options, colour: true });
        const without = renderLiveView(any, { ...options, colour: false });
        expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(without);
        // each line ends in the default look
        for (const line of coloured) expect(endsPlain(line), line).toBe(true);
      }),
    );
  });

  test('80 columns: a table with every figure, the plot and the workers', () => {
    expect(plain(80, 16)).toEqual([
      'frame-deadline ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 0:04 / 0:10',
      '',
      '  lane   jobs/s wait p50      p99  exec p50      p99  to deadline  missed',
      '● audio     375    18 µs    84 µs    212 µs   431 µs      1.90 ms       0',
      '● render   3600   812 µs  9.12 ms    140 µs  1.29 ms     -3.12 ms      41',
      '    waitingBehind 30 preempted 9 overrun 2',
      '',
      'buffer ▰▰▰▰▰▰▱▱ 6/8   0 xruns',
      'frames 249/252 rendered   5 missed',
      `        │${' '.repeat(69)}█ `,
      `        │${' '.repeat(69)}█ `,
      ` 16.7 ms┤${'╌'.repeat(69)}█╌`,
      `        │${' '.repeat(67)}▃▄█▁`,
      `       0│${' '.repeat(67)}████`,
      '',
      'workers audio-1 realtime, cpu 0 · render-1 normal, cpu 1-3,5',
    ]);
  });

  test('20 columns: stacked, with every lane, xruns and frames', () => {
    expect(plain(20, 24)).toEqual([
      '━━━━━━━━ 0:04 / 0:10',
      '',
      '● audio      375/s ✓',
      '  wait 18µs–84µs',
      '  exec 212µs–431µs',
      '  left 1.90ms',
      '● render  3600/s ✗41',
      '  wait 812µs–9.12ms',
      '  exec 140µs–1.29ms',
      '  left -3.12ms',
      '  waitingBehind 30 …',
      '',
      'buf 6/8 0 xruns',
      'frm 249/252 ✗5',
      `${' '.repeat(18)}█ `,
      `${' '.repeat(18)}█ `,
      `${' '.repeat(18)}█ `,
      `${'╌'.repeat(18)}█╌`,
      `${' '.repeat(17)}▁█ `,
      `${' '.repeat(16)}▇██▅`,
      `${' '.repeat(16)}████`,
      '',
      'audio-1 realtime',
      'render-1 normal',
    ]);
  });

  test('where rows are short the lanes, xruns and frames stay longest', () => {
    const lines = plain(80, 5);
    expect(lines).toHaveLength(5);
    expect(lines[0]).toContain('0:04 / 0:10');
    expect(lines[1]).toContain('audio');
    expect(lines[2]).toContain('render');
    expect(lines[3]).toContain('0 xruns');
    expect(lines[4]).toContain('5 missed');
    expect(plain(80, 1)).toEqual([lines[0]]);
  });

  test('misses and lateness are red, none is green', () => {
    const coloured = renderLiveView(model, { columns: 100, rows: 24, colour: true });
    expect(visible(coloured.find((line) => line.includes('render')))).toMatch(
      /␛\[31m +-3\.12 ms␛\[39m␛\[31m +41␛\[39m/,
    );
    expect(visible(coloured.find((line) => line.includes('audio')))).toMatch(/␛\[32m +0␛\[39m/);
  });

  test('a frame past the deadline is red in the plot and rises above its line', () => {
    const frames = { ...model.frames, recentFrameUs: [5000, 40_000, 5000] };
    const lines = renderLiveView({ ...model, frames }, { columns: 60, rows: 24, colour: true });
    const deadline = lines.findIndex((line) => line.includes('16.7 ms'));
    const top = lines.findIndex((line) => line.includes('▲'));
    expect(top).toBeGreaterThan(0);
    expect(top).toBeLessThan(deadline);
    expect(lines[top]).toContain('\x1b[31m▲');
    for (const line of lines.slice(top + 1, deadline + 1)) expect(line).toContain('\x1b[31m█');
  });

  test('the plain line tells lanes, causes, xruns and frames', () => {
    expect(renderPlainLine(model)).toBe(
      '4.2 s of 10.0 s | audio 375/s, waiting p99 84 µs, execution p99 431 µs, 0 missed | render 3600/s, waiting p99 ' +
        '9.12 ms, execution p99 1.29 ms, 41 missed (waitingBehind 30, preempted 9, overrun 2) | buffer 6/8, 0 xruns | ' +
        'frames 249/252, 5 missed',
    );
  });
});
