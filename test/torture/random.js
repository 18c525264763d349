import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Random decisions, all from one seed. */
export class Random {
  /** @param {number} seed 32 bits */
  constructor(seed) {
    this.generator = xoroshiro128plus(seed | 0);
  }
  /** A whole number from 0 to `bound` - 1. */
  below(/** @type {number} */ bound) {
    return (this.generator.next() >>> 0) % bound;
  }
  /** A whole number from `low` to `high`, both included. */
  between(/** @type {number} */ low, /** @type {number} */ high) {
    return low + this.below(high - low + 1);
  }
  chance(/** @type {number} */ percent) {
    return this.below(100) < percent;
  }
  /**
   * @template T
   * @param {readonly T[]} list
   * @returns {T}
   */
  pick(list) {
    return /** @type {T} */ (list[this.below(list.length)]);
  }
  /**
   * One of the names, each as often as its weight says.
   * @param {Readonly<Record<string, number>>} weights
   */
  weighted(weights) {
    const entries = Object.entries(weights).filter(([, weight]) => weight > 0);
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [name, weight] of entries) {
      if (left < weight) return name;
      left -= weight;
    }
    throw new Error('no weights');
  }
}

/** The decisions of one round: rounds do not depend on each other. */
export function randomOfRound(/** @type {number} */ seed, /** @type {number} */ round) {
  return new Random(Math.imul(seed ^ Math.imul(round + 1, 0x9e3779b1), 0x85ebca6b) ^ (seed >>> 7));
}
