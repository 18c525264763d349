import { workerData } from 'node:worker_threads';

// Works as long as word 2 says and then wakes the main thread, with nothing of the scheduler: what Node's own way takes.
const words = new Int32Array(workerData);
const finishUs = new Float64Array(workerData, 64);
const nowUs = () => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1000;
};
for (let i = 1; ; i++) {
  Atomics.wait(words, 0, i - 1);
  const endUs = nowUs() + words[2];
  let us = nowUs();
  while (us < endUs) us = nowUs();
  finishUs[0] = us;
  Atomics.store(words, 1, i);
  Atomics.notify(words, 1);
}
