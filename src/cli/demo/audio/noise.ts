/** White noise from -1 to 1, the same each time: xorshift32 (G. Marsaglia, "Xorshift RNGs", 2003). */
export class NoiseSource {
  private state: number;

  constructor(seed = 0x9e3779b9) {
    this.state = seed | 0 || 1;
  }

  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x / 0x8000_0000;
  }
}
