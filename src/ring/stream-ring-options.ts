import { describeValue, FrameDeadlineError } from '../base/errors.js';

/** In the order of their numbers in the header, from 1. */
export const KINDS = ['f32', 'bytes', 'records'] as const;
const MAX_ITEMS = 2 ** 30;
const MAX_DATA_BYTES = 2 ** 31;

export type StreamKind = (typeof KINDS)[number];

interface CommonOptions {
  /** Where the two indices start, 0 to 4294967295 (default 0): to test their wrap. */
  readonly startIndex?: number;
  /** `false` asks for no SharedArrayBuffer where there is none: both roles are then in one thread. Default true. */
  readonly shared?: boolean;
}
/** Interleaved 32-bit float samples. */
export interface SampleRingOptions extends CommonOptions {
  readonly kind: 'f32';
  /** 1 to 65535 */
  readonly channels: number;
  readonly capacitySampleFrames: number;
}
/** Raw bytes. */
export interface ByteRingOptions extends CommonOptions {
  readonly kind: 'bytes';
  readonly capacityBytes: number;
}
/** Records of a fixed size, each handed over whole. */
export interface RecordRingOptions extends CommonOptions {
  readonly kind: 'records';
  /** bytes of one record, a multiple of 8 */
  readonly recordBytes: number;
  readonly capacityRecords: number;
}
export type StreamRingOptions = SampleRingOptions | ByteRingOptions | RecordRingOptions;

/** Memory for a power of two of items: positions are then the low bits of an index, right across its wrap at 2^32. */
export function dataBytes(kind: StreamKind, itemSize: number, capacityItems: number): number {
  return powerOfTwo(capacityItems) * itemSize * (kind === 'f32' ? 4 : 1);
}

/** The least power of two that is not below `n`, for 1 to 2^30. */
export function powerOfTwo(n: number): number {
  return 2 ** (32 - Math.clz32(n - 1));
}

export function isCapacity(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ITEMS;
}

export function isItemSize(kind: StreamKind, value: unknown): value is number {
  if (!Number.isInteger(value) || (value as number) < 1) return false;
  if (kind === 'f32') return (value as number) <= 65_535;
  return kind === 'bytes' ? value === 1 : (value as number) % 8 === 0 && (value as number) <= MAX_ITEMS;
}

/** The options as the header holds them. */
export function checkOptions(options: StreamRingOptions) {
  if (typeof options !== 'object' || options === null) throw wrongOption('options', options, 'an object');
  const { kind, startIndex = 0 } = options;
  if (!KINDS.includes(kind)) throw wrongOption('kind', kind, KINDS.map((name) => `"${name}"`).join(' or '));
  if (startIndex >>> 0 !== startIndex) throw wrongOption('startIndex', startIndex, 'an integer from 0 to 4294967295');
  const itemSize = kind === 'f32' ? options.channels : kind === 'bytes' ? 1 : options.recordBytes;
  if (!isItemSize(kind, itemSize)) {
    throw kind === 'f32'
      ? wrongOption('channels', itemSize, 'an integer from 1 to 65535')
      : wrongOption('recordBytes', itemSize, 'a multiple of 8 from 8');
  }
  const [name, capacityItems] =
    kind === 'f32'
      ? ['capacitySampleFrames', options.capacitySampleFrames]
      : kind === 'bytes'
        ? ['capacityBytes', options.capacityBytes]
        : ['capacityRecords', options.capacityRecords];
  if (!isCapacity(capacityItems)) throw wrongOption(String(name), capacityItems, `an integer from 1 to ${MAX_ITEMS}`);
  if (dataBytes(kind, itemSize, capacityItems) > MAX_DATA_BYTES) {
    throw wrongOption(
      String(name),
      capacityItems,
      `at most ${MAX_DATA_BYTES} bytes, rounded up to a power of two of items,`,
    );
  }
  return { kind, itemSize, capacityItems, startIndex };
}

function wrongOption(name: string, given: unknown, expected: string): FrameDeadlineError {
  return new FrameDeadlineError(
    'OPTION_INVALID',
    `stream ring: ${name} ${describeValue(given)} given, ${expected} expected`,
  );
}
