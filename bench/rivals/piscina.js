import { Piscina } from 'piscina';

const filename = new URL('./work.js', import.meta.url).href;

/** Its `niceIncrement` is left out: it can only lower a worker's priority. */
export async function open({ inFlight }) {
  const pool = new Piscina({
    filename,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: inFlight,
  });
  return { call: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() };
}
