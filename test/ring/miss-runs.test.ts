import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RING_HEADER_WORDS } from '../../src/memory/layout.js';
import { MISS_NUMBERS_KEPT, MissRunsProducer, markMissed, readMissRuns } from '../../src/ring/miss-runs.js';

type Kind = 'met' | 'missed' | 'gap';

/** Runs by walking over the whole history, gaps left out. */
function naive(history: readonly Kind[]): { runs: number; longest: number; met: number; of: number } {
  const jobs = history.filter((kind) => kind !== 'gap');
  let runs = 0;
  let longest = 0;
  let length = 0;
  for (const kind of jobs) {
    if (kind === 'missed') {
      length++;
      if (length === 1) runs++;
      longest = Math.max(longest, length);
    } else length = 0;
  }
  const last = jobs.slice(-100);
  return { runs, longest, met: last.filter((kind) => kind === 'met').length, of: last.length };
}

function give(producer: MissRunsProducer, history: readonly Kind[], first: number): void {
  let expected = first;
  history.forEach((kind, i) => {
    if (kind === 'gap') return;
    const number = (first + i) | 0;
    producer.give(number, expected);
    expected = (number + 1) | 0;
  });
}

const blocks = fc
  .array(fc.tuple(fc.constantFrom<Kind>('met', 'missed', 'missed', 'gap'), fc.integer({ min: 1, max: 120 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.flatMap(([kind, length]) => new Array<Kind>(length).fill(kind)).slice(0, 800));
const kinds = fc.array(fc.constantFrom<Kind>('met', 'met', 'met', 'missed', 'missed', 'gap'), {
  minLength: 1,
  maxLength: 700,
});

describe('runs of misses', () => {
  test('are those of the history, in whatever order the jobs end, also where numbers wrap', () => {
    fc.assert(
      fc.property(
        fc.oneof(kinds, blocks),
        fc.constantFrom(0, 7, 2 ** 31 - 50, -40),
        fc.infiniteStream(fc.nat()),
        (history, first, order) => {
          const kept: Kind[] = [...history];
          while (kept.at(-1) === 'gap') kept.pop();
          const i32 = new Int32Array(RING_HEADER_WORDS);
          give(new MissRunsProducer(i32, first), kept, first);
          const missed = kept.flatMap((kind, i) => (kind === 'missed' ? [(first + i) | 0] : []));
          while (missed.length > 0) markMissed(i32, missed.splice(order.next().value! % missed.length, 1)[0]!);
          const reading = readMissRuns(i32, (first + kept.length) | 0);
          const expected = naive(kept);
          if (first === 0) expect(reading).toEqual(expected);
          else expect(reading).toMatchObject({ runs: expected.runs, longest: expected.longest });
        },
      ),
    );
  });

  test('old bits are gone when their numbers come round again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3000 }), (run, later) => {
        const i32 = new Int32Array(RING_HEADER_WORDS);
        const producer = new MissRunsProducer(i32, 0);
        for (let n = 0; n < 100; n++) producer.give(n, n);
        for (let n = 100 - run; n < 100; n++) markMissed(i32, n);
        for (let n = 100; n < 100 + later; n++) producer.give(n, n);
        const { met, of, longest, runs } = readMissRuns(i32, 100 + later);
        expect({ longest, runs, of }).toEqual({ longest: run, runs: 1, of: 100 });
        expect(met).toBe(100 - Math.max(0, Math.min(run, 100 - later)));
      }),
    );
  });

  test('a jump over many numbers clears what lies between', () => {
    const i32 = new Int32Array(RING_HEADER_WORDS);
    const producer = new MissRunsProducer(i32, 0);
    for (let n = 0; n < 200; n++) {
      producer.give(n, n);
      markMissed(i32, n);
    }
    producer.give(5000, 200);
    const { met, of } = readMissRuns(i32, 5001);
    expect({ met, of }).toEqual({ met: 1, of: 1 });
  });

  test('a job that ends long after its number is a run of its own and spoils nothing', () => {
    const i32 = new Int32Array(RING_HEADER_WORDS);
    const producer = new MissRunsProducer(i32, 0);
    for (let n = 0; n < MISS_NUMBERS_KEPT + 200; n++) producer.give(n, n);
    markMissed(i32, 3);
    expect(readMissRuns(i32, MISS_NUMBERS_KEPT + 200)).toEqual({ runs: 1, longest: 1, met: 100, of: 100 });
  });

  test('marked twice it counts once', () => {
    const i32 = new Int32Array(RING_HEADER_WORDS);
    const producer = new MissRunsProducer(i32, 0);
    for (let n = 0; n < 4; n++) producer.give(n, n);
    markMissed(i32, 1);
    markMissed(i32, 1);
    expect(readMissRuns(i32, 4)).toEqual({ runs: 1, longest: 1, met: 3, of: 4 });
  });
});
