import { Tinypool } from 'tinypool';

const filename = new URL('./work.js', import.meta.url).href;

export async function open({ inFlight }) {
  const pool = new Tinypool({ filename, minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: inFlight });
  return { call: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() };
}
