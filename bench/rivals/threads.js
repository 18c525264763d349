import { Pool, spawn, Thread, Worker } from 'threads';

// it resolves it against this file
const script = './threads.worker.js';

/** `pool`: through its Pool, else straight to one spawned thread. */
export async function open({ pool: pooled, inFlight }) {
  if (!pooled) {
    const thread = await spawn(new Worker(script));
    return { call: (name, argument) => thread[name](argument), close: () => Thread.terminate(thread) };
  }
  const pool = Pool(() => spawn(new Worker(script)), { size: 1, concurrency: inFlight });
  return {
    call: (name, argument) => pool.queue((thread) => thread[name](argument)),
    close: () => pool.terminate(true),
  };
}
