import { describe, expect, it } from 'vitest';
import { growthOf } from './flatness.js';

const series = (rounds: number, rss: (round: number) => number): number[] =>
  Array.from({ length: rounds }, (_, i) => rss(i));

describe('memory over rounds', () => {
  it('that rises and falls, or slowly creeps, is flat', () => {
    expect(growthOf(series(200, (i) => 150 + (i % 7) * 20))).toEqual([]);
    expect(growthOf(series(200, (i) => 150 + i * 0.3))).toEqual([]);
    expect(growthOf(series(200, (i) => Math.min(400, 100 + i * 15)))).toEqual([]);
  });
  it('that grows with each round is not', () => {
    expect(growthOf(series(100, (i) => 150 + i * 5)).join()).toMatch(
      /5.0 MiB a round: from 300 to 600 MiB in 60 rounds/,
    );
  });
  it('too few rounds tell nothing', () => {
    expect(growthOf(series(59, (i) => i * 100))).toEqual([]);
  });
});
