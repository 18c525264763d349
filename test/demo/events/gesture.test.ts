import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainEvent } from '../../../src/cli/demo/events/event.js';
import { generateGesture } from '../../../src/cli/demo/events/gesture.js';

describe('generated gesture', () => {
  test('is valid, in order, within its time, at its rate, and the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6_000_000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer(),
        (us, hz, seed) => {
          const events = generateGesture(us, hz, seed);
          let previousUs = 0;
          for (const event of events) {
            expect(explainEvent(event, previousUs)).toBeNull();
            expect(event.timeUs).toBeLessThan(us);
            previousUs = event.timeUs;
          }
          const pointers = events.filter((event) => event.type === 'pointer');
          expect(Math.abs(pointers.length - (us * hz) / 1e6)).toBeLessThanOrEqual(1);
          expect(generateGesture(us, hz, seed)).toEqual(events);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('moves smoothly, draws strokes, hovers, and lets go of every key that it strikes', () => {
    for (const seed of [1, 2, 3, 4]) {
      const events = generateGesture(10_000_000, 1000, seed);
      const held = new Set<string>();
      let strokes = 0;
      let strikes = 0;
      let x = Number.NaN;
      let y = Number.NaN;
      let buttons = 0;
      const xs: number[] = [];
      for (const event of events) {
        if (event.type === 'key') {
          if (event.down) strikes++;
          expect(held.has(event.key)).toBe(!event.down);
          if (event.down) held.add(event.key);
          else held.delete(event.key);
          continue;
        }
        // at most a hundredth of the picture in a millisecond
        if (!Number.isNaN(x)) expect(Math.hypot(event.x - x, event.y - y)).toBeLessThan(0.01);
        if (event.buttons !== 0 && buttons === 0) strokes++;
        ({ x, y, buttons } = event);
        xs.push(x);
      }
      expect(held.size).toBe(0);
      expect(strikes).toBeGreaterThan(5);
      expect(strokes).toBeGreaterThan(2);
      expect(Math.max(...xs) - Math.min(...xs)).toBeGreaterThan(0.4);
    }
  });

  test('another seed gives another gesture', () => {
    expect(generateGesture(1e6, 100, 1)).not.toEqual(generateGesture(1e6, 100, 2));
  });

  test.each([
    [-1, 1000, 1],
    [Number.NaN, 1000, 1],
    [Number.POSITIVE_INFINITY, 1000, 1],
    [1e6, 0, 1],
    [1e6, 1001, 1],
    [1e6, 1000, 0.5],
  ])('refuses %s µs, %s Hz, seed %s', (us, hz, seed) => {
    expect(() => generateGesture(us, hz, seed)).toThrow(/OPTION_INVALID/);
  });
});
