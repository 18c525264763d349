import { type BufferViews, bufferViews } from '../memory/views.js';
import type { ConsumerCursor, ProducerCursor } from './stream-ring-cursors.js';

/**
 * The writing side of a ring of fixed-size records, each written in place and handed over whole. One thread; nothing
 * here blocks or allocates.
 *
 * A field that lies `b` bytes into the record is the element at `(byteOffset + b)` divided by the element's size:
 *
 * ```ts
 * const byteOffset = producer.beginWrite();
 * if (byteOffset < 0) producer.countOverrun(); // full
 * else {
 *   producer.memory.f64[byteOffset / 8] = atMs; // the record's first 8 bytes
 *   producer.memory.f32[(byteOffset + 8) / 4] = x;
 *   producer.commitWrite();
 * }
 * ```
 */
export class RecordProducer {
  readonly recordBytes: number;
  /** exact */
  readonly capacityRecords: number;
  /** Positions in memory: the capacity rounded up to a power of two. */
  readonly positions: number;
  /** The whole buffer, as every element type. */
  readonly memory: BufferViews;
  private readonly cursor: ProducerCursor;
  private readonly firstByteOffset: number;

  /** @internal */
  constructor(cursor: ProducerCursor, buffer: SharedArrayBuffer, firstByteOffset: number, recordBytes: number) {
    this.recordBytes = recordBytes;
    this.capacityRecords = cursor.capacity;
    this.positions = cursor.mask + 1;
    this.memory = bufferViews(buffer);
    this.cursor = cursor;
    this.firstByteOffset = firstByteOffset;
  }

  /** Records that surely fit: a lower bound, for the consumer may be making room. 0 once closed. */
  writableRecords(): number {
    return this.cursor.writable(this.capacityRecords);
  }

  /**
   * Opens the next record to write in place.
   * @returns its offset in bytes from the start of {@link memory}, a multiple of 8, or -1 if the ring was full a moment ago
   */
  beginWrite(): number {
    return this.cursor.begin(1) === 1 ? this.recordByteOffset(this.cursor.position()) : -1;
  }

  /** Position of the record that {@link beginWrite} opens, 0 to `positions` - 1. */
  writePosition(): number {
    return this.cursor.position();
  }

  /**
   * Hands the opened record over.
   * @throws FrameDeadlineError OPTION_INVALID if none is open
   */
  commitWrite(): void {
    this.cursor.commit(1);
  }

  /** Counts one record that was dropped because {@link beginWrite} gave -1. */
  countOverrun(): void {
    this.cursor.countOverrun(1);
  }

  /** Bytes from the start of {@link memory} to the record at `position`. */
  recordByteOffset(position: number): number {
    return this.firstByteOffset + position * this.recordBytes;
  }

  /** Ends the stream: the consumer gets what is in the ring, then `ended()`. For good. */
  close(): void {
    this.cursor.close();
  }

  /** Records dropped; modulo 2^32. */
  overruns(): number {
    return this.cursor.overruns();
  }
}

/** The reading side of a ring of fixed-size records. One thread; nothing here blocks or allocates. Fields: as {@link RecordProducer}. */
export class RecordConsumer {
  readonly recordBytes: number;
  /** exact */
  readonly capacityRecords: number;
  /** Positions in memory: the capacity rounded up to a power of two. */
  readonly positions: number;
  /** The whole buffer, as every element type. */
  readonly memory: BufferViews;
  private readonly cursor: ConsumerCursor;
  private readonly firstByteOffset: number;

  /** @internal */
  constructor(cursor: ConsumerCursor, buffer: SharedArrayBuffer, firstByteOffset: number, recordBytes: number) {
    this.recordBytes = recordBytes;
    this.capacityRecords = cursor.capacity;
    this.positions = cursor.mask + 1;
    this.memory = bufferViews(buffer);
    this.cursor = cursor;
    this.firstByteOffset = firstByteOffset;
  }

  /** Records that are surely there: a lower bound, for the producer may be writing. */
  readableRecords(): number {
    return this.cursor.readable(this.capacityRecords);
  }

  /** Whether the producer has closed and everything was read. Exact, and true for good. */
  ended(): boolean {
    return this.cursor.ended();
  }

  /**
   * Opens the oldest record to read in place. It stays the oldest until {@link commitRead}, so this may also look only.
   * @returns its offset in bytes from the start of {@link memory}, or -1 if the ring was empty a moment ago
   */
  beginRead(): number {
    return this.cursor.begin(1) === 1 ? this.recordByteOffset(this.cursor.position()) : -1;
  }

  /** Position of the record that {@link beginRead} opens, 0 to `positions` - 1. */
  readPosition(): number {
    return this.cursor.position();
  }

  /**
   * Gives the opened record back to the producer.
   * @throws FrameDeadlineError OPTION_INVALID if none is open
   */
  commitRead(): void {
    this.cursor.commit(1);
  }

  /** Bytes from the start of {@link memory} to the record at `position`. */
  recordByteOffset(position: number): number {
    return this.firstByteOffset + position * this.recordBytes;
  }
}
