import { describeValue, FrameDeadlineError } from '../base/errors.js';

/**
 * Typed fields: how a task declares what goes in and what comes out.
 *
 * A schema is a plain object of fields. Its layout in memory is that of a C struct with the same members in the same
 * order (see `schema-layout.ts`), so that a kernel in C or WebAssembly can be laid over it.
 */

/** Element types. `f32`, `f64`: IEEE 754; `u32`, `i32`, `u8`: integers of that many bits. Little or big endian as the machine is. */
export type ScalarType = 'f32' | 'f64' | 'u32' | 'i32' | 'u8';

/** One number. `T` is its element type. */
export interface ScalarField<T extends ScalarType = ScalarType> {
  readonly kind: 'scalar';
  readonly type: T;
  /**
   * A fixed number of elements of this type, seen as a typed array.
   * @param length elements, an integer from 1
   * @throws FrameDeadlineError SCHEMA_INVALID for any other length
   */
  array(length: number): ArrayField<T>;
}

/** A fixed number of elements of one type. Made by `f32.array(length)` and its like. */
export interface ArrayField<T extends ScalarType = ScalarType> {
  readonly kind: 'array';
  readonly type: T;
  /** elements */
  readonly length: number;
}

/** Up to `maxLength` bytes with their length. Made by {@link bytes}. */
export interface BytesField {
  readonly kind: 'bytes';
  /** bytes */
  readonly maxLength: number;
}

/** What a schema is made of. */
export type Field = ScalarField | ArrayField | BytesField;

/** Field names to fields. Names are JavaScript identifiers; an empty schema is allowed and takes no memory. */
export type Schema = Readonly<Record<string, Field>>;

/** The typed array that holds elements of type `T`. */
export interface TypedArrayOf<B extends ArrayBufferLike> {
  f32: Float32Array<B>;
  f64: Float64Array<B>;
  u32: Uint32Array<B>;
  i32: Int32Array<B>;
  u8: Uint8Array<B>;
}

/** A bytes field of a view that may only be read. */
export interface ReadonlyBytesView {
  /** bytes in use, 0 to `maxLength` */
  readonly length: number;
  /** bytes, as declared */
  readonly maxLength: number;
  /** All `maxLength` bytes; only the first `length` mean anything. One object per slot, over the slot's own memory. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  /** The bytes in use, copied to memory of their own. Allocates. */
  copy(): Uint8Array<ArrayBuffer>;
}

/** A bytes field of a view. */
export interface BytesView extends ReadonlyBytesView {
  /** Bytes in use. Setting it to anything but an integer from 0 to `maxLength` throws PAYLOAD_INVALID. */
  length: number;
  /**
   * Copies `source` in and sets the length. Allocates nothing.
   * @throws FrameDeadlineError PAYLOAD_INVALID if `source` is no Uint8Array or is longer than `maxLength`
   */
  set(source: Uint8Array): void;
}

/** Whether nothing but `Field` is known of a field: in lanes without `load`. */
type IsUnknown<F extends Field> = Field extends F ? true : false;

/** A field of a view of which TypeScript does not know the kind: narrow it, or say what it is (`output.pixels as Uint8Array`). */
export type UnknownValue = number | TypedArrayOf<SharedArrayBuffer>[ScalarType] | BytesView;
/** The same of a view that may only be read. */
export type ReadonlyUnknownValue = number | TypedArrayOf<SharedArrayBuffer>[ScalarType] | ReadonlyBytesView;

type ScalarNames<S extends Schema> = {
  [K in keyof S]: S[K] extends ScalarField ? K : IsUnknown<S[K]> extends true ? K : never;
}[keyof S];

/**
 * What a thread reads and writes: a window on one slot's memory, valid as long as the slot is the caller's.
 * Numbers are properties (setting one checks it and throws PAYLOAD_INVALID); arrays are readonly properties that hold a
 * typed array over the slot's memory, filled in place; bytes are a {@link BytesView}. Reading and writing numbers
 * allocates nothing; an array or bytes field makes its object on first access of each slot and keeps it.
 */
export type View<S extends Schema> = {
  -readonly [K in keyof S as K & ScalarNames<S>]: IsUnknown<S[K]> extends true ? UnknownValue : number;
} & {
  readonly [K in keyof S as Exclude<K, ScalarNames<S>>]: S[K] extends ArrayField<infer T>
    ? TypedArrayOf<SharedArrayBuffer>[T]
    : S[K] extends BytesField
      ? BytesView
      : number;
};

/** A view whose numbers and byte lengths may only be read. (TypeScript has no readonly typed array: elements stay writable.) */
export type ReadonlyView<S extends Schema> = {
  readonly [K in keyof S]: S[K] extends ArrayField<infer T>
    ? TypedArrayOf<SharedArrayBuffer>[T]
    : S[K] extends BytesField
      ? ReadonlyBytesView
      : IsUnknown<S[K]> extends true
        ? ReadonlyUnknownValue
        : number;
};

/** The simple form of a payload: an object with every field. Numbers; arrays of exactly the declared length; bytes as a Uint8Array. */
export type Literal<S extends Schema> = {
  readonly [K in keyof S]: S[K] extends ArrayField
    ? ArrayLike<number>
    : S[K] extends BytesField
      ? Uint8Array
      : IsUnknown<S[K]> extends true
        ? number | ArrayLike<number>
        : number;
};

/** A payload copied out of shared memory: a {@link Literal} whose arrays are typed and the reader's own. */
export type PlainValues<S extends Schema> = {
  -readonly [K in keyof S]: S[K] extends ArrayField<infer T>
    ? TypedArrayOf<ArrayBuffer>[T]
    : S[K] extends BytesField
      ? Uint8Array<ArrayBuffer>
      : IsUnknown<S[K]> extends true
        ? number | TypedArrayOf<ArrayBuffer>[ScalarType]
        : number;
};

/** 32-bit float. Takes every number, NaN and infinities too, rounded to the nearest. */
export const f32: ScalarField<'f32'> = scalar('f32');
/** 64-bit float. Takes every number. */
export const f64: ScalarField<'f64'> = scalar('f64');
/** Integer from 0 to 4294967295. */
export const u32: ScalarField<'u32'> = scalar('u32');
/** Integer from -2147483648 to 2147483647. */
export const i32: ScalarField<'i32'> = scalar('i32');
/** Integer from 0 to 255. */
export const u8: ScalarField<'u8'> = scalar('u8');

/**
 * Up to `maxLength` bytes with their length, for text, packets and other data of varying size.
 * @param maxLength bytes, an integer from 1
 * @throws FrameDeadlineError SCHEMA_INVALID for any other length
 */
export function bytes(maxLength: number): BytesField {
  checkLength(maxLength, 'bytes(maxLength)');
  return Object.freeze({ kind: 'bytes', maxLength });
}

/** The field of that element type. */
export function scalarField<T extends ScalarType>(type: T): ScalarField<T> {
  return SCALARS[type] as unknown as ScalarField<T>;
}

const SCALARS: { readonly [T in ScalarType]: ScalarField<T> } = { f32, f64, u32, i32, u8 };

export function isScalarType(value: unknown): value is ScalarType {
  return typeof value === 'string' && Object.hasOwn(SCALARS, value);
}

function scalar<T extends ScalarType>(type: T): ScalarField<T> {
  return Object.freeze({
    kind: 'scalar',
    type,
    array(length: number): ArrayField<T> {
      checkLength(length, `${type}.array(length)`);
      return Object.freeze({ kind: 'array', type, length });
    },
  });
}

export function isFieldLength(length: unknown): length is number {
  return Number.isSafeInteger(length) && (length as number) > 0;
}

function checkLength(length: unknown, what: string): void {
  if (isFieldLength(length)) return;
  throw new FrameDeadlineError('SCHEMA_INVALID', `${what}: ${describeValue(length)} given, an integer from 1 expected`);
}
