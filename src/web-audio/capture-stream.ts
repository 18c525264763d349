import { AudioClockWriter } from '../ring/audio-clock.js';
import { StreamRing } from '../ring/stream-ring.js';
import type { SampleProducer } from '../ring/stream-ring-samples.js';
import { Planes } from './planes.js';

/** What the page sends to the capture processor, cloned. */
export interface CaptureSetup {
  readonly ring: SharedArrayBuffer;
  readonly clock: SharedArrayBuffer;
}

/**
 * The recording end of a ring, one call a block. Blocks on nothing, reads no clock, allocates nothing after the
 * constructor.
 *
 * The resync rule. A block goes into the ring whole or not at all. When it does not fit, it and those after it are
 * dropped until the ring is at most half full: one overrun, however long it lasts, with its sample frames counted as
 * dropped. What was in the ring stays; the clock's offset tells where in the device's time the stream goes on.
 * An input that nothing is connected to is recorded as silence, so that the stream keeps the device's time.
 */
export class CaptureStream {
  private readonly producer: SampleProducer;
  private readonly clock: AudioClockWriter;
  private readonly planes: Planes;
  private position: number;
  private flowing: boolean;
  private dropping: boolean;

  constructor(setup: CaptureSetup) {
    const ring = StreamRing.attach(setup.ring, 'f32');
    // the page has taken the role on this processor's behalf
    this.producer = ring.producer({ takeOver: true });
    this.clock = new AudioClockWriter(setup.clock);
    this.planes = new Planes(ring.itemSize);
    this.position = ring.writtenItems();
    this.flowing = false;
    this.dropping = false;
    this.clock.setState('waiting');
  }

  /**
   * Takes one block.
   * @param inputs per input its channels; none if nothing is connected
   * @param sampleFrames length of the block
   * @param deviceSampleFrame number of the block's first sample frame (`currentFrame`)
   * @returns false once closed: the last call
   */
  capture(inputs: readonly (readonly Float32Array[])[], sampleFrames: number, deviceSampleFrame: number): boolean {
    const { producer, clock } = this;
    if (clock.closing()) {
      producer.close();
      clock.setState('ended');
      return false;
    }
    const writable = producer.writableSampleFrames();
    if (this.dropping) {
      if (writable < producer.capacitySampleFrames >>> 1 || writable < sampleFrames) {
        producer.countDropped(sampleFrames);
        return true;
      }
      this.dropping = false;
      this.flowing = false;
    }
    if (writable < sampleFrames) {
      this.dropping = true;
      producer.countOverrun(sampleFrames);
      clock.setState('starved');
      return true;
    }
    // before the samples: who reads them finds the offset that holds for them, or a later one
    clock.setOffset(deviceSampleFrame, this.position);
    producer.pushPlanar(this.planes.gather(inputs, sampleFrames), 0, sampleFrames);
    this.position = (this.position + sampleFrames) | 0;
    if (!this.flowing) {
      this.flowing = true;
      clock.setState('flowing');
    }
    return true;
  }
}
