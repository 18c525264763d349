import { type ConsumerCursor, checkRange, type ProducerCursor } from './stream-ring-cursors.js';

/** The writing side of a ring of bytes. One thread; nothing here blocks or allocates. */
export class ByteProducer {
  /** exact */
  readonly capacityBytes: number;
  /** The ring's memory, for writing in place: see {@link beginWrite}. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  private readonly cursor: ProducerCursor;

  /** @internal */
  constructor(cursor: ProducerCursor, bytes: Uint8Array<SharedArrayBuffer>) {
    this.capacityBytes = cursor.capacity;
    this.bytes = bytes;
    this.cursor = cursor;
  }

  /** Bytes that surely fit: a lower bound, for the consumer may be making room. 0 once closed. */
  writableBytes(): number {
    return this.cursor.writable(this.capacityBytes);
  }

  /**
   * Copies bytes in, as many as fit.
   * @returns how many were written
   * @throws FrameDeadlineError OPTION_INVALID if the range does not lie in `source`
   */
  write(source: Uint8Array, offsetBytes: number, lengthBytes: number): number {
    checkRange('write', offsetBytes, lengthBytes, source.length);
    const written = Math.min(lengthBytes, this.cursor.writable(lengthBytes));
    const position = this.cursor.position();
    const first = Math.min(written, this.cursor.mask + 1 - position);
    copy(source, offsetBytes, this.bytes, position, first);
    copy(source, offsetBytes + first, this.bytes, 0, written - first);
    this.cursor.publish(written);
    return written;
  }

  /** As {@link write}; what does not fit is dropped and counted as one overrun. */
  push(source: Uint8Array, offsetBytes: number, lengthBytes: number): number {
    const written = this.write(source, offsetBytes, lengthBytes);
    if (written < lengthBytes) this.cursor.countOverrun(lengthBytes - written);
    return written;
  }

  /**
   * Opens free memory to write in place: {@link bytes} from `writeOffset()`.
   * @returns bytes, at most `most`, up to the end of the memory: less than fits where the ring turns over
   */
  beginWrite(most: number): number {
    return this.cursor.begin(most);
  }

  writeOffset(): number {
    return this.cursor.position();
  }

  /**
   * Hands over the first bytes of what {@link beginWrite} opened; the rest stays open.
   * @throws FrameDeadlineError OPTION_INVALID for more than that
   */
  commitWrite(lengthBytes: number): void {
    this.cursor.commit(lengthBytes);
  }

  /** Ends the stream: the consumer gets what is in the ring, then `ended()`. For good. */
  close(): void {
    this.cursor.close();
  }

  /** Calls of {@link push} that had to drop something; modulo 2^32. */
  overruns(): number {
    return this.cursor.overruns();
  }

  /** modulo 2^32 */
  droppedBytes(): number {
    return this.cursor.droppedItems();
  }
}

/** The reading side of a ring of bytes. One thread; nothing here blocks or allocates. */
export class ByteConsumer {
  /** exact */
  readonly capacityBytes: number;
  /** The ring's memory, for reading in place: see {@link beginRead}. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  private readonly cursor: ConsumerCursor;

  /** @internal */
  constructor(cursor: ConsumerCursor, bytes: Uint8Array<SharedArrayBuffer>) {
    this.capacityBytes = cursor.capacity;
    this.bytes = bytes;
    this.cursor = cursor;
  }

  /** Bytes that are surely there: a lower bound, for the producer may be writing. */
  readableBytes(): number {
    return this.cursor.readable(this.capacityBytes);
  }

  /** Whether the producer has closed and everything was read. Exact, and true for good. */
  ended(): boolean {
    return this.cursor.ended();
  }

  /**
   * Copies bytes out, as many as are there.
   * @returns how many; the rest of `target` is left as it was
   * @throws FrameDeadlineError OPTION_INVALID if the range does not lie in `target`
   */
  read(target: Uint8Array, offsetBytes: number, lengthBytes: number): number {
    checkRange('read', offsetBytes, lengthBytes, target.length);
    const got = Math.min(lengthBytes, this.cursor.readable(lengthBytes));
    const position = this.cursor.position();
    const first = Math.min(got, this.cursor.mask + 1 - position);
    copy(this.bytes, position, target, offsetBytes, first);
    copy(this.bytes, 0, target, offsetBytes + first, got - first);
    this.cursor.release(got);
    return got;
  }

  /** Opens bytes to read in place: {@link bytes} from `readOffset()`; otherwise as `ByteProducer.beginWrite`. */
  beginRead(most: number): number {
    return this.cursor.begin(most);
  }

  readOffset(): number {
    return this.cursor.position();
  }

  /** Gives the first bytes of what {@link beginRead} opened back to the producer; the rest stays open. */
  commitRead(lengthBytes: number): void {
    this.cursor.commit(lengthBytes);
  }
}

/** A loop and not `set(subarray)`, which allocates; long runs are better written and read in place. */
function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  for (let i = 0; i < length; i++) target[to + i] = source[from + i]!;
}
