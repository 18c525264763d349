import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { f32, u8, u32 } from '../../src/memory/fields.js';
import { layoutSchema } from '../../src/memory/schema-layout.js';
import { ViewFactory } from '../../src/memory/views.js';
import { StreamRing } from '../../src/ring/stream-ring.js';
import type { ByteConsumer, ByteProducer } from '../../src/ring/stream-ring-bytes.js';
import type { StreamRingOptions } from '../../src/ring/stream-ring-options.js';
import type { SampleConsumer, SampleProducer } from '../../src/ring/stream-ring-samples.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const anyStartIndex = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 2 ** 31 - 40, max: 2 ** 31 + 5 }),
  fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 - 1 }),
);

const wrongUse = (message: RegExp, run: () => unknown) => {
  expect(run).toThrow(expect.objectContaining({ name: 'FrameDeadlineError', code: 'OPTION_INVALID' }));
  expect(run).toThrow(message);
};

/** What a ring has to be: a list, and what the two sides count. Values are the running number of the item. */
interface Model {
  held: number[];
  nextValue: number;
  closed: boolean;
  overruns: number;
  dropped: number;
  underruns: number;
  missing: number;
}
interface Real {
  ring: StreamRing<'f32'>;
  producer: SampleProducer;
  consumer: SampleConsumer;
}

const channels = 2;
/** Interleaved sample frames: value and its negation, so that a slip by one sample shows. */
const interleave = (values: readonly number[]) => Float32Array.from(values.flatMap((value) => [value, -value]));
const upTo = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

class Step implements fc.Command<Model, Real> {
  constructor(
    readonly name: string,
    readonly size: number,
    readonly act: (model: Model, real: Real, size: number) => void,
  ) {}
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    this.act(model, real, this.size);
    const capacity = real.ring.capacityItems;
    // with both sides in one thread the lower bounds are exact
    expect(real.producer.writableSampleFrames()).toBe(model.closed ? 0 : capacity - model.held.length);
    expect(real.consumer.readableSampleFrames()).toBe(model.held.length);
    expect(real.consumer.ended()).toBe(model.closed && model.held.length === 0);
    expect(real.ring.counts()).toEqual({
      overruns: model.overruns,
      droppedItems: model.dropped,
      underruns: model.underruns,
      missingItems: model.missing,
    });
  }
  toString(): string {
    return `${this.name}(${this.size})`;
  }
}

function put(model: Model, real: Real, size: number): { values: number[]; fits: number } {
  const values = upTo(model.nextValue, size);
  const fits = model.closed ? 0 : Math.min(size, real.ring.capacityItems - model.held.length);
  model.held.push(...values.slice(0, fits));
  model.nextValue += fits;
  return { values, fits };
}

function countDropped(model: Model, dropped: number): void {
  if (dropped === 0) return;
  model.overruns++;
  model.dropped += dropped;
}

function fillWithSilence(model: Model, got: number[], size: number): number[] {
  if (got.length < size && !model.closed) {
    model.underruns++;
    model.missing += size - got.length;
  }
  return [...got, ...upTo(0, size - got.length).fill(0)];
}

const anySize = fc.nat(9);
const steps = [
  anySize.map(
    (size) =>
      new Step('write', size, (model, real) => {
        const { values, fits } = put(model, real, size);
        expect(real.producer.write(interleave([99, ...values]), 1, size)).toBe(fits);
      }),
  ),
  anySize.map(
    (size) =>
      new Step('push', size, (model, real) => {
        const { values, fits } = put(model, real, size);
        expect(real.producer.push(interleave(values), 0, size)).toBe(fits);
        countDropped(model, size - fits);
      }),
  ),
  anySize.map(
    (size) =>
      new Step('pushPlanar', size, (model, real) => {
        const { values, fits } = put(model, real, size);
        const planes = [Float32Array.from([99, ...values]), Float32Array.from([99, ...values], (x) => -x)];
        expect(real.producer.pushPlanar([...planes, new Float32Array(99)], 1, size)).toBe(fits);
        countDropped(model, size - fits);
      }),
  ),
  anySize.map(
    (size) =>
      new Step('write in place', size, (model, real) => {
        const { producer, ring } = real;
        const free = model.closed ? 0 : ring.capacityItems - model.held.length;
        const opened = producer.beginWrite(size);
        const turnsOver = producer.writeOffset() + opened * channels === producer.samples.length;
        expect(opened === Math.min(size, free) || (turnsOver && opened < Math.min(size, free))).toBe(true);
        const kept = Math.ceil(opened / 2);
        producer.samples.set(interleave(upTo(model.nextValue, kept)), producer.writeOffset());
        producer.commitWrite(kept);
        put(model, real, kept);
        // what was not committed can still be
        producer.samples.set(interleave(upTo(model.nextValue, opened - kept)), producer.writeOffset());
        producer.commitWrite(opened - kept);
        put(model, real, opened - kept);
        wrongUse(/commitWrite/, () => producer.commitWrite(1));
      }),
  ),
  anySize.map(
    (size) =>
      new Step('read', size, (model, real) => {
        const target = new Float32Array((size + 2) * channels).fill(7);
        const got = model.held.splice(0, size);
        expect(real.consumer.read(target, 1, size)).toBe(got.length);
        expect([...target]).toEqual([7, 7, ...interleave(got), ...upTo(0, (size - got.length) * 2 + 2).fill(7)]);
      }),
  ),
  anySize.map(
    (size) =>
      new Step('pull', size, (model, real) => {
        const target = new Float32Array((size + 2) * channels).fill(7);
        const got = model.held.splice(0, size);
        expect(real.consumer.pull(target, 1, size)).toBe(got.length);
        const filled = fillWithSilence(model, got, size).flatMap((x) => [x, x === 0 ? 0 : -x]);
        expect([...target]).toEqual([7, 7, ...filled, 7, 7]);
      }),
  ),
  anySize.map(
    (size) =>
      new Step('pullPlanar', size, (model, real) => {
        const planes = [7, 7, 7].map((value) => new Float32Array(size + 2).fill(value));
        const got = model.held.splice(0, size);
        expect(real.consumer.pullPlanar(planes, 1, size)).toBe(got.length);
        const filled = fillWithSilence(model, got, size);
        expect([...planes[0]!]).toEqual([7, ...filled, 7]);
        expect([...planes[1]!]).toEqual([7, ...filled.map((x) => (x === 0 ? 0 : -x)), 7]);
        expect([...planes[2]!]).toEqual([7, ...filled.map(() => 0), 7]);
      }),
  ),
  anySize.map(
    (size) =>
      new Step('read in place', size, (model, real) => {
        const { consumer } = real;
        const opened = consumer.beginRead(size);
        const turnsOver = consumer.readOffset() + opened * channels === consumer.samples.length;
        const there = Math.min(size, model.held.length);
        expect(opened === there || (turnsOver && opened < there)).toBe(true);
        const from = consumer.readOffset();
        const kept = Math.ceil(opened / 2);
        const seen = consumer.samples.slice(from, from + kept * channels);
        expect([...seen]).toEqual([...interleave(model.held.splice(0, kept))]);
        consumer.commitRead(kept);
        wrongUse(/commitRead/, () => consumer.commitRead(opened - kept + 1));
      }),
  ),
  fc.constant(
    new Step('close', 0, (model, real) => {
      real.producer.close();
      model.closed = true;
    }),
  ),
];

describe('a ring of samples', () => {
  it('is a list of bounded length, across the wrap of its indices', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        anyStartIndex,
        // closing is final: let it be rare
        fc.commands([...steps.slice(0, -1), ...steps.slice(0, -1), ...steps], { maxCommands: 80, size: 'max' }),
        (capacitySampleFrames, startIndex, commands) => {
          fc.modelRun(() => {
            const ring = StreamRing.allocate({ kind: 'f32', channels, capacitySampleFrames, startIndex });
            return {
              model: {
                held: [],
                nextValue: 1,
                closed: false,
                overruns: 0,
                dropped: 0,
                underruns: 0,
                missing: 0,
              },
              real: { ring, producer: ring.producer(), consumer: StreamRing.attach(ring.buffer, 'f32').consumer() },
            };
          }, commands);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives silence for a channel that a planar source lacks', () => {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 3, capacitySampleFrames: 2 });
    const producer = ring.producer();
    producer.samples.fill(5);
    expect(producer.pushPlanar([Float32Array.of(1, 2)], 0, 2)).toBe(2);
    const target = new Float32Array(6);
    ring.consumer().read(target, 0, 2);
    expect([...target]).toEqual([1, 0, 0, 2, 0, 0]);
  });

  it('reports the capacity that was asked for, whatever the memory', () => {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 100 });
    const producer = ring.producer();
    expect(producer.write(new Float32Array(200), 0, 200)).toBe(100);
    expect(producer.samples).toHaveLength(128);
    expect([producer.capacitySampleFrames, ring.consumer().capacitySampleFrames, ring.capacityItems]).toEqual([
      100, 100, 100,
    ]);
  });

  it('does not read or write outside the range that it was given', () => {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 2, capacitySampleFrames: 8 });
    const producer = ring.producer();
    const consumer = ring.consumer();
    const block = new Float32Array(8);
    const odd: [number, number][] = [
      [0, 5],
      [1, 4],
      [-1, 2],
      [0, -1],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, Number.NaN],
    ];
    for (const [offset, count] of odd) {
      wrongUse(/write of/, () => producer.write(block, offset, count));
      wrongUse(/write of/, () => producer.push(block, offset, count));
      wrongUse(/read of/, () => consumer.read(block, offset, count));
      wrongUse(/read of/, () => consumer.pull(block, offset, count));
      wrongUse(/pushPlanar of/, () => producer.pushPlanar([block.subarray(4)], offset, count));
      wrongUse(/pullPlanar of/, () => consumer.pullPlanar([block.subarray(4)], offset, count));
    }
    for (const most of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      wrongUse(/beginWrite/, () => producer.beginWrite(most));
      wrongUse(/beginRead/, () => consumer.beginRead(most));
    }
    for (const count of [-1, 0.5, Number.NaN, 5]) {
      expect(producer.beginWrite(4)).toBe(4);
      wrongUse(/commitWrite/, () => producer.commitWrite(count));
    }
    expect(ring.counts()).toEqual({ overruns: 0, droppedItems: 0, underruns: 0, missingItems: 0 });
    expect(producer.writableSampleFrames()).toBe(8);
  });

  it('needs nothing that an AudioWorklet lacks', () => {
    vi.stubGlobal('performance', undefined);
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('setTimeout', undefined);
    vi.stubGlobal('TextEncoder', undefined);
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new TypeError('Atomics.wait cannot be called in this context');
    });
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 128 });
    const producer = ring.producer();
    const consumer = StreamRing.attach(ring.buffer, 'f32').consumer();
    const planes = [Float32Array.of(1, 2, 3, 4)];
    const pushed = producer.pushPlanar(planes, 0, 4);
    const pulled = consumer.pullPlanar(planes, 0, 4);
    producer.close();
    const ended = consumer.ended();
    vi.unstubAllGlobals();
    expect([pushed, pulled, ended, [...planes[0]!]]).toEqual([4, 4, true, [1, 2, 3, 4]]);
  });

  it('lets a copy end what was opened before it', () => {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 4 });
    const producer = ring.producer();
    const consumer = ring.consumer();
    producer.beginWrite(4);
    producer.write(Float32Array.of(1, 2), 0, 2);
    wrongUse(/the 0 that were granted/, () => producer.commitWrite(4));
    consumer.beginRead(2);
    consumer.read(new Float32Array(1), 0, 1);
    wrongUse(/the 0 that were granted/, () => consumer.commitRead(2));
  });
});

describe('a ring of bytes', () => {
  it('is a list of bounded length, across the wrap of its indices', () => {
    const portions = fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.boolean()), { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), anyStartIndex, portions, (capacityBytes, startIndex, moves) => {
        const ring = StreamRing.allocate({ kind: 'bytes', capacityBytes, startIndex });
        const producer: ByteProducer = ring.producer();
        const consumer: ByteConsumer = ring.consumer();
        const held: number[] = [];
        let next = 0;
        for (const [give, take, inPlace] of moves) {
          const free = capacityBytes - held.length;
          const values = upTo(next, give).map((value) => value & 255);
          let written: number;
          if (inPlace) {
            written = producer.beginWrite(give);
            producer.bytes.set(values.slice(0, written), producer.writeOffset());
            producer.commitWrite(written);
            const toEnd = written + producer.bytes.length - (producer.writeOffset() || producer.bytes.length);
            expect(written).toBe(Math.min(give, free, toEnd));
          } else {
            const before = producer.droppedBytes();
            written = producer.push(Uint8Array.from([9, ...values]), 1, give);
            expect(written).toBe(Math.min(give, free));
            expect(producer.droppedBytes() - before).toBe(give - written);
          }
          held.push(...values.slice(0, written));
          next += written;
          const target = new Uint8Array(take);
          const got = inPlace ? consumer.beginRead(take) : consumer.read(target, 0, take);
          if (inPlace) {
            target.set(consumer.bytes.subarray(consumer.readOffset(), consumer.readOffset() + got));
            consumer.commitRead(got);
          } else expect(got).toBe(Math.min(take, held.length));
          expect([...target.subarray(0, got)]).toEqual(held.splice(0, got));
          expect([producer.writableBytes(), consumer.readableBytes()]).toEqual([
            capacityBytes - held.length,
            held.length,
          ]);
        }
        producer.close();
        expect(consumer.ended()).toBe(held.length === 0);
        consumer.read(new Uint8Array(held.length), 0, held.length);
        expect(consumer.ended()).toBe(true);
      }),
    );
  });
});

describe('a ring of records', () => {
  it('hands typed records over in place, across the wrap of its indices', () => {
    const layout = layoutSchema({ number: u32, level: f32, tail: u8.array(5) }, 'event');
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        anyStartIndex,
        fc.array(fc.boolean(), { maxLength: 100, size: 'max' }),
        (capacityRecords, startIndex, moves) => {
          const ring = StreamRing.allocate({
            kind: 'records',
            recordBytes: layout.byteLength,
            capacityRecords,
            startIndex,
          });
          const producer = ring.producer();
          const consumer = StreamRing.attach(ring.buffer, 'records').consumer();
          const factory = new ViewFactory(layout);
          const written = upTo(0, producer.positions).map((i) =>
            factory.create(producer.memory, producer.recordByteOffset(i)),
          );
          const seen = upTo(0, consumer.positions).map((i) =>
            factory.create(consumer.memory, consumer.recordByteOffset(i)),
          );
          const held: number[] = [];
          let next = 0;
          let overruns = 0;
          for (const give of moves) {
            expect(producer.writableRecords()).toBe(capacityRecords - held.length);
            expect(consumer.readableRecords()).toBe(held.length);
            if (give) {
              const byteOffset = producer.beginWrite();
              expect(byteOffset === -1).toBe(held.length === capacityRecords);
              if (byteOffset === -1) {
                producer.countOverrun();
                overruns++;
                wrongUse(/commitWrite/, () => producer.commitWrite());
                continue;
              }
              expect(byteOffset).toBe(producer.recordByteOffset(producer.writePosition()));
              const view = written[producer.writePosition()]!;
              view.number = next;
              view.level = -next;
              view.tail.fill(next & 255);
              producer.commitWrite();
              held.push(next++);
            } else {
              const byteOffset = consumer.beginRead();
              expect(byteOffset === -1).toBe(held.length === 0);
              if (byteOffset === -1) {
                wrongUse(/commitRead/, () => consumer.commitRead());
                continue;
              }
              // looking twice takes nothing
              expect(consumer.beginRead()).toBe(byteOffset);
              const view = seen[consumer.readPosition()]!;
              expect(consumer.memory.u32[byteOffset / 4]).toBe(held[0]);
              expect([view.number, view.level, ...view.tail]).toEqual([
                held[0],
                Math.fround(-held[0]!),
                ...upTo(0, 5).fill(held[0]! & 255),
              ]);
              consumer.commitRead();
              held.shift();
            }
          }
          expect(producer.overruns()).toBe(overruns);
          producer.close();
          expect(producer.beginWrite()).toBe(-1);
          expect(consumer.ended()).toBe(held.length === 0);
        },
      ),
    );
  });
});

describe('roles', () => {
  it('are one of each, taken over only on request', () => {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 4, startIndex: 2 ** 32 - 1 });
    const producer = ring.producer();
    const consumer = ring.consumer();
    producer.push(Float32Array.of(1, 2, 3, 4, 5), 0, 5);
    consumer.read(new Float32Array(1), 0, 1);
    wrongUse(/has a producer already/, () => ring.producer());
    wrongUse(/has a consumer already/, () => StreamRing.attach(ring.buffer).consumer({ takeOver: false }));
    const nextProducer = ring.producer({ takeOver: true });
    const nextConsumer = ring.consumer({ takeOver: true });
    expect(nextProducer.writableSampleFrames()).toBe(1);
    expect(nextProducer.push(Float32Array.of(6, 7), 0, 2)).toBe(1);
    const rest = new Float32Array(5);
    expect(nextConsumer.pull(rest, 0, 5)).toBe(4);
    expect([...rest]).toEqual([2, 3, 4, 6, 0]);
    expect([nextProducer.overruns(), nextProducer.droppedSampleFrames()]).toEqual([2, 2]);
    expect([nextConsumer.underruns(), nextConsumer.missingSampleFrames()]).toEqual([1, 1]);
    nextProducer.close();
    expect(ring.producer({ takeOver: true }).writableSampleFrames()).toBe(0);
  });
});

describe('allocate and attach', () => {
  const samples = { kind: 'f32', channels: 2, capacitySampleFrames: 16 } as const;
  it.each<[unknown, RegExp]>([
    [undefined, /options undefined given/],
    [{ ...samples, kind: 'f64' }, /kind "f64" given/],
    [{ ...samples, channels: 0 }, /channels 0 given/],
    [{ ...samples, channels: 65_536 }, /channels 65536 given/],
    [{ ...samples, channels: 1.5 }, /channels 1.5 given/],
    [{ ...samples, capacitySampleFrames: 0 }, /capacitySampleFrames 0 given/],
    [{ ...samples, capacitySampleFrames: 1.5 }, /capacitySampleFrames 1.5 given/],
    [{ ...samples, capacitySampleFrames: Number.NaN }, /capacitySampleFrames NaN given/],
    [{ ...samples, capacitySampleFrames: 2 ** 30 + 1 }, /capacitySampleFrames 1073741825 given/],
    [{ ...samples, channels: 65_535, capacitySampleFrames: 2 ** 20 }, /at most 2147483648 bytes/],
    [{ ...samples, startIndex: -1 }, /startIndex -1 given/],
    [{ ...samples, startIndex: 2 ** 32 }, /startIndex 4294967296 given/],
    [{ kind: 'bytes', capacityBytes: '3' }, /capacityBytes "3" given/],
    [{ kind: 'bytes' }, /capacityBytes undefined given/],
    [{ kind: 'records', recordBytes: 12, capacityRecords: 2 }, /recordBytes 12 given, a multiple of 8/],
    [{ kind: 'records', recordBytes: 0, capacityRecords: 2 }, /recordBytes 0 given/],
    [{ kind: 'records', recordBytes: 8, capacityRecords: -2 }, /capacityRecords -2 given/],
  ])('refuse %o', (options, message) => {
    wrongUse(message, () => StreamRing.allocate(options as StreamRingOptions));
  });

  it('keep a structured clone of the buffer attached to the same ring', () => {
    const ring = StreamRing.allocate(samples);
    const attached = StreamRing.attach(structuredClone(ring.buffer));
    expect([attached.kind, attached.itemSize, attached.capacityItems]).toEqual(['f32', 2, 16]);
    const producer = ring.producer();
    producer.push(new Float32Array(34), 0, 17);
    expect(attached.counts()).toEqual({ overruns: 1, droppedItems: 1, underruns: 0, missingItems: 0 });
  });

  it('work in one thread without shared memory', () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(() => StreamRing.allocate(samples)).toThrow(expect.objectContaining({ code: 'SHARED_MEMORY_UNAVAILABLE' }));
    const ring = StreamRing.allocate({ ...samples, shared: false });
    const consumer = StreamRing.attach(ring.buffer, 'f32').consumer();
    ring.producer().write(Float32Array.of(1, 2), 0, 1);
    expect(consumer.readableSampleFrames()).toBe(1);
  });

  it.each<[string, RegExp, (words: Int32Array) => void]>([
    ['the magic', /not the mark of a stream ring/, (words) => words.set([1], 0)],
    ['the version', /version is 2, not 1/, (words) => words.set([2], 1)],
    ['the kind', /kind is 4, not 1 to 3/, (words) => words.set([4], 2)],
    ['the kind (0)', /kind is 0/, (words) => words.set([0], 2)],
    ['the channels', /16 items of size 0/, (words) => words.set([0], 3)],
    ['the channels (too many)', /16 items of size 60/, (words) => words.set([60], 3)],
    ['the item size of bytes', /16 items of size 2 /, (words) => words.set([2, 2], 2)],
    ['the capacity', /0 items of size 2/, (words) => words.set([0], 4)],
    ['the capacity (negative)', /-1 items of size 2/, (words) => words.set([-1], 4)],
    ['the capacity (too large)', /64 items of size 2/, (words) => words.set([64], 4)],
  ])('refuse a header with a lie in %s', (_, message, lie) => {
    const { buffer } = StreamRing.allocate(samples);
    expect(() => StreamRing.attach(buffer)).not.toThrow();
    lie(new Int32Array(buffer));
    wrongUse(message, () => StreamRing.attach(buffer));
  });

  it('refuse what is no ring, or another one', () => {
    const { buffer } = StreamRing.allocate(samples);
    wrongUse(/kind is "f32", not "bytes"/, () => StreamRing.attach(buffer, 'bytes'));
    wrongUse(/has 8 bytes/, () => StreamRing.attach(new SharedArrayBuffer(8)));
    wrongUse(/not the mark/, () => StreamRing.attach(new SharedArrayBuffer(4096)));
    for (const wrong of [undefined, null, 3, 'ring', {}, new Float32Array(4096)]) {
      wrongUse(/the buffer of a StreamRing expected/, () => StreamRing.attach(wrong as unknown as SharedArrayBuffer));
    }
  });
});

describe('interleaving', () => {
  /**
   * Runs `other` to its end before or after the n-th atomic access that the other role makes. All that one side sees of
   * the other lies between such accesses, so over all n this is every schedule with one preemption.
   */
  function preemptAt(n: number, other: () => void) {
    let accesses = 0;
    let asleep = false;
    const unobserved = (run: () => void) => {
      asleep = true;
      run();
      asleep = false;
    };
    const step = () => {
      if (!asleep && accesses++ === n) unobserved(other);
    };
    const around = <F extends (...parameters: never[]) => unknown>(access: F): F =>
      ((...parameters: Parameters<F>) => {
        step();
        const result = access(...parameters);
        step();
        return result;
      }) as F;
    const load = Atomics.load.bind(Atomics);
    const store = Atomics.store.bind(Atomics);
    vi.spyOn(Atomics, 'load').mockImplementation(around(load as never) as typeof Atomics.load);
    vi.spyOn(Atomics, 'store').mockImplementation(around(store as never) as typeof Atomics.store);
    return { unobserved, accesses: () => accesses };
  }

  const everySchedule = (run: (n: number) => number) => {
    let n = 0;
    while (n < run(n)) {
      n++;
      vi.restoreAllMocks();
    }
    vi.restoreAllMocks();
    expect(n).toBeGreaterThan(10);
  };

  function setUp(prefill: number) {
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 3, startIndex: 2 ** 32 - 2 });
    const producer = ring.producer();
    const consumer = ring.consumer();
    let sent = 0;
    const got: number[] = [];
    const send = (count: number) => {
      sent += producer.write(Float32Array.from(upTo(sent + 1, count)), 0, count);
    };
    const receive = (count: number) => {
      const target = new Float32Array(count);
      const read = consumer.read(target, 0, count);
      got.push(...target.subarray(0, read));
    };
    send(prefill);
    const check = () => {
      receive(3);
      expect(got).toEqual(upTo(1, sent));
    };
    return { ring, producer, consumer, send, receive, got, check, sentSoFar: () => sent };
  }

  it.each([0, 1, 2, 3])('the consumer may run between any two accesses of the producer (%i held)', (prefill) => {
    everySchedule((n) => {
      const { send, receive, check } = setUp(prefill);
      const { unobserved, accesses } = preemptAt(n, () => receive(2));
      for (let i = 0; i < 8; i++) {
        send(2);
        if (i % 2 === 1) unobserved(() => receive(3));
      }
      unobserved(check);
      return accesses();
    });
  });

  it.each([0, 1, 2, 3])('the producer may run between any two accesses of the consumer (%i held)', (prefill) => {
    everySchedule((n) => {
      const { send, receive, check } = setUp(prefill);
      const { unobserved, accesses } = preemptAt(n, () => send(2));
      for (let i = 0; i < 8; i++) {
        receive(2);
        if (i % 2 === 1) unobserved(() => send(3));
      }
      unobserved(check);
      return accesses();
    });
  });

  it('the end is not told while something is left', () => {
    everySchedule((n) => {
      const { consumer, producer, send, receive, got, sentSoFar } = setUp(1);
      const { accesses } = preemptAt(n, () => {
        send(2);
        producer.close();
      });
      for (let i = 0; i < 8; i++) {
        if (consumer.ended()) expect(got).toEqual(upTo(1, sentSoFar()));
        receive(1);
      }
      return accesses();
    });
  });

  it.each(['pull', 'pullPlanar'] as const)('%s: what is short is either counted or the end', (how) => {
    everySchedule((n) => {
      const { ring, consumer, producer, send, sentSoFar } = setUp(1);
      const got: number[] = [];
      const block = new Float32Array(2);
      let closed = false;
      const { unobserved, accesses } = preemptAt(n, () => {
        send(2);
        producer.close();
        closed = true;
      });
      for (let pulls = 0; pulls < 4; pulls++) {
        const before = ring.counts().missingItems;
        const closedBefore = closed;
        const read = how === 'pull' ? consumer.pull(block, 0, 2) : consumer.pullPlanar([block], 0, 2);
        got.push(...block.subarray(0, read));
        expect([...block.subarray(read)]).toEqual(upTo(0, 2 - read).fill(0));
        unobserved(() => {
          const missing = ring.counts().missingItems - before;
          if (!closed) expect(missing).toBe(2 - read);
          if (closedBefore) expect(missing).toBe(0);
          if (missing < 2 - read) expect(consumer.ended()).toBe(true);
        });
      }
      unobserved(() => {
        const rest = consumer.read(block, 0, 2);
        expect([...got, ...block.subarray(0, rest)]).toEqual(upTo(1, sentSoFar()));
      });
      return accesses();
    });
  });
});
