import { COMMAND_HAND_OVER, COMMAND_RUN, WORKER_COMMAND, WORKER_ENDED_LIVES } from '../memory/layout.js';
import type { AttachedMemory } from './attached-memory.js';

// Threads that serve as one worker, one after the other: a spare is there before the one in front of it has ended.

/** How many threads have ended their service as this worker. */
export function endedLives(memory: AttachedMemory, worker: number): number {
  return Atomics.load(memory.control, memory.layout.worker(worker) + WORKER_ENDED_LIVES); // acquire
}

/** Blocks until as many threads have ended their service as this worker: its words belong to the caller from then on. */
export function awaitTurn(memory: AttachedMemory, worker: number, life: number): void {
  const { control, layout } = memory;
  const at = layout.worker(worker) + WORKER_ENDED_LIVES;
  for (;;) {
    const ended = Atomics.load(control, at); // acquire
    if (ended === life) break;
    Atomics.wait(control, at, ended);
  }
  // unless it is to stop at once
  Atomics.compareExchange(control, layout.worker(worker) + WORKER_COMMAND, COMMAND_HAND_OVER, COMMAND_RUN);
}

/** The calling thread touches nothing of the worker's any more, or the thread is gone and settled: who waits may begin. */
export function endLife(memory: AttachedMemory, worker: number): void {
  const at = memory.layout.worker(worker) + WORKER_ENDED_LIVES;
  Atomics.add(memory.control, at, 1); // release
  Atomics.notify(memory.control, at);
}
