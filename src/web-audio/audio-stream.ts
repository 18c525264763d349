import type { AudioClock, AudioState } from '../ring/audio-clock.js';
import type { StreamCounts, StreamRing } from '../ring/stream-ring.js';
import { ENDED } from './worklet-names.js';

/** What a playing and a recording node have in common. Belongs to the page's thread; nothing here blocks. */
export class AudioStream {
  /** Connect it as any other node. */
  readonly node: AudioWorkletNode;
  readonly ring: StreamRing<'f32'>;
  /** Give its `buffer` to the lane, in the option `shared`, beside the ring's. */
  readonly clock: AudioClock;
  /** Resolves when the processor has done its last block. Rejects if it threw. */
  readonly ended: Promise<void>;
  protected readonly context: BaseAudioContext;
  private failed: boolean;

  /** @internal */
  constructor(context: BaseAudioContext, node: AudioWorkletNode, ring: StreamRing<'f32'>, clock: AudioClock) {
    this.context = context;
    this.node = node;
    this.ring = ring;
    this.clock = clock;
    this.failed = false;
    this.ended = new Promise((resolve, reject) => {
      node.port.onmessage = ({ data }) => {
        if (data === ENDED) resolve();
      };
      node.onprocessorerror = () => {
        this.failed = true;
        reject(new Error('the audio processor threw an error: it gives silence from now on'));
      };
    });
    // nobody has to look at it
    this.ended.catch(() => undefined);
  }

  /** `failed`: the processor threw. */
  state(): AudioState | 'failed' {
    return this.failed ? 'failed' : this.clock.state();
  }

  /**
   * The ring's own counters, from shared memory: `underruns` of playback and `overruns` of capture are the xruns, one
   * for each gap; `missingItems` and `droppedItems` are their sample frames. Allocates its result.
   */
  xruns(): StreamCounts {
    return this.ring.counts();
  }

  /** Sample frames in the ring now. */
  depthSampleFrames(): number {
    const read = this.ring.readItems();
    const written = this.ring.writtenItems();
    return Math.min((written - read) >>> 0, this.ring.capacityItems);
  }

  /** Stops at the next block and takes the node out of the graph. For good; the ring can be used by another node. */
  close(): void {
    this.clock.requestClose();
    const disconnect = () => this.node.disconnect();
    // the processor sees the request only while its node is in the graph
    if (this.context.state === 'running') this.ended.then(disconnect, disconnect);
    else disconnect();
  }

  /** The device's sample frame that is being computed now. */
  protected nowSampleFrame(): number {
    return this.context.currentTime * this.context.sampleRate;
  }
}
