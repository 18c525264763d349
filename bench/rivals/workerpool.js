import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';

const script = fileURLToPath(new URL('./workerpool.worker.js', import.meta.url));

export async function open() {
  const pool = workerpool.pool(script, { workerType: 'thread', minWorkers: 1, maxWorkers: 1 });
  return { call: (name, argument) => pool.exec(name, [argument]), close: () => pool.terminate(true) };
}
