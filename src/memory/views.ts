import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { EXPECTED_NUMBER, SharedBytesView, wrongValue } from './bytes-view.js';
import type { PlainValues, Schema, TypedArrayOf, View } from './fields.js';
import type { FieldLayout, SchemaLayout } from './schema-layout.js';

/** One buffer seen as every element type. Made once per buffer, shared by all views on it. */
export interface BufferViews extends Readonly<TypedArrayOf<SharedArrayBuffer>> {
  readonly buffer: SharedArrayBuffer;
}

/**
 * Typed arrays over the whole of `buffer`; trailing bytes that fill no element are left out.
 * An unshared ArrayBuffer works as well (inline mode on a page that is not isolated); the types then say too much.
 */
export function bufferViews(buffer: SharedArrayBuffer | ArrayBuffer): BufferViews {
  const shared = buffer as SharedArrayBuffer;
  return Object.freeze({
    buffer: shared,
    f32: new Float32Array(shared, 0, shared.byteLength >>> 2),
    f64: new Float64Array(shared, 0, shared.byteLength >>> 3),
    u32: new Uint32Array(shared, 0, shared.byteLength >>> 2),
    i32: new Int32Array(shared, 0, shared.byteLength >>> 2),
    u8: new Uint8Array(shared),
  });
}

type ArrayObject = TypedArrayOf<SharedArrayBuffer>[keyof TypedArrayOf<SharedArrayBuffer>];

/**
 * @internal What every view is underneath. These names cannot meet a field's, which is an identifier. They are strings
 * and not symbols because all schemas share the accessors' code: V8 then has no type feedback for `this`, and only a
 * named load still takes the hidden class from the caller's check (0.6 ns against 9 ns from five schemas on).
 */
export class ViewState {
  declare readonly '~views': BufferViews;
  declare readonly '~byteOffset': number;
  /** arrays and bytes of this slot, by field number, null until first asked for */
  declare readonly '~objects': (ArrayObject | SharedBytesView | null)[];
  /** on the prototype */
  declare readonly '~layout': SchemaLayout;

  constructor(views: BufferViews, byteOffset: number, objects: (ArrayObject | SharedBytesView | null)[]) {
    // not enumerable: a view shows its fields only
    Object.defineProperty(this, '~views', { value: views });
    Object.defineProperty(this, '~byteOffset', { value: byteOffset });
    Object.defineProperty(this, '~objects', { value: objects });
    // a misspelt field then throws in strict code instead of going nowhere
    Object.preventExtensions(this);
  }
}

/** Makes the views of one schema: one class, so that all slots' views share one hidden class. Build it once per schema. */
export class ViewFactory<S extends Schema> {
  readonly layout: SchemaLayout<S>;
  /** Whether {@link clearLengths} has anything to do. */
  readonly hasBytes: boolean;
  private readonly viewClass: typeof ViewState;

  constructor(layout: SchemaLayout<S>) {
    this.layout = layout;
    this.hasBytes = layout.fields.some((field) => field.kind === 'bytes');
    this.viewClass = defineViewClass(layout);
  }

  /**
   * A view of the payload at `byteOffset`. Allocates: call it once per slot, at set-up.
   * @param byteOffset a multiple of 8
   * @throws FrameDeadlineError PAYLOAD_TOO_LARGE if the payload does not lie in the buffer
   */
  create(views: BufferViews, byteOffset: number): View<S> {
    const { what, byteLength, fields } = this.layout;
    const end = byteOffset + byteLength;
    if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset % 8 !== 0 || end > views.buffer.byteLength) {
      throw new FrameDeadlineError(
        'PAYLOAD_TOO_LARGE',
        `${what}: ${byteLength} bytes at ${describeValue(byteOffset)} given, a multiple of 8 with room in ${views.buffer.byteLength} bytes expected`,
      );
    }
    const objects = fields.some((field) => field.kind !== 'scalar') ? new Array(fields.length).fill(null) : NO_OBJECTS;
    return new this.viewClass(views, byteOffset, objects) as unknown as View<S>;
  }

  /** Sets the length of every bytes field to 0: a slot that is used again holds its last job's lengths. Allocates nothing. */
  clearLengths(view: View<S>): void {
    if (!this.hasBytes) return;
    const state = view as unknown as ViewState;
    const { fields } = this.layout;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (field.kind === 'bytes') state['~views'].u32[(state['~byteOffset'] + field.byteOffset) >>> 2] = 0;
    }
  }
}

/** Copies a view out of shared memory, as plain data that stays as it is. Allocates. */
export function readLiteral<S extends Schema>(view: View<S>): PlainValues<S> {
  const source = view as Readonly<Record<string, unknown>>;
  const plain: Record<string, unknown> = {};
  for (const { name } of (view as unknown as ViewState)['~layout'].fields) {
    const value = source[name];
    if (typeof value === 'number') plain[name] = value;
    else if (value instanceof SharedBytesView) plain[name] = value.copy();
    else plain[name] = (value as Float32Array).slice();
  }
  return plain as PlainValues<S>;
}

const NO_OBJECTS: (ArrayObject | SharedBytesView | null)[] = [];

function defineViewClass(layout: SchemaLayout): typeof ViewState {
  const viewClass = class View extends ViewState {};
  const { prototype } = viewClass;
  Object.defineProperty(prototype, '~layout', { value: layout });
  // what console.log and JSON.stringify show
  Object.defineProperty(prototype, Symbol.for('nodejs.util.inspect.custom'), { value: readThis });
  Object.defineProperty(prototype, 'toJSON', { value: readThis });
  layout.fields.forEach((field, i) => {
    const where = `${layout.what}, field "${field.name}"`;
    const accessors = field.kind === 'scalar' ? scalarAccessors(field, where) : objectAccessors(field, i, where);
    Object.defineProperty(prototype, field.name, { ...accessors, enumerable: true });
  });
  return viewClass;
}

function readThis(this: View<Schema>): PlainValues<Schema> {
  return readLiteral(this);
}

type Accessors = { get(this: ViewState): unknown; set(this: ViewState, value: never): void };

/** Small functions, written out per type: each is inlined into the handler with its element type known. */
function scalarAccessors(field: FieldLayout, where: string): Accessors {
  const offset = field.byteOffset;
  const expected = EXPECTED_NUMBER[field.type];
  switch (field.type) {
    case 'f32':
      return {
        get() {
          return this['~views'].f32[(this['~byteOffset'] + offset) >>> 2];
        },
        set(value: number) {
          if (typeof value !== 'number') throw wrongValue(where, value, expected);
          this['~views'].f32[(this['~byteOffset'] + offset) >>> 2] = value;
        },
      };
    case 'f64':
      return {
        get() {
          return this['~views'].f64[(this['~byteOffset'] + offset) >>> 3];
        },
        set(value: number) {
          if (typeof value !== 'number') throw wrongValue(where, value, expected);
          this['~views'].f64[(this['~byteOffset'] + offset) >>> 3] = value;
        },
      };
    case 'u32':
      return {
        get() {
          return this['~views'].u32[(this['~byteOffset'] + offset) >>> 2];
        },
        set(value: number) {
          if (typeof value !== 'number' || value >>> 0 !== value) throw wrongValue(where, value, expected);
          this['~views'].u32[(this['~byteOffset'] + offset) >>> 2] = value;
        },
      };
    case 'i32':
      return {
        get() {
          return this['~views'].i32[(this['~byteOffset'] + offset) >>> 2];
        },
        set(value: number) {
          if (typeof value !== 'number' || (value | 0) !== value) throw wrongValue(where, value, expected);
          this['~views'].i32[(this['~byteOffset'] + offset) >>> 2] = value;
        },
      };
    case 'u8':
      return {
        get() {
          return this['~views'].u8[this['~byteOffset'] + offset];
        },
        set(value: number) {
          if (typeof value !== 'number' || (value & 255) !== value) throw wrongValue(where, value, expected);
          this['~views'].u8[this['~byteOffset'] + offset] = value;
        },
      };
  }
}

function objectAccessors(field: FieldLayout, number: number, where: string): Accessors {
  return {
    get() {
      const objects = this['~objects'];
      const made = objects[number];
      if (made) return made;
      const object = makeObject(this['~views'], this['~byteOffset'] + field.byteOffset, field, where);
      objects[number] = object;
      return object;
    },
    set(value: unknown) {
      throw new FrameDeadlineError(
        'PAYLOAD_INVALID',
        `${where}: ${describeValue(value)} assigned, but this field is filled in place: call its set(...) or write its elements`,
      );
    },
  };
}

function makeObject(views: BufferViews, byteOffset: number, field: FieldLayout, where: string) {
  const { buffer } = views;
  if (field.kind === 'bytes') return new SharedBytesView(views, byteOffset, field.length, where);
  switch (field.type) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, field.length);
    case 'f64':
      return new Float64Array(buffer, byteOffset, field.length);
    case 'u32':
      return new Uint32Array(buffer, byteOffset, field.length);
    case 'i32':
      return new Int32Array(buffer, byteOffset, field.length);
    case 'u8':
      return new Uint8Array(buffer, byteOffset, field.length);
  }
}
