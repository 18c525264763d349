/**
 * The least of the last `window` numbers, each in constant time on average: a queue of the candidates in rising order
 * (D. Lemire, "Streaming maximum-minimum filter using no more than three comparisons per element", 2006).
 */
export class SlidingMinimum {
  private readonly window: number;
  private readonly values: Float64Array;
  private readonly stamps: Int32Array;
  private readonly mask: number;
  private head: number;
  private tail: number;
  private now: number;

  constructor(window: number) {
    this.window = window;
    let capacity = 1;
    while (capacity < window + 1) capacity *= 2;
    this.values = new Float64Array(capacity);
    this.stamps = new Int32Array(capacity);
    this.mask = capacity - 1;
    this.head = 0;
    this.tail = 0;
    this.now = 0;
  }

  reset(): void {
    this.head = 0;
    this.tail = 0;
    this.now = 0;
  }

  /** Adds a number and returns the least of the last `window`, fewer at the start. Allocates nothing. */
  next(value: number): number {
    const { values, stamps, mask } = this;
    let { head, tail } = this;
    // indices and stamps wrap at 2^32: compared by difference
    while (head !== tail && values[(tail - 1) & mask]! >= value) tail = (tail - 1) | 0;
    values[tail & mask] = value;
    stamps[tail & mask] = this.now;
    tail = (tail + 1) | 0;
    if (((this.now - stamps[head & mask]!) | 0) >= this.window) head = (head + 1) | 0;
    this.now = (this.now + 1) | 0;
    this.head = head;
    this.tail = tail;
    return values[head & mask]!;
  }
}
