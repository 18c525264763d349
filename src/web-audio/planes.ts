/** What AudioWorklet nodes take: a node's input or output has at most 32 channels (Web Audio API, 1.1). */
export const CHANNELS_PER_PORT = 32;

/**
 * The channels of all of a processor's inputs or outputs as one list, made once: filled anew for each block, for the
 * arrays of a block are not promised to be those of the last.
 */
export class Planes {
  readonly list: Float32Array[];
  private silence: Float32Array;

  constructor(channels: number) {
    this.silence = new Float32Array(128);
    this.list = new Array<Float32Array>(channels).fill(this.silence);
  }

  /** @param sampleFrames length of the block: channels that are not there are that much silence */
  gather(ports: readonly (readonly Float32Array[])[], sampleFrames: number): Float32Array[] {
    const { list } = this;
    // allocates only where the block grows, which a context does not do
    if (this.silence.length < sampleFrames) this.silence = new Float32Array(sampleFrames);
    for (let channel = 0; channel < list.length; channel++) {
      const port = ports[(channel / CHANNELS_PER_PORT) | 0];
      const plane = port === undefined ? undefined : port[channel % CHANNELS_PER_PORT];
      list[channel] = plane === undefined ? this.silence : plane;
    }
    return list;
  }
}
