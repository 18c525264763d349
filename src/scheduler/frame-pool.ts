import { FrameDeadlineError } from '../base/errors.js';
import type { StampUs } from '../base/time.js';
import { FRAME_SLOT_COUNT } from '../memory/layout.js';
import { Frame, type FrameRecycler } from './frame.js';
import type { LoopLog } from './frame-log.js';
import type { HostCore } from './host-core.js';

/** Frame slots of one scheduler: handed to pools, and taken back when the last frame in them has ended. */
export class FrameSlots {
  private readonly free: number[];
  private readonly retiring: Frame[];
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
  /** Takes back those whose last frame has ended, and gives the slots of its jobs back. */
  sweep(): void {
    const frames = this.retiring;
    let kept = 0;
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!;
      if (frame.isReusable()) {
        frame.recycle();
        this.free.push(frame.index);
      } else frames[kept++] = frame;
    }
    frames.length = kept;
  }

  private take(): number {
    this.sweep();
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

/** The frames of one loop: `framesInFlight` of them, used in turn. Host thread only. */
export class FramePool implements FrameRecycler {
  private readonly log: LoopLog;
  private readonly slots: FrameSlots;
  private readonly frames: Frame[];
  private readonly refusedFrame: Frame;
  private next: number;
  private number: number;
  /** The frame that was begun last. */
  private last: Frame | null;

  constructor(core: HostCore, slots: FrameSlots, framesInFlight: number, log: LoopLog) {
    this.log = log;
    this.slots = slots;
    this.frames = slots.takeMany(framesInFlight).map((slot) => new Frame(core, this, slot));
    this.refusedFrame = new Frame(core, this, this.frames[0]!.index);
    this.next = 0;
    this.number = 0;
    this.last = null;
  }

  /** Begins the next frame; a refused one if `framesInFlight` frames are unfinished. */
  begin(startUs: StampUs, deadlineUs: StampUs): Frame {
    const frame = this.frames[this.next]!;
    const number = this.number++;
    if (!frame.isReusable()) {
      this.refusedFrame.beginRefused(number, startUs, deadlineUs);
      return this.refusedFrame;
    }
    this.recycle(frame);
    this.log.begun();
    this.next = (this.next + 1) % this.frames.length;
    // one that is still open while this one is used again must not give it back
    for (const other of this.frames) if (other.predecessor === frame) other.predecessor = null;
    const { last } = this;
    frame.predecessor = last !== null && last !== frame && last.seenOver ? last : null;
    this.last = frame;
    frame.begin(number, startUs, deadlineUs);
    return frame;
  }

  /** The frame that is in the way of the next one. */
  get unfinished(): Frame {
    return this.frames[this.next]!;
  }

  /** Passes over ticks that get no frame; returns the number of the first. */
  skip(ticks: number): number {
    const first = this.number;
    this.number += ticks;
    return first;
  }

  /** Ends the pool: its slots go back when their frames have ended. Those that are over are told of. */
  retire(): void {
    for (const frame of this.frames) {
      if (frame.isReusable()) this.recycle(frame);
      else if (!frame.told && frame.timeToDeadlineMs() < 0) this.log.unfinished(frame);
      this.slots.giveBack(frame);
    }
  }

  /** Gives the slots of a frame that is over back and tells of it, unless that was done. */
  recycle(frame: Frame): void {
    if (frame.told) return;
    frame.recycle();
    this.log.over(frame, frame.endedJobs, frame.missedJobs, frame.lastFinishUs);
    frame.told = true;
  }
}
