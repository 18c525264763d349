import { describeValue, FrameDeadlineError } from '../base/errors.js';

/** Offsets in the producer's line and the consumer's line; the table is in `stream-ring.ts`. */
const INDEX = 0;
const PRODUCER_CLOSED = 1;
const PRODUCER_OVERRUNS = 2;
const PRODUCER_DROPPED = 3;
const CONSUMER_UNDERRUNS = 1;
const CONSUMER_MISSING = 2;

/**
 * The producer's index, all that the writing side knows of the ring.
 *
 * Why it is safe: an item's memory is written only while the index is at most `capacity` ahead of the consumer's, and
 * the store of the index (release) comes after; the consumer reads the item only after it has read that index (acquire).
 * The read index seen here may be old, never ahead, so what looks free is free: every answer is a lower bound.
 */
export class ProducerCursor {
  readonly capacity: number;
  /** low bits of an index that are the position in memory */
  readonly mask: number;
  private readonly words: Int32Array;
  private readonly line: number;
  private readonly readWord: number;
  private index: number;
  private seenReadIndex: number;
  private granted: number;
  private closed: boolean;

  constructor(words: Int32Array, producerLine: number, consumerLine: number, capacity: number) {
    this.capacity = capacity;
    this.mask = maskOf(capacity);
    this.words = words;
    this.line = producerLine;
    this.readWord = consumerLine + INDEX;
    this.index = Atomics.load(words, producerLine + INDEX);
    this.seenReadIndex = Atomics.load(words, this.readWord);
    this.granted = 0;
    this.closed = Atomics.load(words, producerLine + PRODUCER_CLOSED) === 1;
  }

  /** Items that surely fit. Reads the consumer's index only if fewer than `wanted` seem to. */
  writable(wanted: number): number {
    if (this.closed) return 0;
    let free = this.capacity - ((this.index - this.seenReadIndex) | 0);
    if (free < wanted) {
      this.seenReadIndex = Atomics.load(this.words, this.readWord); // acquire: the consumer is done with these items
      free = this.capacity - ((this.index - this.seenReadIndex) | 0);
    }
    return free;
  }

  /** Where the next item goes, in items from the start of the memory. */
  position(): number {
    return this.index & this.mask;
  }

  /** Items that can be written at {@link position} without a turn at the end of the memory, at most `most`. */
  begin(most: number): number {
    if (most >>> 0 !== most) throw wrongMost('beginWrite', most);
    const wanted = Math.min(most, this.mask + 1 - this.position());
    this.granted = Math.min(wanted, this.writable(wanted));
    return this.granted;
  }

  /** Ends {@link begin}, in one or more parts. */
  commit(items: number): void {
    if (items >>> 0 !== items || items > this.granted) throw wrongCommit('commitWrite', items, this.granted);
    this.granted -= items;
    this.advance(items);
  }

  /** Hands `items` that have been written to the consumer, without {@link begin}, which this undoes. */
  publish(items: number): void {
    this.granted = 0;
    this.advance(items);
  }

  private advance(items: number): void {
    if (items === 0) return;
    this.index = (this.index + items) | 0;
    Atomics.store(this.words, this.line + INDEX, this.index); // release
  }

  countOverrun(droppedItems: number): void {
    const overruns = Atomics.load(this.words, this.line + PRODUCER_OVERRUNS);
    Atomics.store(this.words, this.line + PRODUCER_OVERRUNS, (overruns + 1) | 0);
    this.countDropped(droppedItems);
  }

  /** Items lost as part of an overrun that was counted before. */
  countDropped(droppedItems: number): void {
    const dropped = Atomics.load(this.words, this.line + PRODUCER_DROPPED);
    Atomics.store(this.words, this.line + PRODUCER_DROPPED, (dropped + droppedItems) | 0);
  }

  overruns(): number {
    return Atomics.load(this.words, this.line + PRODUCER_OVERRUNS) >>> 0;
  }

  droppedItems(): number {
    return Atomics.load(this.words, this.line + PRODUCER_DROPPED) >>> 0;
  }

  /** Nothing fits from now on. After the last index, so that who sees it sees everything that was written. */
  close(): void {
    this.closed = true;
    this.granted = 0;
    Atomics.store(this.words, this.line + PRODUCER_CLOSED, 1); // release
  }
}

/** The consumer's index. The write index seen here may be old, never ahead: what looks readable is, a lower bound. */
export class ConsumerCursor {
  readonly capacity: number;
  readonly mask: number;
  private readonly words: Int32Array;
  private readonly line: number;
  private readonly writeWord: number;
  private readonly closedWord: number;
  private index: number;
  private seenWriteIndex: number;
  private granted: number;

  constructor(words: Int32Array, producerLine: number, consumerLine: number, capacity: number) {
    this.capacity = capacity;
    this.mask = maskOf(capacity);
    this.words = words;
    this.line = consumerLine;
    this.writeWord = producerLine + INDEX;
    this.closedWord = producerLine + PRODUCER_CLOSED;
    this.index = Atomics.load(words, consumerLine + INDEX);
    this.seenWriteIndex = Atomics.load(words, this.writeWord);
    this.granted = 0;
  }

  /** Items that are surely there. Reads the producer's index only if fewer than `wanted` seem to be. */
  readable(wanted: number): number {
    let there = (this.seenWriteIndex - this.index) | 0;
    if (there < wanted) {
      this.seenWriteIndex = Atomics.load(this.words, this.writeWord); // acquire: these items have been written
      there = (this.seenWriteIndex - this.index) | 0;
    }
    return there;
  }

  position(): number {
    return this.index & this.mask;
  }

  /** Items that can be read at {@link position} without a turn at the end of the memory, at most `most`. */
  begin(most: number): number {
    if (most >>> 0 !== most) throw wrongMost('beginRead', most);
    const wanted = Math.min(most, this.mask + 1 - this.position());
    this.granted = Math.min(wanted, this.readable(wanted));
    return this.granted;
  }

  commit(items: number): void {
    if (items >>> 0 !== items || items > this.granted) throw wrongCommit('commitRead', items, this.granted);
    this.granted -= items;
    this.advance(items);
  }

  /** Gives the memory of `items` that have been read back to the producer, without {@link begin}, which this undoes. */
  release(items: number): void {
    this.granted = 0;
    this.advance(items);
  }

  private advance(items: number): void {
    if (items === 0) return;
    this.index = (this.index + items) | 0;
    Atomics.store(this.words, this.line + INDEX, this.index); // release
  }

  /** Whether the producer has closed. What it wrote is visible to every {@link readable} that looks afterwards. */
  closed(): boolean {
    return Atomics.load(this.words, this.closedWord) === 1; // acquire
  }

  /** Exact and final: closed is read first, so the index read after it is the last one. */
  ended(): boolean {
    if (!this.closed()) return false;
    this.seenWriteIndex = Atomics.load(this.words, this.writeWord); // acquire
    return this.seenWriteIndex === this.index;
  }

  countUnderrun(missingItems: number): void {
    const underruns = Atomics.load(this.words, this.line + CONSUMER_UNDERRUNS);
    Atomics.store(this.words, this.line + CONSUMER_UNDERRUNS, (underruns + 1) | 0);
    this.countMissing(missingItems);
  }

  /** Items that were not there as part of an underrun that was counted before. */
  countMissing(missingItems: number): void {
    const missing = Atomics.load(this.words, this.line + CONSUMER_MISSING);
    Atomics.store(this.words, this.line + CONSUMER_MISSING, (missing + missingItems) | 0);
  }

  underruns(): number {
    return Atomics.load(this.words, this.line + CONSUMER_UNDERRUNS) >>> 0;
  }

  missingItems(): number {
    return Atomics.load(this.words, this.line + CONSUMER_MISSING) >>> 0;
  }
}

/** One below the least power of two that holds `capacity`. A power is a double and would make sums doubles, hence `| 0`. */
function maskOf(capacity: number): number {
  return (2 ** (32 - Math.clz32(capacity - 1)) - 1) | 0;
}

/** Throws unless `items` from `offset` lie in `length` items of the caller's memory. */
export function checkRange(method: string, offset: number, items: number, length: number): void {
  if (offset >>> 0 === offset && items >>> 0 === items && offset + items <= length) return;
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `stream ring: ${method} of ${describeValue(items)} from ${describeValue(offset)} given, a range within ${length} expected`,
  );
}

function wrongMost(method: string, most: unknown): FrameDeadlineError {
  return new FrameDeadlineError(
    'OPTION_INVALID',
    `stream ring: ${method}(${describeValue(most)}) given, an integer from 0 expected`,
  );
}

function wrongCommit(method: string, items: unknown, granted: number): FrameDeadlineError {
  return new FrameDeadlineError(
    'OPTION_INVALID',
    `stream ring: ${method}(${describeValue(items)}) given, an integer from 0 to the ${granted} that were granted and not yet committed expected`,
  );
}
