import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as errors from '../../src/base/errors.js';
import * as layout from '../../src/memory/layout.js';
import type * as trace from '../../src/telemetry/job-trace.js';
import { JobTraceReader, JobTraceWriter } from '../../src/telemetry/job-trace.js';
import { type Exploration, explore, type Scenario } from '../interleaving/explore.js';
import { machine, run, type Stepping } from '../interleaving/machine.js';
import { compile, parse, steppedNames } from '../interleaving/transform.js';
import { BASE, memory, put, range, valuesOf } from './job-trace-support.js';

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
