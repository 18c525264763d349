import { Worker } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

export async function open() {
  const worker = new Worker(new URL('./comlink.worker.js', import.meta.url));
  const api = wrap(nodeEndpoint(worker));
  return { call: (name, argument) => api[name](argument), close: () => worker.terminate() };
}
