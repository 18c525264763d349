import { FrameDeadlineError } from '../base/errors.js';
import type { StampUs } from '../base/time.js';
import { FRAME_SLOT_COUNT } from '../memory/layout.js';
import { BUCKET_COUNT } from '../telemetry/buckets.js';
import { HISTOGRAM_WORDS, recordUs } from '../telemetry/shared-histogram.js';
import { Frame } from './frame.js';
import type { HostCore } from './host-core.js';

/** Frame slots of one scheduler: handed to pools, and taken back when the last frame in them has ended. */
export class FrameSlots {
  private readonly free: number[];
  private retiring: Frame[];
  constructor() {
    this.free = Array.from({ length: FRAME_SLOT_COUNT }, (_, i) => FRAME_SLOT_COUNT - 1 - i);
    this.retiring = [];
  }
  /** Takes several at once, or none. */
  takeMany(count: number): number[] {
    const taken: number[] = [];
    try {
      while (taken.length < count) taken.push(this.take());
    } catch (error) {
      this.free.push(...taken);
      throw error;
    }
    return taken;
  }
  private take(): number {
    this.retiring = this.retiring.filter((frame) => {
      if (!frame.isReusable()) return true;
      frame.recycle();
      this.free.push(frame.index);
      return false;
    });
    const slot = this.free.pop();
    if (slot === undefined) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `${FRAME_SLOT_COUNT} frame slots are in use by other loops, expected fewer loops at once or a smaller framesInFlight`,
      );
    }
    return slot;
  }
  giveBack(frame: Frame): void {
    frame.close();
    this.retiring.push(frame);
  }
}

/** The frames of one loop: `framesInFlight` of them, used in turn, and how they went. Host thread only. */
export class FramePool {
  /** Frames begun; refused ones are not among them. */
  begun: number;
  /** Frames that could not begin because the earlier ones were unfinished. */
  refused: number;
  /** Begun frames that missed their deadline, of those that are over, and of the last ones when the loop has ended. */
  missed: number;
  /** From the intended start of a frame to its last finish. */
  readonly frameHistogram: Int32Array;
  private readonly slots: FrameSlots;
  private readonly frames: Frame[];
  private readonly refusedFrame: Frame;
  private next: number;
  private number: number;

  constructor(core: HostCore, slots: FrameSlots, framesInFlight: number) {
    this.slots = slots;
    this.frames = slots.takeMany(framesInFlight).map((slot) => new Frame(core, slot));
    this.refusedFrame = new Frame(core, this.frames[0]!.index);
    this.begun = 0;
    this.refused = 0;
    this.missed = 0;
    this.frameHistogram = new Int32Array(Math.max(BUCKET_COUNT, HISTOGRAM_WORDS));
    this.next = 0;
    this.number = 0;
  }

  /** Begins the next frame; a refused one if `framesInFlight` frames are unfinished. */
  begin(startUs: StampUs, deadlineUs: StampUs): Frame {
    const frame = this.frames[this.next]!;
    const number = this.number++;
    if (!frame.isReusable()) {
      this.refused++;
      this.refusedFrame.beginRefused(number, startUs, deadlineUs);
      return this.refusedFrame;
    }
    this.recycle(frame);
    this.begun++;
    this.next = (this.next + 1) % this.frames.length;
    frame.begin(number, startUs, deadlineUs);
    return frame;
  }

  /** Ends the pool: its slots go back when their frames have ended. */
  retire(): void {
    for (const frame of this.frames) {
      if (frame.isReusable()) this.recycle(frame);
      else if (frame.timeToDeadlineMs() < 0) this.missed++;
      this.slots.giveBack(frame);
    }
  }

  private recycle(frame: Frame): void {
    const took = frame.recycle();
    if (took === 0) return;
    if (took < 0) this.missed++;
    recordUs(this.frameHistogram, 0, Math.abs(took));
  }
}
