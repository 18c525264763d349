// Far side of the stress test: echoes ring `there` into ring `back`, in its own random portions.
import { parentPort, workerData } from 'node:worker_threads';
import { StreamRing } from '../../dist/ring/stream-ring.js';

const { kind, there, back, sizes, pause } = workerData;
const ringThere = StreamRing.attach(there, kind);
const consumer = ringThere.consumer();
const producer = StreamRing.attach(back, kind).producer();
const pauseWord = new Int32Array(pause);
const itemSize = ringThere.itemSize;
const chunk = kind === 'f32' ? new Float32Array(4096 * itemSize) : new Uint8Array(4096);
let turn = 0;

function nextSize() {
  turn = (turn + 1) % sizes.length;
  return sizes[turn];
}

/** Items taken into `chunk`, by copy or in place. */
function take(size) {
  if (turn % 2 === 0) return consumer.read(chunk, 0, size);
  const got = consumer.beginRead(size);
  const from = consumer.readOffset();
  const memory = kind === 'f32' ? consumer.samples : consumer.bytes;
  for (let i = 0; i < got * itemSize; i++) chunk[i] = memory[from + i];
  consumer.commitRead(got);
  return got;
}

function echoItems() {
  let echoed = 0;
  while (!consumer.ended()) {
    const got = take(nextSize());
    if (got === 0) Atomics.wait(pauseWord, 0, 0, 0.05);
    for (let sent = 0; sent < got; ) {
      const written = producer.write(chunk, sent, Math.min(got - sent, nextSize()));
      if (written === 0) Atomics.wait(pauseWord, 0, 0, 0.05);
      sent += written;
    }
    echoed += got;
  }
  return echoed;
}

function echoRecords() {
  let echoed = 0;
  while (!consumer.ended()) {
    const from = consumer.beginRead();
    const to = from < 0 ? -1 : producer.beginWrite();
    if (to < 0) {
      Atomics.wait(pauseWord, 0, 0, 0.05);
      continue;
    }
    for (let i = 0; i < consumer.recordBytes / 4; i++) {
      producer.memory.u32[to / 4 + i] = consumer.memory.u32[from / 4 + i];
    }
    producer.commitWrite();
    consumer.commitRead();
    echoed++;
  }
  return echoed;
}

const echoed = kind === 'records' ? echoRecords() : echoItems();
producer.close();
parentPort.postMessage(echoed);
