import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.js';
import { bytes, type Field, f32, f64, i32, type Schema, scalarField, u8, u32 } from '../../src/memory/fields.js';
import { writeLiteral } from '../../src/memory/literals.js';
import {
  describeSchema,
  ELEMENT_BYTES,
  layoutSchema,
  type SchemaDescription,
  sameSchema,
  schemaFromDescription,
} from '../../src/memory/schema-layout.js';
import { bufferViews, readLiteral, ViewFactory } from '../../src/memory/views.js';

const scalarTypes = ['f32', 'f64', 'u32', 'i32', 'u8'] as const;
const anyType = fc.constantFrom(...scalarTypes);
const anyField: fc.Arbitrary<Field> = fc.oneof(
  anyType.map(scalarField),
  fc.tuple(anyType, fc.integer({ min: 1, max: 40 })).map(([type, length]) => scalarField(type).array(length)),
  fc.integer({ min: 1, max: 40 }).map(bytes),
);
const anyName = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'x', 'y', 'length', 'data', 'views', '$_1', 'größe', 'then');
const anySchema: fc.Arbitrary<Schema> = fc
  .uniqueArray(fc.tuple(anyName, anyField), { selector: ([name]) => name, maxLength: 8 })
  .map((entries) => Object.fromEntries(entries));

const numbersOf = {
  f32: fc.float(),
  f64: fc.double(),
  u32: fc.nat(0xffffffff),
  i32: fc.integer(),
  u8: fc.nat(255),
};
function literalOf(schema: Schema): fc.Arbitrary<Record<string, number | number[] | Uint8Array>> {
  const values = Object.entries(schema).map(([name, field]) => {
    if (field.kind === 'bytes') return [name, fc.uint8Array({ maxLength: field.maxLength })] as const;
    const number = numbersOf[field.type];
    if (field.kind === 'scalar') return [name, number] as const;
    return [name, fc.array(number, { minLength: field.length, maxLength: field.length })] as const;
  });
  return fc.record(Object.fromEntries(values));
}
const schemaAndLiterals = anySchema.chain((schema) =>
  fc.tuple(fc.constant(schema), literalOf(schema), literalOf(schema)),
);

function plain(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'number' ? value : Array.from(value as ArrayLike<number>),
    ]),
  );
}

function expectCode(code: ErrorCode, message: RegExp, run: () => unknown): void {
  expect(run).toThrow(expect.objectContaining({ name: 'FrameDeadlineError', code }));
  expect(run).toThrow(message);
}

function viewOf<const S extends Schema>(schema: S, byteOffset = 0) {
  const layout = layoutSchema(schema, 'input of task "tile"');
  const factory = new ViewFactory(layout);
  const views = bufferViews(new SharedArrayBuffer(byteOffset + layout.byteLength));
  return { layout, factory, views, view: factory.create(views, byteOffset) };
}

describe('layout', () => {
  it('aligns every field, lets none overlap, and ends at a multiple of 8', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        const { fields, byteLength } = layoutSchema(schema, 'test');
        let end = 0;
        for (const field of fields) {
          const alignment = field.kind === 'bytes' ? 4 : ELEMENT_BYTES[field.type];
          const least = field.length * ELEMENT_BYTES[field.type] + (field.kind === 'bytes' ? 4 : 0);
          expect(field.byteOffset % alignment).toBe(0);
          expect(field.byteOffset).toBeGreaterThanOrEqual(end);
          expect(field.byteOffset - end).toBeLessThan(8);
          expect(field.byteLength).toBeGreaterThanOrEqual(least);
          end = field.byteOffset + field.byteLength;
        }
        expect(fields.map((field) => field.name)).toEqual(Object.keys(schema));
        expect(byteLength % 8).toBe(0);
        expect(byteLength - end).toBeGreaterThanOrEqual(0);
        expect(byteLength - end).toBeLessThan(8);
      }),
    );
  });

  it('is that of the same struct in C', () => {
    const { fields, byteLength } = layoutSchema(
      { flag: u8, x: f64, tag: u8, name: bytes(5), last: u8, samples: f32.array(3) },
      'test',
    );
    expect(fields.map((field) => field.byteOffset)).toEqual([0, 8, 16, 20, 32, 36]);
    expect(byteLength).toBe(48);
  });

  it('takes no memory for no fields', () => {
    expect(layoutSchema({}, 'test')).toMatchObject({ byteLength: 0, fields: [] });
    expect(readLiteral(viewOf({}).view)).toEqual({});
  });

  it.each([
    [null, /null given/],
    [f32.type, /"f32" given/],
    [[f32], /an array of 1 given/],
    [{ a: 5 }, /field "a" is 5/],
    [{ a: undefined }, /field "a" is undefined/],
    [{ a: Float32Array }, /field "a" is/],
    [{ a: f32.array }, /field "a" is/],
    [{ a: { kind: 'scalar', type: 'f16' } }, /field "a" is/],
    [{ a: { kind: 'matrix', type: 'f32' } }, /field "a" is/],
    [{ a: { kind: 'array', type: 'f32', length: 1.5 } }, /field "a" has length 1.5/],
    [{ a: { kind: 'array', type: 'constructor', length: 1 } }, /field "a" is/],
    [{ a: { kind: 'bytes', maxLength: '3' } }, /field "a" has length "3"/],
    [{ a: f32, '': f32 }, /field name ""/],
    [{ 'a b': f32 }, /field name "a b"/],
    [{ 0: f32 }, /field name "0"/],
    [{ toString: f32 }, /field name "toString"/],
    [{ toJSON: f32 }, /field name "toJSON"/],
    [{ '~views': f32 }, /field name "~views"/],
    [JSON.parse('{"__proto__":{"kind":"scalar","type":"f32"}}'), /field name "__proto__"/],
    [{ [Symbol('s')]: f32 }, /field name Symbol\(s\)/],
  ])('refuses %o', (schema, message) => {
    expectCode('SCHEMA_INVALID', message, () => layoutSchema(schema as Schema, 'input of task "tile"'));
    expectCode('SCHEMA_INVALID', /^input of task "tile": /, () =>
      layoutSchema(schema as Schema, 'input of task "tile"'),
    );
  });

  it('refuses what no buffer can hold', () => {
    expectCode('PAYLOAD_TOO_LARGE', /at most/, () => layoutSchema({ a: f64.array(2 ** 28) }, 'test'));
    expectCode('PAYLOAD_TOO_LARGE', /at most/, () => layoutSchema({ a: f64.array(Number.MAX_SAFE_INTEGER) }, 'test'));
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '4', undefined, null])(
    'refuses the length %o',
    (length) => {
      for (const type of scalarTypes) {
        expectCode('SCHEMA_INVALID', new RegExp(`${type}\\.array`), () => scalarField(type).array(length as number));
      }
      expectCode('SCHEMA_INVALID', /bytes\(maxLength\)/, () => bytes(length as number));
    },
  );
});

describe('description', () => {
  it('survives structured clone and gives the same schema', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        const back = schemaFromDescription(structuredClone(describeSchema(schema)));
        expect(sameSchema(schema, back)).toBe(true);
        expect(layoutSchema(back, 'test').fields).toEqual(layoutSchema(schema, 'test').fields);
        expect(describeSchema(back)).toEqual(describeSchema(schema));
      }),
    );
  });

  it('tells schemas apart exactly when their descriptions differ', () => {
    fc.assert(
      fc.property(anySchema, anySchema, (a, b) => {
        expect(sameSchema(a, b)).toBe(JSON.stringify(describeSchema(a)) === JSON.stringify(describeSchema(b)));
      }),
    );
    expect(sameSchema({ a: f32, b: f32 }, { b: f32, a: f32 })).toBe(false);
    expect(sameSchema({ a: f32 }, { a: u32 })).toBe(false);
    expect(sameSchema({ a: f32 }, { a: f32.array(1) })).toBe(false);
    expect(sameSchema({ a: u8.array(4) }, { a: bytes(4) })).toBe(false);
    expect(sameSchema({ a: u8.array(4) }, { a: u8.array(5) })).toBe(false);
    expect(sameSchema({ a: f32 }, {})).toBe(false);
  });

  it.each([
    ['nothing', undefined],
    ['an entry that is no field', [3]],
    ['an unknown kind', [{ name: 'a', kind: 'struct', type: 'f32' }]],
    ['an unknown type', [{ name: 'a', kind: 'scalar', type: 'f16' }]],
    ['no length', [{ name: 'a', kind: 'array', type: 'f32' }]],
    ['no name', [{ kind: 'scalar', type: 'f32' }]],
    ['a name twice', [...describeSchema({ a: f32 }), ...describeSchema({ a: f32 })]],
  ])('refuses %s', (_, description) => {
    expectCode('SCHEMA_INVALID', /^schema description: /, () =>
      schemaFromDescription(description as unknown as SchemaDescription),
    );
  });
});

describe('views', () => {
  it('give back what a literal wrote, and leave the neighbours alone', () => {
    fc.assert(
      fc.property(schemaAndLiterals, fc.boolean(), ([schema, first, second], shared) => {
        const layout = layoutSchema(schema, 'test');
        const factory = new ViewFactory(layout);
        const slots = 3;
        const views = bufferViews(
          shared ? new SharedArrayBuffer(slots * layout.byteLength) : new ArrayBuffer(slots * layout.byteLength),
        );
        const [a, b, c] = Array.from({ length: slots }, (_, i) => factory.create(views, i * layout.byteLength));
        writeLiteral(a!, first as never, 'test');
        writeLiteral(c!, first as never, 'test');
        const untouched = views.u8.slice();
        writeLiteral(b!, second as never, 'test');
        expect(plain(readLiteral(a!))).toEqual(plain(first));
        expect(plain(readLiteral(b!))).toEqual(plain(second));
        expect(plain(readLiteral(c!))).toEqual(plain(first));
        const from = layout.byteLength;
        expect(views.u8.slice(0, from)).toEqual(untouched.slice(0, from));
        expect(views.u8.slice(2 * from)).toEqual(untouched.slice(2 * from));
        // what was read can be written again
        writeLiteral(a!, readLiteral(b!) as never, 'test');
        expect(plain(readLiteral(a!))).toEqual(plain(second));
      }),
    );
  });

  it('write each field by itself, without touching the others', () => {
    fc.assert(
      fc.property(schemaAndLiterals, ([schema, first, second]) => {
        const { view } = viewOf(schema);
        writeLiteral(view, first as never, 'test');
        const expected: Record<string, unknown> = { ...first };
        const target = view as Record<string, unknown>;
        for (const [name, value] of Object.entries(second)) {
          if (typeof value === 'number') target[name] = value;
          else (target[name] as { set(source: unknown): void }).set(value);
          expected[name] = value;
          expect(plain(readLiteral(view))).toEqual(plain(expected));
        }
      }),
    );
  });

  it('make an array once per slot, over the slot itself', () => {
    const { view, views, factory } = viewOf({ tag: u8, samples: f32.array(4), packet: bytes(9) }, 64);
    const other = factory.create(views, 64);
    expect(view.samples).toBe(view.samples);
    expect(view.samples).not.toBe(other.samples);
    expect(view.samples).toHaveLength(4);
    view.samples[3] = 0.25;
    expect(other.samples[3]).toBe(0.25);
    expect(view.packet).toBe(view.packet);
    expect(view.packet.data.byteOffset).toBe(64 + 24);
    expect(view.packet.data).toHaveLength(9);
  });

  it('keep bytes and their length together', () => {
    const { view, factory } = viewOf({ packet: bytes(4) });
    expect(view.packet.length).toBe(0);
    view.packet.set(new Uint8Array([1, 2, 3]));
    expect([view.packet.length, view.packet.maxLength]).toEqual([3, 4]);
    view.packet.data[3] = 9;
    view.packet.length = 4;
    const copied = view.packet.copy();
    expect(copied).toEqual(new Uint8Array([1, 2, 3, 9]));
    expect(copied.buffer).toBeInstanceOf(ArrayBuffer);
    factory.clearLengths(view);
    expect(view.packet.length).toBe(0);
    expect(copied).toHaveLength(4);
  });

  it('never give a length that a stale slot could make too large', () => {
    const { view, views } = viewOf({ packet: bytes(4) });
    views.u32[0] = 0xdeadbeef;
    expect(view.packet.length).toBe(4);
    expect(view.packet.copy()).toHaveLength(4);
  });

  it('take every float', () => {
    const { view } = viewOf({ a: f32, b: f64 });
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e300, 5e-324]) {
      view.a = value;
      view.b = value;
      expect(view.a).toBe(Math.fround(value));
      expect(view.b).toBe(value);
    }
  });

  it.each([
    [
      'u',
      [-1, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, true, 1n, Symbol('s'), {}, [1]],
    ],
    ['i', [-(2 ** 31) - 1, 2 ** 31, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, '1', null, undefined, true, 1n, {}]],
    ['b', [-1, 256, 0.5, Number.NaN, '1', null, undefined, false, 1n]],
    ['f', ['1', null, undefined, true, 1n, Symbol('s'), {}]],
    ['d', ['1', null, undefined, true, 1n, Symbol('s'), {}]],
  ] as const)('refuse a wrong value in field %s and keep the old one', (name, wrong) => {
    const { view } = viewOf({ u: u32, i: i32, b: u8, f: f32, d: f64 });
    view[name] = 7;
    for (const value of wrong) {
      const assign = () => {
        view[name] = value as number;
      };
      expectCode(
        'PAYLOAD_INVALID',
        new RegExp(`^input of task "tile", field "${name}": .* given, .* expected`),
        assign,
      );
      expect(view[name]).toBe(7);
    }
  });

  it('take the limits of the integers', () => {
    const { view } = viewOf({ u: u32, i: i32, b: u8 });
    for (const [name, values] of [
      ['u', [0, 2 ** 32 - 1]],
      ['i', [-(2 ** 31), 2 ** 31 - 1]],
      ['b', [0, 255]],
    ] as const) {
      for (const value of values) {
        view[name] = value;
        expect(view[name]).toBe(value);
      }
    }
  });

  it('refuse an assignment to an array, a wrong byte length, and a field that is not there', () => {
    const { view } = viewOf({ pixels: u8.array(2), packet: bytes(4) });
    const loose = view as Record<string, unknown>;
    expectCode('PAYLOAD_INVALID', /field "pixels": .*filled in place/, () => {
      loose['pixels'] = new Uint8Array(2);
    });
    expectCode('PAYLOAD_INVALID', /field "packet": .*filled in place/, () => {
      loose['packet'] = new Uint8Array(2);
    });
    for (const length of [5, -1, 0.5, Number.NaN, '1', 1n]) {
      expectCode('PAYLOAD_INVALID', /field "packet", length: /, () => {
        view.packet.length = length as number;
      });
    }
    for (const source of [new Uint8Array(5), [1, 2], 'text', undefined]) {
      expectCode('PAYLOAD_INVALID', /field "packet": .* Uint8Array of at most 4/, () =>
        view.packet.set(source as Uint8Array),
      );
    }
    expect(() => {
      loose['pixel'] = 1;
    }).toThrow(TypeError);
  });

  it('show their values as JSON, and list their fields', () => {
    const { view } = viewOf({ x: f32, packet: bytes(4) });
    writeLiteral(view, { x: 1.5, packet: new Uint8Array([7]) }, 'tile');
    expect(JSON.parse(JSON.stringify(view))).toEqual({ x: 1.5, packet: { 0: 7 } });
    expect(Object.keys(view)).toEqual([]);
    const names: string[] = [];
    for (const name in view) names.push(name);
    expect(names).toEqual(['x', 'packet']);
  });

  it.each([-8, 4, 8, Number.NaN, 1.5])(
    'are not made at byte %d of a buffer that has room for one at 0',
    (byteOffset) => {
      const { factory, views } = viewOf({ x: f64 });
      expectCode('PAYLOAD_TOO_LARGE', /^input of task "tile": 8 bytes at/, () => factory.create(views, byteOffset));
    },
  );
});

describe('literals', () => {
  const schema = { x: u32, level: f32, table: i32.array(3), gains: f64.array(2), packet: bytes(4) };
  const good = { x: 1, level: 0.5, table: [1, 2, 3], gains: [1, 2], packet: new Uint8Array(4) };
  const write = (literal: unknown) => () => writeLiteral(viewOf(schema).view, literal as typeof good, 'tile');

  it.each([
    [undefined, /^task "tile": undefined given, an object with "x", "level"/],
    [null, /^task "tile": null given/],
    [5, /^task "tile": 5 given/],
    ['text', /^task "tile": "text" given/],
    [{}, /^task "tile", field "x": missing, an integer from 0 to 4294967295 expected/],
    [{ ...good, packet: undefined }, /^task "tile", field "packet": missing, a Uint8Array of at most 4 expected/],
    [{ ...good, gain: 1 }, /^task "tile": unknown field "gain" given, "x", .*"packet" expected/],
    [{ ...good, x: -1 }, /^task "tile", field "x": -1 given/],
    [{ ...good, x: Number.NaN }, /^task "tile", field "x": NaN given/],
    [{ ...good, x: '1' }, /^task "tile", field "x": "1" given/],
    [{ ...good, x: [1] }, /^task "tile", field "x": an array of 1 given/],
    [{ ...good, level: null }, /^task "tile", field "level": null given, a number expected/],
    [{ ...good, table: 3 }, /^task "tile", field "table": 3 given, an array of 3 numbers expected/],
    [{ ...good, table: '123' }, /^task "tile", field "table": "123" given/],
    [{ ...good, table: [1, 2] }, /^task "tile", field "table": an array of 2 given/],
    [{ ...good, table: [1, 2, 3, 4] }, /^task "tile", field "table": an array of 4 given/],
    [{ ...good, table: new Int32Array(2) }, /^task "tile", field "table": Int32Array of 2 given/],
    [
      { ...good, table: [1, Number.NaN, 3] },
      /^task "tile", field "table\[1\]": NaN given, an integer from -2147483648/,
    ],
    [{ ...good, table: [1, 2, 2 ** 31] }, /^task "tile", field "table\[2\]": 2147483648 given/],
    [{ ...good, table: new Float64Array([1, 2, 0.5]) }, /^task "tile", field "table\[2\]": 0.5 given/],
    [{ ...good, table: new BigInt64Array(3) }, /^task "tile", field "table\[0\]": 0n given/],
    [{ ...good, gains: [1, '2'] }, /^task "tile", field "gains\[1\]": "2" given/],
    [{ ...good, packet: [1, 2] }, /^task "tile", field "packet": an array of 2 given/],
    [{ ...good, packet: 'text' }, /^task "tile", field "packet": "text" given/],
    [{ ...good, packet: new Uint8Array(5) }, /^task "tile", field "packet": Uint8Array of 5 given/],
  ])('refuse %o', (literal, message) => {
    expect(write(good)).not.toThrow();
    expectCode('PAYLOAD_INVALID', message, write(literal));
  });

  it('refuse a field where none is declared', () => {
    expectCode('PAYLOAD_INVALID', /unknown field "x" given, no field expected/, () =>
      writeLiteral(viewOf({}).view, { x: 1 } as object, 'tile'),
    );
  });

  it('take any list of numbers that fit, and another view of the same schema without bytes', () => {
    const numbers = { x: u32, table: i32.array(3), gains: f32.array(2) };
    const a = viewOf(numbers).view;
    const b = viewOf(numbers).view;
    writeLiteral(a, { x: 1, table: new Float64Array([1, 2, 3]), gains: { length: 2, 0: 4, 1: Number.NaN } }, 'tile');
    writeLiteral(b, a, 'tile');
    expect(plain(readLiteral(b))).toEqual({ x: 1, table: [1, 2, 3], gains: [4, Number.NaN] });
  });
});
