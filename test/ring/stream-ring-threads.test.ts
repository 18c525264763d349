import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamRing } from '../../src/ring/stream-ring.js';
import type { StreamRingOptions } from '../../src/ring/stream-ring-options.js';
import type { SampleConsumer, SampleProducer } from '../../src/ring/stream-ring-samples.js';

describe('between threads', () => {
  const seed = Number(process.env['FRAME_DEADLINE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const sizesOf = (offset: number): number[] =>
    fc.sample(fc.integer({ min: 1, max: 700 }), { seed: seed + offset, numRuns: 997 });

  function connect(options: StreamRingOptions) {
    const there = StreamRing.allocate(options);
    const back = StreamRing.allocate(options);
    const pause = new SharedArrayBuffer(4);
    const worker = new Worker(new URL('./stream-ring.worker.js', import.meta.url), {
      workerData: { kind: options.kind, there: there.buffer, back: back.buffer, sizes: sizesOf(1), pause },
    });
    const echoed = new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const gone = new Promise((resolve) => worker.once('exit', resolve));
    const pauseWord = new Int32Array(pause);
    return { there, back, echoed, gone, rest: () => Atomics.wait(pauseWord, 0, 0, 0.05) };
  }

  it.each<StreamRingOptions & { total: number }>([
    { kind: 'f32', channels: 2, capacitySampleFrames: 1000, startIndex: 2 ** 32 - 50_000, total: 1_000_000 },
    { kind: 'f32', channels: 1, capacitySampleFrames: 3, startIndex: 2 ** 31 - 5_000, total: 10_000 },
    { kind: 'bytes', capacityBytes: 777, startIndex: 2 ** 31 - 50_000, total: 1_000_000 },
  ])('$kind keep their order and value, there and back (%o)', async ({ total, ...options }) => {
    console.log(`stream ring stress: FRAME_DEADLINE_SEED=${seed}`);
    const { there, back, echoed, gone, rest } = connect(options);
    const { itemSize } = there;
    const modulus = options.kind === 'bytes' ? 251 : 65_521;
    // both kinds have these methods, with their own arrays
    const producer = there.producer() as unknown as Pick<SampleProducer, 'write' | 'close'>;
    const consumer = back.consumer() as unknown as Pick<SampleConsumer, 'read' | 'ended'>;
    const chunk = options.kind === 'bytes' ? new Uint8Array(700) : new Float32Array(700 * itemSize);
    const echo = chunk.slice();
    const sizes = sizesOf(2);
    let sent = 0;
    let received = 0;
    let wrong = 0;
    for (let turn = 0; !consumer.ended(); turn++) {
      const size = Math.min(sizes[turn % sizes.length]!, total - sent);
      for (let i = 0; i < size * itemSize; i++) chunk[i] = (sent * itemSize + i) % modulus;
      const written = producer.write(chunk as Float32Array, 0, size);
      sent += written;
      if (sent === total && written > 0) producer.close();
      const got = consumer.read(echo as Float32Array, 0, sizes[(turn * 7) % sizes.length]!);
      for (let i = 0; i < got * itemSize; i++) if (echo[i] !== (received * itemSize + i) % modulus) wrong++;
      received += got;
      if (written === 0 && got === 0) rest();
    }
    expect({ sent, received, wrong }).toEqual({ sent: total, received: total, wrong: 0 });
    expect(await echoed).toBe(total);
    await gone;
  });

  it('records arrive whole and in order, there and back', async () => {
    console.log(`stream ring stress: FRAME_DEADLINE_SEED=${seed}`);
    const total = 50_000;
    const { there, back, echoed, gone, rest } = connect({
      kind: 'records',
      recordBytes: 40,
      capacityRecords: 13,
      startIndex: 2 ** 32 - 500,
    });
    const producer = there.producer() as ReturnType<StreamRing<'records'>['producer']>;
    const consumer = back.consumer() as ReturnType<StreamRing<'records'>['consumer']>;
    let sent = 0;
    let received = 0;
    let wrong = 0;
    while (!consumer.ended()) {
      const to = sent < total ? producer.beginWrite() : -1;
      if (to >= 0) {
        // nine words that add up to 0 with the tenth: a torn record shows
        let sum = 0;
        for (let i = 0; i < 9; i++) {
          const word = Math.imul(sent + i, 0x9e3779b1);
          producer.memory.i32[to / 4 + i] = word;
          sum = (sum + word) | 0;
        }
        producer.memory.i32[to / 4 + 9] = -sum;
        producer.commitWrite();
        sent++;
        if (sent === total) producer.close();
      }
      const from = consumer.beginRead();
      if (from >= 0) {
        let sum = 0;
        for (let i = 0; i < 10; i++) sum = (sum + consumer.memory.i32[from / 4 + i]!) | 0;
        if (sum !== 0 || consumer.memory.i32[from / 4] !== Math.imul(received, 0x9e3779b1)) wrong++;
        consumer.commitRead();
        received++;
      }
      if (to < 0 && from < 0) rest();
    }
    expect({ sent, received, wrong }).toEqual({ sent: total, received: total, wrong: 0 });
    expect(await echoed).toBe(total);
    await gone;
  });
});
