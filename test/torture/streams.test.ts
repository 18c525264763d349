import { StreamRing } from 'frame-deadline';
import { describe, expect, it } from 'vitest';
import { Streams } from './streams.js';

/** What is said of a stream with these records. */
function said(records: readonly (readonly [number, number])[]): string[] {
  const streams = new Streams();
  const producer = StreamRing.attach(streams.add('a').stream, 'records').producer();
  for (const record of records) {
    producer.memory.i32.set(record, producer.beginWrite() >> 2);
    producer.commitWrite();
  }
  streams.read();
  return streams.faults;
}

describe('streams of periods', () => {
  it('in order, with gaps, are right', () =>
    expect(
      said([
        [0, ~0],
        [1, ~1],
        [5, ~5],
      ]),
    ).toEqual([]));
  it('one that comes twice is found', () =>
    expect(
      said([
        [1, ~1],
        [1, ~1],
      ]).join(),
    ).toMatch(/period 1 after 1/));
  it('one that comes too late is found', () =>
    expect(
      said([
        [3, ~3],
        [2, ~2],
      ]).join(),
    ).toMatch(/period 2 after 3/));
  it('a torn one is found', () => expect(said([[3, ~2]]).join()).toMatch(/period 3 is torn/));
});
