import { AudioClockWriter } from '../ring/audio-clock.js';
import { StreamRing } from '../ring/stream-ring.js';
import type { SampleConsumer } from '../ring/stream-ring-samples.js';
import { Planes } from './planes.js';

/** What the page sends to the playback processor, cloned. */
export interface PlaybackSetup {
  readonly ring: SharedArrayBuffer;
  readonly clock: SharedArrayBuffer;
  /** Sample frames above which the oldest are thrown away, down to the target depth; 0 for never. */
  readonly maxDepthSampleFrames: number;
}

/**
 * The playing end of a ring, one call a block: an AudioWorklet's `process`, free of it. Blocks on nothing, reads no
 * clock, allocates nothing after the constructor.
 *
 * The resync rule. The stream starts when the ring holds the target depth, or its producer has closed. When the ring
 * runs dry, what is there is played and silence follows: one underrun, however long it lasts, with its sample frames
 * counted as missing. It ends when the ring holds the target depth again; then the stream goes on with its next sample.
 * Nothing of it is lost: it is later than before by exactly the missing sample frames, and as deep as before.
 * Only where `maxDepthSampleFrames` is set, for producers that do not heed the depth, the oldest sample frames above the
 * target depth are skipped, and counted.
 */
export class PlaybackStream {
  private readonly consumer: SampleConsumer;
  private readonly clock: AudioClockWriter;
  private readonly maxDepth: number;
  private readonly planes: Planes;
  private position: number;
  private flowing: boolean;
  private starved: boolean;

  constructor(setup: PlaybackSetup) {
    const ring = StreamRing.attach(setup.ring, 'f32');
    // the page has taken the role on this processor's behalf
    this.consumer = ring.consumer({ takeOver: true });
    this.clock = new AudioClockWriter(setup.clock);
    this.maxDepth = setup.maxDepthSampleFrames;
    this.planes = new Planes(ring.itemSize);
    this.position = ring.readItems();
    this.flowing = false;
    this.starved = false;
    this.clock.setState('waiting');
  }

  /**
   * Fills one block.
   * @param outputs per output its channels; all of one length
   * @param deviceSampleFrame number of the block's first sample frame (`currentFrame`)
   * @returns false once the stream is over: the last call
   */
  render(outputs: readonly (readonly Float32Array[])[], deviceSampleFrame: number): boolean {
    const first = outputs[0]![0]!;
    const sampleFrames = first.length;
    if (this.clock.closing()) {
      this.silence(outputs);
      return this.end();
    }
    if (!this.flowing && !this.start()) {
      this.silence(outputs);
      if (this.starved) this.consumer.countMissing(sampleFrames);
      return true;
    }
    if (this.maxDepth > 0) this.skip();
    this.clock.setOffset(deviceSampleFrame, this.position);
    const got = this.consumer.pullPlanar(this.planes.gather(outputs, sampleFrames), 0, sampleFrames);
    this.position = (this.position + got) | 0;
    if (got === sampleFrames) return true;
    if (this.consumer.ended()) return this.end();
    this.flowing = false;
    this.starved = true;
    this.clock.setState('starved');
    return true;
  }

  private start(): boolean {
    const { consumer } = this;
    if (consumer.readableSampleFrames() < this.clock.targetDepthSampleFrames() && !consumer.closed()) return false;
    this.flowing = true;
    this.starved = false;
    this.clock.setState('flowing');
    return true;
  }

  private skip(): void {
    const depth = this.consumer.readableSampleFrames();
    if (depth <= this.maxDepth) return;
    let left = depth - this.clock.targetDepthSampleFrames();
    if (left <= 0) return;
    this.clock.countSkipped(left);
    this.position = (this.position + left) | 0;
    // twice where the ring turns over
    while (left > 0) {
      const run = this.consumer.beginRead(left);
      this.consumer.commitRead(run);
      left -= run;
    }
  }

  /** A context gives zeroed blocks; whoever else calls may not. */
  private silence(outputs: readonly (readonly Float32Array[])[]): void {
    for (let port = 0; port < outputs.length; port++) {
      const planes = outputs[port]!;
      for (let channel = 0; channel < planes.length; channel++) planes[channel]!.fill(0);
    }
  }

  private end(): boolean {
    this.flowing = false;
    this.clock.setState('ended');
    return false;
  }
}
