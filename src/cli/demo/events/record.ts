import type { DemoEvent } from './event.js';

/**
 * One event as a record of fixed size in 32-bit words, so that it can travel in shared memory. The same bytes are seen
 * through an `Int32Array` and a `Float32Array`; `base` is the record's first word in both. Nothing here is atomic: a
 * record belongs to its writer until whatever carries it (ring, slot) publishes it.
 */
export const EVENT_RECORD_WORDS = 16;

/** Word offsets in a record, for code that reads a field without making an object. */
export const EVENT_WORD = {
  /** `EVENT_KIND` */
  kind: 0,
  /** `timeUs`, low 32 bits, then the rest */
  timeLow: 1,
  timeHigh: 2,
  /** pointer: buttons held (i32). key: bit 0 down, above it the key's length in UTF-16 code units */
  state: 3,
  /** pointer: f32 */
  x: 4,
  y: 5,
  /** key: UTF-16 code units, two a word, the first in the low half; unused ones are 0 */
  key: 4,
} as const;

export const EVENT_KIND = { none: 0, pointer: 1, key: 2 } as const;

const TWO_32 = 4294967296;
const KEY_WORDS = 8;

/**
 * Writes `event` at word `base`. x and y are rounded to float32. The event must be valid (`explainEvent`): a longer key
 * is cut at `MAX_KEY_UNITS`. Allocates nothing.
 */
export function encodeEvent(words32: Int32Array, f32: Float32Array, base: number, event: DemoEvent): void {
  words32[base + EVENT_WORD.timeLow] = event.timeUs | 0;
  words32[base + EVENT_WORD.timeHigh] = Math.floor(event.timeUs / TWO_32);
  if (event.type === 'pointer') {
    words32[base + EVENT_WORD.kind] = EVENT_KIND.pointer;
    words32[base + EVENT_WORD.state] = event.buttons;
    f32[base + EVENT_WORD.x] = event.x;
    f32[base + EVENT_WORD.y] = event.y;
    for (let word = base + EVENT_WORD.y + 1; word < base + EVENT_RECORD_WORDS; word++) words32[word] = 0;
    return;
  }
  const key = event.key;
  const length = Math.min(key.length, KEY_WORDS * 2);
  words32[base + EVENT_WORD.kind] = EVENT_KIND.key;
  words32[base + EVENT_WORD.state] = (length << 1) | (event.down ? 1 : 0);
  for (let word = 0; word < EVENT_RECORD_WORDS - EVENT_WORD.key; word++) {
    const unit = word * 2;
    const low = unit < length ? key.charCodeAt(unit) : 0;
    const high = unit + 1 < length ? key.charCodeAt(unit + 1) : 0;
    words32[base + EVENT_WORD.key + word] = low | (high << 16);
  }
}

/**
 * The event at word `base`, or null where there is none (kind `none`, or words that are no record). Allocates the
 * event; per-event code that must not reads the words themselves, `recordTimeUs` and `recordKey`.
 */
export function decodeEvent(words32: Int32Array, f32: Float32Array, base: number): DemoEvent | null {
  const kind = words32[base + EVENT_WORD.kind];
  const timeUs = recordTimeUs(words32, base);
  if (kind === EVENT_KIND.pointer) {
    return {
      timeUs,
      type: 'pointer',
      x: f32[base + EVENT_WORD.x]!,
      y: f32[base + EVENT_WORD.y]!,
      buttons: words32[base + EVENT_WORD.state]!,
    };
  }
  if (kind === EVENT_KIND.key) {
    return { timeUs, type: 'key', key: recordKey(words32, base), down: recordIsDown(words32, base) };
  }
  return null;
}

/** A record's time in microseconds since the recording's start. */
export function recordTimeUs(words32: Int32Array, base: number): number {
  return words32[base + EVENT_WORD.timeHigh]! * TWO_32 + (words32[base + EVENT_WORD.timeLow]! >>> 0);
}

/** Whether a key record's key went down. */
export function recordIsDown(words32: Int32Array, base: number): boolean {
  return (words32[base + EVENT_WORD.state]! & 1) === 1;
}

/** A key record's key. Allocates a string where the key is longer than one character (engines keep those of Latin-1). */
export function recordKey(words32: Int32Array, base: number): string {
  const length = Math.min(words32[base + EVENT_WORD.state]! >>> 1, KEY_WORDS * 2);
  let key = '';
  for (let unit = 0; unit < length; unit++) {
    const word = words32[base + EVENT_WORD.key + (unit >> 1)]!;
    key += String.fromCharCode((unit & 1) === 0 ? word & 0xffff : word >>> 16);
  }
  return key;
}
