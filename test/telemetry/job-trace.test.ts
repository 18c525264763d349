import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as errors from '../../src/base/errors.js';
import * as layout from '../../src/memory/layout.js';
import type * as trace from '../../src/telemetry/job-trace.js';
import {
  JOB_DEADLINE_US,
  JOB_FINISH_US,
  JOB_FRAME_NUMBER,
  JOB_KIND,
  JOB_RECORD_WORDS,
  JOB_RELEASE_US,
  JOB_SEQUENCE,
  JOB_START_US,
  JOB_SUBMIT_US,
  JOB_WAKEUP_US,
  JobTraceReader,
  type JobTraceReading,
  JobTraceWriter,
  jobCauseOf,
  jobColumnOf,
  jobOutcomeOf,
  jobTaskOf,
  jobTraceWords,
} from '../../src/telemetry/job-trace.js';
import { type Exploration, explore, type Scenario } from '../interleaving/explore.js';
import { machine, run, type Stepping } from '../interleaving/machine.js';
import { compile, parse, steppedNames } from '../interleaving/transform.js';

const BASE = 3;

function memory(capacity: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * (BASE + jobTraceWords(capacity))));
}

/** A record whose words all follow from `i`, as `test/telemetry/job-trace.worker.js` writes it. */
const put = (writer: JobTraceWriter, i: number) =>
  writer.record(i & 0xffff, i & 31, i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, 1 + (i % 6), (i % 10) - 1, i + 7);

/** The numbers of the records; fails on a torn one. */
function valuesOf({ records, count }: JobTraceReading): number[] {
  const values: number[] = [];
  for (let at = 0; at < count * JOB_RECORD_WORDS; at += JOB_RECORD_WORDS) {
    const i = records[at + JOB_SEQUENCE]!;
    const kind = records[at + JOB_KIND]!;
    const torn =
      jobTaskOf(kind) !== (i & 0xffff) ||
      jobColumnOf(kind) !== (i & 31) ||
      jobOutcomeOf(kind) !== 1 + (i % 6) ||
      jobCauseOf(kind) !== (i % 10) - 1 ||
      records[at + JOB_FRAME_NUMBER] !== i + 1 ||
      records[at + JOB_SUBMIT_US] !== i + 2 ||
      records[at + JOB_RELEASE_US] !== i + 3 ||
      records[at + JOB_START_US] !== i + 4 ||
      records[at + JOB_FINISH_US] !== i + 5 ||
      records[at + JOB_DEADLINE_US] !== i + 6 ||
      records[at + JOB_WAKEUP_US] !== i + 7;
    if (torn) expect.fail(`torn: ${records.subarray(at, at + JOB_RECORD_WORDS)}`);
    values.push(i);
  }
  return values;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

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

// ------------------------------------------------- interleavings of the real code

type Trace = typeof trace;
interface Patch {
  readonly before: string;
  readonly after: string;
}

/** The module itself, rewritten so that roles can be switched before each access to shared words. */
function stepped(patches: readonly Patch[]): Trace {
  const file = 'telemetry/job-trace.ts';
  let source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  for (const { before, after } of patches) {
    if (source.split(before).length !== 2) throw new Error(`the source does not contain exactly once: ${before}`);
    source = source.replace(before, () => after);
  }
  const code = compile(file, source, steppedNames([parse(file, source)]), machine.sites);
  const exports = {};
  const require = (specifier: string): unknown => (specifier.endsWith('errors.js') ? errors : layout);
  compileFunction(code, ['require', 'exports', '$'], { filename: `stepped:${file}` })(require, exports, machine);
  return exports as Trace;
}

/** A writer of several jobs and two readings by another thread: each gives whole records, the newest, and counts the rest. */
function writerAndReader(capacity: number, before: number, during: number, patches: readonly Patch[] = []): Scenario {
  const module = stepped(patches);
  const words = memory(capacity);
  const seen: number[] = [];
  let accounted = 0;
  return {
    buffers: [{ name: 'trace', buffer: words.buffer }],
    begin() {
      words.fill(0);
      seen.length = 0;
      accounted = 0;
      const plain = new JobTraceWriter(words, BASE, capacity);
      for (let i = 0; i < before; i++) put(plain, i);
      return [
        {
          name: 'writer',
          *main(): Stepping {
            const writer = new module.JobTraceWriter(words, BASE, capacity);
            for (let i = before; i < before + during; i++) yield* run(put(writer, i));
            return undefined;
          },
        },
        {
          name: 'reader',
          *main(): Stepping {
            const reader = new module.JobTraceReader(words, BASE, capacity);
            let next = 0;
            for (let reading = 0; reading < 2; reading++) {
              const got = yield* run(reader.read(next));
              next = got.nextNumber;
              seen.push(...valuesOf(got));
              accounted += got.count + got.overwritten;
              if (accounted !== next) throw new Error(`${accounted} accounted for, ${next} published`);
            }
            return undefined;
          },
        },
      ];
    },
    end() {
      if (seen.some((value, i) => i > 0 && value <= seen[i - 1]!)) throw new Error(`read in the order ${seen}`);
    },
  };
}

function expectComplete(found: Exploration): void {
  expect(found.failure?.message).toBeUndefined();
  expect(found.complete).toBe(true);
  expect(found.states).toBeGreaterThan(100);
}

describe('job trace, all schedules of a writer and a reader', () => {
  const NO_CHECK: Patch = { before: 'if (!isWhole(', after: 'if (false && !isWhole(' };

  test.each([
    [2, 2, 3],
    [4, 4, 2],
  ])('capacity %d, %d records before and %d meanwhile', (capacity, before, during) => {
    expectComplete(explore(writerAndReader(capacity, before, during), { preemptions: 3 }));
  });

  test('in program order the margin alone is enough: nothing depends on the check', () => {
    expectComplete(explore(writerAndReader(2, 2, 3, [NO_CHECK]), { preemptions: 3 }));
  });

  test.each<[string, Patch]>([
    [
      'without a margin for the record that is being written',
      { before: 'headAfter - capacity + 1 - first', after: 'headAfter - capacity - first' },
    ],
    [
      'without a second look at the head',
      { before: 'const headAfter = Atomics.load(words, base); // acquire', after: 'const headAfter = head;' },
    ],
  ])('%s torn records come out, which the check finds', (_, patch) => {
    expect(explore(writerAndReader(2, 2, 3, [NO_CHECK, patch]), { preemptions: 3 }).failure?.message).toMatch('torn');
    expect(explore(writerAndReader(2, 2, 3, [patch]), { preemptions: 2 }).failure).toBeNull();
  });

  test('is found: the head published before the record', () => {
    const early: Patch[] = [
      { before: '    Atomics.store(words, base, (number + 1) | 0); // release\n', after: '' },
      {
        before: '    words[at + JOB_KIND] = kind;\n',
        after: '    Atomics.store(words, base, (number + 1) | 0);\n    words[at + JOB_KIND] = kind;\n',
      },
    ];
    expect(explore(writerAndReader(4, 2, 2, [NO_CHECK, ...early]), { preemptions: 3 }).failure?.message).toMatch(
      'torn',
    );
  });
});

// ------------------------------------------------- a processor that reorders plain stores

/** One store of the writer, in program order. */
interface Store {
  readonly at: number;
  readonly value: number;
  readonly isHead: boolean;
}

/** What `count` records store, word by word. */
function storesOf(capacity: number, first: number, count: number): Store[] {
  const words = memory(capacity);
  const writer = new JobTraceWriter(words, BASE, capacity);
  words[BASE] = first;
  const stores: Store[] = [];
  for (let i = first; i < first + count; i++) {
    const before = words.slice();
    words.fill(-12345, BASE + 32); // what is stored shows, even if it is the same as before
    put(writer, i);
    words.forEach((value, at) => {
      if (at >= BASE + 32 && value !== -12345) stores.push({ at, value, isHead: false });
      else if (at >= BASE + 32) words[at] = before[at]!;
    });
    stores.push({ at: BASE, value: words[BASE]!, isHead: true });
  }
  return stores;
}

test('where plain stores become visible before earlier releases, the check drops what is torn', () => {
  let dropped = 0;
  fc.assert(
    fc.property(fc.constantFrom(2, 4), fc.nat(), fc.infiniteStream(fc.nat({ max: 99 })), (capacity, turn, dice) => {
      const roll = (): number => dice.next().value;
      const records = 3 * capacity;
      const words = memory(capacity);
      const writer = new JobTraceWriter(words, BASE, capacity);
      for (let i = 0; i < capacity; i++) put(writer, i);
      // pending stores in program order: any that no earlier one to its word precedes may go first, a head only when all before it went
      const pending = storesOf(capacity, capacity, records);
      const reader = new JobTraceReader(words, BASE, capacity);
      const readAt = turn % pending.length;
      let stepsDone = 0;
      const stepOnce = (): void => {
        if (pending.length === 0) return;
        let pick = 0;
        for (let tries = 0; tries < 4; tries++) {
          const candidate = roll() % Math.min(pending.length, 60);
          const store = pending[candidate]!;
          const blocked = pending.slice(0, candidate).some((earlier) => store.isHead || earlier.at === store.at);
          if (!blocked) {
            pick = candidate;
            break;
          }
        }
        const [store] = pending.splice(pick, 1);
        words[store!.at] = store!.value;
        stepsDone++;
      };
      while (stepsDone < readAt) stepOnce();
      const load = Atomics.load;
      let loads = 0;
      Atomics.load = ((array: Int32Array, index: number): number => {
        if (loads++ > 0 && roll() < 50) stepOnce();
        return load(array, index);
      }) as typeof Atomics.load;
      try {
        const reading = reader.read();
        valuesOf(reading);
        expect(reading.count + reading.overwritten).toBe(reading.nextNumber);
        if (reading.count < capacity - 1) dropped++;
      } finally {
        Atomics.load = load;
      }
      while (pending.length > 0) stepOnce();
      expect(valuesOf(reader.read())).toEqual(range(records + 1, records + capacity));
    }),
    { numRuns: 3000 },
  );
  expect(dropped).toBeGreaterThan(100);
});

// ------------------------------------------------- two threads

test('a thread records at full speed while another reads: no record is torn, none is counted twice', async () => {
  expect(existsSync(new URL('../../dist/telemetry/job-trace.js', import.meta.url)), 'npm run build').toBe(true);
  const count = 3_000_000;
  const capacity = 64;
  const control = new Int32Array(new SharedArrayBuffer(4));
  const words = memory(capacity);
  const worker = new Worker(new URL('./job-trace.worker.js', import.meta.url), {
    workerData: { control, words, base: BASE, capacity, count },
  });
  const failed = once(worker, 'error').then(([error]) => {
    throw error;
  });
  const exited = once(worker, 'exit');
  const reader = new JobTraceReader(words, BASE, capacity);
  let next = 0;
  let read = 0;
  let overwritten = 0;
  let last = -1;
  let looksMeanwhile = 0;
  const look = (): void => {
    const reading = reader.read(next);
    for (const value of valuesOf(reading)) {
      if (value <= last) expect.fail(`record ${value} after ${last}`);
      last = value;
    }
    if (reading.nextNumber > 0 && reading.nextNumber < count) looksMeanwhile++;
    next = reading.nextNumber;
    read += reading.count;
    overwritten += reading.overwritten;
  };
  const finished = (async () => {
    while (Atomics.load(control, 0) === 0) {
      look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await Promise.race([finished, failed]);
  await Promise.race([exited, failed]);
  look();
  expect(read + overwritten).toBe(count);
  expect(last).toBe(count - 1);
  expect(looksMeanwhile).toBeGreaterThan(0);
});
