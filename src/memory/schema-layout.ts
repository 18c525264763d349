import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { bytes, type Field, isFieldLength, isScalarType, type ScalarType, type Schema, scalarField } from './fields.js';

/** Where one field lies. */
export interface FieldLayout {
  readonly name: string;
  readonly kind: Field['kind'];
  /** Element type; `u8` for bytes. */
  readonly type: ScalarType;
  /** From the start of the payload. Bytes fields start with their length, a `u32`; the data follow. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Elements: 1 for a scalar, `maxLength` for bytes. */
  readonly length: number;
}

/** A schema's place in memory. */
export interface SchemaLayout<S extends Schema = Schema> {
  /** Named in error messages: `input of task "tile"`. */
  readonly what: string;
  readonly schema: S;
  readonly fields: readonly FieldLayout[];
  /** A multiple of 8; 0 for an empty schema. */
  readonly byteLength: number;
}

/** A schema as plain data, for `postMessage`. In declaration order, which is the layout's. */
export type SchemaDescription = readonly FieldDescription[];
export type FieldDescription =
  | { readonly name: string; readonly kind: 'scalar'; readonly type: ScalarType }
  | { readonly name: string; readonly kind: 'array'; readonly type: ScalarType; readonly length: number }
  | { readonly name: string; readonly kind: 'bytes'; readonly maxLength: number };

/** Bytes of one element, which is also its alignment. */
export const ELEMENT_BYTES: { readonly [T in ScalarType]: number } = { f32: 4, f64: 8, u32: 4, i32: 4, u8: 1 };

const MAX_SCHEMA_BYTES = 2 ** 31 - 8;
const IDENTIFIER = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/**
 * Places the fields in declaration order, each at the next multiple of its element's size, as a C compiler does.
 * @param what named in error messages, for instance `input of task "tile"`
 * @throws FrameDeadlineError SCHEMA_INVALID for what is no schema, PAYLOAD_TOO_LARGE from 2 GiB
 */
export function layoutSchema<S extends Schema>(schema: S, what: string): SchemaLayout<S> {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw invalid(what, `${describeValue(schema)} given, an object of fields such as { x: f32 } expected`);
  }
  const fields: FieldLayout[] = [];
  let end = 0;
  for (const name of Reflect.ownKeys(schema)) {
    checkName(name, what);
    const field = checkField(schema[name], name, what);
    const type = field.kind === 'bytes' ? 'u8' : field.type;
    const length = field.kind === 'scalar' ? 1 : field.kind === 'array' ? field.length : field.maxLength;
    const alignment = field.kind === 'bytes' ? 4 : ELEMENT_BYTES[type];
    const byteOffset = Math.ceil(end / alignment) * alignment;
    // bytes are struct { uint32_t length; uint8_t data[maxLength]; }, whose size C rounds up to 4
    const byteLength = field.kind === 'bytes' ? 4 + Math.ceil(length / 4) * 4 : length * ELEMENT_BYTES[type];
    end = byteOffset + byteLength;
    fields.push(Object.freeze({ name, kind: field.kind, type, byteOffset, byteLength, length }));
  }
  if (end > MAX_SCHEMA_BYTES) {
    throw new FrameDeadlineError(
      'PAYLOAD_TOO_LARGE',
      `${what}: ${end} bytes given, at most ${MAX_SCHEMA_BYTES} expected`,
    );
  }
  return Object.freeze({ what, schema, fields: Object.freeze(fields), byteLength: Math.ceil(end / 8) * 8 });
}

/**
 * The schema as plain data that survives structured clone.
 * @throws FrameDeadlineError as {@link layoutSchema}
 */
export function describeSchema(schema: Schema, what = 'schema'): SchemaDescription {
  return layoutSchema(schema, what).fields.map(({ name, kind, type, length }) => {
    if (kind === 'bytes') return { name, kind, maxLength: length };
    return kind === 'array' ? { name, kind, type, length } : { name, kind, type };
  });
}

/**
 * The schema that {@link describeSchema} described.
 * @throws FrameDeadlineError SCHEMA_INVALID for anything else
 */
export function schemaFromDescription(description: SchemaDescription, what = 'schema description'): Schema {
  if (!Array.isArray(description)) throw invalid(what, `${describeValue(description)} given, an array expected`);
  const schema: Record<string, Field> = {};
  for (const entry of description as SchemaDescription) {
    if (typeof entry !== 'object' || entry === null) throw invalid(what, `${describeValue(entry)} is no field`);
    checkName(entry.name, what);
    if (Object.hasOwn(schema, entry.name)) throw invalid(what, `field ${describeValue(entry.name)} is there twice`);
    // the field functions give the real thing and check its length
    const field = checkField(entry as unknown, entry.name, what);
    schema[entry.name] =
      field.kind === 'bytes'
        ? bytes(field.maxLength)
        : field.kind === 'array'
          ? scalarField(field.type).array(field.length)
          : scalarField(field.type);
  }
  return schema;
}

/** Whether two schemas have the same fields in the same order, which means the same layout. */
export function sameSchema(a: Schema, b: Schema): boolean {
  const left = layoutSchema(a, 'schema').fields;
  const right = layoutSchema(b, 'schema').fields;
  return (
    left.length === right.length &&
    left.every((field, i) => {
      const other = right[i]!;
      return (
        field.name === other.name &&
        field.kind === other.kind &&
        field.type === other.type &&
        field.length === other.length
      );
    })
  );
}

function checkName(name: unknown, what: string): asserts name is string {
  // what every object has already (`toString`, `__proto__`) would be hidden by a field
  const taken = typeof name === 'string' && (name in Object.prototype || name === 'toJSON' || name === 'prototype');
  if (typeof name === 'string' && IDENTIFIER.test(name) && !taken) return;
  throw invalid(
    what,
    `field name ${describeValue(name)} given, a JavaScript identifier expected that is not a property of every object`,
  );
}

/** By its shape and not by identity: two copies of this package may meet in one process. */
function checkField(value: unknown, name: string, what: string): Field {
  const field = value as Partial<Record<string, unknown>> | null | undefined;
  if (typeof field === 'object' && field !== null) {
    const { kind, type } = field;
    const length = kind === 'bytes' ? field['maxLength'] : field['length'];
    const typed = kind === 'bytes' || isScalarType(type);
    if (typed && kind === 'scalar') return value as Field;
    if (typed && (kind === 'array' || kind === 'bytes')) {
      if (isFieldLength(length)) return value as Field;
      throw invalid(what, `field "${name}" has length ${describeValue(length)}, an integer from 1 expected`);
    }
  }
  throw invalid(
    what,
    `field "${name}" is ${describeValue(value)}, one of f32, f64, u32, i32, u8, their .array(length) or bytes(maxLength) expected`,
  );
}

function invalid(what: string, message: string): FrameDeadlineError {
  return new FrameDeadlineError('SCHEMA_INVALID', `${what}: ${message}`);
}
