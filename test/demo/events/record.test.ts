import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DemoEvent } from '../../../src/cli/demo/events/event.js';
import {
  decodeEvent,
  EVENT_RECORD_WORDS,
  encodeEvent,
  recordIsDown,
  recordKey,
  recordTimeUs,
} from '../../../src/cli/demo/events/record.js';

const anyEvent: fc.Arbitrary<DemoEvent> = fc.oneof(
  fc.record({
    timeUs: fc.maxSafeNat(),
    type: fc.constant('pointer' as const),
    x: fc.float({ min: 0, max: 1, noNaN: true }),
    y: fc.float({ min: 0, max: 1, noNaN: true }),
    buttons: fc.nat(65535),
  }),
  fc.record({
    timeUs: fc.maxSafeNat(),
    type: fc.constant('key' as const),
    key: fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 16 }),
    down: fc.boolean(),
  }),
  fc.record({
    timeUs: fc.maxSafeNat(),
    type: fc.constant('key' as const),
    key: fc.constantFrom('é', '日本', '👩‍🚀', 'ArrowLeft', 'BrowserFavorites'),
    down: fc.boolean(),
  }),
);

describe('event record', () => {
  test('what is encoded is decoded, in a used record, and its neighbours are left alone', () => {
    fc.assert(
      fc.property(anyEvent, anyEvent, (earlier, event) => {
        const words = new Int32Array(new SharedArrayBuffer(EVENT_RECORD_WORDS * 12)).fill(0x55555555);
        const floats = new Float32Array(words.buffer);
        encodeEvent(words, floats, EVENT_RECORD_WORDS, earlier);
        encodeEvent(words, floats, EVENT_RECORD_WORDS, event);
        expect(decodeEvent(words, floats, EVENT_RECORD_WORDS)).toEqual(event);
        expect(recordTimeUs(words, EVENT_RECORD_WORDS)).toBe(event.timeUs);
        if (event.type === 'key') {
          expect(recordKey(words, EVENT_RECORD_WORDS)).toBe(event.key);
          expect(recordIsDown(words, EVENT_RECORD_WORDS)).toBe(event.down);
        }
        for (let i = 0; i < EVENT_RECORD_WORDS; i++) {
          expect(words[i]).toBe(0x55555555);
          expect(words[EVENT_RECORD_WORDS * 2 + i]).toBe(0x55555555);
        }
      }),
    );
  });

  test('the same event gives the same words whatever was there', () => {
    fc.assert(
      fc.property(anyEvent, anyEvent, (earlier, event) => {
        const clean = new Int32Array(EVENT_RECORD_WORDS);
        const used = new Int32Array(EVENT_RECORD_WORDS);
        encodeEvent(clean, new Float32Array(clean.buffer), 0, event);
        encodeEvent(used, new Float32Array(used.buffer), 0, earlier);
        encodeEvent(used, new Float32Array(used.buffer), 0, event);
        expect(used).toEqual(clean);
      }),
    );
  });

  test('words that are no record decode to nothing', () => {
    const words = new Int32Array(EVENT_RECORD_WORDS);
    expect(decodeEvent(words, new Float32Array(words.buffer), 0)).toBeNull();
    words[0] = 77;
    expect(decodeEvent(words, new Float32Array(words.buffer), 0)).toBeNull();
  });
});
