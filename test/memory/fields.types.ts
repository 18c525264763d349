/**
 * Compile checks: `tsc -p test/tsconfig.json` fails if a wrong use compiles or a right one does not.
 * Nothing here runs.
 */
import {
  type BytesView,
  bytes,
  f32,
  f64,
  i32,
  type Literal,
  type PlainValues,
  type ReadonlyView,
  type Schema,
  u8,
  u32,
  type View,
} from '../../src/memory/fields.js';
import { writeLiteral } from '../../src/memory/literals.js';
import { layoutSchema } from '../../src/memory/schema-layout.js';
import { readLiteral, ViewFactory } from '../../src/memory/views.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_ extends true>(): void {}

const schema = { x: u32, y: i32, z: f64, pixels: u8.array(16), gains: f32.array(2), name: bytes(8) };
type S = typeof schema;
declare const view: View<S>;
declare const input: ReadonlyView<S>;
declare function inferred<const I extends Schema, const O extends Schema = Record<never, never>>(definition: {
  input: I;
  output?: O;
  run(input: ReadonlyView<I>, output: View<O>): void;
}): { input: I; output: O };

export function views(): void {
  check<Same<typeof view.x, number>>();
  check<Same<typeof view.z, number>>();
  check<Same<typeof view.pixels, Uint8Array<SharedArrayBuffer>>>();
  check<Same<typeof view.gains, Float32Array<SharedArrayBuffer>>>();
  check<Same<typeof view.name, BytesView>>();
  check<Same<typeof input.x, number>>();
  check<Same<typeof input.pixels, Uint8Array<SharedArrayBuffer>>>();
  view.x = 1;
  view.pixels[0] = 1;
  view.pixels.set([1, 2, 3]);
  view.name.length = 2;
  view.name.set(new Uint8Array(2));
  // @ts-expect-error arrays are filled in place
  view.pixels = new Uint8Array(16);
  // @ts-expect-error bytes are filled in place
  view.name = new Uint8Array(8);
  // @ts-expect-error not declared
  view.w;
  // @ts-expect-error a number
  view.x = '1';
  // @ts-expect-error fixed by the schema
  view.name.maxLength = 3;
  // @ts-expect-error an input may not be written
  input.x = 1;
  // @ts-expect-error an input may not be written
  input.name.length = 1;
  // @ts-expect-error an input may not be written
  input.name.set(new Uint8Array(1));
}

export function literals(): void {
  const literal: Literal<S> = { x: 1, y: 2, z: 3, pixels: [1], gains: new Float64Array(2), name: new Uint8Array(3) };
  writeLiteral(view, literal, 'tile');
  writeLiteral(view, readLiteral(view), 'tile');
  // @ts-expect-error a field is missing
  const missing: Literal<S> = { x: 1, y: 2, z: 3, pixels: [1], gains: [1] };
  // @ts-expect-error a field too many
  const extra: Literal<{ x: typeof u32 }> = { x: 1, w: 2 };
  // @ts-expect-error bytes are not a list of numbers
  const list: Literal<{ name: typeof schema.name }> = { name: [1, 2] };
  // @ts-expect-error a number is not a list
  const number: Literal<{ gains: typeof schema.gains }> = { gains: 1 };
  void [missing, extra, list, number];
  const plain = readLiteral(view);
  check<Same<typeof plain, PlainValues<S>>>();
  check<Same<typeof plain.gains, Float32Array<ArrayBuffer>>>();
  check<Same<typeof plain.name, Uint8Array<ArrayBuffer>>>();
  check<Same<typeof plain.x, number>>();
}

export function schemas(): void {
  const factory = new ViewFactory(layoutSchema(schema, 'test'));
  check<Same<ReturnType<typeof factory.create>, View<S>>>();
  const { input: described } = inferred({
    input: { a: f32, b: u8.array(3) },
    output: { c: f32 },
    run(given, output) {
      check<Same<typeof given.a, number>>();
      check<Same<typeof given.b, Uint8Array<SharedArrayBuffer>>>();
      output.c = given.a;
      // @ts-expect-error an input may not be written
      given.a = 1;
      // @ts-expect-error not declared
      output.d = 1;
    },
  });
  check<Same<View<typeof described>['b'], Uint8Array<SharedArrayBuffer>>>();
  inferred({
    input: {},
    run(_, output) {
      // @ts-expect-error no output declared
      output.c = 1;
    },
  });
  // @ts-expect-error not a field
  inferred({ input: { a: 3 }, run() {} });
  // @ts-expect-error the function that makes a field, not a field
  inferred({ input: { a: bytes }, run() {} });
  // @ts-expect-error a length is a number
  f32.array('3');
}
