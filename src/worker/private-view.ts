import { FrameDeadlineError } from '../base/errors.js';
import type { Schema, TypedArrayOf, View } from '../memory/fields.js';
import { type BufferViews, bufferViews, type ViewFactory, type ViewState } from '../memory/views.js';

// on every platform, with types that differ
declare const structuredClone: (value: ArrayBuffer, options: { readonly transfer: readonly ArrayBuffer[] }) => unknown;

/** The element types of one private buffer, for as long as it may be touched. */
class GuardedViews implements BufferViews {
  private readonly views: BufferViews;
  private readonly ended: () => FrameDeadlineError;
  private isEnded: boolean;

  constructor(buffer: ArrayBuffer, ended: () => FrameDeadlineError) {
    this.views = bufferViews(buffer);
    this.ended = ended;
    this.isEnded = false;
  }

  end(): void {
    this.isEnded = true;
  }

  get buffer(): SharedArrayBuffer {
    return this.open().buffer;
  }
  get f32(): TypedArrayOf<SharedArrayBuffer>['f32'] {
    return this.open().f32;
  }
  get f64(): TypedArrayOf<SharedArrayBuffer>['f64'] {
    return this.open().f64;
  }
  get u32(): TypedArrayOf<SharedArrayBuffer>['u32'] {
    return this.open().u32;
  }
  get i32(): TypedArrayOf<SharedArrayBuffer>['i32'] {
    return this.open().i32;
  }
  get u8(): TypedArrayOf<SharedArrayBuffer>['u8'] {
    return this.open().u8;
  }

  private open(): BufferViews {
    if (this.isEnded) throw this.ended();
    return this.views;
  }
}

/**
 * A payload of development mode: a copy of a slot's input or output that is its holder's alone, and is detached when its
 * time is over. Afterwards reading or writing a field throws JOB_STALE; an array that was kept has length 0 and its
 * methods throw a TypeError (V8's). Allocates.
 */
export class PrivateView {
  readonly view: View<Schema>;
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly guarded: GuardedViews;
  private readonly source: ViewState;
  private readonly byteLength: number;
  private isEnded: boolean;

  /** @param ended makes the error of a touch that comes too late */
  constructor(factory: ViewFactory<Schema>, source: View<Schema>, ended: () => FrameDeadlineError) {
    this.source = source as unknown as ViewState;
    this.byteLength = factory.layout.byteLength;
    const buffer = new ArrayBuffer(Math.ceil(Math.max(this.byteLength, 8) / 8) * 8);
    this.bytes = new Uint8Array(buffer);
    this.bytes.set(this.slotBytes());
    this.guarded = new GuardedViews(buffer, ended);
    this.view = factory.create(this.guarded, 0);
    this.isEnded = false;
  }

  /** Writes what is in the copy to the slot. */
  copyBack(): void {
    if (!this.isEnded) this.slotBytes().set(this.bytes.subarray(0, this.byteLength));
  }

  /** Nobody may touch it from now on. */
  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.guarded.end();
    // arrays that were asked for are asked for anew, and that throws
    (this.view as unknown as ViewState)['~objects'].fill(null);
    const { buffer } = this.bytes;
    structuredClone(buffer, { transfer: [buffer] });
  }

  private slotBytes(): Uint8Array<SharedArrayBuffer> {
    const from = this.source['~byteOffset'];
    return this.source['~views'].u8.subarray(from, from + this.byteLength);
  }
}

/** The error of a touch after the end. */
export function staleView(what: string, when: string): FrameDeadlineError {
  return new FrameDeadlineError(
    'JOB_STALE',
    `${what} was touched after ${when}; copy what is to be kept (without \`development: true\` this would read or write another job's data)`,
  );
}
