import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { EXPECTED_NUMBER, type SharedBytesView, wrongValue } from './bytes-view.js';
import type { Literal, ScalarType, Schema, View } from './fields.js';
import type { FieldLayout } from './schema-layout.js';
import type { ViewState } from './views.js';

/**
 * Checks the simple form of a payload and writes it into `view`. Every field has to be there, and no other. Allocates
 * nothing for numbers. When it throws, the fields before the wrong one are already written.
 * @param taskName named in the error
 * @throws FrameDeadlineError PAYLOAD_INVALID naming the task, the field, what was given and what was expected
 */
export function writeLiteral<S extends Schema>(view: View<S>, literal: Literal<S>, taskName: string): void {
  const state = view as unknown as ViewState;
  const { fields } = state['~layout'];
  if (typeof literal !== 'object' || literal === null) throw notLiteral(literal, fields, taskName);
  const values = literal as Readonly<Record<string, unknown>>;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const value = values[field.name];
    if (field.kind === 'scalar') writeScalar(state, field, value, taskName);
    else if (field.kind === 'array') writeArray(state, field, value, taskName);
    else writeBytes(state, field, value, taskName);
  }
  let given = 0;
  for (const _ in values) given++;
  if (given > fields.length) throw extraField(values, fields, taskName);
}

function writeScalar(state: ViewState, field: FieldLayout, value: unknown, taskName: string): void {
  if (!fits(value, field.type)) throw wrongField(field, value, EXPECTED_NUMBER[field.type], taskName);
  const views = state['~views'];
  const byteOffset = state['~byteOffset'] + field.byteOffset;
  switch (field.type) {
    case 'f32':
      views.f32[byteOffset >>> 2] = value;
      break;
    case 'f64':
      views.f64[byteOffset >>> 3] = value;
      break;
    case 'u32':
      views.u32[byteOffset >>> 2] = value;
      break;
    case 'i32':
      views.i32[byteOffset >>> 2] = value;
      break;
    case 'u8':
      views.u8[byteOffset] = value;
  }
}

function writeArray(state: ViewState, field: FieldLayout, value: unknown, taskName: string): void {
  const expected = `an array of ${field.length} numbers`;
  const isList = typeof value === 'object' && value !== null && (value as ArrayLike<unknown>).length === field.length;
  if (!isList) throw wrongField(field, value, expected, taskName);
  const source = value as ArrayLike<unknown>;
  const target = (state as unknown as Record<string, Float32Array>)[field.name]!;
  // elements of the same type all fit: one memcpy
  if (source.constructor === target.constructor) {
    target.set(source as Float32Array);
    return;
  }
  for (let i = 0; i < target.length; i++) {
    const element = source[i];
    if (!fits(element, field.type)) {
      const where = `task "${taskName}", field "${field.name}[${i}]"`;
      throw wrongValue(where, element, EXPECTED_NUMBER[field.type]);
    }
    target[i] = element;
  }
}

function writeBytes(state: ViewState, field: FieldLayout, value: unknown, taskName: string): void {
  if (!(value instanceof Uint8Array) || value.length > field.length) {
    throw wrongField(field, value, `a Uint8Array of at most ${field.length}`, taskName);
  }
  (state as unknown as Record<string, SharedBytesView>)[field.name]!.set(value);
}

function fits(value: unknown, type: ScalarType): value is number {
  if (typeof value !== 'number') return false;
  if (type === 'u32') return value >>> 0 === value;
  if (type === 'i32') return (value | 0) === value;
  return type !== 'u8' || (value & 255) === value;
}

function wrongField(field: FieldLayout, value: unknown, expected: string, taskName: string): FrameDeadlineError {
  const where = `task "${taskName}", field "${field.name}"`;
  if (value !== undefined) return wrongValue(where, value, expected);
  return new FrameDeadlineError('PAYLOAD_INVALID', `${where}: missing, ${expected} expected`);
}

function notLiteral(literal: unknown, fields: readonly FieldLayout[], taskName: string): FrameDeadlineError {
  return wrongValue(`task "${taskName}"`, literal, `an object with ${listOf(fields)}`);
}

function extraField(values: object, fields: readonly FieldLayout[], taskName: string): FrameDeadlineError {
  const extra = Object.keys(values).find((name) => !fields.some((field) => field.name === name));
  return new FrameDeadlineError(
    'PAYLOAD_INVALID',
    `task "${taskName}": unknown field ${describeValue(extra)} given, ${listOf(fields)} expected`,
  );
}

function listOf(fields: readonly FieldLayout[]): string {
  return fields.length === 0 ? 'no field' : fields.map((field) => `"${field.name}"`).join(', ');
}
