import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { FrameDeadlineError } from '../../../src/base/errors.js';
import { type DemoEvent, MAX_KEY_UNITS } from '../../../src/cli/demo/events/event.js';
import { formatEvents, parseEvents, readEvents, writeEvents } from '../../../src/cli/demo/events/event-file.js';

const folder = mkdtempSync(join(tmpdir(), 'events-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const good = '{"timeUs":1000,"type":"pointer","x":0.5,"y":0.25,"buttons":1}';

const anyEvents: fc.Arbitrary<DemoEvent[]> = fc
  .array(
    fc.record({
      stepUs: fc.oneof(fc.nat(5000), fc.constant(2 ** 32)),
      event: fc.oneof(
        fc.record({
          type: fc.constant('pointer' as const),
          x: fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0),
          y: fc.double({ min: 0, max: 1, noNaN: true }).map((y) => y + 0),
          buttons: fc.nat(65535),
        }),
        fc.record({
          type: fc.constant('key' as const),
          key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }).filter((key) => key.length <= MAX_KEY_UNITS),
          down: fc.boolean(),
        }),
      ),
    }),
    { maxLength: 40 },
  )
  .map((steps) => {
    let timeUs = 0;
    return steps.map(({ stepUs, event }) => {
      timeUs += stepUs;
      return { timeUs, ...event };
    });
  });

function failure(run: () => unknown): FrameDeadlineError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(FrameDeadlineError);
    return error as FrameDeadlineError;
  }
  throw new Error('nothing was thrown');
}

describe('event file', () => {
  test('what is written is read back', () => {
    const path = join(folder, 'round-trip.jsonl');
    fc.assert(
      fc.property(anyEvents, (events) => {
        writeEvents(path, events);
        expect(readEvents(path)).toEqual(events);
      }),
    );
  });

  test('blank lines, CRLF, a byte order mark and a missing last newline change nothing', () => {
    const second = good.replace('1000', '1001');
    const plain = parseEvents(bytes(`${good}\n${second}\n`), 'plain');
    expect(plain).toHaveLength(2);
    expect(parseEvents(bytes(`\uFEFF\n  \r\n${good}\r\n\n\n ${second} `), 'odd')).toEqual(plain);
  });

  test('an empty file and one of blank lines hold no events', () => {
    expect(parseEvents(bytes(''), 'empty')).toEqual([]);
    expect(parseEvents(bytes('\n\n \n'), 'blank')).toEqual([]);
  });

  test.each([
    ['broken JSON', '{"timeUs":1000,', 'is not JSON'],
    ['NaN', '{"timeUs":1000,"type":"pointer","x":NaN,"y":0,"buttons":0}', 'is not JSON'],
    ['two values', `${good} ${good}`, 'is not JSON'],
    ['infinity', '{"timeUs":1e999,"type":"key","key":"a","down":true}', 'timeUs is Infinity'],
    ['an array', '[1,2]', 'an array of 2 where an object'],
    ['null', 'null', 'null where an object'],
    ['a number', '5', '5 where an object'],
    ['no type', '{"timeUs":1000}', 'type is missing: expected "pointer" or "key"'],
    ['another type', '{"timeUs":1000,"type":"wheel"}', 'type is "wheel"'],
    ['a time of the wrong type', good.replace('1000', '"1000"'), 'timeUs is "1000"'],
    ['a negative time', good.replace('1000', '-1'), 'timeUs is -1'],
    ['a fraction of a microsecond', good.replace('1000', '1000.5'), 'timeUs is 1000.5: expected a whole number'],
    ['no time', '{"type":"key","key":"a","down":true}', 'timeUs is missing'],
    ['x past 1', good.replace('0.5', '1.01'), 'x is 1.01: expected a number from 0 to 1'],
    ['x below 0', good.replace('0.5', '-0.01'), 'x is -0.01'],
    ['x null', good.replace('0.5', 'null'), 'x is null'],
    ['y a string', good.replace('0.25', '"0"'), 'y is "0"'],
    ['buttons a fraction', good.replace('"buttons":1', '"buttons":1.5'), 'buttons is 1.5'],
    ['buttons missing', good.replace(',"buttons":1', ''), 'buttons is missing'],
    ['an unknown field', good.replace('"buttons"', '"pressure":1,"buttons"'), 'field "pressure" is not one of'],
    ['an empty key', '{"timeUs":1000,"type":"key","key":"","down":true}', 'key is ""'],
    ['a key too long', '{"timeUs":1000,"type":"key","key":"12345678901234567","down":true}', 'a string of 1 to 16'],
    ['down a number', '{"timeUs":1000,"type":"key","key":"a","down":1}', 'down is 1: expected true or false'],
    ['time going backwards', good.replace('1000', '999'), 'timeUs is 999, earlier than the event before it (1000)'],
    ['a line too long', good + ' '.repeat(2000), 'bytes long where at most 1024'],
  ])('%s is an error that names the line', (_, line, problem) => {
    const error = failure(() => parseEvents(bytes(`${good}\n\n${line}\n${good}\n`), 'take.jsonl'));
    expect(error.code).toBe('EVENTS_INVALID');
    expect(error.message).toContain('take.jsonl, line 3: ');
    expect(error.message).toContain(problem);
  });

  test('a bad line is named wherever it stands', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.constantFrom('{', 'x', '{"a":1}', '"'), (before, after, bad) => {
        const lines = [...Array<string>(before).fill(good), bad, ...Array<string>(after).fill(good)];
        const error = failure(() => parseEvents(bytes(lines.join('\n')), 'f'));
        expect(error.message).toContain(`f, line ${before + 1}: `);
      }),
    );
  });

  test('any bytes give events or EVENTS_INVALID', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          expect(parseEvents(noise, 'noise')).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameDeadlineError);
          expect((error as FrameDeadlineError).code).toBe('EVENTS_INVALID');
        }
      }),
    );
  });

  test('bytes that are no UTF-8 are an error', () => {
    const error = failure(() => parseEvents(new Uint8Array([0x0a, 0x22, 0xff, 0x22]), 'f'));
    expect(error.message).toContain('f, line 2: not valid UTF-8');
  });

  test('a missing file, a directory, a device and an unreadable file', () => {
    const directory = join(folder, 'directory');
    mkdirSync(directory);
    expect(failure(() => readEvents(join(folder, 'none.jsonl'))).message).toMatch(
      /none\.jsonl".*ENOENT.*FILE_UNREADABLE/,
    );
    expect(failure(() => readEvents(directory)).message).toContain('it is a directory');
    if (process.platform !== 'win32') {
      expect(failure(() => readEvents('/dev/zero')).message).toContain('it is not a regular file');
    }
    if (process.platform !== 'win32' && process.getuid?.() !== 0) {
      const secret = join(folder, 'secret.jsonl');
      writeFileSync(secret, good);
      chmodSync(secret, 0);
      expect(failure(() => readEvents(secret)).code).toBe('FILE_UNREADABLE');
    }
  });

  test('writing refuses what reading would, and says where it cannot write', () => {
    const event: DemoEvent = { timeUs: 5, type: 'pointer', x: Number.NaN, y: 0, buttons: 0 };
    expect(failure(() => formatEvents([event])).message).toContain('line 1: x is NaN');
    expect(failure(() => writeEvents(join(folder, 'no', 'such', 'f'), [])).code).toBe('OUTPUT_UNWRITABLE');
  });
});
