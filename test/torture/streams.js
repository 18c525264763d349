import { StreamRing } from 'frame-deadline';

/** Streams that periodic lanes write their periods to, read here: whole records, in order, none twice. */
export class Streams {
  constructor() {
    /** @type {{ lane: string, consumer: any, last: number }[]} */
    this.streams = [];
    /** @type {string[]} */
    this.faults = [];
  }

  /** A stream for the lane, as its handlers get it. */
  add(/** @type {string} */ lane) {
    const ring = StreamRing.allocate({
      kind: 'records',
      recordBytes: 8,
      capacityRecords: 16,
      startIndex: 2 ** 32 - 40,
    });
    this.streams.push({ lane, consumer: ring.consumer(), last: -1 });
    return { stream: ring.buffer };
  }

  /** Reads what is there. */
  read() {
    for (const stream of this.streams) {
      const { consumer, lane } = stream;
      for (let at = consumer.beginRead(); at >= 0; at = consumer.beginRead()) {
        const [period, inverse] = consumer.memory.i32.subarray(at >> 2, (at >> 2) + 2);
        consumer.commitRead();
        if (inverse !== ~period) this.faults.push(`stream of lane ${lane}: period ${period} is torn`);
        if (period <= stream.last) this.faults.push(`stream of lane ${lane}: period ${period} after ${stream.last}`);
        stream.last = period;
      }
    }
  }
}
