import { workerData } from 'node:worker_threads';

// One side of a stream: `blocks` blocks as fast as they go, or so many in every tick of `tickMs`.
const { module, memory, side, blocks, samples, tickMs, blocksPerTick, flags } = workerData;
const STARTED = 0;
const GO = 1;
const READ = 2;
const SUM = 3;
const IDLE = 4;

const ring = module === null ? null : await import(module);
const move = ring === null ? () => true : ring[side](memory, samples);
const block = new Float32Array(samples).fill(0.5);
Atomics.add(flags, STARTED, 1);
Atomics.notify(flags, STARTED);
Atomics.wait(flags, GO, 0);
if (tickMs === 0) {
  for (let i = 0; i < blocks; ) if (move(block)) i++;
} else {
  const startMs = performance.now();
  for (let tick = 1, moved = 0; moved < blocks; tick++) {
    const restMs = startMs + tick * tickMs - performance.now();
    if (restMs > 0) Atomics.wait(flags, IDLE, 0, restMs);
    for (let i = 0; i < blocksPerTick && moved < blocks && move(block); i++) moved++;
  }
}
if (side === 'consumer') {
  Atomics.store(flags, SUM, block[0] === 0.5 ? 1 : 0);
  Atomics.store(flags, READ, 1);
  Atomics.notify(flags, READ);
}
