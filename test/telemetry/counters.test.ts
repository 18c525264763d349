import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  addToCounter,
  COUNTER_WORDS,
  increment,
  readCounter,
  redoIncrement,
  repairCounter,
  valueAfterIncrement,
} from '../../src/telemetry/counters.js';

const TWO_POW_32 = 2 ** 32;

function counterAt(count: number): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(4 * COUNTER_WORDS));
  words[0] = (count % TWO_POW_32) | 0;
  words[1] = Math.floor(count / TWO_POW_32) * 2;
  return words;
}

/** Thrown in the place of a shared store: the thread died there. */
class Death extends Error {}

/** Runs `action` and lets it die in the place of its atomic store number `step` (from 0). True if it got that far. */
function dieAtStore(step: number, action: () => void): boolean {
  const store = Atomics.store.bind(Atomics);
  let stores = 0;
  const spy = vi.spyOn(Atomics, 'store').mockImplementation(((words: Int32Array, index: number, value: number) => {
    if (stores++ === step) throw new Death();
    return store(words, index, value);
  }) as typeof Atomics.store);
  try {
    action();
    return false;
  } catch (error) {
    if (!(error instanceof Death)) throw error;
    return true;
  } finally {
    spy.mockRestore();
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts at which 32-bit arithmetic goes wrong first. */
const edges = [
  0,
  1,
  2 ** 31 - 2,
  2 ** 31 - 1,
  2 ** 31,
  TWO_POW_32 - 2,
  TWO_POW_32 - 1,
  TWO_POW_32,
  5 * TWO_POW_32 - 1,
  2 ** 52 - 1,
];

describe('counting', () => {
  test.each(edges)('five increments from %d', (start) => {
    const words = counterAt(start);
    for (let i = 1; i <= 5; i++) {
      increment(words, 0);
      expect(readCounter(words, 0)).toBe(start + i);
    }
  });

  test('any amounts from any start add up', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 2 ** 52 })),
        fc.array(fc.oneof(fc.nat({ max: 3 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }))),
        (start, amounts) => {
          const words = counterAt(start);
          let expected = start;
          for (const amount of amounts) {
            addToCounter(words, 0, amount);
            expected += amount;
            expect(readCounter(words, 0)).toBe(expected);
          }
        },
      ),
    );
  });
});

describe('reading while the writer wraps', () => {
  // The writer makes some accesses before each of the reader's loads: every choice of 0 to 6 for the first three loads.
  test('gives a count that was true between the call and its return', () => {
    for (let choice = 0; choice < 7 ** 3; choice++) {
      const paces = [choice % 7, Math.floor(choice / 7) % 7, Math.floor(choice / 49)];
      const words = counterAt(TWO_POW_32 - 2);
      let value = TWO_POW_32 - 2;
      const accesses = writerAccesses(words, 6, () => {
        value++;
      });
      const load = Atomics.load.bind(Atomics);
      let loads = 0;
      const spy = vi.spyOn(Atomics, 'load').mockImplementation(((shared: Int32Array, index: number) => {
        const pace = paces[loads++] ?? 0;
        for (let i = 0; i < pace; i++) accesses.next();
        return load(shared, index);
      }) as typeof Atomics.load);
      const before = value;
      const seen = readCounter(words, 0);
      spy.mockRestore();
      if (seen < before || seen > value) expect.fail(`${seen} is not in ${before} to ${value}, paces ${paces}`);
    }
  });

  /** The stores of `increment`, one at a time; `done` when the count has changed for readers. */
  function* writerAccesses(words: Int32Array, increments: number, done: () => void): Generator<void> {
    for (let i = 0; i < increments; i++) {
      const stores: [number, number][] = [];
      const copy = new Int32Array(words.buffer.slice(0));
      const spy = vi.spyOn(Atomics, 'store').mockImplementation(((shared: Int32Array, index: number, v: number) => {
        shared[index] = v;
        stores.push([index, v]);
        return v;
      }) as typeof Atomics.store);
      increment(copy, 0);
      spy.mockRestore();
      if (stores.length === 0) stores.push([0, copy[0]!]);
      for (const [index, v] of stores) {
        words[index] = v;
        if (index === 0) done();
        yield;
      }
    }
  }

  test('a high word that never rests ends in a count that was certainly reached', () => {
    const words = counterAt(7 * TWO_POW_32 + 5);
    const load = Atomics.load.bind(Atomics);
    let loads = 0;
    vi.spyOn(Atomics, 'load').mockImplementation(((shared: Int32Array, index: number) => {
      if (index === 1) shared[1] = shared[1]! + 2;
      if (++loads > 1000) throw new Error('readCounter does not end');
      return load(shared, index);
    }) as typeof Atomics.load);
    const seen = readCounter(words, 0);
    vi.restoreAllMocks();
    expect(seen).toBeGreaterThan(7 * TWO_POW_32);
    expect(seen).toBeLessThanOrEqual(readCounter(words, 0));
  });
});

describe('a writer that dies', () => {
  test('leaves an exact count wherever it dies, and a repaired counter counts on', () => {
    for (const amount of [1, 2, 1000, 2 ** 31 - 1]) {
      for (let step = 0; ; step++) {
        const start = 3 * TWO_POW_32 - 1;
        const words = counterAt(start);
        const died = dieAtStore(step, () => addToCounter(words, 0, amount));
        const left = readCounter(words, 0);
        expect([start, start + amount]).toContain(left);
        for (let again = 0; again < 2; again++) {
          repairCounter(words, 0);
          expect(readCounter(words, 0)).toBe(left);
          expect(words[1]! & 1).toBe(0);
        }
        increment(words, 0);
        addToCounter(words, 0, 2 ** 31 - 1);
        addToCounter(words, 0, 2 ** 31 - 1);
        expect(readCounter(words, 0)).toBe(left + 2 ** 32 - 1);
        if (!died) break;
        expect(step).toBeLessThan(10);
      }
    }
  });

  test('has its announced increment made exactly once, wherever it died', () => {
    for (const start of edges) {
      for (let step = -1; ; step++) {
        const words = counterAt(start);
        const recorded = valueAfterIncrement(words, 0);
        // step -1: announced, and died before the increment's first access
        const died = step < 0 || dieAtStore(step, () => increment(words, 0));
        redoIncrement(words, 0, recorded);
        expect(readCounter(words, 0)).toBe(start + 1);
        expect(redoIncrement(words, 0, recorded)).toBe(false);
        expect(readCounter(words, 0)).toBe(start + 1);
        expect(words[1]! & 1).toBe(0);
        if (!died) break;
      }
    }
  });

  test('has it made once also if the redo is broken off at any step and begun again', () => {
    for (const start of edges) {
      for (let writerStep = -1; writerStep < 4; writerStep++) {
        for (let redoStep = 0; redoStep < 6; redoStep++) {
          const words = counterAt(start);
          const recorded = valueAfterIncrement(words, 0);
          if (writerStep >= 0) dieAtStore(writerStep, () => increment(words, 0));
          dieAtStore(redoStep, () => redoIncrement(words, 0, recorded));
          redoIncrement(words, 0, recorded);
          redoIncrement(words, 0, recorded);
          expect(readCounter(words, 0)).toBe(start + 1);
        }
      }
    }
  });

  test('says whether it counted, and leaves a counter alone that has gone on', () => {
    const words = counterAt(41);
    const recorded = valueAfterIncrement(words, 0);
    expect(recorded).toBe(42);
    expect(redoIncrement(words, 0, recorded)).toBe(true);
    increment(words, 0);
    expect(redoIncrement(words, 0, recorded)).toBe(false);
    expect(readCounter(words, 0)).toBe(43);
  });
});
