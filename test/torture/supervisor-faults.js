// Loaded into every thread by --import. In the supervisor of a scheduler it does on request what an app cannot: holds the
// thread up, and ends one of its workers at any moment of its life.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { BroadcastChannel, isMainThread, Worker } from 'node:worker_threads';

if (!isMainThread && process.argv[1]?.endsWith('node-supervisor.js') === true) {
  /** @type {Set<Worker>} */
  const living = new Set();
  const threads = createRequire(import.meta.url)('node:worker_threads');
  threads.Worker = class extends Worker {
    constructor(/** @type {ConstructorParameters<typeof Worker>} */ ...args) {
      super(...args);
      living.add(this);
      this.once('exit', () => living.delete(this));
    }
  };
  syncBuiltinESMExports();
  const channel = new BroadcastChannel('torture');
  channel.onmessage = (/** @type {any} */ { data }) => {
    if (data.stallMs !== undefined) {
      const end = performance.now() + data.stallMs;
      while (performance.now() < end);
    }
    if (data.terminate === undefined || living.size === 0) return;
    void [...living][data.terminate % living.size]?.terminate();
  };
  channel.unref();
}
