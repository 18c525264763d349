/** How far apart the page's own frames are: whether its main thread was held up. */
export class FrameGaps {
  constructor() {
    this.gapsMs = [];
    let lastMs = null;
    const look = () => {
      const nowMs = performance.now();
      if (lastMs !== null) this.gapsMs.push(nowMs - lastMs);
      lastMs = nowMs;
      this.request = requestAnimationFrame(look);
    };
    this.request = requestAnimationFrame(look);
  }

  stop() {
    cancelAnimationFrame(this.request);
    const sorted = this.gapsMs.toSorted((a, b) => a - b);
    const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
    return { frames: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), longestMs: sorted.at(-1) };
  }
}
