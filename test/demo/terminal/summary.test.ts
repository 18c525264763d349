import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { renderSummary } from '../../../src/cli/demo/terminal/summary.js';
import { report } from './models.js';

const paths = Object.values(report.files).filter((path) => path !== null);

describe('summary', () => {
  test('no line is wider than the terminal, except that paths stay whole', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.oneof(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.constant('日本語/とても長い名前のファイル.wav')),
        (columns, text) => {
          const worker = { ...report.workers[0]!, name: text, priority: { effective: text, reason: text } };
          const audio = { ...report.audio, file: text };
          const lanes = { ...report.lanes, [text]: report.lanes['render']! };
          const lines = renderSummary({ ...report, audio, lanes, workers: [worker] }, columns);
          for (const line of lines) {
            if (!paths.some((path) => line.endsWith(path))) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          }
          for (const path of paths) expect(lines.some((line) => line.endsWith(path))).toBe(true);
        },
      ),
    );
  });

  test('80 columns', () => {
    expect(renderSummary(report, 80)).toEqual([
      'Ran 10.0 s: 41 deadlines missed',
      '',
      'lane     jobs  missed  queueing p99  execution p99  response p99   latest',
      'audio    3750       0       1.40 ms        1.40 ms       1.40 ms        –',
      'render  36.0k      41       1.40 ms        1.40 ms       1.40 ms  31.2 ms',
      '',
      'missed   render: waitingBehind 30, overrun 11',
      'refused  render: 3',
      'audio    generated music, 44.1 kHz, 2 channels, 3445 blocks, 0 xruns,',
      '         bit-identical to the offline render',
      'picture  598 of 600 frames rendered, 5 missed, 2 of them dropped ticks',
      'input    10012 of 10012 events applied, event to picture p50 9.10 ms, p99',
      '         16.9 ms',
      'worker   audio-1: audio; priority realtime; cpu 0',
      'worker   render-1: input, render; priority normal (EPERM: nice -10 is not',
      '         allowed to this user); cpu any',
      'sound    /home/someone/a long folder name/out/demo.wav',
      'report   out/report.json',
    ]);
  });

  test('narrow: the lanes with their misses stay', () => {
    const lines = renderSummary(report, 20);
    expect(lines).toContain('lane    missed');
    expect(lines).toContain('render      41');
  });

  test('no misses, an interruption and a difference are said', () => {
    const audio = report.lanes['audio']!;
    const calm = { ...report, interrupted: true, lanes: { audio } };
    expect(renderSummary(calm, 80)[0]).toBe('Ran 10.0 s, interrupted: every deadline held');
    const differs = { ...report, audio: { ...report.audio, identicalToOffline: false } };
    expect(renderSummary(differs, 200).join('\n')).toContain('DIFFERS from the offline render');
    const unchecked = { ...report, audio: { ...report.audio, identicalToOffline: null } };
    expect(renderSummary(unchecked, 200).join('\n')).not.toContain('offline');
  });

  test('colours change nothing but the colours', () => {
    for (const columns of [20, 60, 120]) {
      const coloured = renderSummary(report, columns, true);
      expect(coloured.join('')).toContain('\x1b[31m');
      expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(renderSummary(report, columns));
    }
  });
});
