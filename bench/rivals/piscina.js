import { Piscina } from 'piscina';

const filename = new URL('./work.js', import.meta.url).href;

/** `inFlight` 1 or more. `niceness`: what piscina alone offers, by its optional `@napi-rs/nice`. */
export async function open({ inFlight, niceness = 0 }) {
  const pool = new Piscina({
    filename,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: inFlight,
    ...(niceness === 0 ? {} : { niceIncrement: niceness }),
  });
  return { call: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() };
}
