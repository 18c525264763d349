import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DeadlineHeap } from '../../src/ring/deadline-heap.js';

/** Stamps and positions that wrap: offsets from a start anywhere in 32 bits. */
const entries = fc.tuple(
  fc.integer(),
  fc.integer(),
  fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.boolean()), { maxLength: 200 }),
);

test('gives the earliest deadline first, of equal ones the lower position, also where both wrap', () => {
  fc.assert(
    fc.property(entries, ([startUs, startPosition, steps]) => {
      const heap = new DeadlineHeap(200);
      const model: { offset: number; number: number }[] = [];
      steps.forEach(([offset, pops], number) => {
        heap.push((startPosition + number) | 0, (startUs + offset) | 0);
        model.push({ offset, number });
        model.sort((a, b) => a.offset - b.offset || a.number - b.number);
        expect(heap.size).toBe(model.length);
        expect(heap.positionAt(0)).toBe((startPosition + model[0]!.number) | 0);
        expect(heap.deadlineUsAt(0)).toBe((startUs + model[0]!.offset) | 0);
        if (!pops) return;
        heap.pop();
        model.shift();
        if (model.length > 0) expect(heap.positionAt(0)).toBe((startPosition + model[0]!.number) | 0);
      });
      for (; model.length > 0; model.shift(), heap.pop()) {
        expect(heap.positionAt(0)).toBe((startPosition + model[0]!.number) | 0);
      }
      expect(heap.size).toBe(0);
    }),
  );
});
