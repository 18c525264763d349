import { Worker } from 'node:worker_threads';

/** Messages by hand: one worker answers in order, so the oldest promise is meant. */
export async function open() {
  const worker = new Worker(new URL('./post-message.worker.js', import.meta.url));
  let waiting = [];
  let next = 0;
  worker.on('message', (answer) => {
    waiting[next++](answer);
    if (next === waiting.length) {
      waiting = [];
      next = 0;
    }
  });
  const call = (name, argument) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      worker.postMessage([name, argument]);
    });
  return { call, close: () => worker.terminate() };
}
