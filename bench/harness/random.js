/** Seeded numbers from 0 up to and not including 1 (xorshift32): the same in every run. */
export class Random {
  constructor(seed) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  }

  next() {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) / 2 ** 32;
  }
}
