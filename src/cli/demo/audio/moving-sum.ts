/** Sum of the last `length` numbers. Exact, so that it never drifts, while they are integers and the sum stays below 2^53. */
export class MovingSum {
  private readonly ring: Float64Array;
  private at: number;
  private sum: number;

  constructor(length: number) {
    this.ring = new Float64Array(length);
    this.at = 0;
    this.sum = 0;
  }

  /** As if `value` had come for ever. */
  reset(value: number): void {
    this.ring.fill(value);
    this.at = 0;
    this.sum = value * this.ring.length;
  }

  next(value: number): number {
    const { ring, at } = this;
    this.sum += value - ring[at]!;
    ring[at] = value;
    this.at = at + 1 === ring.length ? 0 : at + 1;
    return this.sum;
  }
}
