import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PARAMETERS } from '../../../src/cli/demo/audio/parameters.js';
import type { DemoEvent } from '../../../src/cli/demo/events/event.js';
import { EventMapper, mapEventToChanges, type ParameterTable } from '../../../src/cli/demo/events/mapping.js';
import { EVENT_RECORD_WORDS, encodeEvent } from '../../../src/cli/demo/events/record.js';

const table: ParameterTable = [
  { id: 3, name: 'eq.mid.gain', min: -24, max: 24, default: 0 },
  { id: 7, name: 'eq.mid.frequency', min: 20, max: 20_000, default: 1200 },
  { id: 8, name: 'compressor.threshold', min: -60, max: 0, default: -18 },
  { id: 9, name: 'output.gain', min: -60, max: 24, default: 0 },
];
const pointer = (x: number, y: number): DemoEvent => ({ timeUs: 0, type: 'pointer', x, y, buttons: 0 });
const key = (name: string, down: boolean): DemoEvent => ({ timeUs: 0, type: 'key', key: name, down });

describe('what events do to the sound', () => {
  test('pointer: frequency on a logarithmic scale, gain upwards', () => {
    expect(mapEventToChanges(pointer(0, 0), table)).toEqual([
      { parameter: 7, value: 40 },
      { parameter: 3, value: 12 },
    ]);
    const [frequency, gain] = mapEventToChanges(pointer(0.5, 0.5), table);
    expect(frequency!.value).toBeCloseTo(Math.sqrt(40 * 16_000), 9);
    expect(gain).toEqual({ parameter: 3, value: 0 });
    const [high, low] = mapEventToChanges(pointer(1, 1), table);
    expect(high!.value).toBeCloseTo(16_000, 9);
    expect(low!.value).toBe(-12);
  });

  test('keys: held they set a value, let go the default', () => {
    expect(mapEventToChanges(key('a', true), table)).toEqual([{ parameter: 8, value: -42 }]);
    expect(mapEventToChanges(key('l', true), table)).toEqual([{ parameter: 8, value: -6 }]);
    expect(mapEventToChanges(key('a', false), table)).toEqual([{ parameter: 8, value: -18 }]);
    expect(mapEventToChanges(key('q', true), table)).toEqual([{ parameter: 9, value: -18 }]);
    expect(mapEventToChanges(key('q', false), table)).toEqual([{ parameter: 9, value: 0 }]);
    for (const other of ['Enter', 'as', 'Z', ' ', '1']) expect(mapEventToChanges(key(other, true), table)).toEqual([]);
  });

  test('values stay within the range of their parameter', () => {
    const narrow = table.map((entry) => ({ ...entry, min: 100, max: 101, default: 100.5 }));
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(...'asdfghjklqwertyuiop'),
        (share, name) => {
          for (const event of [pointer(share, 1 - share), key(name, true), key(name, false)]) {
            for (const change of mapEventToChanges(event, narrow)) {
              expect(change.value).toBeGreaterThanOrEqual(100);
              expect(change.value).toBeLessThanOrEqual(101);
            }
          }
        },
      ),
    );
  });

  test('a record gives the changes of its event', () => {
    const words = new Int32Array(EVENT_RECORD_WORDS);
    const floats = new Float32Array(words.buffer);
    const mapper = new EventMapper(table);
    for (const event of [pointer(0.25, 0.75), key('k', true), key('p', false), key('Escape', true)]) {
      encodeEvent(words, floats, 0, event);
      const count = mapper.mapRecord(words, floats, 0);
      const changes = Array.from({ length: count }, (_, i) => ({
        parameter: mapper.parameters[i],
        value: mapper.values[i],
      }));
      expect(changes).toEqual(mapEventToChanges(event, table));
    }
    words.fill(0);
    expect(mapper.mapRecord(words, floats, 0)).toBe(0);
  });

  test('the audio chain has the parameters that the controls name', () => {
    const mapper = new EventMapper(PARAMETERS);
    expect(mapper.map(pointer(0.5, 0.5))).toBe(2);
    expect([...mapper.parameters].map((id) => PARAMETERS[id]!.name)).toEqual(['eq.mid.frequency', 'eq.mid.gain']);
  });

  test('a table without the parameter is refused by its name', () => {
    expect(() => new EventMapper(table.slice(1))).toThrow(/"eq\.mid\.gain".*OPTION_INVALID/);
  });
});
