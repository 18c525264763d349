import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  JOB_KIND,
  JobTraceReader,
  JobTraceWriter,
  jobCauseOf,
  jobColumnOf,
  jobOutcomeOf,
  jobTaskOf,
  jobTraceWords,
} from '../../src/telemetry/job-trace.js';
import { BASE, memory, put, range, valuesOf } from './job-trace-support.js';

describe('job trace', () => {
  test('gives the newest in order and counts exactly what was overwritten, for any number of readers', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2, 4, 8),
        fc.constantFrom(0, 2 ** 31 - 5, 2 ** 31, -5, -1),
        fc.array(fc.oneof(fc.nat({ max: 20 }), fc.constantFrom('a' as const, 'b' as const)), { maxLength: 30 }),
        (capacity, firstNumber, steps) => {
          const words = memory(capacity);
          words[BASE] = firstNumber;
          const writer = new JobTraceWriter(words, BASE, capacity);
          const readers = { a: { next: firstNumber, read: 0 }, b: { next: firstNumber, read: 0 } };
          const reader = new JobTraceReader(words, BASE, capacity);
          let written = 0;
          for (const step of [...steps, 'a' as const, 'b' as const]) {
            if (typeof step === 'number') {
              for (let i = 0; i < step; i++) put(writer, written++);
              continue;
            }
            const own = readers[step];
            const reading = reader.read(own.next);
            const kept = Math.max(own.read, written - capacity + 1);
            expect(valuesOf(reading)).toEqual(range(kept, written));
            expect(reading.overwritten).toBe(kept - own.read);
            own.next = reading.nextNumber;
            own.read = written;
          }
        },
      ),
    );
  });

  test('without a number it gives all that is there', () => {
    const words = memory(8);
    const writer = new JobTraceWriter(words, BASE, 8);
    const reader = new JobTraceReader(words, BASE, 8);
    expect(reader.read()).toMatchObject({ count: 0, overwritten: 0, nextNumber: 0 });
    for (let i = 0; i < 20; i++) put(writer, i);
    expect(valuesOf(reader.read())).toEqual(range(13, 20));
    expect(reader.read().overwritten).toBe(13);
    expect(valuesOf(reader.read())).toEqual(range(13, 20));
  });

  test('a replacement goes on where the writer stopped', () => {
    const words = memory(8);
    put(new JobTraceWriter(words, BASE, 8), 0);
    put(new JobTraceWriter(words, BASE, 8), 1);
    expect(valuesOf(new JobTraceReader(words, BASE, 8).read())).toEqual([0, 1]);
  });

  test('extreme values survive', () => {
    const words = memory(2);
    const low = -(2 ** 31);
    new JobTraceWriter(words, BASE, 2).record(0xffff, 31, -1, -1, low, low, low, low, low, 6, 8, low);
    const { records, count } = new JobTraceReader(words, BASE, 2).read();
    expect(count).toBe(1);
    const kind = records[JOB_KIND]!;
    expect([jobTaskOf(kind), jobColumnOf(kind), jobOutcomeOf(kind), jobCauseOf(kind)]).toEqual([0xffff, 31, 6, 8]);
    new JobTraceWriter(words, BASE, 2).record(0, -1, 0, -1, 0, 0, 0, 0, 0, 3, -1, 0);
    const second = new JobTraceReader(words, BASE, 2).read();
    const last = second.records[JOB_KIND]!;
    expect([jobTaskOf(last), jobColumnOf(last), jobOutcomeOf(last), jobCauseOf(last)]).toEqual([0, -1, 3, -1]);
  });

  test('nothing outside the ring is written', () => {
    const words = new Int32Array(BASE + jobTraceWords(2) + 5).fill(-7);
    words.fill(0, BASE, BASE + jobTraceWords(2));
    const writer = new JobTraceWriter(words, BASE, 2);
    for (let i = 0; i < 9; i++) put(writer, i);
    expect([...words.subarray(0, BASE), ...words.subarray(-5)]).toEqual(new Array(BASE + 5).fill(-7));
  });

  test.each([0, 1, -2, 3, 1.5, Number.NaN, 131_072])('a capacity of %d is refused', (capacity) => {
    expect(() => jobTraceWords(capacity)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });

  test.each([-1, 0.5, Number.NaN, 1])('a ring that does not fit at base %d is refused', (base) => {
    const words = new Int32Array(jobTraceWords(4));
    expect(() => new JobTraceWriter(words, base, 4)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    expect(() => new JobTraceReader(words, base, 4)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
