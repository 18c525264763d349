import { isMainThread } from 'node:worker_threads';

// Loaded into the demo by `node --import`: what nobody outside can see of its main thread, sent to the soak.

const EVERY_MS = 1000;

if (isMainThread && process.send !== undefined) {
  const send = () => {
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const handles = process.getActiveResourcesInfo().length;
    if (process.connected) process.send({ heapUsed, heapTotal, external, arrayBuffers, handles });
  };
  setInterval(send, EVERY_MS).unref();
  send();
}
