import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatClock, formatCount, formatCpus, formatUs } from '../../../src/cli/demo/terminal/figures.js';

describe('figures', () => {
  test.each([
    [0, '0 µs'],
    [999.4, '999 µs'],
    [999.6, '1.00 ms'],
    [9994, '9.99 ms'],
    [9996, '10.0 ms'],
    [99_940, '99.9 ms'],
    [99_960, '100 ms'],
    [999_600, '1.00 s'],
    [12_345_678, '12.3 s'],
    [-3120, '-3.12 ms'],
    [null, '–'],
    [Number.NaN, '–'],
  ])('%s µs is %s', (us, expected) => {
    expect(formatUs(us)).toBe(expected);
  });

  test('a duration keeps three digits: within a half per cent, in at most 8 characters', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 9e9, noNaN: true }), (us) => {
        const text = formatUs(us);
        const [figure, unit] = text.split(' ');
        const scale = { µs: 1, ms: 1e3, s: 1e6 }[unit!]!;
        expect(Math.abs(Number(figure) * scale - us)).toBeLessThanOrEqual(Math.max(0.5, us * 0.00501));
        expect(text.length).toBeLessThanOrEqual(8);
      }),
    );
  });

  test('counts, clocks and CPU lists', () => {
    expect([0, 9999, 10_000, 123_456, 999_600, 4_560_000].map(formatCount)).toEqual([
      '0',
      '9999',
      '10.0k',
      '123k',
      '1.00M',
      '4.56M',
    ]);
    expect([0, 59.9, 60, 750].map(formatClock)).toEqual(['0:00', '0:59', '1:00', '12:30']);
    expect([[], [3], [2, 1, 0, 5], [0, 2, 4, 5]].map(formatCpus)).toEqual(['any', '3', '0-2,5', '0,2,4-5']);
  });
});
