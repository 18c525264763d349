import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { FrameDeadlineError } from '../../src/base/errors.js';
import { parseTelemetry } from '../../src/report/parse-telemetry.js';
import { telemetrySchema } from '../../src/report/telemetry-schema.js';
import { snapshotOf } from '../../src/scheduler/snapshot.js';
import { makeTelemetry } from './fixture.js';

const FILE = new URL('../../src/report/telemetry.schema.json', import.meta.url);
/** Of another making: it knows all of JSON Schema 2020-12. `type` lists are part of the standard. */
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
  JSON.parse(readFileSync(FILE, 'utf8')),
);

const whole = makeTelemetry(1);
// a thousand broken copies are read
const telemetry = { ...whole, frames: whole.frames.slice(0, 3), misses: whole.misses.slice(0, 3) };
const text = JSON.stringify(telemetry);

function codeAndMessage(given: string): string {
  try {
    parseTelemetry(given, 'report.json');
  } catch (error) {
    expect(error).toBeInstanceOf(FrameDeadlineError);
    expect((error as FrameDeadlineError).code).toBe('TELEMETRY_FILE_INVALID');
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

/** Sets a member deep inside a fresh copy; `undefined` takes it away. */
function changed(path: readonly (string | number)[], value: unknown): string {
  const copy = JSON.parse(text);
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key];
  if (value === undefined) delete at[path.at(-1)!];
  else at[path.at(-1)!] = value;
  return JSON.stringify(copy);
}

describe('telemetry.schema.json', () => {
  it('is the schema of the code: write it anew with JSON.stringify(telemetrySchema) if not', () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(telemetrySchema)));
  });

  it('takes telemetry, also by an independent validator', () => {
    for (const seed of [1, 2, 3]) {
      const given = JSON.parse(JSON.stringify(makeTelemetry(seed)));
      expect(validate(given), JSON.stringify(validate.errors)).toBe(true);
      expect(parseTelemetry(JSON.stringify(given))).toEqual(given);
    }
  });

  // each member of each kind of record, taken away and broken: both validators must find the same
  const RECORDS: (string | number)[][] = [
    [],
    ['environment'],
    ['lanes', 0],
    ['lanes', 0, 'missRuns'],
    ['lanes', 0, 'tasks', 0],
    ['lanes', 0, 'tasks', 0, 'outcomes'],
    ['lanes', 0, 'tasks', 0, 'missCauses'],
    ['lanes', 0, 'tasks', 0, 'refusals'],
    ['lanes', 0, 'tasks', 0, 'histograms'],
    ['lanes', 0, 'tasks', 0, 'histograms', 'responseUs'],
    ['loops', 0],
    ['workers', 0],
    ['workers', 0, 'probes'],
    ['workers', 1],
    ['workers', 1, 'slackCollections'],
    ['misses', 0],
    ['misses', 0, 'segments'],
    ['frames', 0],
  ];
  const WRONG = [undefined, {}, [], 'text', -5, 1.5, true, null, [1, 2], [[1, 2, 3]]];
  it.each(RECORDS.map((path) => ({ path, where: path.join('.') || 'the whole' })))('faults of $where', ({ path }) => {
    const record = path.reduce((at: unknown, key) => (at as Record<string, unknown>)[key], telemetry);
    let faults = 0;
    for (const key of Object.keys(record as object)) {
      for (const value of WRONG) {
        const given = changed([...path, key], value);
        const valid = validate(JSON.parse(given));
        if (valid) continue;
        faults++;
        expect(codeAndMessage(given), `${key} ${JSON.stringify(value)}`).toContain(key);
      }
    }
    expect(faults).toBeGreaterThan(3 * Object.keys(record as object).length);
  });

  it('allows members that later versions may add', () => {
    const given = changed(['lanes', 0, 'tasks', 0, 'somethingNew'], 1);
    expect(validate(JSON.parse(given))).toBe(true);
    expect(() => parseTelemetry(given)).not.toThrow();
  });
});

describe('parseTelemetry', () => {
  it('finds telemetry as a member of a larger report, and names faults in it', () => {
    const report = { schemaVersion: 1, lanes: {}, telemetry };
    expect(parseTelemetry(`\ufeff${JSON.stringify(report)}`)).toEqual(JSON.parse(text));
    const broken = { ...report, telemetry: { ...telemetry, lanes: 3 } };
    expect(codeAndMessage(JSON.stringify(broken))).toMatch(/report\.json: telemetry\.lanes is 3, an array expected/);
  });

  it.each([1, 100, 5000, text.length - 1])('says that a file was cut after %i characters', (length) => {
    expect(codeAndMessage(text.slice(0, length))).toMatch(/report\.json cannot be read as JSON .*cut|expected/);
  });

  it('says what is wrong with what is something else', () => {
    expect(codeAndMessage('')).toMatch(/report\.json is empty/);
    expect(codeAndMessage('hello')).toMatch(/cannot be read as JSON/);
    expect(codeAndMessage('[]')).toMatch(/holds no telemetry.*an array of 0/);
    expect(codeAndMessage('null')).toMatch(/holds no telemetry/);
    expect(codeAndMessage('{"a":1}')).toMatch(/holds no telemetry/);
  });

  it('knows the other output of this package, and says what to save instead', () => {
    const snapshot = JSON.stringify(snapshotOf(telemetry, false));
    expect(codeAndMessage(snapshot)).toMatch(/is a snapshot .*save `JSON\.stringify\(scheduler\.telemetry\(\)\)`/);
    const demo = { schemaVersion: 1, interrupted: false, durationS: 1, lanes: {}, audio: {}, files: {} };
    expect(codeAndMessage(JSON.stringify(demo))).toMatch(/demo --json.*report\.json/);
    const top = { schemaVersion: 1, process: {}, atUnixMs: 1, uptimeUs: 1, intervalUs: 1, lanes: [], loops: [] };
    expect(codeAndMessage(JSON.stringify(top))).toMatch(/top --json.*scheduler\.telemetry\(\)/);
    const lines = `${JSON.stringify(top)}\n${JSON.stringify(top)}\n`;
    expect(codeAndMessage(lines)).toMatch(/top --json.*scheduler\.telemetry\(\)/);
    for (const one of [snapshot, JSON.stringify(demo), lines]) expect(codeAndMessage(one)).not.toMatch(/damaged/);
  });

  it('names no class of what JSON gave', () => {
    expect(codeAndMessage('{"a":1}')).toMatch(/`schemaVersion` expected, one without it found/);
    expect(codeAndMessage(changed(['lanes'], {}))).toMatch(/lanes is an object, an array expected/);
  });

  it('names versions that it does not know', () => {
    expect(codeAndMessage(changed(['schemaVersion'], 2))).toMatch(
      /schemaVersion 2, 1 expected; read it with the newer/,
    );
    expect(codeAndMessage(changed(['schemaVersion'], 'x'))).toMatch(/schemaVersion "x", 1 expected/);
  });

  it('checks what the schema cannot say', () => {
    const at = ['lanes', 0, 'tasks', 0, 'histograms', 'responseUs'];
    expect(codeAndMessage(changed([...at, 'count'], 1))).toMatch(/histograms\.responseUs hold \d+ values, 1 expected/);
    expect(
      codeAndMessage(
        changed(
          [...at, 'buckets'],
          [
            [9, 1],
            [3, 1],
          ],
        ),
      ),
    ).toMatch(/not in ascending order/);
  });
});
