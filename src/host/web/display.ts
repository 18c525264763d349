import type { DisplayFrames } from '../platform.js';
import type { PerformanceClock } from './clock.js';

/** The frames of the display that a page is shown on, by `requestAnimationFrame`. */
export class PageFrames implements DisplayFrames {
  private readonly clock: PerformanceClock;
  private request: number;
  private callback: ((startUs: number) => void) | null;
  private readonly onFrame: (frameMs: number) => void;

  constructor(clock: PerformanceClock) {
    this.clock = clock;
    this.request = 0;
    this.callback = null;
    this.onFrame = (frameMs) => {
      this.request = 0;
      const { callback } = this;
      this.callback = null;
      // some browsers tell the frame that is to come
      callback?.(Math.min(this.clock.momentUs(frameMs), this.clock.nowPreciseUs()));
    };
  }

  get hidden(): boolean {
    return document.visibilityState === 'hidden';
  }

  next(callback: (startUs: number) => void): void {
    this.cancel();
    this.callback = callback;
    this.request = requestAnimationFrame(this.onFrame);
  }

  cancel(): void {
    if (this.request !== 0) cancelAnimationFrame(this.request);
    this.request = 0;
    this.callback = null;
  }

  watch(onChange: () => void): () => void {
    document.addEventListener('visibilitychange', onChange);
    return () => document.removeEventListener('visibilitychange', onChange);
  }
}
