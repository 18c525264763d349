/**
 * The last records of one writer (misses, frames), in shared memory: a ring of fixed-size records, one writer, readers that never hold
 * it up. The writer overwrites the oldest; a reader counts exactly what it did not get.
 *
 * Record number n (from 0, modulo 2^32) lies in slot n mod capacity. The slot's stamp is 2n + 1 while it is being
 * written and 2n + 2 when it is whole (a sequence lock per record). Assumptions: (1) one writer at a time; (2) every
 * access to shared words here is atomic, body words included, so all of them are in one order (ECMA-262: a program
 * without data races behaves as an interleaving of its atomic accesses). Guarantees: (1) a record that was read is whole;
 * (2) `read + overwritten` of all drains is the number of records that were published; (3) a writer that dies in the
 * middle loses that record and the one it overwrote, which is counted.
 *
 *     base + 0                                         head: records published, modulo 2^32
 *     base + HEADER_WORDS + slot * (1 + recordWords)   stamp, then the record's body words
 *
 * All are written by the writer only.
 */
import { describeValue, FrameDeadlineError } from '../base/errors.js';

const HEADER_WORDS = 16;
const MAX_CAPACITY = 65_536;

/**
 * Words to reserve for a ring. Fresh memory (all 0) is an empty ring.
 * @param capacity records, a power of two, 1 to 65536
 * @param recordWords body words of one record; their meaning is the caller's
 * @throws OPTION_INVALID for another capacity
 */
export function recordRingWords(capacity: number, recordWords: number): number {
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY || (capacity & (capacity - 1)) !== 0) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `the record ring's capacity is ${describeValue(capacity)}, expected a power of two from 1 to ${MAX_CAPACITY}`,
    );
  }
  return HEADER_WORDS + capacity * (1 + recordWords);
}

function checkPlace(words: Int32Array, base: number, capacity: number, recordWords: number): void {
  const needed = recordRingWords(capacity, recordWords);
  if (!Number.isInteger(base) || base < 0 || base + needed > words.length) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `base is ${describeValue(base)} in ${words.length} words, expected a whole number that leaves ${needed} words for the ring`,
    );
  }
}

function writingStamp(record: number): number {
  return (record << 1) | 1;
}

function wholeStamp(record: number): number {
  return ((record << 1) + 2) | 0;
}

/**
 * The writing role, for one thread. Goes on where the memory's last writer stopped, so a replacement may take over.
 * @throws OPTION_INVALID (constructor) if the ring does not fit at `base`
 */
export class RecordRingWriter {
  /** Private memory of the record being filled: body word k is `words[begin() + k]`. */
  readonly words: Int32Array;
  private readonly shared: Int32Array;
  private readonly base: number;
  private readonly mask: number;
  private readonly recordWords: number;

  constructor(shared: Int32Array, base: number, capacity: number, recordWords: number) {
    checkPlace(shared, base, capacity, recordWords);
    this.recordWords = recordWords;
    this.words = new Int32Array(recordWords);
    this.shared = shared;
    this.base = base;
    this.mask = capacity - 1;
  }

  /** Starts a record, all 0. Returns the index of its first body word in `this.words`. Nobody sees it until `publish`. */
  begin(): number {
    this.words.fill(0);
    return 0;
  }

  /** Makes the record visible, overwriting the oldest if the ring is full. Never allocates, blocks or throws. */
  publish(): void {
    const { shared, words } = this;
    // read anew: several writers on one thread (one that helps, one that cancels) may share a ring
    const record = Atomics.load(shared, this.base);
    const stampIndex = this.base + HEADER_WORDS + (record & this.mask) * (1 + this.recordWords);
    Atomics.store(shared, stampIndex, writingStamp(record));
    for (let k = 0; k < this.recordWords; k++) Atomics.store(shared, stampIndex + 1 + k, words[k]!);
    Atomics.store(shared, stampIndex, wholeStamp(record)); // release
    Atomics.store(shared, this.base, (record + 1) | 0); // release
  }
}

/** What one drain did: records handed on, and records that were overwritten before they could be. */
export interface RecordDrain {
  read: number;
  overwritten: number;
}

/**
 * The reading role. Its position is private: the writer does not know of it, and several readers may read one ring.
 * @throws OPTION_INVALID (constructor) if the ring does not fit at `base`
 */
export class RecordRingReader {
  private readonly shared: Int32Array;
  private readonly base: number;
  private readonly capacity: number;
  private readonly copy: Int32Array;
  private readonly recordWords: number;
  private next: number;

  constructor(shared: Int32Array, base: number, capacity: number, recordWords: number) {
    checkPlace(shared, base, capacity, recordWords);
    this.recordWords = recordWords;
    this.shared = shared;
    this.base = base;
    this.capacity = capacity;
    this.copy = new Int32Array(recordWords);
    this.next = 0;
  }

  /** Passes over what was published so far, for a reader that wants only what comes. */
  skip(): void {
    this.next = Atomics.load(this.shared, this.base);
  }

  /**
   * Hands on, oldest first, the records that were published before this call and are still there: at most `capacity`.
   * `onRecord` gets private memory that the next record reuses: copy what is to be kept. Each record is handed on once;
   * if `onRecord` throws, the drain ends with that error and the next one goes on with the record after it.
   */
  drain(onRecord: (words: Int32Array, base: number) => void): RecordDrain {
    const { shared, base, capacity, copy } = this;
    const head = Atomics.load(shared, base); // acquire
    const published = (head - this.next) >>> 0;
    let read = 0;
    let overwritten = 0;
    if (published > capacity) {
      overwritten = published - capacity;
      this.next = (head - capacity) | 0;
    }
    while (this.next !== head) {
      const record = this.next;
      this.next = (record + 1) | 0;
      if (this.copyRecord(record)) {
        read++;
        onRecord(copy, 0);
      } else {
        overwritten++;
      }
    }
    return { read, overwritten };
  }

  /** Copies a published record to private memory. False if the writer has begun to overwrite it. */
  private copyRecord(record: number): boolean {
    const { shared, copy } = this;
    const stampIndex = this.base + HEADER_WORDS + (record & (this.capacity - 1)) * (1 + this.recordWords);
    const stamp = wholeStamp(record);
    if (Atomics.load(shared, stampIndex) !== stamp) return false; // acquire; spares a copy that cannot be whole
    for (let k = 0; k < this.recordWords; k++) copy[k] = Atomics.load(shared, stampIndex + 1 + k);
    // stamps only grow, and a published record's is at least this: unchanged now means unchanged throughout
    return Atomics.load(shared, stampIndex) === stamp;
  }
}
