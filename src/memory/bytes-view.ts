import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { BytesView } from './fields.js';

/** The part of a buffer's typed arrays that a bytes field needs. */
interface BytesMemory {
  readonly buffer: SharedArrayBuffer;
  readonly u32: Uint32Array<SharedArrayBuffer>;
}

/** The bytes field of one slot. */
export class SharedBytesView implements BytesView {
  readonly data: Uint8Array<SharedArrayBuffer>;
  readonly maxLength: number;
  private readonly where: string;
  private readonly lengths: Uint32Array<SharedArrayBuffer>;
  private readonly lengthIndex: number;

  constructor(views: BytesMemory, byteOffset: number, maxLength: number, where: string) {
    this.data = new Uint8Array(views.buffer, byteOffset + 4, maxLength);
    this.maxLength = maxLength;
    this.where = where;
    this.lengths = views.u32;
    this.lengthIndex = byteOffset >>> 2;
  }

  get length(): number {
    const length = this.lengths[this.lengthIndex]!;
    // a slot that nobody has filled yet may hold anything
    return Math.min(length, this.maxLength);
  }

  set length(length: number) {
    if (typeof length !== 'number' || length >>> 0 !== length || length > this.maxLength) {
      throw wrongValue(`${this.where}, length`, length, `an integer from 0 to ${this.maxLength}`);
    }
    this.lengths[this.lengthIndex] = length;
  }

  set(source: Uint8Array): void {
    if (!(source instanceof Uint8Array) || source.length > this.maxLength) {
      throw wrongValue(this.where, source, `a Uint8Array of at most ${this.maxLength}`);
    }
    this.data.set(source);
    this.lengths[this.lengthIndex] = source.length;
  }

  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.data.subarray(0, this.length));
  }
}

/** The error of a value that does not fit its field. `where` names task and field. */
export function wrongValue(where: string, given: unknown, expected: string): FrameDeadlineError {
  return new FrameDeadlineError('PAYLOAD_INVALID', `${where}: ${describeValue(given)} given, ${expected} expected`);
}

/** What a scalar of that type takes, in words. */
export const EXPECTED_NUMBER = {
  f32: 'a number',
  f64: 'a number',
  u32: 'an integer from 0 to 4294967295',
  i32: 'an integer from -2147483648 to 2147483647',
  u8: 'an integer from 0 to 255',
} as const;
