import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignClock, clockSince, measureSkewUs, newEpochUs, ownNowUs } from '../../src/host/web/clock.js';

describe('the clock of a page', () => {
  it('finds no skew where the answer lies between question and reply', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)), { minLength: 1, maxLength: 8 }),
        (rounds) => {
          let at = 1.8e15;
          const readings = rounds.map(([out, back, pause]) => {
            const reading = { askedUs: at, otherUs: at + out, answeredUs: at + out + back };
            at += out + back + pause;
            return reading;
          });
          expect(measureSkewUs(readings)).toBe(0);
        },
      ),
    );
  });

  it('corrects another one to within the fastest round trip', () => {
    const far = fc.integer({ min: 2000, max: 1e12 });
    fc.assert(
      fc.property(
        fc.oneof(
          far,
          far.map((us) => -us),
        ),
        fc.array(fc.tuple(fc.nat(900), fc.nat(900)), { minLength: 1, maxLength: 8 }),
        (skewUs, rounds) => {
          const readings = rounds.map(([out, back], i) => {
            const askedUs = 1.8e15 + i * 5000;
            return { askedUs, otherUs: askedUs + out - skewUs, answeredUs: askedUs + out + back };
          });
          const fastest = Math.min(...rounds.map(([out, back]) => out + back));
          expect(Math.abs(measureSkewUs(readings) - skewUs)).toBeLessThanOrEqual(fastest / 2 + 1);
        },
      ),
    );
  });

  it('reads as that of the page, once aligned', () => {
    const epochUs = newEpochUs();
    const page = clockSince(epochUs);
    alignClock(3e6);
    try {
      const other = clockSince(epochUs);
      const before = page.nowPreciseUs();
      const between = other.nowPreciseUs() - 3e6;
      const after = page.nowPreciseUs();
      expect(between).toBeGreaterThanOrEqual(before - 1);
      expect(between).toBeLessThanOrEqual(after + 1);
    } finally {
      alignClock(0);
    }
    expect(Number.isInteger(page.nowUs())).toBe(true);
    expect(Math.abs(page.nowPreciseUs() + epochUs - ownNowUs())).toBeLessThan(1e5);
    // what the browser tells in milliseconds since its origin
    expect(Math.abs(page.momentUs(performance.now()) - page.nowPreciseUs())).toBeLessThan(1e5);
  });

  it('gives stamps that wrap', () => {
    const old = clockSince(newEpochUs() - 2 ** 32 - 5e6);
    expect(Math.abs(old.nowUs() - 5e6)).toBeLessThan(2e6);
    expect(old.nowPreciseUs()).toBeGreaterThan(2 ** 32);
  });
});
