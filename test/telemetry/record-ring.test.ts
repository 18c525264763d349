import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { MISS_RECORD_WORDS } from '../../src/telemetry/miss-record.js';
import { RecordRingReader, RecordRingWriter, recordRingWords } from '../../src/telemetry/record-ring.js';

const BASE = 3;

function ring(capacity: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (BASE + recordRingWords(capacity, MISS_RECORD_WORDS))));
}

/** Fills and publishes a record whose words all follow from `value`. */
function put(writer: RecordRingWriter, value: number): void {
  const base = writer.begin();
  for (let k = 0; k < MISS_RECORD_WORDS; k++) writer.words[base + k] = value * 31 + k;
  writer.publish();
}

/** The value of a record; fails on a torn one. */
function checkedValue(words: Int32Array, base: number): number {
  const value = words[base]! / 31;
  for (let k = 0; k < MISS_RECORD_WORDS; k++) expect(words[base + k]).toBe(value * 31 + k);
  return value;
}

function drainAll(reader: RecordRingReader): { values: number[]; overwritten: number } {
  const values: number[] = [];
  const { read, overwritten } = reader.drain((words, base) => values.push(checkedValue(words, base)));
  expect(read).toBe(values.length);
  return { values, overwritten };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('record ring', () => {
  test('hands on the newest in order and counts exactly what was overwritten', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8),
        fc.constantFrom(0, 2 ** 31 - 5, 2 ** 31, -5, -1),
        fc.array(fc.oneof(fc.nat({ max: 20 }), fc.constant('drain' as const)), { maxLength: 30 }),
        (capacity, firstNumber, steps) => {
          const words = ring(capacity);
          words[BASE] = firstNumber;
          const writer = new RecordRingWriter(words, BASE, capacity, MISS_RECORD_WORDS);
          const reader = new RecordRingReader(words, BASE, capacity, MISS_RECORD_WORDS);
          reader.skip();
          let written = 0;
          let unread: number[] = [];
          for (const step of [...steps, 'drain' as const]) {
            if (step === 'drain') {
              const { values, overwritten } = drainAll(reader);
              expect(values).toEqual(unread.slice(-capacity));
              expect(overwritten).toBe(Math.max(unread.length - capacity, 0));
              unread = [];
            } else {
              for (let i = 0; i < step; i++) {
                put(writer, written);
                unread.push(written++);
              }
            }
          }
        },
      ),
    );
  });

  test('the writer at work between any two of the reader’s loads tears nothing and miscounts nothing', () => {
    const capacity = 2;
    let sawOverwritten = 0;
    for (let at = 0; at < 2 * (2 + MISS_RECORD_WORDS) + 1; at++) {
      for (const burst of [1, 2, 3, 5]) {
        const words = ring(capacity);
        const writer = new RecordRingWriter(words, BASE, capacity, MISS_RECORD_WORDS);
        const reader = new RecordRingReader(words, BASE, capacity, MISS_RECORD_WORDS);
        let written = 0;
        put(writer, written++);
        put(writer, written++);
        let loads = 0;
        const load = Atomics.load.bind(Atomics);
        const spy = vi.spyOn(Atomics, 'load').mockImplementation(((shared: Int32Array, index: number) => {
          if (loads++ === at) for (let i = 0; i < burst; i++) put(writer, written++);
          return load(shared, index);
        }) as typeof Atomics.load);
        const first = drainAll(reader);
        spy.mockRestore();
        sawOverwritten += first.overwritten;
        const second = drainAll(reader);
        const values = [...first.values, ...second.values];
        expect(values).toEqual([...values].sort((a, b) => a - b));
        expect(values.length + first.overwritten + second.overwritten).toBe(written);
        expect(values.at(-1)).toBe(written - 1);
      }
    }
    expect(sawOverwritten).toBeGreaterThan(0);
  });

  test('the reader between any two of the writer’s stores sees whole records only', () => {
    const capacity = 2;
    for (let at = 0; at < 3 + MISS_RECORD_WORDS; at++) {
      const words = ring(capacity);
      const writer = new RecordRingWriter(words, BASE, capacity, MISS_RECORD_WORDS);
      const reader = new RecordRingReader(words, BASE, capacity, MISS_RECORD_WORDS);
      put(writer, 0);
      put(writer, 1);
      let stores = 0;
      let middle = { values: [] as number[], overwritten: 0 };
      const store = Atomics.store.bind(Atomics);
      const spy = vi.spyOn(Atomics, 'store').mockImplementation(((shared: Int32Array, index: number, value: number) => {
        if (stores++ === at) middle = drainAll(reader);
        return store(shared, index, value);
      }) as typeof Atomics.store);
      put(writer, 2);
      spy.mockRestore();
      const end = drainAll(reader);
      // before the first store record 0 is still there; from then on it is being overwritten
      expect(middle).toEqual(at === 0 ? { values: [0, 1], overwritten: 0 } : { values: [1], overwritten: 1 });
      expect(end).toEqual({ values: [2], overwritten: 0 });
    }
  });

  test('a writer that dies at any store loses its record and the one it overwrote, both accounted for', () => {
    for (let at = 0; at < 3 + MISS_RECORD_WORDS; at++) {
      const words = ring(2);
      const writer = new RecordRingWriter(words, BASE, 2, MISS_RECORD_WORDS);
      put(writer, 0);
      put(writer, 1);
      let stores = 0;
      const store = Atomics.store.bind(Atomics);
      const spy = vi.spyOn(Atomics, 'store').mockImplementation(((shared: Int32Array, index: number, value: number) => {
        if (stores++ === at) throw new Error('died');
        return store(shared, index, value);
      }) as typeof Atomics.store);
      expect(() => put(writer, 2)).toThrow('died');
      spy.mockRestore();
      const reader = new RecordRingReader(words, BASE, 2, MISS_RECORD_WORDS);
      expect(drainAll(reader)).toEqual(at === 0 ? { values: [0, 1], overwritten: 0 } : { values: [1], overwritten: 1 });
      // its replacement goes on in its place
      const next = new RecordRingWriter(words, BASE, 2, MISS_RECORD_WORDS);
      put(next, 3);
      expect(drainAll(reader)).toEqual({ values: [3], overwritten: 0 });
    }
  });

  test('readers do not disturb each other, and one may begin with what comes', () => {
    const words = ring(4);
    const writer = new RecordRingWriter(words, BASE, 4, MISS_RECORD_WORDS);
    const early = new RecordRingReader(words, BASE, 4, MISS_RECORD_WORDS);
    for (let i = 0; i < 3; i++) put(writer, i);
    const late = new RecordRingReader(words, BASE, 4, MISS_RECORD_WORDS);
    late.skip();
    expect(drainAll(early).values).toEqual([0, 1, 2]);
    put(writer, 3);
    expect(drainAll(late)).toEqual({ values: [3], overwritten: 0 });
    expect(drainAll(early)).toEqual({ values: [3], overwritten: 0 });
    expect(drainAll(early)).toEqual({ values: [], overwritten: 0 });
  });

  test('a record that is begun and not published costs nothing; the next begins empty', () => {
    const words = ring(1);
    const writer = new RecordRingWriter(words, BASE, 1, MISS_RECORD_WORDS);
    put(writer, 7);
    writer.words[writer.begin()] = 99;
    expect(drainAll(new RecordRingReader(words, BASE, 1, MISS_RECORD_WORDS)).values).toEqual([7]);
    const base = writer.begin();
    expect([...writer.words.subarray(base, base + MISS_RECORD_WORDS)]).toEqual(new Array(MISS_RECORD_WORDS).fill(0));
  });

  test('a callback that throws ends the drain; the next goes on behind that record', () => {
    const words = ring(4);
    const writer = new RecordRingWriter(words, BASE, 4, MISS_RECORD_WORDS);
    const reader = new RecordRingReader(words, BASE, 4, MISS_RECORD_WORDS);
    for (let i = 0; i < 3; i++) put(writer, i);
    expect(() =>
      reader.drain((record, base) => {
        if (checkedValue(record, base) === 1) throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(drainAll(reader)).toEqual({ values: [2], overwritten: 0 });
  });

  test('nothing outside the ring is written', () => {
    const words = new Int32Array(BASE + recordRingWords(2, MISS_RECORD_WORDS) + 5).fill(-7);
    words.fill(0, BASE, BASE + recordRingWords(2, MISS_RECORD_WORDS));
    const writer = new RecordRingWriter(words, BASE, 2, MISS_RECORD_WORDS);
    for (let i = 0; i < 9; i++) put(writer, i);
    expect([...words.subarray(0, BASE), ...words.subarray(-5)]).toEqual(new Array(BASE + 5).fill(-7));
  });

  test.each([0, -1, 3, 1.5, Number.NaN, 131_072])('a capacity of %d is refused', (capacity) => {
    expect(() => recordRingWords(capacity, MISS_RECORD_WORDS)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  test.each([-1, 0.5, Number.NaN, 1])('a ring that does not fit at base %d is refused', (base) => {
    const words = new Int32Array(recordRingWords(4, MISS_RECORD_WORDS));
    expect(() => new RecordRingWriter(words, base, 4, MISS_RECORD_WORDS)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
    expect(() => new RecordRingReader(words, base, 4, MISS_RECORD_WORDS)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});
