import { describe, expect, it } from 'vitest';
import { CSV_HEADER, csvCell, csvOfFrames } from '../../src/report/csv.js';
import type { Telemetry } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';
import { withNames } from './hostile.js';

/** Rows of RFC 4180 text, by its grammar. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const field = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;
  let at = 0;
  while (at < text.length) {
    field.lastIndex = at;
    const match = field.exec(text)!;
    rows.at(-1)!.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
    at = field.lastIndex;
    if (text[at] === ',') at++;
    else if (text.startsWith('\r\n', at)) {
      at += 2;
      if (at < text.length) rows.push([]);
    } else if (at < text.length) throw new Error(`neither comma nor line end at ${at}: ${text.slice(at, at + 20)}`);
  }
  return rows;
}

function records(telemetry: Telemetry): Record<string, string>[] {
  const [header, ...rows] = parseCsv(csvOfFrames(telemetry));
  for (const row of rows) expect(row).toHaveLength(header!.length);
  return rows.map((row) => Object.fromEntries(row.map((cell, n) => [header![n]!, cell])));
}

describe('csvOfFrames', () => {
  const telemetry = makeTelemetry(1);

  it('has a row per frame, with units in the header', () => {
    const rows = records(telemetry);
    expect(rows).toHaveLength(telemetry.frames.length);
    expect(CSV_HEADER.split(',').filter((name) => /(at|error|submitting|time|tardiness)/.test(name))).toSatisfy(
      (names: string[]) => names.every((name) => name.endsWith('_us')),
    );
    rows.forEach((row, n) => {
      const frame = telemetry.frames[n]!;
      expect(row['frame']).toBe(`${frame.number}`);
      expect(row['outcome']).toBe(frame.outcome);
      if (frame.finishedAtUs === null) expect(row['frame_time_us']).toBe('');
      else expect(Number(row['frame_time_us'])).toBeCloseTo(frame.finishedAtUs - frame.tickAtUs, 2);
    });
  });

  it('names the worst miss of a late frame, and the culprit', () => {
    const rows = records(telemetry);
    const late = rows.filter((row) => row['outcome'] === 'late');
    expect(late.length).toBeGreaterThan(5);
    for (const row of late) {
      const misses = telemetry.misses.filter((miss) => `${miss.frame}` === row['frame']);
      const worst = Math.max(...misses.map((miss) => miss.tardinessUs));
      expect(Number(row['worst_miss_tardiness_us'])).toBeCloseTo(worst, 2);
      expect(misses.map((miss) => miss.cause)).toContain(row['worst_miss_cause']);
    }
    const culprits = rows.map((row) => row['culprit']).filter((name) => name !== '');
    expect(culprits.length).toBeGreaterThan(0);
  });

  it('keeps names whole and never lets one be a formula', () => {
    for (const name of ['=1+2', '+1', '-1', '@SUM(A1)', '\t=1', ' =1', '＝1', 'a,"b"\r\nc']) {
      const rows = records(withNames(telemetry, name));
      const tasks = rows.map((row) => row['worst_miss_task']!).filter((cell) => cell !== '');
      expect(tasks.length).toBeGreaterThan(0);
      for (const cell of tasks) {
        expect(cell).toMatch(/^[^=+\-@\t\r\n ＝]/u);
        expect(cell.replace(/^'/, '')).toBe(`${name}.${name}`);
      }
    }
  });

  it('leaves negative numbers numbers', () => {
    expect(csvCell(-1.23456)).toBe('-1.235');
    expect(csvCell('-1')).toBe('"\'-1"');
    expect(csvCell(null)).toBe('');
  });
});
