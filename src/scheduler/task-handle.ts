import { FrameDeadlineError } from '../base/errors.js';
import type { Literal, Schema, View } from '../memory/fields.js';
import { writeLiteral } from '../memory/literals.js';
import type { SchemaLayout } from '../memory/schema-layout.js';
import { bufferViews, ViewFactory } from '../memory/views.js';
import type { JobRing, JobRingProducer } from '../ring/job-ring.js';
import type { SlotViews, TaskInfo } from '../worker/task-runtime.js';

/** No slot is reserved. */
const NONE = -1;
/** The ring was full when the input was begun: it goes to a scratch slot, and the submit will be refused. */
const SCRATCH = -2;

/** Makes room in a full ring: see `HostCore.reclaim`. */
export interface RoomMaker {
  reclaim(lane: number, ring: JobRing, mayDrop: boolean): void;
}

/** A task on the submitting side: `scheduler.lanes.<lane>.<task>`. */
export class TaskHandle<I extends Schema = Schema, O extends Schema = Schema> {
  readonly name: string;
  readonly laneName: string;
  readonly inputSchema: I;
  readonly outputSchema: O;
  /** @internal */
  readonly info: TaskInfo;
  /** @internal */
  readonly ring: JobRing;
  /** @internal */
  readonly ringIndex: number;
  /** @internal */
  readonly producer: JobRingProducer;
  /** @internal */
  readonly views: SlotViews;
  /** @internal Whether the lane's worker releases it: then it cannot be submitted. */
  readonly periodic: boolean;
  /** Whether a full ring drops its oldest job for a new one. */
  private readonly dropsOldest: boolean;
  private readonly room: RoomMaker;
  private readonly scratch: View<I>;
  private readonly scratchWords: Int32Array;
  private readonly empty: boolean;
  private reserved: number;
  private reservedView: View<I>;

  /** @internal */
  constructor(
    info: TaskInfo,
    laneName: string,
    ringIndex: number,
    producer: JobRingProducer,
    views: SlotViews,
    input: SchemaLayout<I>,
    output: O,
    periodic: boolean,
    dropsOldest: boolean,
    room: RoomMaker,
  ) {
    this.inputSchema = input.schema;
    this.outputSchema = output;
    this.name = info.name;
    this.laneName = laneName;
    this.info = info;
    this.producer = producer;
    this.ring = producer.ring;
    this.ringIndex = ringIndex;
    this.views = views;
    this.periodic = periodic;
    this.dropsOldest = dropsOldest;
    this.room = room;
    this.empty = input.byteLength === 0;
    const bytes = Math.max(8, Math.ceil(input.byteLength / 4) * 4);
    const memory = typeof SharedArrayBuffer === 'undefined' ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
    const scratchViews = bufferViews(memory);
    this.scratch = new ViewFactory(input).create(scratchViews, 0);
    this.scratchWords = scratchViews.i32;
    this.reserved = NONE;
    this.reservedView = this.scratch;
  }

  /**
   * The input of the job that is submitted next: write its fields, then `submit(task)` without a second argument.
   * It is the job's slot itself, nothing is copied and nothing allocated. When the ring is full it is a scratch slot,
   * and the submit is refused, unless the lane drops its oldest job then. Host thread only.
   */
  get input(): View<I> {
    if (this.reserved !== NONE) return this.reservedView;
    const slot = this.reserve(false);
    if (slot < 0) {
      this.reserved = SCRATCH;
      this.reservedView = this.scratch;
    } else {
      this.reserved = slot;
      this.reservedView = this.views.freshInput(slot) as View<I>;
    }
    return this.reservedView;
  }

  /** @internal The slot to publish, with its input written, or -1 if the ring is full. */
  takeSlot(literal: Literal<I> | undefined): number {
    if (literal === undefined) {
      const reserved = this.reserved;
      this.reserved = NONE;
      if (reserved >= 0) {
        this.views.submitted(reserved);
        return reserved;
      }
      if (reserved === SCRATCH) return this.dropsOldest ? this.takeScratch() : -1;
      if (this.empty) return this.reserve(true);
      throw new FrameDeadlineError(
        'PAYLOAD_INVALID',
        `task ${this.laneName}.${this.name} was submitted without input; pass an object as second argument, or fill task.input first`,
      );
    }
    const slot = this.reserve(true);
    if (slot < 0) {
      // what does not fit is an error also when there is no room
      writeLiteral(this.scratch, literal, `${this.laneName}.${this.name}`);
      return -1;
    }
    try {
      writeLiteral(this.views.input(slot) as View<I>, literal, `${this.laneName}.${this.name}`);
    } catch (error) {
      this.producer.free(slot);
      throw error;
    }
    return slot;
  }

  /** @internal Whether the next submit finds a slot. May give back one of a job that nobody waits for; drops none. */
  hasRoom(): boolean {
    if (this.reserved >= 0 || this.dropsOldest) return true;
    if (this.reserved === SCRATCH) return false;
    if (this.producer.liveSlots >= this.ring.capacitySlots) this.room.reclaim(this.info.lane, this.ring, false);
    return this.producer.liveSlots < this.ring.capacitySlots;
  }

  /** The ring was full when the input was begun; now a job gives way, and what was written goes to its slot. */
  private takeScratch(): number {
    const slot = this.reserve(true);
    if (slot >= 0 && !this.empty) this.ring.i32.set(this.scratchWords, this.ring.payloadByte(slot) >>> 2);
    return slot;
  }

  private reserve(mayDrop: boolean): number {
    const slot = this.producer.reserve();
    if (slot >= 0) return slot;
    this.room.reclaim(this.info.lane, this.ring, mayDrop);
    return this.producer.reserve();
  }

  /** @internal Gives back a slot that was begun and never submitted. */
  abandon(): void {
    if (this.reserved >= 0) {
      this.views.submitted(this.reserved);
      this.producer.free(this.reserved);
    }
    this.reserved = NONE;
  }
}
