import { RingBuffer } from 'ringbuf.js';

// The ring of the npm registry that audio uses, for bench/streams.js.

export const allocate = (blocks, samples) => RingBuffer.getStorageForCapacity(blocks * samples, Float32Array);

export function producer(memory, samples) {
  const ring = new RingBuffer(memory, Float32Array);
  // whole blocks, as for the others: it would push a part
  return (block) => ring.available_write() >= samples && ring.push(block, samples) === samples;
}

export function consumer(memory, samples) {
  const ring = new RingBuffer(memory, Float32Array);
  return (block) => ring.available_read() >= samples && ring.pop(block, samples) === samples;
}
