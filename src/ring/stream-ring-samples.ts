import { SampleBlocks } from './sample-blocks.js';
import { type ConsumerCursor, checkRange, type ProducerCursor } from './stream-ring-cursors.js';

/**
 * The writing side of a ring of interleaved samples. One thread; nothing here blocks or allocates.
 * Offsets and counts are in sample frames: one sample per channel.
 */
export class SampleProducer {
  readonly channels: number;
  /** exact */
  readonly capacitySampleFrames: number;
  /** The ring's memory, for writing in place: see {@link beginWrite}. */
  readonly samples: Float32Array<SharedArrayBuffer>;
  private readonly cursor: ProducerCursor;

  /** @internal */
  constructor(cursor: ProducerCursor, samples: Float32Array<SharedArrayBuffer>, channels: number) {
    this.channels = channels;
    this.capacitySampleFrames = cursor.capacity;
    this.samples = samples;
    this.cursor = cursor;
  }

  /** Sample frames that surely fit: a lower bound, for the consumer may be making room. 0 once closed. */
  writableSampleFrames(): number {
    return this.cursor.writable(this.capacitySampleFrames);
  }

  /**
   * Copies interleaved sample frames in, as many as fit.
   * @returns how many were written; fewer than asked means that the ring was full a moment ago
   * @throws FrameDeadlineError OPTION_INVALID if the range does not lie in `source`
   */
  write(source: Float32Array, offsetSampleFrames: number, sampleFrames: number): number {
    checkRange('write', offsetSampleFrames, sampleFrames, source.length / this.channels);
    const written = Math.min(sampleFrames, this.cursor.writable(sampleFrames));
    const position = this.cursor.position();
    const first = Math.min(written, this.cursor.mask + 1 - position);
    const { channels, samples } = this;
    // a whole array at once: twice as fast as the loop, and needs no view of a part
    if (first * channels === source.length) samples.set(source, position * channels);
    else {
      copy(source, offsetSampleFrames * channels, samples, position * channels, first * channels);
      copy(source, (offsetSampleFrames + first) * channels, samples, 0, (written - first) * channels);
    }
    this.cursor.publish(written);
    return written;
  }

  /** As {@link write}, for a source that cannot wait: what does not fit is dropped and counted as one overrun. */
  push(source: Float32Array, offsetSampleFrames: number, sampleFrames: number): number {
    const written = this.write(source, offsetSampleFrames, sampleFrames);
    if (written < sampleFrames) this.cursor.countOverrun(sampleFrames - written);
    return written;
  }

  /**
   * As {@link push}, from one array per channel, as an AudioWorklet's inputs are. A channel that is not given is silent,
   * one too many is left out.
   */
  pushPlanar(source: readonly Float32Array[], offsetSampleFrames: number, sampleFrames: number): number {
    const { channels, samples } = this;
    const { mask } = this.cursor;
    const written = Math.min(sampleFrames, this.cursor.writable(sampleFrames));
    const position = this.cursor.position();
    for (let channel = 0; channel < channels; channel++) {
      const plane = channel < source.length ? source[channel] : undefined;
      if (plane) checkRange('pushPlanar', offsetSampleFrames, sampleFrames, plane.length);
      for (let i = 0; i < written; i++) {
        samples[((position + i) & mask) * channels + channel] = plane ? plane[offsetSampleFrames + i]! : 0;
      }
    }
    this.cursor.publish(written);
    if (written < sampleFrames) this.cursor.countOverrun(sampleFrames - written);
    return written;
  }

  /**
   * Opens free memory to write in place: {@link samples} from element `writeOffset()`.
   * @param most sample frames wanted at most
   * @returns sample frames, up to the end of the memory: less than fits where the ring turns over; then commit and begin again
   */
  beginWrite(most: number): number {
    return this.cursor.begin(most);
  }

  /** Index in {@link samples} of the next sample frame to write. */
  writeOffset(): number {
    return this.cursor.position() * this.channels;
  }

  /**
   * Hands over the first sample frames of what {@link beginWrite} opened; the rest stays open.
   * @throws FrameDeadlineError OPTION_INVALID for more than that
   */
  commitWrite(sampleFrames: number): void {
    this.cursor.commit(sampleFrames);
  }

  /** Ends the stream: the consumer gets what is in the ring, then `ended()`. For good. */
  close(): void {
    this.cursor.close();
  }

  /** For a source that drops whole blocks: one overrun, and what it lost. */
  countOverrun(sampleFrames: number): void {
    this.cursor.countOverrun(sampleFrames);
  }

  /** More lost in the overrun that was counted last: a gap of many blocks is then one overrun. */
  countDropped(sampleFrames: number): void {
    this.cursor.countDropped(sampleFrames);
  }

  /** Calls of {@link push} that had to drop something; modulo 2^32. */
  overruns(): number {
    return this.cursor.overruns();
  }

  /** What they dropped; modulo 2^32. */
  droppedSampleFrames(): number {
    return this.cursor.droppedItems();
  }
}

/** The reading side of a ring of interleaved samples. One thread; nothing here blocks or allocates. */
export class SampleConsumer {
  readonly channels: number;
  /** exact */
  readonly capacitySampleFrames: number;
  /** The ring's memory, for reading in place: see {@link beginRead}. */
  readonly samples: Float32Array<SharedArrayBuffer>;
  private readonly cursor: ConsumerCursor;
  private readonly blocks: SampleBlocks;

  /** @internal */
  constructor(cursor: ConsumerCursor, samples: Float32Array<SharedArrayBuffer>, channels: number) {
    this.channels = channels;
    this.capacitySampleFrames = cursor.capacity;
    this.samples = samples;
    this.cursor = cursor;
    this.blocks = new SampleBlocks(samples);
  }

  /** Sample frames that are surely there: a lower bound, for the producer may be writing. */
  readableSampleFrames(): number {
    return this.cursor.readable(this.capacitySampleFrames);
  }

  /** Whether the producer has closed: what it wrote may still be there. True for good. */
  closed(): boolean {
    return this.cursor.closed();
  }

  /** Whether the producer has closed and everything was read. Exact, and true for good. */
  ended(): boolean {
    return this.cursor.ended();
  }

  /**
   * Copies interleaved sample frames out, as many as are there.
   * @returns how many; the rest of `target` is left as it was
   * @throws FrameDeadlineError OPTION_INVALID if the range does not lie in `target`
   */
  read(target: Float32Array, offsetSampleFrames: number, sampleFrames: number): number {
    checkRange('read', offsetSampleFrames, sampleFrames, target.length / this.channels);
    const got = Math.min(sampleFrames, this.cursor.readable(sampleFrames));
    const position = this.cursor.position();
    const first = Math.min(got, this.cursor.mask + 1 - position);
    const { channels, samples } = this;
    const block = first === got ? this.blocks.at(position * channels, got * channels) : null;
    if (block !== null) target.set(block, offsetSampleFrames * channels);
    else {
      copy(samples, position * channels, target, offsetSampleFrames * channels, first * channels);
      copy(samples, 0, target, (offsetSampleFrames + first) * channels, (got - first) * channels);
    }
    this.cursor.release(got);
    return got;
  }

  /**
   * As a sound card reads: always fills the range, with silence where nothing is there, and counts that as one
   * underrun. After the end of the stream silence is right and not counted. (Start to pull once the ring is as full as
   * it should be, or the wait for the first sample frames counts too.)
   * @returns sample frames that came from the ring
   */
  pull(target: Float32Array, offsetSampleFrames: number, sampleFrames: number): number {
    let got = this.read(target, offsetSampleFrames, sampleFrames);
    if (got === sampleFrames) return got;
    // closed before the second look: then that look saw all there ever is
    const closed = this.cursor.closed();
    if (closed) got += this.read(target, offsetSampleFrames + got, sampleFrames - got);
    if (got < sampleFrames) {
      target.fill(0, (offsetSampleFrames + got) * this.channels, (offsetSampleFrames + sampleFrames) * this.channels);
      if (!closed) this.cursor.countUnderrun(sampleFrames - got);
    }
    return got;
  }

  /**
   * As {@link pull}, into one array per channel, as an AudioWorklet's outputs are. A channel that is not given is left
   * out, one too many is silent.
   */
  pullPlanar(target: readonly Float32Array[], offsetSampleFrames: number, sampleFrames: number): number {
    const { channels, samples } = this;
    const { mask } = this.cursor;
    let there = this.cursor.readable(sampleFrames);
    const closed = there < sampleFrames && this.cursor.closed();
    if (closed) there = this.cursor.readable(sampleFrames);
    const got = Math.min(sampleFrames, there);
    const position = this.cursor.position();
    for (let channel = 0; channel < target.length; channel++) {
      const plane = target[channel]!;
      checkRange('pullPlanar', offsetSampleFrames, sampleFrames, plane.length);
      const copied = channel < channels ? got : 0;
      for (let i = 0; i < copied; i++) {
        plane[offsetSampleFrames + i] = samples[((position + i) & mask) * channels + channel]!;
      }
      plane.fill(0, offsetSampleFrames + copied, offsetSampleFrames + sampleFrames);
    }
    this.cursor.release(got);
    if (got < sampleFrames && !closed) this.cursor.countUnderrun(sampleFrames - got);
    return got;
  }

  /**
   * Opens sample frames to read in place: {@link samples} from element `readOffset()`.
   * @param most sample frames wanted at most
   * @returns sample frames, up to the end of the memory: fewer than are there where the ring turns over
   */
  beginRead(most: number): number {
    return this.cursor.begin(most);
  }

  /** Index in {@link samples} of the next sample frame to read. */
  readOffset(): number {
    return this.cursor.position() * this.channels;
  }

  /** Gives the first sample frames of what {@link beginRead} opened back to the producer; the rest stays open. */
  commitRead(sampleFrames: number): void {
    this.cursor.commit(sampleFrames);
  }

  /** More silence given for the underrun that was counted last: a gap of many blocks is then one underrun. */
  countMissing(sampleFrames: number): void {
    this.cursor.countMissing(sampleFrames);
  }

  /** Calls of {@link pull} that were short before the end of the stream; modulo 2^32. */
  underruns(): number {
    return this.cursor.underruns();
  }

  /** Sample frames of silence that they gave instead; modulo 2^32. */
  missingSampleFrames(): number {
    return this.cursor.missingItems();
  }
}

/** A loop and not `set(subarray)`, which allocates. */
function copy(source: Float32Array, from: number, target: Float32Array, to: number, samples: number): void {
  for (let i = 0; i < samples; i++) target[to + i] = source[from + i]!;
}
