import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  OUTCOME_ON_TIME,
  SLOT_DEADLINE_US,
  SLOT_SEQUENCE,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_READY,
  STATUS_WAITING,
  statusOf,
  withStatus,
} from '../../src/memory/layout.js';
import { JobRing, JobRingProducer, jobRingBytes } from '../../src/ring/job-ring.js';
import { JobScanner } from '../../src/ring/job-scanner.js';

// One worker's eye on a ring of which others take jobs too, against a look at every slot.

type Step =
  | { does: 'publish'; laterUs: number; waits: boolean }
  | { does: 'open' | 'othersTake'; which: number }
  | { does: 'look'; isSure: boolean; takes: boolean };

/** Deadlines come earlier and earlier, and others take most: entries pile up that are stale. Few barriers open. */
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({
      does: fc.constant('publish' as const),
      laterUs: fc.integer({ min: -20, max: 12 }),
      waits: fc.nat(7).map((n) => n === 0),
    }),
    weight: 12,
  },
  { arbitrary: fc.record({ does: fc.constant('othersTake' as const), which: fc.nat(7) }), weight: 9 },
  { arbitrary: fc.record({ does: fc.constant('open' as const), which: fc.nat(7) }), weight: 1 },
  {
    arbitrary: fc.record({ does: fc.constant('look' as const), isSure: fc.boolean(), takes: fc.boolean() }),
    weight: 5,
  },
);

class Ring {
  readonly ring: JobRing;
  readonly scanner: JobScanner;
  private readonly producer: JobRingProducer;
  private deadlineUs: number;

  constructor(capacitySlots: number, startUs: number) {
    const { strideBytes, bytes } = jobRingBytes(capacitySlots, 0);
    const buffer = new SharedArrayBuffer(bytes);
    this.ring = new JobRing({ buffer, capacitySlots, strideBytes, periodic: false });
    this.producer = new JobRingProducer(this.ring);
    this.scanner = new JobScanner(this.ring);
    this.deadlineUs = startUs;
  }

  publish(laterUs: number, waits: boolean): void {
    this.publishAt((this.deadlineUs + laterUs) | 0, waits);
  }

  /** Unless the ring is full. */
  publishAt(deadlineUs: number, waits: boolean): void {
    const slot = this.producer.reserve();
    if (slot < 0) return;
    this.deadlineUs = deadlineUs;
    this.producer.publish(slot, waits ? STATUS_WAITING : STATUS_READY, 0, 0, 0, -1, 0, 0, this.deadlineUs);
  }

  word(slot: number, offset: number): number {
    return this.ring.i32[this.ring.slotBase(slot) + offset]!;
  }

  slotsWith(status: number): number[] {
    const slots = Array.from({ length: this.ring.capacitySlots }, (_, slot) => slot);
    return slots.filter((slot) => statusOf(this.word(slot, SLOT_STATE)) === status);
  }

  /** The ready one with the earliest deadline, of equals the one that was published first; -1: none. */
  earliest(): number {
    const later = (a: number, b: number): number =>
      (this.word(a, SLOT_DEADLINE_US) - this.word(b, SLOT_DEADLINE_US)) | 0 ||
      (this.word(a, SLOT_SEQUENCE) - this.word(b, SLOT_SEQUENCE)) | 0;
    return this.slotsWith(STATUS_READY).sort(later)[0] ?? -1;
  }

  change(slot: number, status: number, outcome = 0): void {
    const at = this.ring.slotBase(slot) + SLOT_STATE;
    this.ring.i32[at] = withStatus(this.ring.i32[at]!, status, outcome);
  }

  /** Whoever runs it, it ends, and its slot is given back. */
  end(slot: number): void {
    this.change(slot, STATUS_DONE, OUTCOME_ON_TIME);
    this.producer.free(slot);
  }
}

test('a look finds the earliest ready job, whatever others took and barriers opened meanwhile', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(2, 4, 8),
      fc.constantFrom(0, 2 ** 31 - 100),
      fc.array(step, { maxLength: 300, size: 'max' }),
      (capacitySlots, startUs, steps) => {
        const ring = new Ring(capacitySlots, startUs);
        const { scanner } = ring;
        for (const given of steps) {
          if (given.does === 'publish') ring.publish(given.laterUs, given.waits);
          else if (given.does === 'look') {
            const expected = ring.earliest();
            const found = scanner.look(given.isSure) ? scanner.slot : -1;
            expect(found).toBe(expected);
            if (!given.takes || found < 0) continue;
            expect(scanner.claim(0)).not.toBe(0);
            ring.end(found);
          } else {
            const slots = ring.slotsWith(given.does === 'open' ? STATUS_WAITING : STATUS_READY);
            const slot = slots[given.which % Math.max(slots.length, 1)];
            if (slot === undefined) continue;
            if (given.does === 'open') ring.change(slot, STATUS_READY);
            else ring.end(slot);
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
});

test('a job that waited behind a barrier has room beside all that others took', () => {
  const ring = new Ring(4, 0);
  const { scanner } = ring;
  const publish = (deadlinesUs: number[]): void => {
    for (const deadlineUs of deadlinesUs) ring.publishAt(deadlineUs, false);
  };
  const othersTakeAll = (): void => {
    for (const slot of ring.slotsWith(STATUS_READY)) ring.end(slot);
  };
  ring.publishAt(1, true);
  publish([1000, 900]);
  expect(scanner.look(true)).toBe(true);
  othersTakeAll();
  publish([800, 810, 820]);
  expect(scanner.look(true)).toBe(true);
  othersTakeAll();
  publish([700, 950]);
  expect(scanner.look(true)).toBe(true);
  publish([850]);
  expect(scanner.look(true)).toBe(true);
  ring.change(0, STATUS_READY);
  const taken: number[] = [];
  while (scanner.look(true)) {
    taken.push(ring.word(scanner.slot, SLOT_DEADLINE_US));
    expect(scanner.claim(0)).not.toBe(0);
    ring.end(scanner.slot);
  }
  expect(taken).toEqual([1, 700, 850, 950]);
});
