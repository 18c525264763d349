import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { LINE_WORDS } from '../memory/layout.js';
import { allocateBuffer } from '../memory/region.js';
import { ByteConsumer, ByteProducer } from './stream-ring-bytes.js';
import { ConsumerCursor, ProducerCursor } from './stream-ring-cursors.js';
import {
  checkOptions,
  dataBytes,
  isCapacity,
  isItemSize,
  KINDS,
  powerOfTwo,
  type StreamKind,
  type StreamRingOptions,
} from './stream-ring-options.js';
import { RecordConsumer, RecordProducer } from './stream-ring-records.js';
import { SampleConsumer, SampleProducer } from './stream-ring-samples.js';

/**
 * A single-producer single-consumer ring over one SharedArrayBuffer: sound, bytes or records of a fixed size, from one
 * thread to one other, either of which may be an AudioWorklet. No call blocks, waits, reads a clock or allocates.
 *
 * Shared words (32 bits), each with its single writer:
 *
 * | line | word | what | writer |
 * |---|---|---|---|
 * | 0 | 0 magic | `FDSR` | allocate |
 * | 0 | 1 version | of this table | allocate |
 * | 0 | 2 kind | 1 f32, 2 bytes, 3 records | allocate |
 * | 0 | 3 item size | channels, 1, or bytes of a record | allocate |
 * | 0 | 4 capacity | items | allocate |
 * | 0 | 5 producer taken | 0 or 1 | whoever calls `producer()`, by compare-exchange |
 * | 0 | 6 consumer taken | 0 or 1 | whoever calls `consumer()`, by compare-exchange |
 * | 1 | 32 write index | items written, modulo 2^32; 0 to capacity ahead of the read index | producer |
 * | 1 | 33 closed | 1 once nothing more will be written | producer |
 * | 1 | 34 overruns | modulo 2^32 | producer |
 * | 1 | 35 dropped | items that did not fit, modulo 2^32 | producer |
 * | 2 | 64 read index | items read, modulo 2^32 | consumer |
 * | 2 | 65 underruns | modulo 2^32 | consumer |
 * | 2 | 66 missing | items that were not there, modulo 2^32 | consumer |
 * | 3 on | data | between the indices the consumer's, elsewhere the producer's | |
 *
 * Each line is 128 bytes, two cache lines (`LINE_WORDS` says why), so that neither side's stores take the other's line
 * away. Each side keeps its own index in a field and the other's as it last read it: the other's line is read again
 * only when the ring looks too full or too empty (as rigtorp's SPSCQueue and mgeier's rtrb do). An *item* is a sample
 * frame, a byte or a record.
 */
const MAGIC = 0x52534446; // "FDSR", least significant byte first
const VERSION = 1;
const WORD_MAGIC = 0;
const WORD_VERSION = 1;
const WORD_KIND = 2;
const WORD_ITEM_SIZE = 3;
const WORD_CAPACITY = 4;
const WORD_PRODUCER_TAKEN = 5;
const WORD_CONSUMER_TAKEN = 6;
const WORD_PRODUCER_LINE = LINE_WORDS;
const WORD_CONSUMER_LINE = 2 * LINE_WORDS;
const DATA_BYTES = 3 * LINE_WORDS * 4;

export interface StreamProducers {
  f32: SampleProducer;
  bytes: ByteProducer;
  records: RecordProducer;
}
export interface StreamConsumers {
  f32: SampleConsumer;
  bytes: ByteConsumer;
  records: RecordConsumer;
}

/** How often and by how much the two sides failed each other; each number counts modulo 2^32. */
export interface StreamCounts {
  readonly overruns: number;
  readonly droppedItems: number;
  readonly underruns: number;
  readonly missingItems: number;
}

/**
 * A single-producer single-consumer ring in shared memory: sound, bytes or records of a fixed size, from one thread to one
 * other. This makes the two roles, `producer()` and `consumer()`, which alone can write and read. No call of theirs blocks.
 * docs/streams.md has samples.
 */
export class StreamRing<K extends StreamKind = StreamKind> {
  readonly kind: K;
  /** What to send to the other thread, which calls {@link StreamRing.attach}. */
  readonly buffer: SharedArrayBuffer;
  /** Most items that the ring holds; exact, though the memory for them is rounded up to a power of two. */
  readonly capacityItems: number;
  /** Channels, 1, or bytes of a record. */
  readonly itemSize: number;
  private readonly words: Int32Array;

  /**
   * Allocates a ring, empty and open.
   * @throws FrameDeadlineError OPTION_INVALID for sizes out of range, SHARED_MEMORY_UNAVAILABLE on a page that is not
   * cross-origin isolated
   */
  static allocate<const O extends StreamRingOptions>(options: O): StreamRing<O['kind']> {
    const { kind, itemSize, capacityItems, startIndex } = checkOptions(options);
    const buffer = allocateBuffer(DATA_BYTES + dataBytes(kind, itemSize, capacityItems), options.shared ?? true);
    const words = new Int32Array(buffer);
    words[WORD_VERSION] = VERSION;
    words[WORD_KIND] = KINDS.indexOf(kind) + 1;
    words[WORD_ITEM_SIZE] = itemSize;
    words[WORD_CAPACITY] = capacityItems;
    words[WORD_PRODUCER_LINE] = startIndex | 0;
    words[WORD_CONSUMER_LINE] = startIndex | 0;
    words[WORD_MAGIC] = MAGIC;
    return new StreamRing(kind as O['kind'], buffer, itemSize, capacityItems);
  }

  /**
   * The ring in a buffer that another thread allocated. Allocates a few small objects.
   * @param kind what the caller takes it for: checked, and gives the types
   * @throws FrameDeadlineError OPTION_INVALID if `buffer` holds no ring, one of another version, or one of another kind
   */
  static attach(buffer: SharedArrayBuffer): StreamRing;
  static attach<K extends StreamKind>(buffer: SharedArrayBuffer, kind: K): StreamRing<K>;
  static attach(buffer: SharedArrayBuffer, kind?: StreamKind): StreamRing {
    const { byteLength } = checkBuffer(buffer);
    const words = new Int32Array(buffer, 0, DATA_BYTES / 4);
    const foundKind = KINDS[words[WORD_KIND]! - 1];
    const itemSize = words[WORD_ITEM_SIZE]!;
    const capacityItems = words[WORD_CAPACITY]!;
    if (words[WORD_MAGIC] !== MAGIC) throw notARing('its first word is not the mark of a stream ring');
    if (words[WORD_VERSION] !== VERSION) throw notARing(`its version is ${words[WORD_VERSION]}, not ${VERSION}`);
    if (foundKind === undefined) throw notARing(`its kind is ${words[WORD_KIND]}, not 1 to ${KINDS.length}`);
    if (kind !== undefined && kind !== foundKind) throw notARing(`its kind is "${foundKind}", not "${kind}"`);
    const sane = isItemSize(foundKind, itemSize) && isCapacity(capacityItems);
    if (!sane || DATA_BYTES + dataBytes(foundKind, itemSize, capacityItems) > byteLength) {
      throw notARing(`${capacityItems} items of size ${itemSize} do not lie in ${byteLength} bytes`);
    }
    return new StreamRing(foundKind, buffer, itemSize, capacityItems);
  }

  private constructor(kind: K, buffer: SharedArrayBuffer, itemSize: number, capacityItems: number) {
    this.kind = kind;
    this.buffer = buffer;
    this.itemSize = itemSize;
    this.capacityItems = capacityItems;
    this.words = new Int32Array(buffer, 0, DATA_BYTES / 4);
  }

  /**
   * The writing role, for one thread. Allocates.
   * @param options `takeOver`: the thread that had the role is gone for good, continue after what it committed
   * @throws FrameDeadlineError OPTION_INVALID if the role is taken
   */
  producer(options?: { takeOver?: boolean }): StreamProducers[K] {
    this.take(WORD_PRODUCER_TAKEN, 'producer', options?.takeOver);
    const cursor = new ProducerCursor(this.words, WORD_PRODUCER_LINE, WORD_CONSUMER_LINE, this.capacityItems);
    switch (this.kind as StreamKind) {
      case 'f32':
        return new SampleProducer(cursor, this.samples(), this.itemSize) as StreamProducers[K];
      case 'bytes':
        return new ByteProducer(cursor, this.bytes()) as StreamProducers[K];
      case 'records':
        return new RecordProducer(cursor, this.buffer, DATA_BYTES, this.itemSize) as StreamProducers[K];
    }
  }

  /** The reading role, for one thread; otherwise as {@link producer}. */
  consumer(options?: { takeOver?: boolean }): StreamConsumers[K] {
    this.take(WORD_CONSUMER_TAKEN, 'consumer', options?.takeOver);
    const cursor = new ConsumerCursor(this.words, WORD_PRODUCER_LINE, WORD_CONSUMER_LINE, this.capacityItems);
    switch (this.kind as StreamKind) {
      case 'f32':
        return new SampleConsumer(cursor, this.samples(), this.itemSize) as StreamConsumers[K];
      case 'bytes':
        return new ByteConsumer(cursor, this.bytes()) as StreamConsumers[K];
      case 'records':
        return new RecordConsumer(cursor, this.buffer, DATA_BYTES, this.itemSize) as StreamConsumers[K];
    }
  }

  /** Items written since the start, modulo 2^32: an old value is possible. Any thread may ask; allocates nothing. */
  writtenItems(): number {
    return Atomics.load(this.words, WORD_PRODUCER_LINE) >>> 0;
  }

  /** Items read since the start, otherwise as {@link writtenItems}. Ask for it first: the difference is then never negative. */
  readItems(): number {
    return Atomics.load(this.words, WORD_CONSUMER_LINE) >>> 0;
  }

  /** The xruns so far; any thread may ask, and each number was right at some moment during the call. Allocates its result. */
  counts(): StreamCounts {
    return {
      overruns: Atomics.load(this.words, WORD_PRODUCER_LINE + 2) >>> 0,
      droppedItems: Atomics.load(this.words, WORD_PRODUCER_LINE + 3) >>> 0,
      underruns: Atomics.load(this.words, WORD_CONSUMER_LINE + 1) >>> 0,
      missingItems: Atomics.load(this.words, WORD_CONSUMER_LINE + 2) >>> 0,
    };
  }

  private take(word: number, role: string, takeOver = false): void {
    const before = Atomics.compareExchange(this.words, word, 0, 1);
    if (before === 0 || takeOver) return;
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `stream ring: it has a ${role} already, one expected; if that thread is gone, pass { takeOver: true }`,
    );
  }

  private samples(): Float32Array<SharedArrayBuffer> {
    return new Float32Array(this.buffer, DATA_BYTES, powerOfTwo(this.capacityItems) * this.itemSize);
  }

  private bytes(): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.buffer, DATA_BYTES, powerOfTwo(this.capacityItems));
  }
}

function checkBuffer(buffer: SharedArrayBuffer): SharedArrayBuffer {
  // by tag: a buffer that came from another realm is no instance of this one's class
  const tag = Object.prototype.toString.call(buffer);
  if (tag !== '[object SharedArrayBuffer]' && tag !== '[object ArrayBuffer]') {
    throw notARing(`${describeValue(buffer)} given, the buffer of a StreamRing expected`);
  }
  if (buffer.byteLength < DATA_BYTES) throw notARing(`it has ${buffer.byteLength} bytes, fewer than a header`);
  return buffer;
}

function notARing(why: string): FrameDeadlineError {
  return new FrameDeadlineError('OPTION_INVALID', `stream ring: this buffer cannot be attached: ${why}`);
}
