/** A view costs more than it saves on a shorter block. */
const SHORTEST_BLOCK = 32;
/** So many blocks of one length before views of that length are made. */
const TIMES_BEFORE_VIEWS = 16;

/**
 * Views of a ring's memory, cut into the blocks that its reader reads again and again, so that a block is copied by one
 * `set` without a new view for it. Each view is made on its first use and kept: nothing is allocated once the ring has
 * gone round. One thread.
 */
export class SampleBlocks {
  private readonly samples: Float32Array<SharedArrayBuffer>;
  /** Length of the blocks, -1 while nothing is cut. */
  private length: number;
  private views: (Float32Array<SharedArrayBuffer> | null)[];
  private lastLength: number;
  private times: number;

  constructor(samples: Float32Array<SharedArrayBuffer>) {
    this.samples = samples;
    this.length = -1;
    this.views = [];
    this.lastLength = 0;
    this.times = 0;
  }

  /** The block of that place and length (in samples), or null if the memory is not cut so. */
  at(from: number, length: number): Float32Array | null {
    if (length !== this.length && !this.cut(length)) return null;
    const block = (from / length) | 0;
    if (block * length !== from) return null;
    const view = this.views[block]!;
    if (view !== null) return view;
    const made = this.samples.subarray(from, from + length);
    this.views[block] = made;
    return made;
  }

  /** Cuts the memory into blocks of that length if they have become the usual ones. */
  private cut(length: number): boolean {
    this.times = length === this.lastLength ? this.times + 1 : 1;
    this.lastLength = length;
    if (this.times < TIMES_BEFORE_VIEWS || length < SHORTEST_BLOCK || this.samples.length % length !== 0) return false;
    this.length = length;
    this.views = new Array(this.samples.length / length).fill(null);
    return true;
  }
}
